import type { Area, MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { UsageProof } from './book.ts'

/**
 * Whose usage is read, and from which rows.
 *
 * `throughBatch` null: all that is loaded, answered by the rollups. A number: only rows that came
 * with a batch up to it, answered by the usage itself, so that a bill can be computed again.
 */
export interface BooksScope {
  readonly meter: MeterName
  readonly accountIds: readonly string[]
  readonly throughBatch: number | null
}

/** Which volumes to sum, and how far; see `TrafficUsageQuery`. */
export interface BooksTrafficQuery extends BooksScope {
  readonly cutsMs: readonly EpochMs[]
  readonly endMs: EpochMs
  readonly grain: '5min' | 'minute'
  readonly byProvince: boolean
}

/** Which slots to sum, and for whom; see `SlotUsageQuery`. */
export interface BooksSlotQuery extends BooksScope, Interval {
  readonly member: 'account' | 'project' | 'resource'
  readonly areas?: readonly Area[]
  readonly provinces?: readonly string[]
  readonly kinds?: readonly ('static' | 'dynamic')[]
  readonly samples: boolean
}

/** Usage that came after a batch, into a time that is over. */
export interface LateUsage {
  readonly accountId: string
  /** Start of the quarter of an hour; every local day begins on one. */
  readonly startMs: EpochMs
}

/**
 * What the books read of the measured usage, for many accounts at once.
 *
 * Shape: only what moved; an account without usage is absent from the maps. Entries are ordered by
 * start, resource, project, area, kind, province, then out before in: the same at every reading.
 * Errors: `too_large` for more rows than can be held.
 */
export interface BooksUsage {
  /** The highest batch in the meter's usage; 0: there is none. */
  lastBatch(meter: MeterName): Promise<number>
  traffic(query: BooksTrafficQuery): Promise<ReadonlyMap<string, readonly TrafficUsage[]>>
  slots(query: BooksSlotQuery): Promise<ReadonlyMap<string, readonly MemberUsage[]>>
  /** `throughBatch` is a number here; accounts without rows are absent. */
  proofs(
    query: BooksScope & Interval & { readonly throughBatch: number },
  ): Promise<ReadonlyMap<string, UsageProof>>
  /**
   * Compares every rollup of the meter with its usage in the interval, and rebuilds those that
   * differ by one byte; the names of the tables that were rebuilt.
   *
   * Limits: nothing may be loaded meanwhile.
   */
  repair(meter: MeterName, interval: Interval): Promise<readonly string[]>
  /** Usage of batches in `(afterBatch, throughBatch]` that moved in the interval. */
  late(
    meter: MeterName,
    interval: Interval,
    batches: { readonly after: number; readonly through: number },
  ): Promise<readonly LateUsage[]>
}
