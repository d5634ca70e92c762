/** What closing needs of the control store. */
import type { MeterName, ResourceVersion } from '../catalog/model.ts'
import type { Page, PageRequest } from '../catalog/ports.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Nano } from '../core/money.ts'
import type { Interval } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import type { Bill, BillSummary, StoredBill } from './bill.ts'
import type { BillFilter } from './bill-desk.ts'
import type { BookKey, BookState, ExclusiveVolume } from './book.ts'
import type { AdjustmentRecord, DayRecord } from './day-record.ts'
import type { Posting } from './ledger.ts'

/** Where a book stands. */
export interface Book extends BookKey {
  /** IANA zone of its days; fixed when it began. */
  readonly zone: string
  /** Start of its first day. */
  readonly startMs: EpochMs
  /** Start of its first day that is not closed. */
  readonly closedUntilMs: EpochMs
  /** End of its last month that has a bill; its start when none has. */
  readonly billedUntilMs: EpochMs
  /** Records kept so far. */
  readonly sequence: number
  /** Hash of the last record; empty before the first. */
  readonly hash: string
  readonly state: BookState
}

/** A record to be kept. */
export type BookRecord =
  | { readonly kind: 'day'; readonly record: DayRecord }
  | { readonly kind: 'adjustment'; readonly record: AdjustmentRecord }
  | { readonly kind: 'bill'; readonly record: Bill; readonly summary: BillSummary }

/** A record as it was kept. */
export interface KeptRecord<T> {
  readonly sequence: number
  readonly record: T
  /** Its text, byte for byte. */
  readonly content: string
  readonly hash: string
  readonly previous: string
}

/** One elastic IP's day, as the vendors' daily bills show it. */
export interface AddressDay extends Interval {
  readonly resourceId: string
  readonly bytes: Bytes
  /** Whole GiB, rounded down. */
  readonly quantityGb: bigint
}

/** One step of one book: all of it is written, or nothing. */
export interface BookStep {
  /** As it was read; the step fails when somebody else went on meanwhile. */
  readonly book: Book
  readonly record: BookRecord
  readonly text: { readonly content: string; readonly hash: string }
  readonly state: BookState
  readonly closedUntilMs: EpochMs
  readonly billedUntilMs: EpochMs
  readonly postings: readonly Posting[]
  readonly addresses: readonly AddressDay[]
  /** The mark of late usage before the day was measured; null: the step closes no day. */
  readonly lateMark: number | null
}

/** A package with what was paid for it. */
export interface PackageFact {
  readonly terms: PrepaidPackage
  readonly paid: { readonly amount: Nano; readonly currency: string } | null
  readonly refunded: { readonly atMs: EpochMs; readonly amount: Nano } | null
}

/** What the catalog says of an account that a book of it depends on. */
export interface BookFacts {
  readonly name: string
  readonly number: number
  readonly packages: readonly PackageFact[]
  readonly exclusive: readonly ExclusiveVolume[]
  /** Every resource of the meter that was ever the account's. */
  readonly resources: readonly {
    readonly id: string
    readonly deletedMs: EpochMs | null
    readonly versions: readonly ResourceVersion[]
  }[]
}

/** A book that may have to be begun: the catalog's zone, and the first instant it matters. */
export interface BookOrigin extends BookKey {
  readonly zone: string
  readonly firstMs: EpochMs
}

/** What is kept of a month of one book. */
export interface KeptMonth {
  /** Days that begin in it, ascending. */
  readonly days: readonly KeptRecord<DayRecord>[]
  /** Adjustments of its days, in the order in which they were made. */
  readonly adjustments: readonly KeptRecord<AdjustmentRecord>[]
  /** Adjustments that its bill carries, in order. */
  readonly booked: readonly KeptRecord<AdjustmentRecord>[]
  /** Hash of the bill before; null: there is none. */
  readonly previous: string | null
}

/** Keeps books. */
export interface BookStore {
  /** The books that the catalog calls for, begun or not: of all accounts, or of one. */
  origins(meter: MeterName, accountId?: string): Promise<readonly BookOrigin[]>
  /** Begins books that are not begun yet. */
  begin(
    books: readonly (BookKey & { readonly zone: string; readonly startMs: EpochMs })[],
  ): Promise<void>
  /** Keys of all books of a meter with how far they are closed and billed, by account. */
  progress(
    meter: MeterName,
  ): Promise<
    readonly Pick<
      Book,
      'accountId' | 'meter' | 'zone' | 'startMs' | 'closedUntilMs' | 'billedUntilMs'
    >[]
  >
  /** Books with their state; those that are not begun are absent. */
  books(meter: MeterName, accountIds: readonly string[]): Promise<readonly Book[]>
  facts(meter: MeterName, accountIds: readonly string[]): Promise<ReadonlyMap<string, BookFacts>>
  /**
   * Takes steps of several books in one transaction.
   *
   * Errors: `conflict` when one of the books went on since it was read, or the mark of late usage
   * since a day was measured; nothing is written then.
   */
  take(steps: readonly BookStep[]): Promise<void>
  /** Day records that begin in the interval, ascending. */
  dayRecords(key: BookKey, interval: Interval): Promise<readonly KeptRecord<DayRecord>[]>
  /** Adjustments of days that begin in the interval, in the order in which they were made. */
  adjustments(key: BookKey, interval: Interval): Promise<readonly KeptRecord<AdjustmentRecord>[]>
  /** Adjustments that a month's bill carries, in order. */
  adjustmentsBooked(key: BookKey, month: string): Promise<readonly KeptRecord<AdjustmentRecord>[]>
  /**
   * What is kept of the same month of many books, by account; `before` names the month before.
   *
   * Shape: those of which nothing is kept are absent.
   * Limits: as many questions for one book as for hundreds.
   */
  keptMonths(
    meter: MeterName,
    accountIds: readonly string[],
    query: { readonly interval: Interval; readonly month: string; readonly before: string },
  ): Promise<ReadonlyMap<string, KeptMonth>>
  bill(id: string): Promise<(StoredBill & KeptRecord<Bill>) | undefined>
  billOf(key: BookKey, month: string): Promise<(StoredBill & KeptRecord<Bill>) | undefined>
  listBills(filter: BillFilter, page: PageRequest): Promise<Page<BillSummary>>
  /** Last entries of accounts' ledgers; those without entries are absent. */
  ledgerHeads(
    accountIds: readonly string[],
  ): Promise<ReadonlyMap<string, { readonly sequence: number; readonly hash: string }>>
  /** The entry's hash; undefined when there is none. */
  ledgerHash(accountId: string, sequence: number): Promise<string | undefined>
  /** Up to which batch late usage has been looked for; 0: never. */
  lateMark(meter: MeterName): Promise<number>
  /**
   * Notes that late usage was looked for in the batches after the mark, up to another one.
   *
   * Shape: the mark stays where another node moved it meanwhile, and where a day was closed since
   * `seen`: whether late usage was in it is not known, so it is looked for again.
   */
  setLateMark(
    meter: MeterName,
    batches: { readonly after: number; readonly through: number },
    seen: readonly Pick<Book, 'accountId' | 'closedUntilMs'>[],
  ): Promise<void>
}
