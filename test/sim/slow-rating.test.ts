/**
 * The oracle's parts against the pure functions of `src/rating`, on random input. What both say
 * must be the same, though they share neither sums, tiers, ranks, windows nor orders.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatMoney } from '../../src/core/money.ts'
import { MINUTE_MS, type ResetPolicy } from '../../src/core/period.ts'
import { rateBandwidth } from '../../src/rating/bandwidth-line.ts'
import type { MemberUsage } from '../../src/rating/bandwidth-usage.ts'
import { exclusivePeriodOf } from '../../src/rating/exclusive-period.ts'
import { dailyOrder, orderByArea, orderByRegion } from '../../src/rating/package-arrears.ts'
import { mergePostings } from '../../src/rating/package-burn.ts'
import { BURN_KEYS } from '../../src/rating/package-order.ts'
import type { PrepaidPackage } from '../../src/rating/package-terms.ts'
import { runTimeline } from '../../src/rating/package-timeline.ts'
import { validUntil } from '../../src/rating/package-validity.ts'
import type { RulePack } from '../../src/rating/rule-pack.ts'
import type { BandwidthMode, BandwidthRule, Rule } from '../../src/rating/rules.ts'
import { trafficCases } from '../../src/rating/traffic-cases.suite.ts'
import { rateTraffic } from '../../src/rating/traffic-rating.ts'
import type { TrafficUsage } from '../../src/rating/traffic-usage.ts'
import { bandwidthLines } from './slow-bandwidth.ts'
import { drawAll, emptyCarried, type Given } from './slow-packages.ts'
import { common, daysBetween, holds, monthOf, monthsLater, resetBefore } from './slow-time.ts'
import { orderArrears, type Piece, piecesOf, trafficLines } from './slow-traffic.ts'
import { ZONES } from './year-world.ts'

const REGIONAL = { type: 'traffic', scope: { areas: ['apac1'] } } as const
const WHOLE = { quantumBytes: 1n, rounding: 'down', absorb: 'never', bill: 'daily-order' } as const

function packOf(rule: Rule): RulePack {
  const packages = { burnOrder: ['id' as const], arrears: WHOLE, offers: [] }
  const said = { name: 'p', version: '1', description: 'p', currency: 'CNY', source: null }
  return { ...said, meters: ['cdn'], rules: [rule], packages }
}

test('traffic is priced as the product prices it', () => {
  fc.assert(
    fc.property(trafficCases, ({ rule, usage, basis }) => {
      const { accountId, zone, period, groups = {} } = basis
      const terms = { accountId, zone, groups, pack: packOf(rule) }
      const pieces = daysBetween(period.startMs, period.endMs, zone).flatMap((day) => {
        const ofDay = usage.filter(({ startMs }) => holds(day, startMs))
        return piecesOf(ofDay, terms, { atMs: [], windows: [rule.windows] })
      })
      const ordered = orderArrears(pieces, WHOLE).pieces
      const spans =
        rule.period === 'day'
          ? daysBetween(period.startMs, period.endMs, zone)
          : [monthOf(period.startMs, zone), monthOf(period.endMs - 1, zone)]
      const inside = [...new Map(spans.map((span) => [span.startMs, span])).values()]
      const slow = inside.flatMap((span) =>
        trafficLines(ordered, rule.period, common(span, period) ?? span, terms),
      )
      const fast = rateTraffic(rule, usage, basis).map((line) => ({
        start: new Date(line.startMs).toISOString(),
        end: new Date(line.endMs).toISOString(),
        member: line.memberId,
        tier: line.tierIndex + 1,
        rawBytes: String(line.rawBytes),
        billedBytes: String(line.billedBytes),
        price: formatMoney(line.price),
        amount: formatMoney(line.amount),
      }))
      expect(slow).toMatchObject(fast)
      expect(slow).toHaveLength(fast.length)
    }),
    { numRuns: 500 },
  )
})

// Three days each; the second has a change of the clock where the zone has any.
const SPANS = [
  ['America/New_York', '2026-03-07T05:00:00Z'],
  ['America/New_York', '2026-10-31T04:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-02T13:30:00Z'],
  ['Asia/Kolkata', '2028-02-27T18:30:00Z'],
] as const

const modes: readonly BandwidthMode[] = [
  'daily-peak',
  'monthly-95',
  'mean-of-daily-95',
  'mean-of-daily-peaks',
  'fourth-highest-daily-peak',
  'sum-of-daily-peaks',
  'top-5-mean',
]

const bandwidthRules: fc.Arbitrary<BandwidthRule> = fc.record({
  type: fc.constant('bandwidth'),
  name: fc.constant('b'),
  level: fc.constantFrom('account', 'group'),
  scope: fc.constant({}),
  mode: fc.constantFrom(...modes),
  slot: fc.constantFrom('mean', 'max-sample'),
  direction: fc.constantFrom('out', 'in', 'max-per-slot', 'max-of-both', 'sum'),
  validDay: fc.oneof(
    fc.constant('all' as const),
    fc.record({ aboveBytes: fc.bigInt({ min: 0n, max: 50_000_000n }) }),
  ),
  missingSlot: fc.constantFrom('zero', 'exclude'),
  rank: fc.record({
    percent: fc.constantFrom(0, 5, 30, 50, 99),
    rounding: fc.constantFrom('floor', 'ceil', 'round'),
  }),
  radix: fc.constantFrom(1000, 1024),
  commitBps: fc.constantFrom(0n, 300_000n),
  price: fc.bigInt({ min: 0n, max: 3_000_000_000n }),
  overagePrice: fc.option(fc.bigInt({ min: 0n, max: 3_000_000_000n })),
  proRata: fc.constantFrom('none', 'valid-days'),
  partialMonth: fc.constantFrom('share', 'whole'),
} as const)

// Few minutes near each other, so that slots, members and directions meet; round bytes for ties.
const moved = fc.array(
  fc.record({
    minute: fc.oneof(
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1430, max: 1450 }),
      fc.integer({ min: 0, max: 4300 }),
    ),
    resourceId: fc.constantFrom('r1', 'r2'),
    direction: fc.constantFrom('in' as const, 'out' as const),
    bytes: fc.oneof(
      fc.constantFrom(1_000_000n, 7_000_000n),
      fc.bigInt({ min: 1n, max: 90_000_000n }),
    ),
  }),
  { maxLength: 40 },
)

/** Members as a store hands them out: slots with the sums and the highest minute of each. */
function membersOf(usage: readonly TrafficUsage[], isApart: boolean): MemberUsage[] {
  const ids = isApart ? ['r1', 'r2'] : ['acc']
  return ids.map((memberId) => {
    const own = usage.filter(({ resourceId }) => !isApart || resourceId === memberId)
    const slots = [...new Set(own.map(({ startMs }) => startMs - (startMs % 300_000)))]
    return {
      memberId,
      slots: slots.map((startMs) => {
        const of = (direction: 'in' | 'out', from: number, ms: number) =>
          own
            .filter((entry) => entry.direction === direction)
            .filter((entry) => from <= entry.startMs && entry.startMs < from + ms)
            .reduce((sum, { bytes }) => sum + bytes, 0n)
        const highest = (direction: 'in' | 'out') =>
          [0, 1, 2, 3, 4]
            .map((at) => (of(direction, startMs + at * MINUTE_MS, MINUTE_MS) * 8n) / 60n)
            .reduce((a, b) => (a > b ? a : b))
        return {
          startMs,
          inBytes: of('in', startMs, 300_000),
          outBytes: of('out', startMs, 300_000),
          inSampleBpsMax: highest('in'),
          outSampleBpsMax: highest('out'),
        }
      }),
    }
  })
}

