import { describe, expect, test } from 'vitest'
import { CUSTOMER } from '../../test/support/bills.ts'
import {
  BY_DAY,
  day,
  forecastDeps,
  type ForecastWorld,
  packageNow,
  packageOf,
  packOf,
  usageAt,
  usageOf,
} from '../../test/support/forecast-world.ts'
import { FIVE_MINUTES_MS, HOUR_MS } from '../core/period.ts'
import { forecastBook } from './forecast-book.ts'

const GB = 1_000_000_000n
const YUAN = 1_000_000_000n
const KEY = { accountId: CUSTOMER.id, meter: 'cdn' as const }

/** A gigabyte in each hour of each day since the middle of September; now is 21 October, noon. */
const NOW = day('2026-10-21') + 12 * HOUR_MS
const HOURLY = usageOf({ startMs: day('2026-09-14'), endMs: NOW }, (startMs) =>
  Array.from({ length: 24 }, (_, hour) => usageAt(startMs + hour * HOUR_MS)),
)

async function forecastOf(world: Partial<ForecastWorld> = {}) {
  return await forecastBook(
    KEY,
    forecastDeps({
      pack: packOf(BY_DAY),
      usage: HOURLY,
      nowMs: NOW,
      closedUntilMs: day('2026-10-01'),
      ...world,
    }),
  )
}

describe('by hand', () => {
  test('what was measured and what is expected make the month', async () => {
    // 24 GB on each of October's 31 days at 2 yuan: 1488, with nothing to be unsure about.
    const { outlook, historyDays } = await forecastOf()
    const amount = 1488n * YUAN
    expect(outlook?.monthEnd).toEqual([
      { currency: 'CNY', expected: amount, low: amount, high: amount },
    ])
    expect(historyDays).toBe(37)
  })

  test('volumes are priced by the tiers that the whole month reaches', async () => {
    const pack = packOf(`
  - type: traffic
    name: sent
    level: account
    scope: { directions: [out] }
    unit: GB
    tiering: graduated
    period: month
    tiers:
      - { upTo: 500GB, price: "2" }
      - { price: "1" }
`)
    // 744 GB: 500 at 2, and 244 at 1.
    const { outlook } = await forecastOf({ pack })
    expect(outlook?.monthEnd).toMatchObject([{ expected: 1244n * YUAN }])
  })

  test('a package is drawn first, and runs out when it is said to', async () => {
    // From 1 October on: 20.5 days are 492 GB. What is left at noon of the 21st, 36 GB, lasts for
    // 36 hours more, until midnight of the 23rd; the nine days behind it cost 432 yuan.
    const entry = packageOf('a', 528n * GB)
    const world: ForecastWorld = {
      pack: packOf(BY_DAY),
      usage: HOURLY,
      nowMs: NOW,
      closedUntilMs: day('2026-10-01'),
      packages: [packageNow(entry)],
    }
    const deps = forecastDeps(world)
    const balance = { ...(await deps.balance(KEY)), packages: [packageNow(entry, 492n * GB)] }
    const { outlook } = await forecastBook(KEY, { ...deps, balance: async () => balance })
    expect(outlook?.packages).toMatchObject([
      {
        expectedMs: day('2026-10-23'),
        earliestMs: day('2026-10-23'),
        latestMs: day('2026-10-23'),
      },
    ])
    expect(outlook?.pools).toMatchObject([
      { leftBytes: 36n * GB, expectedMs: day('2026-10-23') + HOUR_MS },
    ])
    expect(outlook?.monthEnd).toMatchObject([{ expected: 432n * YUAN }])
  })

  test('a pool is named by what is told apart: abroad, or what no region is known of', async () => {
    const usage = HOURLY.map((entry) => ({
      ...entry,
      area: 'abroad' as const,
      billingRegion: 'abroad' as const,
    }))
    const packages = [packageNow(packageOf('a', 9_000n * GB, { areas: ['abroad'] }))]
    const poolsOf = async (rules: string) => {
      const { outlook } = await forecastOf({ usage, packages, pack: packOf(rules) })
      return outlook?.pools.map(({ area }) => area)
    }
    expect(await poolsOf(BY_DAY)).toEqual(['abroad'])
    const byRegion = ['apac1', 'abroad-other'].map(
      (area) =>
        `  - { type: traffic, name: in-${area}, scope: { areas: [${area}] }, price: "1" }\n`,
    )
    expect(await poolsOf(byRegion.join(''))).toEqual(['abroad-other'])
  })

  test('a 95th is ranked over measured slots and those that are expected', async () => {
    // 3.75 GB in the first five minutes of each hour are 100 Mbit/s in one of twelve slots: 8.3 %
    // of the month, so that dropping 5 % leaves one of them the highest.
    const peaks = HOURLY.map((entry) => ({ ...entry, bytes: 3_750_000_000n }))
    const pack = packOf(
      '  - { type: bandwidth, name: p95, level: account, mode: monthly-95, direction: out, price: "3" }\n',
    )
    const { outlook } = await forecastOf({ pack, usage: peaks })
    expect(outlook?.monthEnd).toMatchObject([{ expected: 300n * YUAN }])
  })

  test('a 95th needs the slots to come: those measured alone would be too few', async () => {
    // The peaks of the test before, but only since the 7th: 14.5 days are 348 slots, fewer than the
    // 446 that are dropped; with the 10.5 days to come, which repeat them, they are 600. Since the
    // 16th they are 5.5 days and as many to come: all are dropped.
    const peaksSince = (since: string) =>
      HOURLY.map((entry) => ({
        ...entry,
        bytes: entry.startMs < day(since) ? 1n : 3_750_000_000n,
      }))
    const pack = packOf(
      '  - { type: bandwidth, name: p95, level: account, mode: monthly-95, direction: out, price: "3" }\n',
    )
    const late = await forecastOf({ pack, usage: peaksSince('2026-10-16') })
    expect(late.outlook?.monthEnd[0]?.expected).toBeLessThan(YUAN)
    const early = await forecastOf({ pack, usage: peaksSince('2026-10-07') })
    expect(early.outlook?.monthEnd[0]?.expected).toBeGreaterThan(100n * YUAN)
  })
})

