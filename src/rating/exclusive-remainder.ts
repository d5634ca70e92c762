import type { Bytes } from '../core/units.ts'
import { divFloor, MIB } from '../core/units.ts'

/** Size and rest of an exclusive package in the vendor's unit. */
export interface ExclusiveRemainder {
  readonly totalMb: bigint
  readonly availableMb: bigint
}

/**
 * Computes what is left of an exclusive package in the current reset period.
 *
 * Units: MB = 1024^2 bytes, the vendor's traffic radix.
 * Rounding: both rounded down; a started MB of the rest is not available.
 * Limits: usage beyond the package leaves 0, never less.
 * Source: docs/explanation/vendor-answers.md.
 */
export function exclusiveRemainder(sizeBytes: Bytes, usedBytes: Bytes): ExclusiveRemainder {
  const leftBytes = usedBytes < sizeBytes ? sizeBytes - usedBytes : 0n
  return { totalMb: divFloor(sizeBytes, MIB), availableMb: divFloor(leftBytes, MIB) }
}
