import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/period.ts'

/** Load by hour of the day in China, 100 at its mean: least before dawn, most in the evening. */
const BY_HOUR = [
  76, 48, 34, 27, 25, 29, 43, 66, 88, 101, 109, 115, 122, 113, 107, 106, 109, 115, 124, 142, 163,
  172, 155, 111,
] as const

/** The wall clock of the example's edge, +08:00 all year. */
export const EDGE_OFFSET_MS = 8 * HOUR_MS

/**
 * Tells how busy a minute is: 100 is the mean of a day.
 *
 * Rounding: exact sixtieths between the hours, so that every machine computes the same.
 */
export function loadAt(instantMs: number): number {
  const minute = Math.floor(((instantMs + EDGE_OFFSET_MS) % DAY_MS) / MINUTE_MS)
  const hour = Math.floor(minute / 60)
  const from = BY_HOUR[hour] ?? 0
  const to = BY_HOUR[(hour + 1) % 24] ?? 0
  return (from * (60 - (minute % 60)) + to * (minute % 60)) / 60
}
