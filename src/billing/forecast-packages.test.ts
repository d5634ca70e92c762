import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CUSTOMER } from '../../test/support/bills.ts'
import {
  BY_DAY,
  day,
  packageNow,
  packageOf,
  packOf,
  usageAt,
  ZONE,
} from '../../test/support/forecast-world.ts'
import { addDays, HOUR_MS, localDays } from '../core/period.ts'
import type { PackageNow } from './balance.ts'
import { EMPTY_STATE } from './book.ts'
import { forecastPackages } from './forecast-packages.ts'
import { type FutureUsage, restOf, type Way } from './forecast-traffic.ts'

const GB = 1_000_000_000n
const NOW = day('2026-11-21')
const PACK = packOf(BY_DAY)

/** 24 GB a day, one in each hour; a third less by the low way, and a third more by the high one. */
const BYTES = { low: 16n * GB, expected: 24n * GB, high: 32n * GB }

type Daily = (startMs: number, way: Way) => readonly FutureUsage[]

const plain: Daily = (startMs, way) => [
  { ...usageAt(startMs, { bytes: BYTES[way] }), endMs: startMs + 24 * HOUR_MS },
]

function outlookOf(
  packages: readonly PackageNow[],
  { daily = plain, pack = PACK, nowMs = NOW, count = 60, byRegion = false } = {},
) {
  const whole = localDays({ startMs: nowMs, endMs: addDays(nowMs, count, ZONE) }, ZONE)
  const days = whole.map((one, index) => (index === 0 ? { ...one, startMs: nowMs } : one))
  return forecastPackages({
    basisOf: (at, opening) => ({
      accountId: CUSTOMER.id,
      meter: 'cdn',
      zone: ZONE,
      pack,
      packHash: 'hash',
      groups: {},
      day: at,
      settledMs: at.endMs,
      packages: [],
      exclusive: [],
      unbilled: [],
      opening,
    }),
    packages,
    state: EMPTY_STATE,
    days,
    usage: (index, way) => restOf(daily(whole[index]?.startMs ?? 0, way), nowMs),
    byRegion,
  })
}

/** Hours from now; null stays. */
const hours = (ms: number | null | undefined) => (ms == null ? ms : (ms - NOW) / HOUR_MS)
const firstOf = (outlook: ReturnType<typeof outlookOf>) => {
  const { expectedMs, earliestMs, latestMs } = outlook.packages[0] ?? {}
  return { expected: hours(expectedMs), earliest: hours(earliestMs), latest: hours(latestMs) }
}

