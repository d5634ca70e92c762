import type { EpochMs } from '../core/clock.ts'
import { breadthOf } from './package-scope.ts'
import { compareText, type PrepaidPackage } from './package-terms.ts'

/**
 * What packages are ranked by, each key deciding where the ones before it left a tie.
 *
 * `earliest-expiry`: those without an end, or without one yet, come last. `smallest-size`: as
 * bought, not what is left. `narrowest-scope`: as `breadthOf` measures. `id`: by code unit.
 */
export const BURN_KEYS = [
  'unlimited-first',
  'unlimited-last',
  'earliest-expiry',
  'earliest-purchase',
  'smallest-size',
  'narrowest-scope',
  'id',
] as const
/** One key of a declared order. */
export type BurnKey = (typeof BURN_KEYS)[number]

/**
 * The order of a pack that declares none.
 *
 * Source: ucdn charge/faq.md: by expiry; packages that never expire are used before those.
 */
export const DEFAULT_BURN_ORDER: readonly BurnKey[] = [
  'unlimited-first',
  'earliest-expiry',
  'earliest-purchase',
  'id',
]

/** A package with its end as it is known now. */
export interface RankedPackage {
  readonly package: PrepaidPackage
  /** Exclusive; null: none, or none yet. */
  readonly endMs: EpochMs | null
}

/**
 * Makes the comparison that a declared order stands for.
 *
 * Shape: total, because the id always decides last, named or not; ids are unique.
 */
export function burnOrder(
  keys: readonly BurnKey[],
): (a: RankedPackage, b: RankedPackage) => number {
  const comparisons = [...keys, 'id' as const].map((key) => COMPARISONS[key])
  return (a, b) => {
    for (const compare of comparisons) {
      const order = compare(a, b)
      if (order !== 0) return order
    }
    return 0
  }
}

const COMPARISONS: Record<BurnKey, (a: RankedPackage, b: RankedPackage) => number> = {
  'unlimited-first': (a, b) => unlimited(b) - unlimited(a),
  'unlimited-last': (a, b) => unlimited(a) - unlimited(b),
  'earliest-expiry': (a, b) => compareNumbers(expiry(a), expiry(b)),
  'earliest-purchase': (a, b) => a.package.purchasedMs - b.package.purchasedMs,
  'smallest-size': (a, b) => compareNumbers(a.package.sizeBytes, b.package.sizeBytes),
  'narrowest-scope': (a, b) => compareBreadths(breadthOf(a.package), breadthOf(b.package)),
  id: (a, b) => compareText(a.package.id, b.package.id),
}

function unlimited({ package: { validity } }: RankedPackage): number {
  return validity.type === 'unlimited' ? 1 : 0
}

function expiry({ endMs }: RankedPackage): number {
  return endMs ?? Number.POSITIVE_INFINITY
}

// Subtraction would turn two infinities into NaN, which a sort takes for "equal" or worse.
function compareNumbers<T extends number | bigint>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function compareBreadths(a: readonly number[], b: readonly number[]): number {
  for (const [index, breadth] of a.entries()) {
    const order = compareNumbers(breadth, b[index] ?? 0)
    if (order !== 0) return order
  }
  return 0
}
