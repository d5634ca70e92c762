import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import { resetPeriod, SECOND_MS } from '../core/period.ts'
import type { PrepaidPackage } from './package-terms.ts'

/**
 * Finds the end of a package that lasts `months` calendar months.
 *
 * Time: exclusive, the same local wall-clock time so many months later; a 31st that the month lacks
 * is its last day, counted from the beginning so that it never drifts. Whole seconds. The vendor
 * names the last second inside instead: see `lastSecondOf`.
 */
export function validUntil(fromMs: EpochMs, months: number, zone: string): EpochMs {
  assert(Number.isInteger(months) && months > 0, `a package lasts ${months} months`)
  let endMs = resetPeriod(fromMs, 'Month', fromMs, zone).endMs
  // Always counted from the same anchor: a step from the end before would keep February's 28th.
  for (let month = 1; month < months; month += 1) {
    endMs = resetPeriod(fromMs, 'Month', endMs, zone).endMs
  }
  return endMs
}

/**
 * Names the last second in which a package is valid, the way the vendor writes an end.
 *
 * Time: one second less than the exclusive end, so that a package of a calendar month lasts, in the
 * vendor's words, one month less one second: from 1 Jan 10:00:00 until 1 Feb 09:59:59.
 */
export function lastSecondOf(endMs: EpochMs): EpochMs {
  return endMs - SECOND_MS
}

/**
 * Finds the exclusive end of a package; null when it has none or has none yet.
 *
 * Time: without a first use, a package that lasts from its first use has no end yet.
 */
export function endOf(
  { validity }: PrepaidPackage,
  firstUseMs: EpochMs | null,
  zone: string,
): EpochMs | null {
  switch (validity.type) {
    case 'from-purchase':
      return validity.endMs
    case 'unlimited':
      return null
    case 'from-first-use':
      if (firstUseMs === null) return null
      if ('spanMonths' in validity) return validUntil(firstUseMs, validity.spanMonths, zone)
      assert(validity.spanMs > 0, `a package lasts ${validity.spanMs} ms`)
      return firstUseMs + validity.spanMs
  }
}