describe('by hand', () => {
  test('a package runs out in the hour in which its last byte is used', () => {
    // 120 GB: five days at 24; at 32 a day 3 ¾ days, at 16 a day 7 ½.
    expect(firstOf(outlookOf([packageNow(packageOf('a', 120n * GB))]))).toEqual({
      expected: 120,
      earliest: 90,
      latest: 180,
    })
  })

  test('what is used already does not last', () => {
    const entry = packageNow(packageOf('a', 120n * GB), 96n * GB)
    expect(firstOf(outlookOf([entry]))).toEqual({ expected: 24, earliest: 18, latest: 36 })
  })

  test('from noon on, the rest of today is half a day', () => {
    const noon = NOW + 12 * HOUR_MS
    // 12 GB by midnight, 24 GB the day after: 36 hours later.
    const entry = packageNow(packageOf('a', 36n * GB))
    expect(firstOf(outlookOf([entry], { nowMs: noon })).expected).toBe(12 + 36)
  })

  test('one package is used after the other, in the declared order, and the pool with the last', () => {
    const first = packageOf('late', 48n * GB, {
      validity: { type: 'from-purchase', endMs: day('2027-06-01') },
    })
    const second = packageOf('early', 24n * GB, {
      validity: { type: 'from-purchase', endMs: day('2027-01-01') },
    })
    const { packages, pools } = outlookOf([packageNow(first), packageNow(second)])
    expect(packages.map(({ expectedMs }) => hours(expectedMs))).toEqual([72, 24])
    expect(pools).toMatchObject([{ area: 'cn', kind: 'static', leftBytes: 72n * GB }])
    // The first hour that nobody pays for is the 73rd.
    expect(hours(pools[0]?.expectedMs)).toBe(73)
  })

  test('a package that expires before it is used up does not run out, and says what is lost', () => {
    const endMs = NOW + 48 * HOUR_MS
    const entry = packageOf('a', 100n * GB, { validity: { type: 'from-purchase', endMs } })
    const { packages, pools } = outlookOf([packageNow(entry, 0n, endMs)])
    expect(packages).toMatchObject([
      { expectedMs: null, earliestMs: null, latestMs: null, unusedBytes: 52n * GB },
    ])
    // The pool ends with it all the same.
    expect(hours(pools[0]?.expectedMs)).toBe(49)
    expect(hours(pools[0]?.latestMs)).toBe(49)
  })

  test('a package that only fast futures use up before it expires has an earliest date alone', () => {
    const endMs = NOW + 48 * HOUR_MS
    const entry = packageOf('a', 56n * GB, { validity: { type: 'from-purchase', endMs } })
    expect(firstOf(outlookOf([packageNow(entry, 0n, endMs)]))).toEqual({
      expected: null,
      earliest: 42,
      latest: null,
    })
  })

  test('beyond the days that are looked at nothing runs out', () => {
    expect(firstOf(outlookOf([packageNow(packageOf('a', 10_000n * GB))]))).toEqual({
      expected: null,
      earliest: null,
      latest: null,
    })
  })

  test('one that is empty has run out by now', () => {
    const entry = packageNow(packageOf('a', GB), GB)
    const { packages, pools } = outlookOf([entry])
    expect(hours(packages[0]?.expectedMs)).toBe(0)
    expect(hours(pools[0]?.expectedMs)).toBe(1)
  })

  test('a package that begins later helps from then on', () => {
    const now = packageNow(packageOf('a', 24n * GB))
    const soon = packageNow(packageOf('b', 24n * GB, { startMs: NOW + 24 * HOUR_MS }))
    const { packages, pools } = outlookOf([now, soon])
    expect(packages.map(({ expectedMs }) => hours(expectedMs))).toEqual([24, 48])
    expect(pools[0]?.leftBytes).toBe(24n * GB)
    expect(hours(pools[0]?.expectedMs)).toBe(49)
  })

  test('one that lasts from its first use expires a month after it', () => {
    const validity = { type: 'from-first-use', spanMonths: 1 } as const
    const entry = packageNow(packageOf('a', 10_000n * GB, { validity }))
    const { pools } = outlookOf([entry])
    // From 21 November to 21 December are thirty days.
    expect(hours(pools[0]?.expectedMs)).toBe(30 * 24 + 1)
  })

  test('a package for the night is drawn by night only', () => {
    // 6 GB in eight hours of night, 18 by day; the day is arrears from the start.
    const daily: Daily = (startMs) => [
      { ...usageAt(startMs, { bytes: 6n * GB }), endMs: startMs + 8 * HOUR_MS },
      {
        ...usageAt(startMs + 8 * HOUR_MS, { bytes: 18n * GB }),
        endMs: startMs + 24 * HOUR_MS,
      },
    ]
    const windows = [{ fromMinute: 0, toMinute: 480 }]
    const entry = packageNow(packageOf('a', 9n * GB, { windows }))
    const { packages, pools } = outlookOf([entry], { daily })
    // The first night takes 6, the second 3 in its first four hours.
    expect(hours(packages[0]?.expectedMs)).toBe(28)
    expect(hours(pools[0]?.expectedMs)).toBe(9)
  })

  test('each region abroad is a pool of its own, and a region package lasts for its region', () => {
    // A GB an hour of each; also where orders are rounded, what is not covered counts.
    const daily: Daily = (startMs) =>
      (['apac1', 'eu-na'] as const).map((billingRegion) => ({
        ...usageAt(startMs, { area: 'abroad', billingRegion, bytes: 24n * GB }),
        endMs: startMs + 24 * HOUR_MS,
      }))
    const until = (days: number) =>
      ({ type: 'from-purchase', endMs: NOW + days * 24 * HOUR_MS }) as const
    const zone = packageOf('zone', 48n * GB, { areas: ['apac1'], validity: until(50) })
    const whole = packageOf('whole', 36n * GB, { areas: ['abroad'], validity: until(55) })
    const pack = packOf(BY_DAY, 'rounded', 'packages: { arrears: { quantum: 1PB } }\n')
    const asked = { daily, pack, byRegion: true }
    const { packages, pools } = outlookOf([packageNow(zone), packageNow(whole)], asked)
    // apac1 lives off its own for two days; eu-na has only the 36 of the unified one.
    expect(packages.map(({ expectedMs }) => hours(expectedMs))).toEqual([48, 36])
    expect(
      pools.map(({ area, leftBytes, expectedMs }) => [area, leftBytes / GB, hours(expectedMs)]),
    ).toEqual([
      ['apac1', 84n, 49],
      ['eu-na', 36n, 37],
    ])
  })

  test('what no region is known of is a pool, and a package for it lasts for nothing else', () => {
    const daily: Daily = (startMs) =>
      (['apac1', 'abroad'] as const).map((billingRegion) => ({
        ...usageAt(startMs, { area: 'abroad', billingRegion, bytes: 24n * GB }),
        endMs: startMs + 24 * HOUR_MS,
      }))
    const other = packageNow(packageOf('other', 36n * GB, { areas: ['abroad-other'] }))
    const { packages, pools } = outlookOf([other], { daily, byRegion: true })
    // A GB an hour, and nothing of the GB that moves in apac1.
    expect(hours(packages[0]?.expectedMs)).toBe(36)
    const told = pools.map(({ area, expectedMs }) => [area, hours(expectedMs)])
    expect(told).toEqual([['abroad-other', 37]])
    const whole = packageNow(packageOf('whole', 36n * GB, { areas: ['abroad'] }))
    expect(outlookOf([whole], { daily, byRegion: true }).pools.map(({ area }) => area)).toEqual([
      'apac1',
      'abroad-other',
    ])
    const unread: Daily = (startMs) => [
      {
        ...usageAt(startMs, { area: 'abroad', bytes: 24n * GB }),
        endMs: startMs + 24 * HOUR_MS,
      },
    ]
    expect(outlookOf([whole], { daily: unread }).pools.map(({ area }) => area)).toEqual(['abroad'])
  })

  test('usage that no rule prices draws nothing', () => {
    const daily: Daily = (startMs) => [
      { ...usageAt(startMs, { direction: 'in' }), endMs: startMs + 24 * HOUR_MS },
    ]
    expect(firstOf(outlookOf([packageNow(packageOf('a', GB))], { daily })).expected).toBeNull()
  })

  test('a pool is only told of where something moves', () => {
    const wide = packageNow(packageOf('a', GB, { areas: null, kinds: null }))
    expect(outlookOf([wide]).pools.map(({ area, kind }) => `${area} ${kind}`)).toEqual([
      'cn static',
    ])
  })
})

