import type { Interval } from '../core/period.ts'
import type { Nano } from '../core/money.ts'
import { type BandwidthDay, cutDays } from './bandwidth-days.ts'
import { type BandwidthRanking, rankDays } from './bandwidth-modes.ts'
import { billedBpsOf, type DayShare, type InForce, priceBandwidth } from './bandwidth-price.ts'
import { type BandwidthUsage, sumSlots } from './bandwidth-usage.ts'
import type { BandwidthRule } from './rules.ts'

/** One bandwidth and what it costs, explained down to slots. */
export interface BandwidthLine extends Interval, BandwidthRanking, DayShare {
  /** `bps`, but never less than the commitment. */
  readonly billedBps: bigint
  readonly amount: Nano
  /** By `max-of-both`, the direction that was ranked but not billed. */
  readonly notBilled: BandwidthRanking | null
}

/**
 * Applies a bandwidth rule to what the members of one level moved in one period.
 *
 * Shape: one line for the period, by `daily-peak` one line for each day of it, each with a day's
 * commitment and price; an empty period has no line. The rule's level and the areas, provinces and
 * kinds of its scope are applied by whoever chooses the members and reads their usage.
 * Units: bit/s and nano. Members are summed per slot before anything is ranked.
 * Time: days are local to the zone; the period lies on multiples of five minutes.
 * Rounding: the bandwidth once, down, to whole bit/s; its price once, to whole nano.
 */
export function rateBandwidth(rule: BandwidthRule, usage: BandwidthUsage): BandwidthLine[] {
  const days = cutDays(sumSlots(usage, rule), usage.period, usage.zone, rule)
  const groups = rule.mode === 'daily-peak' ? days.map((day) => [day]) : [days]
  return groups.flatMap((group) => rateDays(rule, group, usage.inForce))
}

function rateDays(
  rule: BandwidthRule,
  days: readonly BandwidthDay[],
  inForce: InForce | undefined,
): BandwidthLine[] {
  const [first, last] = [days[0], days.at(-1)]
  if (first === undefined || last === undefined) return []
  const { billed, notBilled } = chooseRanking(rule, days)
  const validDays = days.filter(({ takesPart }) => takesPart).length
  const share = { validDays, days: days.length }
  return [
    {
      startMs: first.startMs,
      endMs: last.endMs,
      ...billed,
      ...share,
      billedBps: billedBpsOf(billed.bps, rule.commitBps),
      amount: priceBandwidth(billed.bps, share, rule, inForce),
      notBilled,
    },
  ]
}

function chooseRanking(rule: BandwidthRule, days: readonly BandwidthDay[]) {
  if (rule.direction !== 'max-of-both') {
    return { billed: rankDays(days, rule.direction, rule), notBilled: null }
  }
  return higherRanking(rankDays(days, 'out', rule), rankDays(days, 'in', rule))
}

/**
 * Chooses between two directions that were ranked over the same days: the higher one is billed, of
 * equal ones the outgoing.
 */
export function higherRanking(out: BandwidthRanking, into: BandwidthRanking) {
  // Both count the same days and slots, so both have the same seconds.
  return into.exact.bits > out.exact.bits
    ? { billed: into, notBilled: out }
    : { billed: out, notBilled: into }
}
