import type { EpochMs } from '../../core/clock.ts'
import { unreachable } from '../../core/errors.ts'
import {
  ceilTo,
  DAY_MS,
  dayStart,
  FIVE_MINUTES_MS,
  floorTo,
  HOUR_MS,
  localDays,
  MINUTE_MS,
  toLocal,
  type Interval,
} from '../../core/period.ts'
import type { Granularity } from '../../meters/query.ts'

/** Start of the local hour; half-hour zones have their own. */
function hourStart(instantMs: EpochMs, zone: string): EpochMs {
  const { minute, second } = toLocal(instantMs, zone)
  return Math.floor(instantMs / 1000) * 1000 - (minute * 60 + second) * 1000
}

/** Widens a range to whole buckets of the granularity in the zone. */
export function widen(range: Interval, granularity: Granularity, zone: string): Interval {
  const { startMs, endMs } = range
  switch (granularity) {
    case 'minute':
      return { startMs: floorTo(startMs, MINUTE_MS), endMs: ceilTo(endMs, MINUTE_MS) }
    case '5min':
    case 'total':
      return { startMs: floorTo(startMs, FIVE_MINUTES_MS), endMs: ceilTo(endMs, FIVE_MINUTES_MS) }
    case 'hour': {
      const last = hourStart(endMs, zone)
      return {
        startMs: hourStart(startMs, zone),
        endMs: last === endMs ? endMs : hourStart(last + HOUR_MS + HOUR_MS / 2, zone),
      }
    }
    case 'day': {
      const days = localDays(range, zone)
      return { startMs: dayStart(startMs, zone), endMs: days.at(-1)?.endMs ?? endMs }
    }
    default:
      return unreachable(granularity)
  }
}

/** Lists the buckets of a whole-bucket range, in order; days may last 23 to 25 hours. */
export function bucketsOf(range: Interval, granularity: Granularity, zone: string): Interval[] {
  if (granularity === 'total') return range.endMs > range.startMs ? [range] : []
  if (granularity === 'day') return localDays(range, zone)
  const stepMs = { minute: MINUTE_MS, '5min': FIVE_MINUTES_MS, hour: HOUR_MS }[granularity]
  const buckets: Interval[] = []
  for (let startMs = range.startMs; startMs < range.endMs; startMs += stepMs) {
    buckets.push({ startMs, endMs: startMs + stepMs })
  }
  return buckets
}

/** Longest range, as a guard for callers that set no limit of their own. */
export const RANGE_MS_MAX = 400 * DAY_MS
