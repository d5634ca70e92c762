import { divFloor } from '../core/units.ts'
import { formatMoney, NANO, type Nano } from '../core/money.ts'
import type { AlertWatch } from './alert.ts'

/**
 * An exact fraction. Neither part is negative, but the numerator of a month that gives money back.
 *
 * Shape: a denominator of zero stands for without end, and with a numerator of zero for nothing.
 */
export interface Quantity {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** Compares a quantity with billionths: negative below, zero equal, positive above. */
export function compareQuantity({ numerator, denominator }: Quantity, limit: Nano): number {
  const difference = numerator * NANO - limit * denominator
  if (difference === 0n) return 0
  return difference < 0n ? -1 : 1
}

/** The unit of what is watched, as messages name it. */
export function unitOf(watch: AlertWatch): string {
  switch (watch.type) {
    case 'percent-left':
      return 'percent'
    case 'days-left':
      return 'days'
    case 'amount':
      return watch.currency
    case 'bandwidth':
      return 'bit/s'
  }
}

/**
 * Writes a quantity for people; null: without end.
 *
 * Rounding: amounts are exact; percents and days are rounded down to hundredths, bandwidths to
 * whole bit/s. Alerts compare the fraction, never this text.
 */
export function formatQuantity(watch: AlertWatch, value: Quantity): string | null {
  const { numerator, denominator } = value
  if (denominator === 0n) return numerator === 0n ? '0.00' : null
  if (watch.type === 'bandwidth') return String(divFloor(numerator, denominator))
  const step = watch.type === 'amount' ? 1n : NANO / 100n
  return formatMoney(divFloor(numerator * NANO, denominator * step) * step)
}

/** Writes a threshold as it may be given: without needless decimals. */
export function formatThreshold(limit: Nano): string {
  return formatMoney(limit).replace(/\.?0+$/, '')
}
