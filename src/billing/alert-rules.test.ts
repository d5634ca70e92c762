import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NANO } from '../core/money.ts'
import { type AlertState, type AlertWatch, NEW_STATE } from './alert.ts'
import type { Quantity } from './alert-quantity.ts'
import { type AlertReading, defaultRecovery, limitsProblem, stepAlert } from './alert-rules.ts'

const PERCENT: AlertWatch = { type: 'percent-left', packageId: null, area: null, kind: null }
const DAYS: AlertWatch = { ...PERCENT, type: 'days-left' }
const AMOUNT: AlertWatch = { type: 'amount', currency: 'CNY' }
const BANDWIDTH: AlertWatch = { type: 'bandwidth', direction: 'out', of: 'slot' }

const whole = (value: bigint): Quantity => ({ numerator: value, denominator: 1n })

interface Seen {
  readonly value: Quantity
  readonly periodMs?: number
  readonly asOfMs?: number
}

/** Reads one value after the other, a minute apart, and lists what was told. */
function told(
  watch: AlertWatch,
  limits: { readonly threshold: bigint; readonly recovery: bigint },
  series: readonly Seen[],
) {
  const alert = { watch, threshold: limits.threshold * NANO, recovery: limits.recovery * NANO }
  let state: AlertState = NEW_STATE
  const events: string[] = []
  for (const [index, seen] of series.entries()) {
    const reading: AlertReading = { periodMs: null, asOfMs: index * 60_000, ...seen }
    const step = stepAlert(alert, state, reading)
    for (const event of step.events) {
      const what = event.type === 'alert.firing' ? 'firing' : 'recovered'
      events.push(`${index}: ${what}${event.reason === 'period' ? ' by period' : ''}`)
    }
    expect(step.isChanged || step.state === state).toBe(true)
    state = step.state
  }
  return { events, state }
}

const values = (...list: number[]): Seen[] => list.map((value) => ({ value: whole(BigInt(value)) }))

describe('each crossing is told once', () => {
  // Little of a package: at 10 % it fires, above 15 % it is well again.
  test.each<[string, number[], string[]]>([
    ['never reached', [50, 30, 11], []],
    ['reached exactly', [11, 10], ['1: firing']],
    ['reached and staying', [11, 9, 8, 0, 0], ['1: firing']],
    ['at the start', [5], ['0: firing']],
    ['up to the recovery only', [10, 15], ['0: firing']],
    ['beyond the recovery', [10, 15, 16, 17], ['0: firing', '2: recovered']],
    ['trembling at the threshold', [11, 10, 11, 10, 11, 10], ['1: firing']],
    ['trembling at the recovery', [10, 16, 15, 16, 15], ['0: firing', '1: recovered']],
    ['twice', [10, 16, 10, 16], ['0: firing', '1: recovered', '2: firing', '3: recovered']],
  ])('of little: %s', (_title, series, expected) => {
    expect(told(PERCENT, { threshold: 10n, recovery: 15n }, values(...series)).events).toEqual(
      expected,
    )
  })

  test.each<[string, number[], string[]]>([
    ['never reached', [0, 50, 99], []],
    ['reached exactly', [99, 100], ['1: firing']],
    ['down to the recovery only', [100, 90], ['0: firing']],
    ['below the recovery', [120, 90, 89], ['0: firing', '2: recovered']],
    ['trembling at the threshold', [99, 100, 99, 100, 99], ['1: firing']],
  ])('of much: %s', (_title, series, expected) => {
    expect(told(AMOUNT, { threshold: 100n, recovery: 90n }, values(...series)).events).toEqual(
      expected,
    )
  })

  test('with recovery and threshold at one place, what stands still there is told once', () => {
    const { events } = told(PERCENT, { threshold: 10n, recovery: 10n }, values(10, 10, 10, 10))
    expect(events).toEqual(['0: firing'])
  })

  test('fractions are compared exactly, not as they are shown', () => {
    // 10 % of 10^30 + 1 bytes left of 10^31: shown as 10.00, yet above the threshold.
    const above = { numerator: (10n ** 30n + 1n) * 100n, denominator: 10n ** 31n }
    const exact = { numerator: 10n ** 30n * 100n, denominator: 10n ** 31n }
    const { events } = told(PERCENT, { threshold: 10n, recovery: 10n }, [
      { value: above },
      { value: exact },
      { value: above },
    ])
    expect(events).toEqual(['1: firing', '2: recovered'])
  })

  test('days without end are well, nothing left of nothing used is not', () => {
    const { events, state } = told(DAYS, { threshold: 3n, recovery: 4n }, [
      { value: { numerator: 0n, denominator: 0n } },
      { value: { numerator: 5n, denominator: 0n } },
    ])
    expect(events).toEqual(['0: firing', '1: recovered'])
    expect(state.value).toBeNull()
  })
})

describe('a new period starts anew', () => {
  const month = (value: number, periodMs: number): Seen => ({
    value: whole(BigInt(value)),
    periodMs,
  })
  const limits = { threshold: 100n, recovery: 90n }

  test('what fired in the old month recovers in the new one, because it is new', () => {
    const { events } = told(AMOUNT, limits, [month(100, 1), month(0, 2), month(100, 2)])
    expect(events).toEqual(['0: firing', '1: recovered by period', '2: firing'])
  })

  test('a new month that is over at once is told as a crossing of its own', () => {
    const { events, state } = told(AMOUNT, limits, [month(100, 1), month(150, 2), month(150, 2)])
    expect(events).toEqual(['0: firing', '1: recovered by period', '1: firing'])
    expect(state).toMatchObject({ sequence: 3, phase: 'firing', value: '150.00' })
  })

  test('a new month in which nothing was firing tells nothing', () => {
    expect(told(AMOUNT, limits, [month(0, 1), month(0, 2)]).events).toEqual([])
  })

  test('a package that ends does not start anew', () => {
    const { events, state } = told(PERCENT, { threshold: 10n, recovery: 15n }, [
      month(5, 2),
      month(6, 1),
      { value: whole(0n) },
    ])
    expect(events).toEqual(['0: firing'])
    expect(state.periodMs).toBe(2)
  })
})

