import type { Interval } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { ChargeLine } from './bill.ts'
import type { BookState, BookTerms, DayBasis } from './book.ts'
import { toChargeLine } from './charge-line.ts'
import { appendDay } from './month-stretches.ts'
import { dailyBandwidthRules, rateDay } from './rate-day.ts'
import { type MonthStretch, rateMonthBySlots } from './rate-month.ts'

/** A month, and all that its amount depends on but what moves in the days that are not closed. */
export interface MonthPlan {
  readonly month: Interval
  /**
   * Whole local days without a gap, up to the end of the month: those that are not closed. Days
   * before the month only change the state.
   */
  readonly days: readonly Interval[]
  readonly basisOf: (day: Interval, opening: BookState) => DayBasis
  readonly opening: BookState
  /** What closed days of the month left to be priced when it ends. */
  readonly closed: readonly MonthStretch[]
}

/** What moves in a month, measured or foretold. */
export interface MonthUsage {
  /** Of the days that are not closed. */
  readonly traffic: readonly TrafficUsage[]
  /** Slots of a part of the month, closed or not, by name of the terms' bandwidth rules. */
  readonly slots: (
    terms: BookTerms,
    interval: Interval,
  ) => ReadonlyMap<string, readonly MemberUsage[]>
}

/** What a month comes to, but for the lines of closed days. */
export interface MonthCost {
  readonly lines: readonly ChargeLine[]
  /** What each package gave on the days that are not closed, by id. */
  readonly drawn: ReadonlyMap<string, Bytes>
  readonly closing: BookState
}

/**
 * Prices what is not closed of a month as closing would: day by day, then what waits for the end.
 *
 * Shape: lines of days in order, then those of the month.
 * Errors: `parameter_invalid` when groups overlap.
 */
export function costOfMonth(plan: MonthPlan, usage: MonthUsage): MonthCost {
  const { month, days } = plan
  const traffic = splitDays(days, usage.traffic, ({ startMs }) => startMs)
  const drawn = new Map<string, Bytes>()
  const lines: ChargeLine[] = []
  let stretches = [...plan.closed]
  let state = plan.opening
  for (const [index, day] of days.entries()) {
    const basis = plan.basisOf(day, state)
    const hasPeaks = dailyBandwidthRules(basis.pack.rules).length > 0
    const slots = hasPeaks ? usage.slots(basis, day) : new Map()
    const rated = rateDay(basis, { traffic: traffic[index] ?? [], slots })
    state = rated.closing
    for (const { packageId, bytes } of rated.draws) {
      if (packageId !== null) drawn.set(packageId, (drawn.get(packageId) ?? 0n) + bytes)
    }
    if (day.startMs < month.startMs) continue
    lines.push(...rated.lines.map((line) => toChargeLine(line, basis.pack)))
    stretches = appendDay(stretches, { terms: basis, interval: day, remainder: rated.remainder })
  }
  const measured = stretches.map((stretch) => ({
    ...stretch,
    slots: usage.slots(stretch.terms, stretch.interval),
  }))
  return { lines: [...lines, ...rateMonthBySlots(month, measured)], drawn, closing: state }
}

/** Cuts entries into days, which ascend; what lies in none of them is left out. */
export function splitDays<T>(
  days: readonly Interval[],
  entries: readonly T[],
  startOf: (entry: T) => number,
): T[][] {
  const sorted = entries.toSorted((a, b) => startOf(a) - startOf(b))
  let next = 0
  return days.map(({ startMs, endMs }) => {
    const found: T[] = []
    for (let entry = sorted[next]; entry !== undefined; entry = sorted[next]) {
      if (startOf(entry) >= endMs) break
      if (startOf(entry) >= startMs) found.push(entry)
      next += 1
    }
    return found
  })
}

/** Leaves the slots that begin in an interval. */
export function slotsWithin(
  members: readonly MemberUsage[],
  { startMs, endMs }: Interval,
): MemberUsage[] {
  return members.map((member) => ({
    ...member,
    slots: member.slots.filter((slot) => startMs <= slot.startMs && slot.startMs < endMs),
  }))
}
