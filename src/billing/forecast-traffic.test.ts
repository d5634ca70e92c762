import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDays, HOUR_MS, type Interval, localDays } from '../core/period.ts'
import { mergeTraffic } from '../rating/traffic-order.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { usageAt } from '../../test/support/forecast-world.ts'
import { forecastTraffic, restOf } from './forecast-traffic.ts'
import { usageCuts } from './usage-cuts.ts'

const BEGIN = Date.parse('2026-09-07T00:00:00+08:00')
const ZONE = 'Asia/Shanghai'
const NIGHT = [{ fromMinute: 0, toMinute: 480 }]

function daysFrom(startMs: number, count: number, zone = ZONE): Interval[] {
  return localDays({ startMs, endMs: addDays(startMs, count, zone) }, zone)
}

function forecastOf(
  entriesOf: (startMs: number, index: number) => readonly TrafficUsage[],
  { known = 28, ahead = 35, zone = ZONE, begin = BEGIN } = {},
) {
  const days = daysFrom(begin, known, zone)
  const history = {
    days,
    traffic: days.flatMap(({ startMs }, index) => entriesOf(startMs, index)),
    zone,
    cutsOf: (day: Interval) => usageCuts(day, zone, [NIGHT]),
  }
  return forecastTraffic(history, daysFrom(addDays(begin, known, zone), ahead, zone))
}

const plain = (usage: readonly TrafficUsage[]) =>
  mergeTraffic(
    usage.map((entry) => {
      const { startMs, bytes, direction, kind, province, projectId, resourceId } = entry
      const place = { area: entry.area, billingRegion: entry.billingRegion, province }
      return { startMs, bytes, direction, ...place, kind, projectId, resourceId }
    }),
  )

test('a week that repeats goes on by place, time and resource, to the byte', () => {
  // Mondays to Fridays in China by night and by day; at weekends abroad, by another resource.
  const entriesOf = (startMs: number, index: number): TrafficUsage[] =>
    index % 7 < 5
      ? [
          usageAt(startMs, { bytes: 7n + BigInt(index % 7) }),
          usageAt(startMs + 8 * HOUR_MS, { bytes: 100n, province: 'beijing' }),
          usageAt(startMs + 8 * HOUR_MS, { bytes: 33n, direction: 'in' }),
        ]
      : [usageAt(startMs, { bytes: 55n, area: 'abroad', resourceId: 'ucdn-2' })]
  const future = forecastOf(entriesOf)
  for (let index = 0; index < 35; index += 1) {
    const startMs = BEGIN + (28 + index) * 24 * HOUR_MS
    for (const way of ['low', 'expected', 'high'] as const) {
      expect(plain(future?.(index, way) ?? [])).toEqual(plain(entriesOf(startMs, index)))
    }
  }
})

test('parts of the day keep their hour on the clock when summer time ends', () => {
  // Berlin, 25 October 2026: 03:00 becomes 02:00, so that 08:00 is nine hours after midnight.
  const zone = 'Europe/Berlin'
  const begin = Date.parse('2026-09-27T00:00:00+02:00')
  const entriesOf = (startMs: number) => [usageAt(startMs + 8 * HOUR_MS, { bytes: 10n })]
  const future = forecastOf(entriesOf, { known: 28, ahead: 2, zone, begin })
  const starts = [0, 1].map((index) => future?.(index, 'expected').map(({ startMs }) => startMs))
  expect(starts).toEqual([
    [Date.parse('2026-10-25T08:00:00+01:00')],
    [Date.parse('2026-10-26T08:00:00+01:00')],
  ])
})

test('with fewer than fourteen days nothing is foretold', () => {
  expect(forecastOf((startMs) => [usageAt(startMs)], { known: 13 })).toBeNull()
})

describe('the rest of today', () => {
  const [today = 0] = daysFrom(BEGIN, 1).map(({ startMs }) => startMs)
  const night = { ...usageAt(today, { bytes: 80n }), endMs: today + 8 * HOUR_MS }
  const later = { ...usageAt(today + 8 * HOUR_MS, { bytes: 160n }), endMs: today + 24 * HOUR_MS }

  test('is what is left of the part that is under way, and all parts behind it', () => {
    // Two of eight hours are over: six eighths of 80 bytes are left.
    const rest = restOf([night, later], today + 2 * HOUR_MS)
    expect(rest).toEqual([{ ...night, startMs: today + 2 * HOUR_MS, bytes: 60n }, later])
  })

  test('has nothing of parts that are over', () => {
    expect(restOf([night, later], today + 8 * HOUR_MS)).toEqual([later])
    expect(restOf([night, later], today + 24 * HOUR_MS)).toEqual([])
  })
})

test('every day adds up over its parts, whatever they were', () => {
  const hour = fc.integer({ min: 0, max: 23 })
  const entry = fc.record({
    day: fc.integer({ min: 0, max: 27 }),
    hour,
    bytes: fc.bigInt({ min: 1n, max: 1000n }),
    resourceId: fc.constantFrom('a', 'b'),
  })
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 60 }), (entries) => {
      const usage = entries.map(({ day, hour: at, ...rest }) =>
        usageAt(BEGIN + (day * 24 + at) * HOUR_MS, rest),
      )
      const future = forecastOf((startMs) =>
        usage.filter((one) => one.startMs >= startMs && one.startMs < startMs + 24 * HOUR_MS),
      )
      const sumOf = (way: 'low' | 'expected' | 'high') =>
        Array.from({ length: 14 }, (_, index) => future?.(index, way) ?? [])
          .flat()
          .reduce((sum, { bytes }) => sum + bytes, 0n)
      expect(sumOf('low') <= sumOf('expected')).toBe(true)
      expect(sumOf('expected') <= sumOf('high')).toBe(true)
    }),
    { numRuns: 50 },
  )
})
