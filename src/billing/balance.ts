import type { BookKey, ExclusiveVolume } from './book.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Nano } from '../core/money.ts'
import type { Interval } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'

/** Where one package stands now; used + left = size. */
export interface PackageNow {
  readonly package: PrepaidPackage
  readonly usedBytes: Bytes
  readonly leftBytes: Bytes
  /** Exclusive; null: none, or none yet. */
  readonly endMs: EpochMs | null
}

/** Where a book stands now: its closed days, and what was used since. */
export interface BookBalance extends BookKey {
  readonly zone: string
  /** Usage loaded up to here is in it. */
  readonly asOfMs: EpochMs
  /** The first instant that is not closed. */
  readonly closedUntilMs: EpochMs
  /** The local month that contains `asOfMs`. */
  readonly month: Interval
  /** Valid ones, and those that have not begun. */
  readonly packages: readonly PackageNow[]
  /** What no package took and no order has billed. */
  readonly arrearsBytes: Bytes
  /** Refilling volumes with what is used up in the reset period that contains `asOfMs`. */
  readonly exclusive: readonly {
    readonly volume: ExclusiveVolume
    readonly period: Interval
    readonly usedBytes: Bytes
  }[]
  /** What the month costs so far, as if it ended now; adjustments booked in it included. */
  readonly monthToDate: readonly { readonly currency: string; readonly amount: Nano }[]
  /** The current pack's name. */
  readonly pack: string
}
