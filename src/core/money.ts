import { AppError } from './errors.ts'
import { divFloor } from './units.ts'

/** An amount in billionths of a currency unit; negative where money goes back. Never a float. */
export type Nano = bigint

/** Billionths in one unit of currency. */
export const NANO = 1_000_000_000n

/**
 * Reads a decimal amount such as `0.135` or `-12`.
 *
 * Errors: `parameter_invalid` for anything but plain digits with at most nine decimals; prices are
 * written as text, because a float has already lost what it could not hold.
 */
export function parseMoney(text: string, field: string): Nano {
  const match = /^(-?)(\d{1,18})(?:\.(\d{1,9}))?$/.exec(text)
  if (match === null) {
    throw new AppError(
      'parameter_invalid',
      `${field}: write the amount as text with at most nine decimals, such as "0.135".`,
      { field },
    )
  }
  const [, sign = '', whole = '0', decimals = ''] = match
  const nano = BigInt(whole) * NANO + BigInt(decimals.padEnd(9, '0'))
  return sign === '-' ? -nano : nano
}

/** Writes an amount with at least two decimals and no more than it needs; never rounds. */
export function formatMoney(amount: Nano): string {
  const absolute = amount < 0n ? -amount : amount
  const decimals = String(absolute % NANO)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${amount < 0n ? '-' : ''}${absolute / NANO}.${decimals.padEnd(2, '0')}`
}

/** Divides and rounds to the nearest, halves away from zero. Errors: none; `by` is positive. */
export function divRound(value: bigint, by: bigint): bigint {
  const absolute = value < 0n ? -value : value
  const rounded = divFloor(2n * absolute + by, 2n * by)
  return value < 0n ? -rounded : rounded
}

/**
 * Prices a quantity: `quantity × price ÷ per`.
 *
 * Units: `price` buys `per` of the quantity's unit, e.g. nano per GiB with `per` = 2^30.
 * Rounding: once, here, to whole nano, halves away from zero.
 */
export function priceOf(quantity: bigint, price: Nano, per: bigint): Nano {
  return divRound(quantity * price, per)
}
