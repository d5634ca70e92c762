/** Bytes as an exact integer. Volumes are never floats. */
export type Bytes = bigint

/** Decimal and binary units are different pricing units; nothing is called "G". */
export const MB = 1_000_000n
export const MIB = 1n << 20n
export const GB = 1_000_000_000n
export const GIB = 1n << 30n

/** What "kilo" means to an account: 1000 or 1024. */
export type Radix = 1000 | 1024

/** Bytes in one giga-unit of the radix: GB = 10^9 or GiB = 2^30. */
export function gigaBytes(radix: Radix): Bytes {
  return radix === 1000 ? GB : GIB
}

/** Bytes in one mega-unit of the radix: MB = 10^6 or MiB = 2^20. */
export function megaBytes(radix: Radix): Bytes {
  return radix === 1000 ? MB : MIB
}

/** Divides towards minus infinity; `/` on bigint would round negative values towards zero. */
export function divFloor(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator
  return numerator % denominator !== 0n && numerator < 0n !== denominator < 0n
    ? quotient - 1n
    : quotient
}

/**
 * Expresses bytes in a larger unit as a JSON number, for vendor fields typed float.
 *
 * Rounding: exact to 6 decimals (one ten-thousandth of a percent of a giga-unit), rounded half up
 * once, here.
 */
export function toUnitFloat(value: Bytes, unit: Bytes): number {
  const scaled = divFloor(value * 2_000_000n + unit, 2n * unit)
  return Number(scaled) / 1_000_000
}
