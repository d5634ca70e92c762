import { describe, expect, test } from 'vitest'
import { bandwidthLine, trafficLine } from '../../test/support/bills.ts'
import { renderExplanation, type WireExplained } from './bill-explanation-text.ts'

const HEAD = { bill: 'acc-example.cdn.2026-10', number: 1, zone: 'Europe/Berlin' }

/** Of a day in Berlin, with slots at these instants. */
function ofDay(start: string, end: string, times: readonly string[]): WireExplained {
  const slots = times.map((time) => ({ time, resource: 'ucdn-a', bytes: '1' }))
  const day = { start, end, throughBatch: 1, measuredBytes: '1', takenBytes: '0', pricedBytes: '1' }
  return {
    ...HEAD,
    explanation: {
      type: 'traffic',
      line: trafficLine(1, 1n),
      days: [{ ...day, resources: [], packages: [], slots }],
      steps: [],
      agrees: true,
    },
  }
}

const slotsIn = (text: string): string[] =>
  [...text.matchAll(/^(\S+ \d\d:\d\d\S*(?: [+-]\d\d:\d\d)?) +ucdn-a/gm)].map(
    ([, slot = '']) => slot,
  )

describe('slots of a day on which clocks change', () => {
  test('are told apart by their offset where an hour happens twice', () => {
    const back = ['2026-10-25T00:05:00Z', '2026-10-25T01:05:00Z', '2026-10-25T22:55:00Z']
    const text = renderExplanation(ofDay('2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', back))
    expect(slotsIn(text)).toEqual([
      '2026-10-25 02:05 +02:00',
      '2026-10-25 02:05 +01:00',
      '2026-10-25 23:55 +01:00',
    ])
  })

  test('are as short as ever on any other day', () => {
    const text = renderExplanation(
      ofDay('2026-10-25T23:00:00Z', '2026-10-26T23:00:00Z', ['2026-10-26T00:05:00Z']),
    )
    expect(slotsIn(text)).toEqual(['2026-10-26 01:05'])
  })

  test('have it in the ranking and beside the peaks of days, too', () => {
    const time = '2026-10-25T01:05:00Z'
    const rank = { rank: 1, bps: '8', isReported: true, isDropped: false, isSample: true }
    const peak = { takesPart: true, slots: 300, dropped: 0, sample: { time, bps: '8' } }
    const text = renderExplanation({
      ...HEAD,
      explanation: {
        type: 'bandwidth',
        line: bandwidthLine(),
        throughBatch: 1,
        members: ['acc-example'],
        ranking: [{ ...rank, time }],
        days: [{ start: '2026-10-24T22:00:00Z', ...peak }],
        notBilled: null,
        steps: [],
        agrees: true,
      },
    })
    expect(text).toMatch(/^1 +2026-10-25 02:05 \+01:00 +8 +← the sample$/m)
    expect(text).toMatch(/^2026-10-25 +.* +02:05 \+01:00$/m)
  })
})

test('an adjustment names the day whose late usage made it, and with which batches it came', () => {
  const adjusted = (batches: readonly number[], batchCount: number): string =>
    renderExplanation({
      ...HEAD,
      explanation: {
        type: 'adjustment',
        line: {
          type: 'adjustment',
          of: 'month',
          rule: 'static-cn',
          member: 'acc-example',
          start: '2026-09-30T22:00:00Z',
          end: '2026-10-31T23:00:00Z',
          before: null,
          after: null,
          amount: '1.00',
          currency: 'CNY',
        },
        cause: { start: '2026-10-02T22:00:00Z', end: '2026-10-03T22:00:00Z', batches, batchCount },
        before: null,
        after: null,
        steps: [],
        agrees: true,
      },
    })
  expect(adjusted([7, 8], 2)).toContain('Late usage of 2026-10-03, from batch 7, 8.\n')
  expect(adjusted([7, 8], 4)).toContain('from batch 7, 8 and 2 more.\n')
})
