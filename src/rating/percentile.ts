import type { EpochMs } from '../core/clock.ts'
import { assert, unreachable } from '../core/errors.ts'
import { divRound } from '../core/money.ts'
import { divFloor } from '../core/units.ts'
import type { BandwidthRule } from './rules.ts'

/** How many of N slots are dropped before the highest left is taken. */
export type RankRule = BandwidthRule['rank']

/** A slot as it is ranked. */
export interface RankedPoint {
  readonly startMs: EpochMs
  /** Bits that five minutes hold at this bandwidth (bit/s × 300): ranked before any division. */
  readonly slotBits: bigint
}

const MILLIONTHS = 1_000_000
const MOST_SLOT_BITS = (1n << 64n) - 1n

/**
 * Counts the slots that a rule drops: `percent` % of `count`.
 *
 * Rounding: once, as the rule says; `round` takes halves up, which drops one more.
 * Limits: a percentage counts to six decimals. The product is exact: a float would make 47.000…01
 * of 4.7 % of 1000, and `ceil` 48.
 */
export function countDropped(count: number, rank: RankRule): number {
  assert(rank.percent >= 0 && rank.percent <= 100, 'a percentage lies between 0 and 100')
  const numerator = BigInt(count) * BigInt(Math.round(rank.percent * MILLIONTHS))
  const denominator = BigInt(100 * MILLIONTHS)
  switch (rank.rounding) {
    case 'floor':
      return Number(divFloor(numerator, denominator))
    case 'ceil':
      return Number(divFloor(numerator + denominator - 1n, denominator))
    case 'round':
      return Number(divRound(numerator, denominator))
    default:
      return unreachable(rank.rounding)
  }
}

/**
 * Finds the highest point that is left when the `dropped` highest are gone; null when none is.
 *
 * It is always one of the points, never a value between two. Of equal points the latest are dropped
 * first and the earliest is found, whatever the order of the list.
 * Limits: 2^64 bits in five minutes, which is 61 Pbit/s.
 */
export function highestAfter<P extends RankedPoint>(
  points: readonly P[],
  dropped: number,
): P | null {
  if (dropped >= points.length) return null
  if (dropped === 0) return highestOf(points)
  // A typed array sorts as machine integers, about ten times faster than bigints with a comparator.
  const sorted = new BigUint64Array(points.length)
  for (const [index, { slotBits }] of points.entries()) {
    assert(slotBits >= 0n && slotBits <= MOST_SLOT_BITS, 'a slot has 0 to 2^64 - 1 bits')
    sorted[index] = slotBits
  }
  sorted.sort()
  const found = sorted[points.length - 1 - dropped]
  return highestOf(points.filter(({ slotBits }) => slotBits === found))
}

/** Finds the highest point, the earliest of equal ones; null when there is none. */
export function highestOf<P extends RankedPoint>(points: readonly P[]): P | null {
  let highest: P | null = null
  for (const point of points) {
    if (highest === null || isAbove(point, highest)) highest = point
  }
  return highest
}

function isAbove(point: RankedPoint, other: RankedPoint): boolean {
  return point.slotBits === other.slotBits
    ? point.startMs < other.startMs
    : point.slotBits > other.slotBits
}
