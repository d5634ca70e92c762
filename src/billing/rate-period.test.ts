import { describe, expect, test } from 'vitest'
import { createMemoryUsage } from '../../test/support/memory-usage.ts'
import { NANO } from '../core/money.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import type { MemberUsage, Slot } from '../rating/bandwidth-usage.ts'
import type { BandwidthRule, TrafficRule } from '../rating/rules.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type {
  BooksRankQuery,
  BooksSlotQuery,
  BooksTrafficQuery,
  RankedMember,
} from './books-usage.ts'
import { ratePeriod, type RatedUsage, totalOf } from './rate-period.ts'

const ZONE = 'Asia/Shanghai'
const MONTH = Date.parse('2026-10-01T00:00:00+08:00')
const NEXT = Date.parse('2026-11-01T00:00:00+08:00')
const RATED = {
  accountId: 'acc-1',
  period: { startMs: MONTH, endMs: NEXT },
  zone: ZONE,
  groups: {},
}
// 5 minutes at 1 Mbit/s.
const MBPS = 37_500_000n

const TRAFFIC: TrafficRule = {
  type: 'traffic',
  name: 'volume',
  level: 'resource',
  scope: { directions: ['out'] },
  windows: [],
  overhead: { numerator: 1n, denominator: 1n },
  freeBelowBytesPerDay: 0n,
  radix: 1000,
  tiering: 'graduated',
  tiers: [{ upToBytes: null, price: NANO }],
  period: 'month',
}
const PEAK: BandwidthRule = {
  type: 'bandwidth',
  name: 'peak',
  level: 'account',
  scope: { directions: ['out'] },
  mode: 'mean-of-daily-peaks',
  slot: 'mean',
  direction: 'out',
  validDay: { aboveBytes: 0n },
  missingSlot: 'zero',
  rank: { percent: 5, rounding: 'floor' },
  radix: 1000,
  commitBps: 0n,
  price: 2n * NANO,
  overagePrice: null,
  proRata: 'none',
  partialMonth: 'share',
}

function slot(hour: number, outBytes: bigint): Slot {
  return { startMs: MONTH + hour * HOUR_MS, inBytes: 0n, outBytes }
}

function world(
  members: readonly MemberUsage[],
  traffic: readonly Partial<TrafficUsage>[] = [],
  ranked: readonly RankedMember[] = [],
) {
  const asked: (BooksSlotQuery | BooksTrafficQuery | BooksRankQuery)[] = []
  const answer = <T>(query: BooksSlotQuery | BooksTrafficQuery | BooksRankQuery, list: T[]) => {
    asked.push(query)
    return new Map(query.meter === 'cdn' ? [['acc-1', list]] : [])
  }
  const reader: RatedUsage = {
    slots: async (query) => answer(query, [...members]),
    rankedSlots: async (query) => answer(query, [...ranked]),
    traffic: async (query) => {
      const base = {
        startMs: MONTH,
        resourceId: 'ucdn-1',
        projectId: 'org-1',
        area: 'cn' as const,
        billingRegion: 'cn' as const,
        province: '',
        kind: 'static' as const,
        direction: 'out' as const,
        bytes: 0n,
      }
      return answer(
        query,
        traffic.map((entry) => ({ ...base, ...entry })),
      )
    },
  }
  return { asked, reader }
}

test('members of an account are summed per slot before anything is ranked', async () => {
  // Both move 3 Mbit/s at their peaks, at different times: together 4 at most, never 6.
  const { reader } = world([
    { memberId: 'acc-1', slots: [slot(1, 3n * MBPS), slot(2, MBPS)] },
    { memberId: 'acc-1', slots: [slot(1, MBPS), slot(2, 3n * MBPS)] },
  ])
  const [line, ...others] = await ratePeriod({ meters: ['cdn'], rules: [PEAK] }, RATED, reader)
  expect(others).toEqual([])
  expect(line).toMatchObject({ memberId: 'acc-1', ruleName: 'peak', bps: 4_000_000n })
  expect(line?.amount).toBe(8n * NANO)
})

test.each([
  ['resource', {}, ['a:3000000', 'b:1000000']],
  ['group', { one: ['a', 'b'], none: ['c'] }, ['one:4000000', 'none:0']],
] as const)('at the level %s every member has its own line', async (level, groups, expected) => {
  const { reader } = world([
    { memberId: 'a', slots: [slot(1, 3n * MBPS)] },
    { memberId: 'b', slots: [slot(1, MBPS)] },
  ])
  const rule = { ...PEAK, level }
  const lines = await ratePeriod({ meters: ['cdn'], rules: [rule] }, { ...RATED, groups }, reader)
  const told = lines.map((line) =>
    line.type === 'bandwidth' ? `${line.memberId}:${line.bps}` : '',
  )
  expect(told).toEqual(expected)
})

test('an account that moved nothing owes its commitment', async () => {
  const rule = { ...PEAK, commitBps: 10_000_000n }
  const { reader } = world([])
  const lines = await ratePeriod({ meters: ['cdn', 'eip'], rules: [rule] }, RATED, reader)
  expect(lines.map(({ amount }) => amount)).toEqual([20n * NANO])
})

