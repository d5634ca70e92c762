import type { MeterName } from '../catalog/model.ts'
import type { Page, PageRequest } from '../catalog/ports.ts'
import type { EpochMs } from '../core/clock.ts'
import type { BillDraw, BillSummary, ChargeLine, StoredBill } from './bill.ts'
import type { BookKey, Coverage, UsageProof } from './book.ts'

/** Fields that select bills; absent ones select nothing out. */
export interface BillFilter {
  readonly accountId?: string
  readonly meter?: MeterName
  /** `2026-10`. */
  readonly month?: string
}

/** What is kept of a closed day, as far as it is shown. */
export interface ClosedDayEntry extends BookKey {
  readonly startMs: EpochMs
  readonly endMs: EpochMs
  readonly state: 'closed' | 'adjusted'
  readonly hash: string
  readonly packName: string
  readonly lines: readonly ChargeLine[]
  readonly draws: readonly BillDraw[]
  readonly proof: UsageProof
  readonly coverage: Coverage | null
}

/** What verifying a bill found. */
export interface Verification {
  readonly id: string
  /** Things that were computed again and compared, byte for byte. */
  readonly checks: number
  readonly findings: readonly {
    /** E.g. `day 2026-10-03: lines`. */
    readonly check: string
    readonly expected: string
    readonly actual: string
  }[]
}

/** What is to be closed now, without waiting for the settling time. */
export interface CloseRequest {
  /** Absent: every account. */
  readonly accountId?: string
  readonly meter?: MeterName
  /** Days and months that end by then are closed; never in the future. */
  readonly untilMs: EpochMs
}

/** What closing did. */
export interface CloseReport {
  readonly days: number
  readonly adjustments: number
  readonly bills: readonly string[]
  /** Rollups that differed from the usage and were rebuilt. */
  readonly rebuilt: readonly string[]
  /** Books that could not be closed further, and why; the others were. */
  readonly failed: readonly (BookKey & { readonly reason: string })[]
}

/** What can be asked of the books and done with them. */
export interface BillDesk {
  /** Newest month first, then account and meter. */
  list(filter: BillFilter, page: PageRequest): Promise<Page<BillSummary>>
  get(id: string): Promise<StoredBill | undefined>
  /** Closed days of a book that begin in the interval, ascending. */
  days(
    key: BookKey,
    interval: { readonly startMs: EpochMs; readonly endMs: EpochMs },
  ): Promise<readonly ClosedDayEntry[]>
  /** Computes the bill again from its manifest. Errors: `not_found`. */
  verify(id: string): Promise<Verification>
  /** Closes what ends by then and is not closed. Errors: `parameter_invalid` for the future. */
  close(request: CloseRequest): Promise<CloseReport>
}