test('bandwidths are ranked and priced as the product does it', () => {
  const part = fc.record({ days: fc.integer({ min: 1, max: 3 }), of: fc.constant(31) })
  fc.assert(
    fc.property(fc.constantFrom(...SPANS), bandwidthRules, moved, part, (where, rule, list, of) => {
      const [zone, start] = where
      const [, , third] = daysBetween(Date.parse(start), Date.parse(start) + 4 * 86_400_000, zone)
      const period = { startMs: Date.parse(start), endMs: third?.endMs ?? 0 }
      const labels = {
        area: 'cn',
        billingRegion: 'cn',
        kind: 'static',
        province: '',
        projectId: 'p',
      } as const
      const usage = list.map(({ minute, ...rest }): TrafficUsage => ({
        ...labels,
        ...rest,
        startMs: period.startMs + minute * MINUTE_MS,
      }))
      const inside = usage.filter(({ startMs }) => startMs < period.endMs)
      const terms = { accountId: 'acc', zone, groups: { acc: ['r1', 'r2'] }, pack: packOf(rule) }
      const members = membersOf(inside, rule.level === 'group')
      const spans =
        rule.mode === 'daily-peak' ? daysBetween(period.startMs, period.endMs, zone) : [period]
      const slow = spans.flatMap((span) => bandwidthLines(rule, usage, span, terms, of))
      const fast = rateBandwidth(rule, { members, period, zone, inForce: of })
      expect(slow).toMatchObject(
        fast.map((line) => ({
          start: new Date(line.startMs).toISOString(),
          end: new Date(line.endMs).toISOString(),
          direction: line.direction,
          bps: String(line.bps),
          billedBps: String(line.billedBps),
          slots: line.slots,
          dropped: line.dropped,
          validDays: line.validDays,
          days: line.days,
          amount: formatMoney(line.amount),
          samples: line.samples.map(({ startMs, bps }) => ({
            time: new Date(startMs).toISOString(),
            bps: String(bps),
          })),
        })),
      )
      expect(slow).toHaveLength(fast.length)
    }),
    { numRuns: 300 },
  )
})

