/**
 * Parts of the local day, as people write them: `23:00-07:00`.
 *
 * Shape: a text that is no such part reads as undefined; what is written reads back equal.
 */

/**
 * Local time of day in minutes, `[fromMinute, toMinute)`; when `to` is not after `from` it wraps
 * around midnight.
 */
export interface DayWindow {
  readonly fromMinute: number
  readonly toMinute: number
}

const MINUTES_OF_DAY = 1440

/** Reads `07:30` as minutes since midnight; 24:00 is none of a day's minutes. */
export function parseMinute(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text)
  return match === null ? undefined : Number(match[1]) * 60 + Number(match[2])
}

/** Writes minutes since midnight as `07:30`. */
export function formatMinute(minute: number): string {
  const pad = (part: number): string => String(part).padStart(2, '0')
  return `${pad(Math.floor(minute / 60))}:${pad(minute % 60)}`
}

/**
 * Reads `23:00-07:00`, its end exclusive.
 *
 * Limits: a window ends at 24:00 at the latest or wraps around midnight; one of no length and one
 * of the whole day are none.
 */
export function parseWindow(text: string): DayWindow | undefined {
  const [from = '', to = '', more] = text.split('-')
  const fromMinute = parseMinute(from)
  const toMinute = to === '24:00' ? MINUTES_OF_DAY : parseMinute(to)
  if (fromMinute === undefined || toMinute === undefined || more !== undefined) return undefined
  const lengthMinutes = toMinute - fromMinute
  return lengthMinutes % MINUTES_OF_DAY === 0 ? undefined : { fromMinute, toMinute }
}

/** Writes a window as `23:00-07:00`. */
export function formatWindow({ fromMinute, toMinute }: DayWindow): string {
  return `${formatMinute(fromMinute)}-${formatMinute(toMinute)}`
}

/** Tells whether two windows share a minute of the day. */
export function windowsOverlap(a: DayWindow, b: DayWindow): boolean {
  return minuteSpans(a).some(([from, to]) =>
    minuteSpans(b).some(([otherFrom, otherTo]) => from < otherTo && otherFrom < to),
  )
}

/** The window without a wrap: one or two spans inside of a day. */
function minuteSpans({ fromMinute, toMinute }: DayWindow): (readonly [number, number])[] {
  if (toMinute > fromMinute) return [[fromMinute, toMinute]]
  return [
    [fromMinute, MINUTES_OF_DAY],
    [0, toMinute],
  ]
}