test('two months are ranked one by one', async () => {
  const { reader, asked } = world([])
  const period = { startMs: MONTH, endMs: NEXT + 30 * DAY_MS }
  const lines = await ratePeriod({ meters: ['cdn'], rules: [PEAK] }, { ...RATED, period }, reader)
  const spans = [
    [MONTH, NEXT],
    [NEXT, NEXT + 30 * DAY_MS],
  ]
  expect(lines.map(({ startMs, endMs }) => [startMs, endMs])).toEqual(spans)
  expect(asked.map((query) => ('startMs' in query ? [query.startMs, query.endMs] : []))).toEqual(
    spans,
  )
})

test('usage of several meters is one; only the pack’s meters are asked for', async () => {
  const { reader, asked } = world([], [{ bytes: 2n * 10n ** 9n }, { resourceId: 'b', bytes: 5n }])
  const lines = await ratePeriod({ meters: ['cdn', 'mna'], rules: [TRAFFIC] }, RATED, reader)
  expect(asked.map(({ meter }) => meter)).toEqual(['cdn', 'mna'])
  expect(lines).toMatchObject([
    { type: 'traffic', memberId: 'b', rawBytes: 5n, amount: 5n },
    { type: 'traffic', memberId: 'ucdn-1', rawBytes: 2n * 10n ** 9n, amount: 2n * NANO },
  ])
  expect(totalOf(lines)).toBe(2n * NANO + 5n)
})

test('provinces are told apart only where a rule asks for them', async () => {
  const { reader, asked } = world([])
  const scope = { provinces: ['beijing'] }
  await ratePeriod({ meters: ['cdn'], rules: [TRAFFIC] }, RATED, reader)
  await ratePeriod({ meters: ['cdn'], rules: [TRAFFIC, { ...TRAFFIC, scope }] }, RATED, reader)
  expect(asked.map((query) => 'byProvince' in query && query.byProvince)).toEqual([false, true])
  expect(asked.every((query) => 'cutsMs' in query && query.cutsMs.length === 31)).toBe(true)
  expect(asked[0]).toMatchObject({ endMs: NEXT })
})

describe('a monthly percentile', () => {
  const rule: BandwidthRule = {
    ...PEAK,
    level: 'resource',
    mode: 'monthly-95',
    validDay: 'all',
  }
  const found = { memberId: 'a', startMs: MONTH + HOUR_MS, bytes: 3n * MBPS, isReported: true }

  test('of plain slots is ranked where they are, after dropping 446 of 8928', async () => {
    const { reader, asked } = world([], [], [found])
    const lines = await ratePeriod({ meters: ['cdn'], rules: [rule] }, RATED, reader)
    expect(asked).toEqual([
      {
        accountIds: ['acc-1'],
        throughBatch: null,
        meter: 'cdn',
        member: 'resource',
        startMs: MONTH,
        endMs: NEXT,
        direction: 'out',
        dropped: 446,
      },
    ])
    expect(lines).toMatchObject([
      { memberId: 'a', bps: 3_000_000n, slots: 8928, dropped: 446, amount: 6n * NANO },
    ])
  })

  test('of an account that moved nothing is 0 at the first slot', async () => {
    const { reader } = world([])
    const account = { ...rule, level: 'account', commitBps: 1_000_000n } as const
    const lines = await ratePeriod({ meters: ['cdn'], rules: [account] }, RATED, reader)
    expect(lines).toMatchObject([
      {
        memberId: 'acc-1',
        bps: 0n,
        amount: 2n * NANO,
        samples: [{ startMs: MONTH, isReported: false }],
      },
    ])
  })

  test.each([
    ['several meters', {}, ['cdn', 'eip']],
    ['groups', { level: 'group' }, ['cdn']],
    ['samples', { slot: 'max-sample' }, ['cdn']],
    ['days that are not valid', { validDay: { aboveBytes: 0n } }, ['cdn']],
    ['slots that are left out', { missingSlot: 'exclude' }, ['cdn']],
    ['slots without a record', { missingSlot: 'exclude-unreported' }, ['cdn']],
    ['peaks', { mode: 'top-5-mean' }, ['cdn']],
    ['all slots dropped', { rank: { percent: 100, rounding: 'floor' } }, ['cdn']],
  ] as const)('of %s needs all slots', async (_, change, meters) => {
    const { reader, asked } = world([], [], [found])
    await ratePeriod({ meters, rules: [{ ...rule, ...change }] }, RATED, reader)
    expect(asked.every((query) => 'samples' in query)).toBe(true)
    expect(asked.length).toBe(meters.length)
  })
})

test.each([
  // Half of the day's slots are dropped: a silent one is left.
  ['zero', 288, 0n],
  // Of the two that moved something the higher one is dropped.
  ['exclude', 2, 1_000_000n],
  // Of four the two that moved something: zero was reported of the other two.
  ['exclude-unreported', 4, 0n],
] as const)('with missingSlot %s, %i slots are ranked', async (missingSlot, slots, bps) => {
  const row = {
    batch: 1,
    meter: 'cdn',
    accountId: 'acc-1',
    resourceId: 'a',
    projectId: 'org-1',
    area: 'cn',
    billingRegion: 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
  } as const
  const usage = createMemoryUsage(
    [2n, 0n, 1n, 0n].map((mega, hour) => ({
      ...row,
      minuteMs: MONTH + hour * HOUR_MS,
      bytes: mega * 37_500_000n,
    })),
  )
  const rule = {
    ...PEAK,
    mode: 'monthly-95',
    rank: { percent: 50, rounding: 'floor' },
    missingSlot,
  } as const
  const [line] = await ratePeriod({ meters: ['cdn'], rules: [rule] }, RATED, usage)
  expect(line).toMatchObject({ slots, bps })
})