test('two days that differ are uncertain, and the interval is on both sides', async () => {
  const usage = HOURLY.map((entry, index) => ({
    ...entry,
    bytes: GB + (GB / 5n) * BigInt((index * 7919) % 5),
  }))
  const noisy = usage.map((entry) => ({
    ...entry,
    bytes: Math.floor(entry.startMs / (24 * HOUR_MS)) % 3 === 0 ? entry.bytes / 2n : entry.bytes,
  }))
  const [end] = (await forecastOf({ usage: noisy })).outlook?.monthEnd ?? []
  expect(end && end.low < end.expected && end.expected < end.high).toBe(true)
})

test('a 95th of days that differ is uncertain, and the same at every call', async () => {
  const pack = packOf(
    '  - { type: bandwidth, name: p95, level: account, mode: monthly-95, direction: out, price: "3" }\n',
  )
  const usage = HOURLY.map((entry, index) => ({
    ...entry,
    bytes: GB + (GB / 20n) * BigInt((Math.floor(index / 24) * 7919) % 11),
  }))
  const [end] = (await forecastOf({ pack, usage })).outlook?.monthEnd ?? []
  expect(end && end.low < end.expected && end.expected < end.high).toBe(true)
  expect((await forecastOf({ pack, usage })).outlook?.monthEnd).toEqual([end])
})

test('with too little history nothing is foretold, and how little there is is told', async () => {
  const usage = HOURLY.filter(({ startMs }) => startMs >= day('2026-10-10'))
  const { outlook, historyDays, balance } = await forecastOf({ usage })
  expect(outlook).toBeNull()
  expect(historyDays).toBe(11)
  expect(balance.pack).toBe('test')
})

test('days that are not closed of the month before move packages and are not billed again', async () => {
  const nowMs = day('2026-10-01') + 6 * HOUR_MS
  const { outlook } = await forecastOf({ nowMs, closedUntilMs: day('2026-09-29') })
  expect(outlook?.monthEnd).toMatchObject([{ expected: 1488n * YUAN }])
})

test('a forecast between two slots begins with the next, so that nothing counts twice', async () => {
  const { outlook } = await forecastOf({ nowMs: NOW - FIVE_MINUTES_MS / 2 })
  expect(outlook?.monthEnd).toMatchObject([{ expected: 1488n * YUAN }])
})