// One area and kind, packages without first uses: what the vendors sell.
const validity = fc.oneof(
  fc.constant({ type: 'unlimited' as const }),
  fc.integer({ min: 1, max: 30 }).map((days) => ({
    type: 'from-purchase' as const,
    endMs: NOW + days * 24 * HOUR_MS,
  })),
)
const entries = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    size: fc.bigInt({ min: 1n, max: 200n }),
    startDay: fc.integer({ min: -5, max: 10 }),
    validity,
  }),
  { selector: ({ id }) => id, minLength: 1 },
)
const toPackages = (list: typeof entries extends fc.Arbitrary<infer T> ? T : never) =>
  list.map(({ id, size, startDay, validity: lasts }) =>
    packageNow(
      packageOf(id, size * GB, { startMs: NOW + startDay * 24 * HOUR_MS, validity: lasts }),
    ),
  )
const poolEnd = (packages: readonly PackageNow[], daily: Daily = plain) =>
  outlookOf(packages, { daily, count: 25 }).pools[0]

test('earliest comes before expected, and expected before latest', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const { expectedMs, earliestMs, latestMs } = poolEnd(toPackages(list)) ?? {}
      const at = (ms: number | null | undefined) => ms ?? Number.POSITIVE_INFINITY
      expect(at(earliestMs)).toBeLessThanOrEqual(at(expectedMs))
      expect(at(expectedMs)).toBeLessThanOrEqual(at(latestMs))
    }),
    { numRuns: 15 },
  )
})

test('more usage never makes a pool last longer', () => {
  const more: Daily = (startMs, way) =>
    plain(startMs, way).map((entry) => ({ ...entry, bytes: entry.bytes + 5n * GB }))
  fc.assert(
    fc.property(entries, (list) => {
      const packages = toPackages(list)
      const [one, other] = [poolEnd(packages)?.expectedMs, poolEnd(packages, more)?.expectedMs]
      expect(other ?? Infinity).toBeLessThanOrEqual(one ?? Infinity)
    }),
    { numRuns: 15 },
  )
})

test('larger packages never make a pool end sooner', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const larger = list.map((entry) => ({ ...entry, size: entry.size + 7n }))
      const [one, other] = [list, larger].map((some) => poolEnd(toPackages(some))?.expectedMs)
      expect(other ?? Infinity).toBeGreaterThanOrEqual(one ?? Infinity)
    }),
    { numRuns: 15 },
  )
})