const ZONE = 'America/New_York'
/** The evening before the clocks go forward; the 31st is in the span. */
const BEGIN = Date.parse('2026-03-07T20:00:00-05:00')
const SPAN = { startMs: BEGIN, endMs: BEGIN + 60 * 86_400_000 }
const hours = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 60 * 24 - 1 }))
const instants = hours.map((hour) => BEGIN + hour * 3_600_000)
const maybe = <T>(...values: readonly T[]) =>
  fc.option(fc.subarray([...values], { minLength: 1 }), { freq: 1 })
const minutesOfDay = fc.integer({ min: 0, max: 23 }).map((hour) => hour * 60)

const packages: fc.Arbitrary<PrepaidPackage[]> = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    sizeBytes: fc.bigInt({ min: 0n, max: 20n }),
    purchasedMs: fc.integer({ min: 0, max: 2 }),
    startMs: instants,
    areas: fc.oneof(
      maybe('cn' as const, 'abroad' as const),
      maybe('cn' as const, 'apac1' as const, 'eu-na' as const, 'abroad-other' as const),
    ),
    kinds: maybe('static' as const, 'dynamic' as const),
    projectIds: maybe('p', 'q'),
    resourceIds: maybe('r', 's'),
    windows: fc.array(fc.record({ fromMinute: minutesOfDay, toMinute: minutesOfDay }), {
      maxLength: 1,
    }),
    validity: fc.oneof(
      fc.constant({ type: 'unlimited' } as const),
      instants.map((endMs) => ({ type: 'from-purchase', endMs }) as const),
      fc
        .integer({ min: 1, max: 2 })
        .map((spanMonths) => ({ type: 'from-first-use', spanMonths }) as const),
      hours.map((count) => ({ type: 'from-first-use', spanMs: (count + 1) * 3_600_000 }) as const),
    ),
  }),
  { selector: ({ id }) => id, maxLength: 6 },
)

const piece = fc
  .record({
    startMs: instants,
    resourceId: fc.constantFrom('r', 's'),
    projectId: fc.constantFrom('p', 'q'),
    billingRegion: fc.constantFrom('cn', 'abroad', 'apac1', 'eu-na'),
    province: fc.constant(''),
    kind: fc.constantFrom('static', 'dynamic'),
    direction: fc.constant('out'),
    bytes: fc.bigInt({ min: 1n, max: 9n }),
    rules: fc.constant(['out']),
  } as const)
  .map((one): Piece => ({ ...one, area: one.billingRegion === 'cn' ? 'cn' : 'abroad' }))
