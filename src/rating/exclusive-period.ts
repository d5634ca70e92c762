import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import { type Nano, priceOf } from '../core/money.ts'
import { floorTo, type Interval, MINUTE_MS, type ResetPolicy, resetPeriod } from '../core/period.ts'
import { type Bytes, gigaBytes, type Radix } from '../core/units.ts'

/** A volume of one resource that refills, and what usage beyond it costs. */
export interface ExclusiveTerms {
  readonly sizeBytes: Bytes
  readonly resetPolicy: ResetPolicy
  /** Anchor of all resets. */
  readonly createdMs: EpochMs
  readonly zone: string
  /** For one GB or GiB of excess, by the radix. */
  readonly price: Nano
  readonly radix: Radix
}

/** Bytes that moved in one slot; the slot's start decides the period. */
export interface ExclusiveUsage {
  readonly startMs: EpochMs
  readonly bytes: Bytes
}

/** How usage divides: covered + excess = moved. */
export interface ExclusiveShare {
  readonly coveredBytes: Bytes
  readonly excessBytes: Bytes
}

/** One reset period: covered + excess = used. */
export interface ExclusivePeriod extends Interval, ExclusiveShare {
  readonly usedBytes: Bytes
  readonly excessAmount: Nano
}

/**
 * Divides what moves next in a period, after `usedBytes` have moved in it.
 *
 * Shape: dividing in steps adds up to dividing at once, so a day can be closed inside of a period.
 */
export function shareExclusive(
  sizeBytes: Bytes,
  usedBytes: Bytes,
  movedBytes: Bytes,
): ExclusiveShare {
  assert(usedBytes >= 0n && movedBytes >= 0n, `${movedBytes} bytes moved after ${usedBytes}`)
  const leftBytes = usedBytes < sizeBytes ? sizeBytes - usedBytes : 0n
  const coveredBytes = movedBytes < leftBytes ? movedBytes : leftBytes
  return { coveredBytes, excessBytes: movedBytes - coveredBytes }
}

/**
 * Finds the reset period of a slot of usage.
 *
 * Time: from the creation's local wall-clock time each day, month or year, never drifting; both
 * bounds rounded down to whole minutes, the grain of usage: the minute of a reset, and that of the
 * creation, belongs to the period that begins in it.
 */
export function exclusivePeriodOf(
  { createdMs, resetPolicy, zone }: Pick<ExclusiveTerms, 'createdMs' | 'resetPolicy' | 'zone'>,
  instantMs: EpochMs,
): Interval {
  const minuteEndMs = floorTo(instantMs, MINUTE_MS) + MINUTE_MS - 1
  const { startMs, endMs } = resetPeriod(createdMs, resetPolicy, minuteEndMs, zone)
  return { startMs: floorTo(startMs, MINUTE_MS), endMs: floorTo(endMs, MINUTE_MS) }
}

/**
 * Rates usage period by period: each begins with the full volume and carries nothing over.
 *
 * Shape: usage in any order; one result for each period with an entry, ascending.
 * Rounding: the amount of a period once, half away from zero to whole nano.
 * Errors: none; an assertion for usage from before the package.
 */
export function rateExclusive(
  terms: ExclusiveTerms,
  usage: readonly ExclusiveUsage[],
): ExclusivePeriod[] {
  const periods: (Interval & { usedBytes: Bytes })[] = []
  for (const { startMs, bytes } of usage.toSorted((a, b) => a.startMs - b.startMs)) {
    assert(startMs >= floorTo(terms.createdMs, MINUTE_MS), 'usage from before the package')
    const last = periods.at(-1)
    if (last !== undefined && startMs < last.endMs) last.usedBytes += bytes
    else periods.push({ ...exclusivePeriodOf(terms, startMs), usedBytes: bytes })
  }
  return periods.map((period) => {
    const share = shareExclusive(terms.sizeBytes, 0n, period.usedBytes)
    const excessAmount = priceOf(share.excessBytes, terms.price, gigaBytes(terms.radix))
    return { ...period, ...share, excessAmount }
  })
}
