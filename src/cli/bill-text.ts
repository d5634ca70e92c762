/** How bills and their parts are written for people, whatever command shows them. */
import { groupThousands } from '../core/decimal.ts'
import { formatLocal, formatOffset, hasClockChange } from '../core/period-text.ts'

/** An amount with its currency. */
export interface WireMoney {
  readonly amount: string
  readonly currency: string
}

/** Writes amounts of several currencies in a line. */
export function formatTotals(totals: readonly WireMoney[]): string {
  if (totals.length === 0) return 'nothing is owed'
  const texts = totals.map(({ amount, currency }) => `${groupThousands(amount)} ${currency}`)
  return texts.join(' + ')
}

/** Writes an instant as the clock of a zone shows it, `2026-10-17 20:35`. */
export function formatIn(zone: string, instant: string): string {
  return formatLocal(Date.parse(instant), zone)
}

/** Writes a slot's time as `formatIn` does; on a day on which clocks change, with its offset. */
export function formatSlot(zone: string, instant: string): string {
  const atMs = Date.parse(instant)
  const offset = hasClockChange(atMs, zone) ? ` ${formatOffset(atMs, zone)}` : ''
  return formatLocal(atMs, zone) + offset
}

/**
 * Writes whole local days as `2026-10-17` or `2026-10-17 – 2026-10-31`, the last one included, and
 * any other time with its hours, the end excluded.
 */
export function formatPeriod(
  zone: string,
  { start, end }: { readonly start: string; readonly end: string },
): string {
  const isMidnight = (instant: string): boolean => formatIn(zone, instant).endsWith(' 00:00')
  if (!isMidnight(start) || !isMidnight(end)) {
    return `${formatIn(zone, start)} – ${formatIn(zone, end)}`
  }
  const first = formatIn(zone, start).slice(0, 10)
  const last = formatIn(zone, new Date(Date.parse(end) - 1).toISOString()).slice(0, 10)
  return first === last ? first : `${first} – ${last}`
}

/** Makes a bill's path. */
export function billPath(id: string, rest = ''): string {
  return `/v1/bills/${encodeURIComponent(id)}${rest}`
}
