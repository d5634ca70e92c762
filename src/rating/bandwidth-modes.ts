import { unreachable } from '../core/errors.ts'
import type { Interval } from '../core/period.ts'
import { type Bytes, divFloor } from '../core/units.ts'
import {
  type BandwidthDay,
  type DirectedPoint,
  pointsOf,
  type RankedDirection,
} from './bandwidth-days.ts'
import { SLOT_SECONDS } from './bandwidth-usage.ts'
import { countDropped, highestAfter, highestOf } from './percentile.ts'
import type { BandwidthRule } from './rules.ts'

/** A slot that a result is made of. */
export interface BandwidthSample extends DirectedPoint {
  /** Rounded down, to be shown; `slotBits` ÷ 300 is exact. */
  readonly bps: bigint
}

/** What one day gave to a result. */
export interface RankedDay extends Interval {
  readonly bytes: Bytes
  readonly takesPart: boolean
  /** Slots that count, of which so many highest were dropped within the day. */
  readonly slots: number
  readonly dropped: number
  /** The day's peak, or its percentile by `mean-of-daily-95`; null: none, or it takes no part. */
  readonly sample: BandwidthSample | null
}

/** One bandwidth for a period, with the slots that it is made of. */
export interface BandwidthRanking {
  readonly direction: RankedDirection
  /** The result, rounded down once. */
  readonly bps: bigint
  /** The result exactly: bits ÷ seconds. */
  readonly exact: { readonly bits: bigint; readonly seconds: bigint }
  /** The real samples that the result is made of, in order of time; empty: the result is 0. */
  readonly samples: readonly BandwidthSample[]
  /** Slots of the days that take part, and how many of them were dropped as the highest. */
  readonly slots: number
  readonly dropped: number
  /** Every day of the period, also those that take no part. */
  readonly perDay: readonly RankedDay[]
}

type Ranker = Pick<BandwidthRule, 'mode' | 'rank'>

interface Outcome {
  readonly points: readonly DirectedPoint[]
  /** The points' sum is divided by it: how many are averaged, or 1. */
  readonly divisor: number
  readonly dropped: number
}

interface DayOutcome {
  readonly day: BandwidthDay
  readonly points: readonly DirectedPoint[]
  readonly dropped: number
  readonly found: DirectedPoint | null
}

const FOURTH_DROPS = 3
const TOP_DAYS = 5

/**
 * Makes one bandwidth of the days of a period.
 *
 * Shape: only days that take part count. Without any, and where the rule drops all slots there are,
 * the result is 0 and has no sample; so is the fourth of fewer than four daily peaks. A day that
 * takes part but whose slots are all dropped counts as 0 in a mean. Five highest of fewer days are
 * all of them. Of equal slots the earliest is named.
 * Units: bit/s. `daily-peak` over several days is their mean; whoever bills by day passes one day.
 * Rounding: once, down, after summing and averaging.
 */
export function rankDays(
  days: readonly BandwidthDay[],
  direction: RankedDirection,
  rule: Ranker,
): BandwidthRanking {
  const perDay = days.map((day) => rankDay(day, direction, rule))
  const taking = perDay.filter(({ day }) => day.takesPart)
  const { points, divisor, dropped } = combine(taking, rule)
  const bits = points.reduce((sum, { slotBits }) => sum + slotBits, 0n)
  const seconds = SLOT_SECONDS * BigInt(Math.max(divisor, 1))
  return {
    direction,
    bps: divFloor(bits, seconds),
    exact: { bits, seconds },
    samples: [...points].sort((a, b) => a.startMs - b.startMs).map(toSample),
    slots: taking.reduce((sum, { day }) => sum + day.slots.length, 0),
    dropped,
    perDay: perDay.map((outcome) => toRankedDay(outcome)),
  }
}

function rankDay(day: BandwidthDay, direction: RankedDirection, rule: Ranker): DayOutcome {
  const points = pointsOf(day, direction)
  if (!day.takesPart) return { day, points, dropped: 0, found: null }
  if (rule.mode !== 'mean-of-daily-95') return { day, points, dropped: 0, found: highestOf(points) }
  const dropped = countDropped(points.length, rule.rank)
  return { day, points, dropped, found: highestAfter(points, dropped) }
}

function combine(days: readonly DayOutcome[], rule: Ranker): Outcome {
  const found = days.flatMap((day) => day.found ?? [])
  const dropped = days.reduce((sum, day) => sum + day.dropped, 0)
  switch (rule.mode) {
    case 'daily-peak':
    case 'mean-of-daily-peaks':
    case 'mean-of-daily-95':
      return { points: found, divisor: days.length, dropped }
    case 'sum-of-daily-peaks':
      return { points: found, divisor: 1, dropped }
    case 'fourth-highest-daily-peak':
      return { points: listed(highestAfter(found, FOURTH_DROPS)), divisor: 1, dropped }
    case 'top-5-mean': {
      const top = highestFirst(found).slice(0, TOP_DAYS)
      return { points: top, divisor: top.length, dropped }
    }
    case 'monthly-95': {
      const points = days.flatMap((day) => day.points)
      const count = countDropped(points.length, rule.rank)
      return { points: listed(highestAfter(points, count)), divisor: 1, dropped: count }
    }
    default:
      return unreachable(rule.mode)
  }
}

function listed(point: DirectedPoint | null): readonly DirectedPoint[] {
  return point === null ? [] : [point]
}

function highestFirst(points: readonly DirectedPoint[]): readonly DirectedPoint[] {
  return [...points].sort((a, b) => {
    if (a.slotBits === b.slotBits) return a.startMs - b.startMs
    return a.slotBits > b.slotBits ? -1 : 1
  })
}

function toSample(point: DirectedPoint): BandwidthSample {
  return { ...point, bps: divFloor(point.slotBits, SLOT_SECONDS) }
}

function toRankedDay({ day, dropped, found }: DayOutcome): RankedDay {
  const { startMs, endMs, bytes, takesPart, slots } = day
  const sample = found === null ? null : toSample(found)
  return { startMs, endMs, bytes, takesPart, slots: slots.length, dropped, sample }
}
