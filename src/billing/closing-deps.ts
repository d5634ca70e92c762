import type { MeterName } from '../catalog/model.ts'
import type { Clock } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'
import type { BookStore } from './book-keeping.ts'
import type { BookKey, Coverage } from './book.ts'
import type { BooksUsage, RankedUsage } from './books-usage.ts'
import type { ChargeModes } from './charge-modes.ts'

/** What of a stretch of time an account's sources reported. */
export type CoverageReader = (query: {
  readonly meter: MeterName
  readonly accountIds: readonly string[]
  readonly interval: Interval
  readonly throughBatch: number
}) => Promise<ReadonlyMap<string, Coverage>>

/** A step of closing; crash tests end the process at each. */
export type ClosingStep =
  | 'close.begin.after'
  | 'close.repair.after'
  | 'close.read.after'
  | 'close.day.before'
  | 'close.day.after'
  | 'adjust.read.after'
  | 'adjust.before'
  | 'adjust.after'
  | 'adjust.mark.before'
  | 'close.month.read.after'
  | 'close.month.before'
  | 'close.month.after'

/** What closing works with. */
export interface ClosingDeps {
  readonly clock: Clock
  readonly store: BookStore
  readonly usage: BooksUsage & RankedUsage
  readonly modes: ChargeModes
  readonly coverage: CoverageReader
  /** Runs the work while no batch is being loaded. */
  readonly between: <T>(work: () => Promise<T>) => Promise<T>
  readonly onStep: (step: ClosingStep) => void
  /** Told of a book that could not be closed further. */
  readonly onFailed: (key: BookKey, error: Error) => void
  /** How many rollups had to be rebuilt before a day could be closed. */
  readonly onRebuilt: (tables: readonly string[], day: Interval) => void
}

/** How closing goes about it. */
export interface ClosingConfig {
  /** Time after the end of a local day at which it is settled. */
  readonly settleMs: number
  /** Age of usage beyond which it is not accepted, however late. */
  readonly lateMs: number
  /** Version of the time zone rules, for manifests. */
  readonly tzdata: string
}