test('a reading older than the last change changes nothing', () => {
  const { events } = told(AMOUNT, { threshold: 100n, recovery: 90n }, [
    { value: whole(100n), asOfMs: 10 },
    { value: whole(0n), asOfMs: 9 },
    { value: whole(0n), asOfMs: 10 },
  ])
  expect(events).toEqual(['0: firing', '2: recovered'])
})

describe('for any series of values', () => {
  const Series = fc.array(
    fc.record({ value: fc.nat(30), period: fc.nat(1), stale: fc.boolean() }),
    { maxLength: 60 },
  )
  const Limits = fc.tuple(fc.nat(20), fc.nat(5))

  test.each([
    ['little', PERCENT],
    ['much', BANDWIDTH],
  ])('of %s, notifications alternate and are numbered without gaps', (_title, watch) => {
    fc.assert(
      fc.property(Series, Limits, (series, [low, band]) => {
        const alert = limitsOf(watch, low, band)
        let state = NEW_STATE
        let periodMs = 0
        const events: string[] = []
        for (const [index, { value, period, stale }] of series.entries()) {
          periodMs += period
          const asOfMs = stale ? index - 5 : index
          const step = stepAlert(alert, state, { value: whole(BigInt(value)), periodMs, asOfMs })
          for (const { type, sequence } of step.events) {
            events.push(type)
            expect(sequence).toBe(events.length)
          }
          // The same reading once more: a second node, or a restart between state and sending.
          const again = stepAlert(alert, step.state, {
            value: whole(BigInt(value)),
            periodMs,
            asOfMs,
          })
          expect(again.events).toEqual([])
          state = step.state
        }
        expect(events).toEqual(
          events.map((_, index) => (index % 2 === 0 ? 'alert.firing' : 'alert.recovered')),
        )
        expect(state.phase).toBe(events.length % 2 === 1 ? 'firing' : 'ok')
      }),
    )
  })

  test.each([
    ['little', PERCENT, 1],
    ['much', BANDWIDTH, -1],
  ])('of %s, there are as many as crossings of threshold and recovery', (_title, watch, sign) => {
    fc.assert(
      fc.property(fc.array(fc.nat(30), { maxLength: 60 }), Limits, (series, [low, band]) => {
        const alert = limitsOf(watch, low, band)
        const { events } = told(
          watch,
          { threshold: alert.threshold / NANO, recovery: alert.recovery / NANO },
          values(...series),
        )
        expect(events).toHaveLength(slowCrossings(series, alert, sign))
      }),
    )
  })
})

function limitsOf(watch: AlertWatch, low: number, band: number) {
  const [a, b] = [BigInt(low) * NANO, BigInt(low + band) * NANO]
  return watch.type === 'bandwidth'
    ? { watch, threshold: b, recovery: a }
    : { watch, threshold: a, recovery: b }
}

/**
 * Each value is bad (at or past the threshold), good (past the recovery) or in between; those in
 * between are dropped, and what is left, after a good one, is counted where it changes.
 */
function slowCrossings(
  series: readonly number[],
  { threshold, recovery }: { readonly threshold: bigint; readonly recovery: bigint },
  sign: number,
): number {
  const clear = series
    .map((value) => {
      const bad = (value - Number(threshold / NANO)) * sign <= 0
      const good = (value - Number(recovery / NANO)) * sign > 0
      return bad ? 'bad' : good ? 'good' : ''
    })
    .filter((word) => word !== '')
  return ['good', ...clear].filter((word, index, list) => index > 0 && word !== list[index - 1])
    .length
}

describe('limits', () => {
  test.each<[string, AlertWatch, bigint, bigint]>([
    ['10 % recovers above 11 %', PERCENT, 10n, 11n],
    ['0 % recovers above 0 %', PERCENT, 0n, 0n],
    ['3 days recover above 3.3 days', DAYS, 3n, 33n * 10n ** 8n],
    ['an amount of 1000 recovers below 900', AMOUNT, 1000n, 900n],
    ['1 Gbit/s recovers below 900 Mbit/s', BANDWIDTH, 10n ** 9n, 9n * 10n ** 8n],
    // A tenth more would be 104.5 %, which no package ever has.
    ['95 % recovers above 97.5 %', PERCENT, 95n, 975n * 10n ** 8n],
  ])('by default %s', (_title, watch, threshold, expected) => {
    // Whole units, or billionths where they are not whole.
    const recovery = defaultRecovery(watch, threshold * NANO)
    expect([expected * NANO, expected]).toContain(recovery)
    expect(limitsProblem(watch, threshold * NANO, recovery)).toBeNull()
  })

  test.each<[AlertWatch, bigint, bigint, string]>([
    [PERCENT, 100n, 100n, 'threshold'],
    [PERCENT, 10n, 9n, 'recovery'],
    [PERCENT, 10n, 100n, 'recovery'],
    [DAYS, 3n, 2n, 'recovery'],
    [AMOUNT, 0n, 0n, 'threshold'],
    [AMOUNT, 10n, 11n, 'recovery'],
    [BANDWIDTH, 10n, 0n, 'recovery'],
  ])('%j with %d and %d is refused at the %s', (watch, threshold, recovery, field) => {
    expect(limitsProblem(watch, threshold * NANO, recovery * NANO)).toMatchObject({ field })
  })
})
