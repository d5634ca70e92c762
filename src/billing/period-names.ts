import type { EpochMs } from '../core/clock.ts'
import { type Interval, toLocal } from '../core/period.ts'

/** Names a local day, `2026-10-03`. */
export function dayName(startMs: EpochMs, zone: string): string {
  const { year, month, day } = toLocal(startMs, zone)
  return `${year}-${two(month)}-${two(day)}`
}

/** Names a local month, `2026-10`. */
export function monthName(instantMs: EpochMs, zone: string): string {
  return dayName(instantMs, zone).slice(0, 7)
}

/** Reads an interval from the texts of a record. */
export function intervalOf({ start, end }: { start: string; end: string }): Interval {
  return { startMs: Date.parse(start), endMs: Date.parse(end) }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
