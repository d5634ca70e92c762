import type { EpochMs } from './clock.ts'
import { AppError } from './errors.ts'
import {
  addDays,
  dayStart,
  fromLocal,
  type Interval,
  MINUTE_MS,
  monthOf,
  offsetMs,
  toLocal,
} from './period.ts'

/** Writes the wall-clock time of an instant in a zone, as in `2026-11-21 00:00`. */
export function formatLocal(instantMs: EpochMs, zone: string): string {
  const { year, month, day, hour, minute } = toLocal(instantMs, zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}`
}

/**
 * Writes an instant in a zone with the offset that the zone has then, `2026-10-25T02:30+01:00`.
 *
 * Time: to the minute, like every slot; an hour that happens twice is told apart by its offset.
 */
export function formatZoned(instantMs: EpochMs, zone: string): string {
  return formatLocal(instantMs, zone).replace(' ', 'T') + formatOffset(instantMs, zone)
}

/** Writes a zone's offset from UTC at an instant, `+08:00`. */
export function formatOffset(instantMs: EpochMs, zone: string): string {
  const minutes = Math.round(offsetMs(instantMs, zone) / MINUTE_MS)
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`
}

/** Tells whether clocks change on the local day of an instant, at its end included. */
export function hasClockChange(instantMs: EpochMs, zone: string): boolean {
  const startMs = dayStart(instantMs, zone)
  return offsetMs(startMs, zone) !== offsetMs(addDays(startMs, 1, zone), zone)
}

/**
 * Reads a month (`2026-11`) or a day (`2026-11-20`) of a zone.
 *
 * Errors: `parameter_invalid` for anything else, a 31 November included.
 */
export function parsePeriod(text: string, zone: string, field = 'period'): Interval {
  const match = /^(\d{4})-(\d{2})(?:-(\d{2}))?$/.exec(text)
  const [year = 0, month = 0, day = 1] = (match ?? []).slice(1).map((part) => Number(part ?? 1))
  const startMs = fromLocal({ year, month, day, hour: 0, minute: 0, second: 0 }, zone)
  const local = toLocal(startMs, zone)
  if (match === null || local.year !== year || local.month !== month || local.day !== day) {
    throw new AppError('parameter_invalid', `Name the ${field} as 2026-11 or 2026-11-20.`, {
      field,
    })
  }
  if (match[3] !== undefined) return { startMs, endMs: addDays(startMs, 1, zone) }
  return monthOf(startMs, zone)
}
