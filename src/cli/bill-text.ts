/** How bills and their parts are written for people, whatever command shows them. */
import { groupThousands } from '../core/decimal.ts'
import { toLocal } from '../core/period.ts'

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
  const { year, month, day, hour, minute } = toLocal(Date.parse(instant), zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}`
}

/** Makes a bill's path. */
export function billPath(id: string, rest = ''): string {
  return `/v1/bills/${encodeURIComponent(id)}${rest}`
}
