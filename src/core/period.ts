import type { EpochMs } from './clock.ts'

/** A half-open interval `[startMs, endMs)`. There is no inclusive variant. */
export interface Interval {
  readonly startMs: EpochMs
  readonly endMs: EpochMs
}

/** Fixed spans in milliseconds. A local day may be longer or shorter: see `localDays`. */
export const SECOND_MS = 1000
export const MINUTE_MS = 60_000
export const FIVE_MINUTES_MS = 300_000
export const HOUR_MS = 3_600_000
export const DAY_MS = 86_400_000

/** The vendors' billing zone; accounts may name another. */
export const DEFAULT_ZONE = 'Asia/Shanghai'

interface LocalTime {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterOf(zone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(zone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
      era: 'short',
    })
    formatters.set(zone, formatter)
  }
  return formatter
}

/** Tells whether the name is an IANA time zone that this machine knows. */
export function isZone(zone: string): boolean {
  try {
    formatterOf(zone)
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}

// Many accounts ask for the bounds of the same days, and asking the zone takes 10 µs each time.
const LOCAL_TIMES_MAX = 20_000
const localTimes = new Map<string, Map<EpochMs, LocalTime>>()

/** Reads an instant on the wall clock of a zone. */
export function toLocal(instantMs: EpochMs, zone: string): LocalTime {
  let known = localTimes.get(zone)
  if (known === undefined || known.size >= LOCAL_TIMES_MAX) {
    known = new Map()
    localTimes.set(zone, known)
  }
  const found = known.get(instantMs) ?? readLocal(instantMs, zone)
  known.set(instantMs, found)
  return found
}

function readLocal(instantMs: EpochMs, zone: string): LocalTime {
  const parts: Record<string, number> = {}
  for (const part of formatterOf(zone).formatToParts(instantMs)) {
    if (part.type !== 'literal' && part.type !== 'era') parts[part.type] = Number(part.value)
  }
  return {
    year: parts['year'] ?? 0,
    month: parts['month'] ?? 0,
    day: parts['day'] ?? 0,
    hour: parts['hour'] ?? 0,
    minute: parts['minute'] ?? 0,
    second: parts['second'] ?? 0,
  }
}

/** Finds how far the wall clock of a zone is ahead of UTC at an instant. */
export function offsetMs(instantMs: EpochMs, zone: string): number {
  const local = toLocal(instantMs, zone)
  const asUtc = Date.UTC(
    local.year,
    local.month - 1,
    local.day,
    local.hour,
    local.minute,
    local.second,
  )
  return asUtc - Math.floor(instantMs / SECOND_MS) * SECOND_MS
}

/**
 * Finds the instant of a wall-clock time in a zone.
 *
 * Time: a time that a DST change skips resolves to the first instant after the gap; one that
 * happens twice resolves to its first occurrence.
 */
export function fromLocal(local: LocalTime, zone: string): EpochMs {
  const asUtc = Date.UTC(
    local.year,
    local.month - 1,
    local.day,
    local.hour,
    local.minute,
    local.second,
  )
  // The offset before and after any change within a day either way; the earlier fitting instant
  // wins.
  const before = offsetMs(asUtc - DAY_MS, zone)
  const after = offsetMs(asUtc + DAY_MS, zone)
  const candidates = [asUtc - before, asUtc - after].sort((a, b) => a - b)
  for (const candidate of candidates) {
    if (candidate + offsetMs(candidate, zone) === asUtc) return candidate
  }
  // Inside a gap: the later offset applied to the skipped time lands just before the change.
  return firstInstantAfterGap(asUtc, before, after, zone)
}

function firstInstantAfterGap(asUtc: number, before: number, after: number, zone: string): EpochMs {
  let low = asUtc - Math.max(before, after)
  let high = asUtc - Math.min(before, after)
  const startOffset = offsetMs(low, zone)
  while (high - low > SECOND_MS) {
    const middle = Math.floor((low + high) / 2 / SECOND_MS) * SECOND_MS
    if (offsetMs(middle, zone) === startOffset) low = middle
    else high = middle
  }
  return high
}

/** Finds the start of the local day that contains the instant. */
export function dayStart(instantMs: EpochMs, zone: string): EpochMs {
  const local = toLocal(instantMs, zone)
  return fromLocal({ ...local, hour: 0, minute: 0, second: 0 }, zone)
}

/** Finds the start of the local day `days` after the one that contains the instant. */
export function addDays(instantMs: EpochMs, days: number, zone: string): EpochMs {
  const local = toLocal(instantMs, zone)
  const moved = toLocal(Date.UTC(local.year, local.month - 1, local.day + days), 'UTC')
  return fromLocal({ ...moved, hour: 0, minute: 0, second: 0 }, zone)
}

/**
 * Finds the instant at which the wall clock has gone on by a span since a local midnight.
 *
 * Time: twelve hours after midnight are noon, also on a day of a clock change.
 */
export function wallClockAfter(midnightMs: EpochMs, spanMs: number, zone: string): EpochMs {
  const { year, month, day } = toLocal(midnightMs, zone)
  return fromLocal(toLocal(Date.UTC(year, month - 1, day) + spanMs, 'UTC'), zone)
}

/** Finds the start of the local month that contains the instant. */
export function monthStart(instantMs: EpochMs, zone: string): EpochMs {
  const local = toLocal(instantMs, zone)
  return fromLocal({ ...local, day: 1, hour: 0, minute: 0, second: 0 }, zone)
}

/** Finds the local month that contains the instant. */
export function monthOf(instantMs: EpochMs, zone: string): Interval {
  const startMs = monthStart(instantMs, zone)
  // The 31st day after the first of any month is one of the first days of the next.
  return { startMs, endMs: monthStart(addDays(startMs, 31, zone), zone) }
}

/**
 * Lists the local days that touch `[startMs, endMs)`, whole days each, in order.
 *
 * Time: DST days are 23 or 25 hours long; an empty or reversed interval has no days.
 */
export function localDays(interval: Interval, zone: string): Interval[] {
  const days: Interval[] = []
  if (interval.endMs <= interval.startMs) return days
  let startMs = dayStart(interval.startMs, zone)
  while (startMs < interval.endMs) {
    const endMs = addDays(startMs, 1, zone)
    days.push({ startMs, endMs })
    startMs = endMs
  }
  return days
}

/** How often an exclusive package refills. */
export type ResetPolicy = 'Day' | 'Month' | 'Year'

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

function nthReset(anchorMs: EpochMs, policy: ResetPolicy, count: number, zone: string): EpochMs {
  const anchor = toLocal(anchorMs, zone)
  if (policy === 'Day') {
    const moved = toLocal(Date.UTC(anchor.year, anchor.month - 1, anchor.day + count), 'UTC')
    return fromLocal(
      { ...moved, hour: anchor.hour, minute: anchor.minute, second: anchor.second },
      zone,
    )
  }
  const months = anchor.month - 1 + (policy === 'Month' ? count : count * 12)
  const year = anchor.year + Math.floor(months / 12)
  const month = (((months % 12) + 12) % 12) + 1
  // Every reset is counted from the anchor itself, so a 31st clamped in April is a 31st again in
  // May.
  return fromLocal(
    { ...anchor, year, month, day: Math.min(anchor.day, daysInMonth(year, month)) },
    zone,
  )
}

/**
 * Finds the reset period of a package that contains the instant.
 *
 * Time: periods start at the anchor's local wall-clock time each day, month or year; a 31st or
 * 29 February that a month lacks is clamped to its last day and never drifts. Before the anchor
 * the first period is returned.
 */
export function resetPeriod(
  anchorMs: EpochMs,
  policy: ResetPolicy,
  instantMs: EpochMs,
  zone: string,
): Interval {
  const stepMs = { Day: DAY_MS, Month: 28 * DAY_MS, Year: 365 * DAY_MS }[policy]
  let count = Math.max(0, Math.floor((instantMs - anchorMs) / stepMs))
  while (count > 0 && nthReset(anchorMs, policy, count, zone) > instantMs) count -= 1
  while (nthReset(anchorMs, policy, count + 1, zone) <= instantMs) count += 1
  return {
    startMs: nthReset(anchorMs, policy, count, zone),
    endMs: nthReset(anchorMs, policy, count + 1, zone),
  }
}

/** Rounds an instant down to a multiple of the step since the epoch. */
export function floorTo(instantMs: EpochMs, stepMs: number): EpochMs {
  return Math.floor(instantMs / stepMs) * stepMs
}

/** Rounds an instant up to a multiple of the step since the epoch. */
export function ceilTo(instantMs: EpochMs, stepMs: number): EpochMs {
  return Math.ceil(instantMs / stepMs) * stepMs
}
