/**
 * A book: what one account uses of one meter, closed day by day and billed month by month.
 *
 * What is kept of a closed day or month is plain JSON, in which bytes and bandwidths are decimal
 * text, money is decimal text and instants are ISO 8601 in UTC: it is hashed as it is written.
 */
import type { MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Interval, ResetPolicy } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageBalance } from '../rating/package-burn.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'

/** Names a book. Only root accounts have books. */
export interface BookKey {
  readonly accountId: string
  readonly meter: MeterName
}

/** The refilling volume of one elastic IP, as it was when a day was closed. */
export interface ExclusiveVolume {
  readonly id: string
  readonly resourceId: string
  readonly sizeBytes: Bytes
  readonly resetPolicy: ResetPolicy
  /** Anchor of all resets. */
  readonly createdMs: EpochMs
  /** End of its life, exclusive, in whole minutes; absent while it lived. */
  readonly deletedMs?: EpochMs
}

/** How much of a refilling volume is used up in the reset period that began then. */
export interface ExclusiveUse {
  readonly packageId: string
  readonly periodStartMs: EpochMs
  readonly usedBytes: Bytes
}

/** What a book carries from one day into the next. */
export interface BookState {
  /** Of every package that was ever in play, by id. */
  readonly balances: readonly PackageBalance[]
  /** Neither absorbed nor ordered so far. */
  readonly arrears: readonly TrafficUsage[]
  readonly exclusive: readonly ExclusiveUse[]
  /**
   * Packages in `balances` that no day has written the price of, since they were bought in the next
   * month; by id, absent when there are none.
   */
  readonly priceDue?: readonly string[]
}

/** The state of a book before its first day. */
export const EMPTY_STATE: BookState = { balances: [], arrears: [], exclusive: [] }

/** By what a stretch of a book is billed, and in which zone. */
export interface BookTerms extends BookKey {
  /** IANA zone of the account: its days and months. */
  readonly zone: string
  readonly pack: RulePack
  /** SHA-256 of what the pack says. */
  readonly packHash: string
  /** Group name → resource ids, for rules of level `group`. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/** All that closing one day depends on besides its usage. */
export interface DayBasis extends BookTerms {
  readonly day: Interval
  /** When the day was settled: packages that begin until then may take its arrears. */
  readonly settledMs: EpochMs
  /** Bought before it was settled, and not given back before it began. */
  readonly packages: readonly PrepaidPackage[]
  readonly exclusive: readonly ExclusiveVolume[]
  /** Resources that the day is not billed by traffic for: addresses paid by bandwidth. */
  readonly unbilled: readonly string[]
  readonly opening: BookState
}

/**
 * From which rows a figure was made: those of one account, meter and stretch of time that came with
 * a batch up to `throughBatch`. Batches are loaded in ascending order.
 */
export interface UsageProof {
  readonly throughBatch: number
  readonly firstBatch: number
  readonly batches: number
  readonly rows: number
  /** Sum of the rows' 64-bit hashes, modulo 2^64, in hex: the order of rows does not matter. */
  readonly hash: string
  /** Versions of the address database that attributed them. */
  readonly geoVersions: readonly string[]
}

/** What of a stretch of time its sources reported. On a bill null: nothing was expected. */
export interface Coverage {
  /** Five-minute slots × sources. */
  readonly expectedSlots: number
  readonly receivedSlots: number
  /** Of the sources with gaps, the longest first, at most 20. */
  readonly gaps: readonly {
    readonly source: string
    readonly start: string
    readonly end: string
  }[]
}

/** Where a day stands. */
export type DayState = 'open' | 'settling' | 'closed' | 'adjusted'
