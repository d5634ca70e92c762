import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import { DAY_MS, type Interval, MINUTE_MS } from '../../core/period.ts'
import { askCoverage, type AskCoverageDeps } from './ask-coverage.ts'

const NOW_MS = Date.UTC(2026, 10, 20, 12, 3, 30)
const KNOWN_MS = Date.UTC(2026, 10, 20, 12, 0)

type Asked = Parameters<AskCoverageDeps['reader']['sources']>[0]

function deps(missing: readonly Interval[] = []): AskCoverageDeps & { readonly asked: Asked[] } {
  const asked: Asked[] = []
  return {
    asked,
    clock: { nowMs: () => NOW_MS },
    reader: {
      async sources(query) {
        asked.push(query)
        return [
          { source: 'edge-1', expectedSlots: 288, receivedSlots: 288, missing: [] },
          { source: 'edge-2', expectedSlots: 288, receivedSlots: 285, missing },
        ]
      },
    },
    async accountOf(ref) {
      if (ref === 'acme') return { id: 'acc-1', zone: 'America/New_York' }
      throw new AppError('not_found', `account "${ref}" does not exist.`)
    },
  }
}

function gap(minute: number, slots: number): Interval {
  const startMs = KNOWN_MS - DAY_MS + minute * MINUTE_MS
  return { startMs, endMs: startMs + slots * 5 * MINUTE_MS }
}

test('the last 24 hours of all sources, the longest gap first', async () => {
  const given = deps([gap(0, 1), gap(60, 2)])
  const answer = await askCoverage({}, given)
  expect(given.asked).toEqual([
    { interval: { startMs: KNOWN_MS - DAY_MS, endMs: KNOWN_MS }, asOfMs: NOW_MS },
  ])
  expect(answer).toEqual({
    start: '2026-11-19T12:00:00.000Z',
    end: '2026-11-20T12:00:00.000Z',
    zone: 'Asia/Shanghai',
    knownUntil: '2026-11-20T12:00:00.000Z',
    account: null,
    expectedSlots: 576,
    receivedSlots: 573,
    // 573 / 576 = 99.479…
    percent: '99.47',
    sources: [
      {
        source: 'edge-1',
        expectedSlots: 288,
        receivedSlots: 288,
        percent: '100.00',
        gapCount: 0,
        gaps: [],
      },
      {
        source: 'edge-2',
        expectedSlots: 288,
        receivedSlots: 285,
        percent: '98.95',
        gapCount: 2,
        gaps: [
          { start: '2026-11-19T13:00:00.000Z', end: '2026-11-19T13:10:00.000Z', slots: 2 },
          { start: '2026-11-19T12:00:00.000Z', end: '2026-11-19T12:05:00.000Z', slots: 1 },
        ],
      },
    ],
  })
})

test('a day of an account is one of its zone, and what is not over yet is said', async () => {
  const given = deps()
  const answer = await askCoverage({ account: 'acme', day: '2026-11-20', source: 'edge-1' }, given)
  expect(given.asked[0]).toMatchObject({
    accountId: 'acc-1',
    interval: { startMs: Date.UTC(2026, 10, 20, 5), endMs: Date.UTC(2026, 10, 21, 5) },
  })
  expect(answer).toMatchObject({ knownUntil: '2026-11-20T12:00:00.000Z', account: 'acc-1' })
  expect(answer.sources.map(({ source }) => source)).toEqual(['edge-1'])
  const other = await askCoverage({ account: 'acme', day: '2026-11-20', zone: 'UTC' }, given)
  expect(other.start).toBe('2026-11-20T00:00:00.000Z')
})

test('at most a hundred gaps of a source are listed, and all are counted', async () => {
  const many = Array.from({ length: 150 }, (_, index) => gap(index * 10, 1))
  const [, broken] = (await askCoverage({}, deps(many))).sources
  expect(broken).toMatchObject({ gapCount: 150 })
  expect(broken?.gaps).toHaveLength(100)
})

test.each([
  [{ account: 'nobody' }, 'not_found'],
  [{ day: '2026-11-31' }, 'parameter_invalid'],
  [{ zone: 'Mars/Olympus' }, 'parameter_invalid'],
  [{ days: '2026-11-20' }, 'parameter_invalid'],
])('%j is refused as %s', async (query, code) => {
  await expect(askCoverage(query, deps())).rejects.toMatchObject({ code })
})
