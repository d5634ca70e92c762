import type { EpochMs } from '../core/clock.ts'
import { assert, AppError } from '../core/errors.ts'
import type { Nano } from '../core/money.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageBalance } from './package-burn.ts'
import type { PrepaidPackage } from './package-terms.ts'
import { endOf } from './package-validity.ts'

/** What goes back when a package is returned: all of it. */
export interface Refund {
  readonly packageId: string
  /** Leaves the account's volume. */
  readonly bytes: Bytes
  /** Goes back to the payer. */
  readonly amount: Nano
}

/**
 * Takes back a package that nothing was drawn from and that is still valid, for what was paid.
 *
 * Time: the balance is that of `nowMs`, with the usage of days that are not closed yet.
 * Errors: `conflict` with the reason: something was drawn from it, or it has ended.
 */
export function refundPackage(
  entry: PrepaidPackage,
  balance: PackageBalance,
  paid: Nano,
  nowMs: EpochMs,
  zone: string,
): Refund {
  assert(balance.packageId === entry.id, `the balance of ${balance.packageId} is not ${entry.id}'s`)
  if (balance.usedBytes > 0n) {
    throw new AppError(
      'conflict',
      `Package ${entry.id} cannot be refunded: ${balance.usedBytes} bytes were drawn from it. ` +
        'Only unused packages are refunded.',
    )
  }
  const endMs = endOf(entry, balance.firstUseMs, zone)
  if (endMs !== null && endMs <= nowMs) {
    throw new AppError(
      'conflict',
      `Package ${entry.id} cannot be refunded: it ended at ${new Date(endMs).toISOString()}. ` +
        'Only packages that are still valid are refunded.',
    )
  }
  return { packageId: entry.id, bytes: entry.sizeBytes, amount: paid }
}
