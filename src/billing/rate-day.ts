import { areaOf } from '../catalog/area-scope.ts'
import type { Bytes } from '../core/units.ts'
import { type Interval } from '../core/period.ts'
import { rateBandwidth } from '../rating/bandwidth-line.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import {
  type DailyOrder,
  dailyOrder,
  type OrderArea,
  orderByArea,
  orderByRegion,
} from '../rating/package-arrears.ts'
import type { BurnPosting } from '../rating/package-burn.ts'
import type { PackageUsage } from '../rating/package-terms.ts'
import { runTimeline, type Timeline } from '../rating/package-timeline.ts'
import type { BandwidthRule, Rule, TrafficRule } from '../rating/rules.ts'
import { compareTraffic, mergeTraffic } from '../rating/traffic-order.ts'
import { localMinuteOf } from '../rating/traffic-windows.ts'
import { rateTraffic } from '../rating/traffic-rating.ts'
import { selectTraffic } from '../rating/traffic-sums.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { BookState, DayBasis } from './book.ts'
import { namesRegion, trafficRules } from './day-cuts.ts'
import { coverExclusive, type ExclusiveExcess } from './exclusive-cover.ts'
import { usageCuts } from './usage-cuts.ts'
import { memberGroups } from './member-groups.ts'
import type { RatedLine } from './rate-period.ts'

/** What was measured of a day, as finely as `dayCuts` asks for. */
export interface DayUsage {
  readonly traffic: readonly TrafficUsage[]
  /** By rule name, for the rules that price each day's bandwidth. */
  readonly slots: ReadonlyMap<string, readonly MemberUsage[]>
}

/** A day on which nothing was measured. */
export const NO_USAGE: DayUsage = { traffic: [], slots: new Map() }

/** What packages and orders did about volumes, and what is left to be priced. */
export interface DrawnDay {
  /** By package; null: what none could take. */
  readonly draws: readonly BurnPosting[]
  /** Arrears that packages took when they began. */
  readonly absorptions: readonly { readonly packageId: string; readonly bytes: Bytes }[]
  /** What refilling volumes covered. */
  readonly covered: readonly { readonly packageId: string; readonly bytes: Bytes }[]
  /** What moved beyond them, by reset period. */
  readonly excess: readonly ExclusiveExcess[]
  readonly orders: readonly DailyOrder[]
  /** What is priced by volume, per cut. */
  readonly remainder: readonly TrafficUsage[]
  readonly closing: BookState
}

/** What a day comes to. */
export interface RatedDay extends DrawnDay {
  /** Lines of the rules whose span is a day; others wait for the month. */
  readonly lines: readonly RatedLine[]
}

/** The rules that price each day's bandwidth. */
export function dailyBandwidthRules(rules: readonly Rule[]): BandwidthRule[] {
  return rules.filter(
    (rule): rule is BandwidthRule => rule.type === 'bandwidth' && rule.mode === 'daily-peak',
  )
}

/**
 * Rates a day: selects what the rules price, lets refilling volumes and packages take what they
 * may, orders the rest and prices it.
 *
 * Shape: a function of its arguments alone, whatever the order of usage.
 * Rounding: as the rules say; packages are drawn by the byte as measured, without overhead.
 */
export function rateDay(basis: DayBasis, usage: DayUsage): RatedDay {
  const drawn = drawDay(basis, selectBillable(basis, usage.traffic))
  return { ...drawn, lines: priceDay(basis, drawn.remainder, usage) }
}

/** Prices what is left of a day, and its bandwidths. */
export function priceDay(
  basis: DayBasis,
  remainder: readonly TrafficUsage[],
  usage: DayUsage,
): RatedLine[] {
  const traffic = priceRemainder(basis, basis.day, 'day', remainder)
  return [...traffic, ...dailyBandwidth(basis, usage)]
}

/**
 * Selects what one of the traffic rules prices, before anything is drawn.
 *
 * Shape: each entry once, ordered as `compareTraffic` does. A resource with a refilling volume has
 * no free days: the volume takes their place, and all that it sends counts against it.
 */