const pieces = fc.array(piece, { maxLength: 25 })

const burnOrders = fc.shuffledSubarray(BURN_KEYS.filter((key) => key !== 'id'))

function postingsOf(given: readonly Given[]): string[] {
  const one = given.map((each) => ({ ...each, dayMs: 0 }))
  return mergePostings(one).map(({ packageId, bytes }) => `${packageId}: ${bytes}`)
}

test('packages are drawn from, and absorb arrears, as in the product', () => {
  const absorbs = fc.constantFrom('larger-package' as const, 'never' as const)
  fc.assert(
    fc.property(packages, pieces, burnOrders, absorbs, (list, usage, burnOrder, absorb) => {
      const carried = emptyCarried()
      const terms = { zone: ZONE, burnOrder, absorb }
      const slow = drawAll(usage, list, SPAN, carried, terms)
      const fast = runTimeline(SPAN, list, usage, { zone: ZONE, order: burnOrder, absorb })
      expect(postingsOf(slow.draws)).toEqual(postingsOf(fast.postings))
      expect(slow.absorptions).toEqual(
        fast.absorptions.map(({ packageId, absorbed }) => ({
          packageId,
          bytes: absorbed.reduce((sum, { bytes }) => sum + bytes, 0n),
        })),
      )
      const used = fast.balances.filter(({ usedBytes }) => usedBytes > 0n)
      expect(
        [...carried.tanks]
          .filter(([, tank]) => tank.used > 0n)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([packageId, tank]) => [packageId, tank.used, tank.firstUseMs]),
      ).toEqual(
        used.map(({ packageId, usedBytes, firstUseMs }) => [packageId, usedBytes, firstUseMs]),
      )
      expect(carried.arrears.map(({ bytes }) => bytes)).toEqual(
        fast.arrears.map(({ bytes }) => bytes),
      )
    }),
    { numRuns: 1000 },
  )
})

test('orders are rounded as in the product', () => {
  const roundings = fc.constantFrom('up' as const, 'down' as const, 'nearest' as const)
  const sizes = fc.bigInt({ min: 1n, max: 12n })
  fc.assert(
    fc.property(pieces, sizes, roundings, fc.boolean(), (list, quantum, rounding, byRegion) => {
      const policy = { ...WHOLE, quantumBytes: quantum, rounding }
      const slow = orderArrears(list, policy, byRegion ? [REGIONAL] : [])
      const areaOf = byRegion ? orderByRegion : orderByArea
      expect(slow.orders).toEqual(dailyOrder(list, SPAN, policy, areaOf).orders)
      // What is priced is what is ordered, and no piece is more than it was but the last.
      for (const { area, kind, orderedBytes } of slow.orders) {
        const own = slow.pieces.filter((one) => areaOf(one) === area && one.kind === kind)
        expect(own.reduce((sum, { bytes }) => sum + bytes, 0n)).toBe(orderedBytes)
      }
    }),
  )
})

test('months, days and years end as in the product', () => {
  const minutes = fc.integer({ min: 0, max: 3 * 366 * 1440 })
  const from = fc
    .integer({ min: 0, max: 366 * 1440 })
    .map((minute) => Date.UTC(2027, 6, 1) + minute * 60_000)
  const policies = fc.constantFrom<ResetPolicy>('Day', 'Month', 'Year')
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      from,
      policies,
      minutes,
      (zone, fromMs, policy, after) => {
        const createdMs = fromMs + 17_000
        const minuteMs = fromMs + after * 60_000
        const { startMs } = exclusivePeriodOf({ createdMs, resetPolicy: policy, zone }, minuteMs)
        expect(resetBefore(createdMs, policy, minuteMs, zone)).toBe(startMs)
        expect(resetBefore(createdMs, policy, fromMs - 60_000, zone)).toBeUndefined()
        const months = (after % 24) + 1
        expect(monthsLater(fromMs, months, zone)).toBe(validUntil(fromMs, months, zone))
      },
    ),
    { numRuns: 300 },
  )
})
