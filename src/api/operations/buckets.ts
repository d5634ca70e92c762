import type { EpochMs } from '../../core/clock.ts'
import {
  addDays,
  DAY_MS,
  dayStart,
  FIVE_MINUTES_MS,
  floorTo,
  HOUR_MS,
  MINUTE_MS,
} from '../../core/period.ts'

/** Granularities of the vendors' series. Hours are absolute, days local. */
export type SeriesGranularity = 'minute' | '5min' | 'hour' | 'day'

const STEP_MS: Readonly<Record<SeriesGranularity, number>> = {
  minute: MINUTE_MS,
  '5min': FIVE_MINUTES_MS,
  hour: HOUR_MS,
  day: DAY_MS,
}

/** Finds the start of the bucket that contains the instant. */
export function bucketStart(
  instantMs: EpochMs,
  granularity: SeriesGranularity,
  zone: string,
): EpochMs {
  if (granularity === 'day') return dayStart(instantMs, zone)
  return floorTo(instantMs, STEP_MS[granularity])
}

/** Finds the end, exclusive, of the bucket that contains the instant. */
export function bucketEnd(
  instantMs: EpochMs,
  granularity: SeriesGranularity,
  zone: string,
): EpochMs {
  if (granularity === 'day') return addDays(instantMs, 1, zone)
  return floorTo(instantMs, STEP_MS[granularity]) + STEP_MS[granularity]
}