export function selectBillable(
  basis: DayBasis,
  traffic: readonly TrafficUsage[],
): readonly TrafficUsage[] {
  const unbilled = new Set(basis.unbilled)
  const billed = traffic.filter(({ resourceId }) => !unbilled.has(resourceId)).sort(compareTraffic)
  const given = new Set(basis.exclusive.map(({ resourceId }) => resourceId))
  const [covered, others] = [true, false].map((has) =>
    billed.filter(({ resourceId }) => given.has(resourceId) === has),
  )
  const terms = ratingBasis(basis, basis.day)
  const wanted = new Set(
    trafficRules(basis.pack.rules).flatMap((rule) => [
      ...selectTraffic(rule, others ?? [], terms),
      ...selectTraffic({ ...rule, freeBelowBytesPerDay: 0n }, covered ?? [], terms),
    ]),
  )
  return billed.filter((entry) => wanted.has(entry))
}

/**
 * Draws selected usage from refilling volumes and packages, and orders what none could take.
 *
 * Rounding: orders of the day that were made before and the new ones to their quantum at once.
 */
export function drawDay(
  basis: DayBasis,
  billable: readonly TrafficUsage[],
  before: readonly DailyOrder[] = [],
): DrawnDay {
  const { day, zone, packages, opening, pack } = basis
  const cover = coverExclusive(basis.exclusive, zone, billable, opening.exclusive)
  const { arrears: policy, burnOrder: order } = pack.packages
  const timeline = runTimeline(
    day,
    packages,
    cover.left,
    { zone, order, absorb: policy.absorb },
    { balances: opening.balances, arrears: opening.arrears },
  )
  const after = absorbUntilSettled(basis, timeline)
  const settled = orderOnTop(basis, after.arrears, before)
  const ordered = settled.orders.length > 0 ? after.arrears.filter(isIn(day)) : []
  return {
    draws: timeline.postings,
    absorptions: after.absorptions.map(({ packageId, absorbed }) => ({
      packageId,
      bytes: absorbed.reduce((sum, { bytes }) => sum + bytes, 0n),
    })),
    covered: cover.covered,
    excess: cover.excess,
    orders: settled.orders,
    remainder: toOrdered(mergeTraffic(ordered, cutOf(basis)), settled.orders, orderAreaOf(basis)),
    closing: {
      // Prices of packages wait whatever is drawn.
      ...opening,
      balances: after.balances,
      arrears: mergeArrears(settled.arrears, zone),
      exclusive: cover.uses,
    },
  }
}

/**
 * Merges arrears that wait for a package: by the time of day, for which alone a package asks, not
 * by the day, so that they do not grow with every day that they wait.
 */
export function mergeArrears(arrears: readonly TrafficUsage[], zone: string): TrafficUsage[] {
  const earliest = new Map<number, number>()
  for (const { startMs } of arrears.toSorted(compareTraffic)) {
    const minute = localMinuteOf(startMs, zone)
    if (!earliest.has(minute)) earliest.set(minute, startMs)
  }
  return mergeTraffic(arrears, (startMs) => earliest.get(localMinuteOf(startMs, zone)) ?? startMs)
}

/** Orders what is in arrears on top of earlier orders of the day: all are rounded as one. */
function orderOnTop(
  basis: DayBasis,
  arrears: readonly TrafficUsage[],
  before: readonly DailyOrder[],
): ReturnType<typeof dailyOrder<TrafficUsage>> {
  const { day, pack } = basis
  const { arrears: policy } = pack.packages
  const settled = dailyOrder(arrears, day, policy, orderAreaOf(basis))
  const orders = settled.orders.map((order) => {
    const same = before.filter(({ area, kind }) => area === order.area && kind === order.kind)
    const owed = same.reduce((sum, { arrearsBytes }) => sum + arrearsBytes, order.arrearsBytes)
    const done = same.reduce((sum, { orderedBytes }) => sum + orderedBytes, 0n)
    const [total = order] = dailyOrder([wholeOf(order, owed, day.startMs)], day, policy).orders
    return { ...order, orderedBytes: total.orderedBytes - done }
  })
  return { ...settled, orders }
}

/** Usage that comes to one order. */
function wholeOf({ area, kind }: DailyOrder, bytes: Bytes, startMs: number): PackageUsage {
  const place = { area: areaOf(area), billingRegion: area }
  return { startMs, ...place, kind, projectId: '', resourceId: '', bytes }
}

