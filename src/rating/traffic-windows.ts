import type { EpochMs } from '../core/clock.ts'
import { type Interval, MINUTE_MS, toLocal } from '../core/period.ts'
import type { DayWindow } from './rules.ts'

/**
 * Tells whether a minute of the wall clock is in one of the windows; none at all: always.
 *
 * Shape: a window whose ends are equal wraps all the way around and is the whole day.
 */
export function isInWindows(windows: readonly DayWindow[], minute: number): boolean {
  if (windows.length === 0) return true
  return windows.some(({ fromMinute, toMinute }) =>
    toMinute > fromMinute
      ? fromMinute <= minute && minute < toMinute
      : fromMinute <= minute || minute < toMinute,
  )
}

/** Reads the minute of the local day. Time: wall-clock, so a DST change skips or repeats some. */
export function localMinuteOf(instantMs: EpochMs, zone: string): number {
  const local = toLocal(instantMs, zone)
  return local.hour * 60 + local.minute
}

/**
 * Makes the function that reads the minute of the wall clock, 0…1439, for instants of one local
 * day.
 *
 * Time: an hour that a DST change repeats is read twice; one that it skips, never.
 */
export function createMinuteOf(day: Interval, zone: string): (instantMs: EpochMs) => number {
  const read = (instantMs: EpochMs) => localMinuteOf(instantMs, zone)
  const firstMinute = read(day.startMs)
  const lastMs = day.endMs - MINUTE_MS
  // On a day whose clock shows as many minutes as pass nobody turns it, and counting is enough:
  // asking the zone for each slot would be most of the work of rating.
  const isSteady = read(lastMs) - firstMinute === (lastMs - day.startMs) / MINUTE_MS
  if (!isSteady) return read
  return (instantMs) => firstMinute + Math.floor((instantMs - day.startMs) / MINUTE_MS)
}
