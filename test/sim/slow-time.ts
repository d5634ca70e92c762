/** Local time the slow way: every question is put to the wall clock again. */
import type { EpochMs } from '../../src/core/clock.ts'
import {
  addDays,
  DAY_MS,
  dayStart,
  fromLocal,
  type Interval,
  MINUTE_MS,
  monthStart,
  type ResetPolicy,
  toLocal,
} from '../../src/core/period.ts'
import type { DayWindow } from '../../src/rating/rules.ts'

/** Five minutes. */
export const SLOT_MS = 300_000

/** Whether an interval holds an instant. */
export function holds({ startMs, endMs }: Interval, instantMs: EpochMs): boolean {
  return startMs <= instantMs && instantMs < endMs
}

/** What two intervals have in common; undefined: nothing. */
export function common(a: Interval, b: Interval): Interval | undefined {
  const startMs = Math.max(a.startMs, b.startMs)
  const endMs = Math.min(a.endMs, b.endMs)
  return startMs < endMs ? { startMs, endMs } : undefined
}

/** Local days one after the other, from the one that holds `fromMs` until `untilMs`. */
export function daysBetween(fromMs: EpochMs, untilMs: EpochMs, zone: string): Interval[] {
  const days: Interval[] = []
  let startMs = dayStart(fromMs, zone)
  while (startMs < untilMs) {
    const endMs = addDays(startMs, 1, zone)
    days.push({ startMs, endMs })
    startMs = endMs
  }
  return days
}

/** The local month that holds an instant. */
export function monthOf(instantMs: EpochMs, zone: string): Interval {
  const startMs = monthStart(instantMs, zone)
  let endMs = addDays(startMs, 1, zone)
  while (toLocal(endMs, zone).day !== 1) endMs = addDays(endMs, 1, zone)
  return { startMs, endMs }
}

/** Names the local month that holds an instant, `2028-02`. */
export function monthNameOf(instantMs: EpochMs, zone: string): string {
  const { year, month } = toLocal(instantMs, zone)
  return `${year}-${month < 10 ? '0' : ''}${month}`
}

/** Whether the wall clock shows a time of one of the windows; without any it always does. */
export function isOpen(windows: readonly DayWindow[], instantMs: EpochMs, zone: string): boolean {
  if (windows.length === 0) return true
  const { hour, minute } = toLocal(instantMs, zone)
  return isOpenAt(windows, hour * 60 + minute)
}

/** Whether a minute of the day is in one of the windows; without any each is. */
export function isOpenAt(windows: readonly DayWindow[], now: number): boolean {
  if (windows.length === 0) return true
  for (const { fromMinute, toMinute } of windows) {
    const until = toMinute > fromMinute ? toMinute : toMinute + 1440
    // In a window that passes midnight, the same time is that of the next day, too.
    if (fromMinute <= now && now < until) return true
    if (fromMinute <= now + 1440 && now + 1440 < until) return true
  }
  return false
}

/** The wall-clock time of `fromMs` so many months later, on the last day where there is none. */
export function monthsLater(fromMs: EpochMs, months: number, zone: string): EpochMs {
  const from = toLocal(fromMs, zone)
  const index = from.year * 12 + (from.month - 1) + months
  const year = Math.floor(index / 12)
  const month = (index % 12) + 1
  // Day 0 of the month after is the last of this one.
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return fromLocal({ ...from, year, month, day: Math.min(from.day, lastDay) }, zone)
}

/** When the volume was or will be full again for the `count`th time, as a whole minute. */
function resetAt(createdMs: EpochMs, policy: ResetPolicy, count: number, zone: string): EpochMs {
  let atMs = createdMs
  if (policy === 'Month') atMs = monthsLater(createdMs, count, zone)
  if (policy === 'Year') atMs = monthsLater(createdMs, count * 12, zone)
  if (policy === 'Day') {
    const time = toLocal(createdMs, zone)
    const date = toLocal(Date.UTC(time.year, time.month - 1, time.day + count), 'UTC')
    atMs = fromLocal({ ...time, year: date.year, month: date.month, day: date.day }, zone)
  }
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS
}

/** The begin of the reset period that holds a minute; undefined: the volume was not yet there. */
export function resetBefore(
  createdMs: EpochMs,
  policy: ResetPolicy,
  minuteMs: EpochMs,
  zone: string,
): EpochMs | undefined {
  // Not from the first reset on: a volume may be years old. Two steps before is not too late.
  const longest = { Day: DAY_MS, Month: 31.1 * DAY_MS, Year: 366.1 * DAY_MS }[policy]
  let count = Math.max(0, Math.floor((minuteMs - createdMs) / longest) - 2)
  if (resetAt(createdMs, policy, count, zone) > minuteMs) return undefined
  while (resetAt(createdMs, policy, count + 1, zone) <= minuteMs) count += 1
  return resetAt(createdMs, policy, count, zone)
}

/** All resets in an interval. */
export function resetsIn(
  createdMs: EpochMs,
  policy: ResetPolicy,
  interval: Interval,
  zone: string,
): EpochMs[] {
  const found = new Set<EpochMs>()
  for (const atMs of [interval.startMs, interval.endMs - MINUTE_MS]) {
    const resetMs = resetBefore(createdMs, policy, atMs, zone)
    if (resetMs !== undefined && holds(interval, resetMs)) found.add(resetMs)
  }
  return [...found]
}