/**
 * Chooses what a day's orders tell apart: regions where some rule prices them, otherwise areas.
 *
 * An order is rounded as a whole, so it must not hold what different prices are for; and where one
 * price is for all that moved abroad, rounding each region would add up to more.
 */
function orderAreaOf({ pack }: DayBasis): OrderArea {
  return trafficRules(pack.rules).some(namesRegion) ? orderByRegion : orderByArea
}

/**
 * Lets packages that begin after the day, but before it is settled, take what is in arrears.
 *
 * Source: ucdn charge/flowday_new.md: the excess of a day is ordered at noon of the next, unless a
 * package that is larger than it has been bought by then.
 */
function absorbUntilSettled(
  { day, settledMs, zone, packages, pack }: DayBasis,
  timeline: Timeline<TrafficUsage>,
): Timeline<TrafficUsage> {
  if (settledMs <= day.endMs) return timeline
  const { arrears: policy, burnOrder: order } = pack.packages
  const wait = { startMs: day.endMs, endMs: settledMs }
  const late = packages.filter(({ startMs }) => wait.startMs <= startMs && startMs < wait.endMs)
  if (late.length === 0 || timeline.arrears.length === 0) return timeline
  // Only those that begin in the wait: no usage moves here, so nothing else could happen.
  const after = runTimeline(wait, late, [], { zone, order, absorb: policy.absorb }, timeline)
  return { ...after, absorptions: [...timeline.absorptions, ...after.absorptions] }
}

/**
 * Prices what is left of a stretch of days by the traffic rules of one span.
 *
 * Shape: free days are out of it already; what a rule does not select it does not price.
 */
export function priceRemainder(
  terms: Pick<DayBasis, 'accountId' | 'zone' | 'groups' | 'pack'>,
  stretch: Interval,
  span: TrafficRule['period'],
  remainder: readonly TrafficUsage[],
): RatedLine[] {
  return trafficRules(terms.pack.rules)
    .filter((rule) => rule.period === span)
    .flatMap((rule) =>
      rateTraffic(
        { ...rule, freeBelowBytesPerDay: 0n },
        remainder,
        ratingBasis(terms, stretch),
      ).map((line) => ({ ...line, type: 'traffic' as const })),
    )
}

function dailyBandwidth(basis: DayBasis, { slots }: DayUsage): RatedLine[] {
  const { accountId, groups, zone, day } = basis
  return dailyBandwidthRules(basis.pack.rules).flatMap((rule) =>
    [...memberGroups(rule, slots.get(rule.name) ?? [], { accountId, groups })].flatMap(
      ([memberId, members]) =>
        rateBandwidth(rule, { members, period: day, zone }).map((line) => ({
          ...line,
          type: 'bandwidth' as const,
          ruleName: rule.name,
          memberId,
        })),
    ),
  )
}

function ratingBasis(
  { accountId, zone, groups }: Pick<DayBasis, 'accountId' | 'zone' | 'groups'>,
  period: Interval,
) {
  return { accountId, zone, groups, period }
}

function isIn({ startMs, endMs }: Interval): (entry: TrafficUsage) => boolean {
  return (entry) => startMs <= entry.startMs && entry.startMs < endMs
}

/** Moves starts back to where the traffic rules cut the day: finer is not asked for any more. */
function cutOf({ day, zone, pack }: DayBasis): (startMs: number) => number {
  const windows = trafficRules(pack.rules).map((rule) => rule.windows)
  const cuts = usageCuts(day, zone, windows)
  return (startMs) => cuts.findLast((cutMs) => cutMs <= startMs) ?? day.startMs
}

/** Spreads what rounding an order to its quantum added or took over the last entries of it. */
function toOrdered(
  remainder: readonly TrafficUsage[],
  orders: readonly DailyOrder[],
  orderArea: OrderArea,
): TrafficUsage[] {
  const result = [...remainder]
  for (const { area, kind, arrearsBytes, orderedBytes } of orders) {
    let open = orderedBytes - arrearsBytes
    for (let index = result.length - 1; index >= 0 && open !== 0n; index -= 1) {
      const entry = result[index]
      if (entry === undefined || orderArea(entry) !== area || entry.kind !== kind) continue
      const change = open < -entry.bytes ? -entry.bytes : open
      result[index] = { ...entry, bytes: entry.bytes + change }
      open -= change
    }
  }
  return result.filter(({ bytes }) => bytes > 0n)
}
