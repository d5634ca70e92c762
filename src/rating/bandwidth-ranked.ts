import type { EpochMs } from '../core/clock.ts'
import { assert, unreachable } from '../core/errors.ts'
import { FIVE_MINUTES_MS, type Interval, localDays } from '../core/period.ts'
import { type Bytes, divFloor } from '../core/units.ts'
import type { RankedDirection } from './bandwidth-days.ts'
import { type BandwidthLine, higherRanking } from './bandwidth-line.ts'
import type { BandwidthRanking } from './bandwidth-modes.ts'
import { billedBpsOf, type InForce, priceBandwidth } from './bandwidth-price.ts'
import { SLOT_SECONDS } from './bandwidth-usage.ts'
import { countDropped } from './percentile.ts'
import type { BandwidthRule } from './rules.ts'

/** The slot of one member that was found by its rank where the usage is kept. */
export interface RankedSlot {
  readonly startMs: EpochMs
  readonly bytes: Bytes
  /** False: nothing moved in it. */
  readonly isReported: boolean
}

/** Which slots a rule needs of each member instead of all. */
export interface RankPlan {
  readonly period: Interval
  /** Local days of the period. */
  readonly days: number
  /** Slots of the period, and how many of the highest are passed over. */
  readonly slots: number
  readonly dropped: number
  /** Directions that the rule ranks, and which bytes stand for each in the rule's scope. */
  readonly directions: readonly {
    readonly ranked: RankedDirection
    readonly read: RankedDirection
  }[]
}

/**
 * Plans a rule whose result is one slot per member and direction: a monthly percentile of five
 * minute means over all days, in which nothing reported is zero. Null: the rule needs all slots.
 *
 * Time: the period lies on multiples of five minutes.
 */
export function planRanks(rule: BandwidthRule, period: Interval, zone: string): RankPlan | null {
  const isPlain =
    rule.mode === 'monthly-95' &&
    rule.slot === 'mean' &&
    rule.validDay === 'all' &&
    rule.missingSlot === 'zero' &&
    rule.level !== 'group'
  if (!isPlain) return null
  const slots = (period.endMs - period.startMs) / FIVE_MINUTES_MS
  const dropped = countDropped(slots, rule.rank)
  const directions = directionsOf(rule)
  if (directions.length === 0 || dropped >= slots) return null
  return { period, days: localDays(period, zone).length, slots, dropped, directions }
}

function directionsOf({ direction, scope }: BandwidthRule): RankPlan['directions'] {
  const takes = scope.directions ?? ['in', 'out']
  const [only, ...others] = new Set(takes)
  if (only === undefined) return []
  const both = others.length > 0
  switch (direction) {
    case 'out':
    case 'in':
      return takes.includes(direction) ? [{ ranked: direction, read: direction }] : []
    case 'max-of-both':
      return both ? (['out', 'in'] as const).map((name) => ({ ranked: name, read: name })) : []
    // With one direction in scope, that one is both the sum and the higher of the two.
    case 'sum':
    case 'max-per-slot':
      return [{ ranked: direction, read: both ? direction : only }]
    default:
      return unreachable(direction)
  }
}

/**
 * Applies a bandwidth rule to slots that were ranked where they are kept.
 *
 * Shape: the line that `rateBandwidth` makes of all slots, but `perDay` is empty, as days were
 * not looked at one by one. A direction without a slot: the member moved nothing.
 * Units, time, rounding: as `rateBandwidth`.
 */
export function rateRanked(
  rule: BandwidthRule,
  plan: RankPlan,
  slots: ReadonlyMap<RankedDirection, RankedSlot>,
  inForce?: InForce,
): BandwidthLine {
  const { period, days } = plan
  const [first, second] = plan.directions.map(({ ranked }) =>
    rankingOf(ranked, plan, slots.get(ranked) ?? nothingIn(period)),
  )
  assert(first !== undefined, 'a plan ranks at least one direction')
  const { billed, notBilled } =
    second === undefined ? { billed: first, notBilled: null } : higherRanking(first, second)
  const share = { validDays: days, days }
  return {
    startMs: period.startMs,
    endMs: period.endMs,
    ...billed,
    ...share,
    billedBps: billedBpsOf(billed.bps, rule.commitBps),
    amount: priceBandwidth(billed.bps, share, rule, inForce),
    notBilled,
  }
}

function rankingOf(
  direction: RankedDirection,
  { slots, dropped }: RankPlan,
  { startMs, bytes, isReported }: RankedSlot,
): BandwidthRanking {
  const bits = bytes * 8n
  const bps = divFloor(bits, SLOT_SECONDS)
  return {
    direction,
    bps,
    exact: { bits, seconds: SLOT_SECONDS },
    samples: [{ startMs, slotBits: bits, isReported, bps }],
    slots,
    dropped,
    perDay: [],
  }
}

/** Of slots that are all zero the first is found. */
function nothingIn({ startMs }: Interval): RankedSlot {
  return { startMs, bytes: 0n, isReported: false }
}
