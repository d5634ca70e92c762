import { assert } from './errors.ts'

/**
 * Writes a fraction as a decimal that is exactly equal to it.
 *
 * Shape: no exponent, no trailing zeros, `-` in front of negative ones.
 * Rounding: none, so that whoever adds the figures up gets what we get.
 * Limits: the denominator has no other prime factors than 2 and 5: powers of ten and of 1024.
 */
export function exactDecimal(numerator: bigint, denominator: bigint): string {
  assert(denominator > 0n, 'a denominator is positive')
  const absolute = numerator < 0n ? -numerator : numerator
  let rest = absolute % denominator
  let decimals = ''
  while (rest !== 0n) {
    // Each digit takes a factor of 10 away; 2^60 needs 60 digits.
    assert(decimals.length < 100, `${denominator} has other prime factors than 2 and 5`)
    rest *= 10n
    decimals += String(rest / denominator)
    rest %= denominator
  }
  const sign = numerator < 0n ? '-' : ''
  return `${sign}${absolute / denominator}${decimals === '' ? '' : `.${decimals}`}`
}

/** Puts commas between the thousands of decimal text, `-1,234,567.125`. */
export function groupThousands(decimal: string): string {
  const [whole = '', decimals] = decimal.split('.')
  const text = whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
  return decimals === undefined ? text : `${text}.${decimals}`
}
