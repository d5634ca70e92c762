import type { EpochMs } from '../core/clock.ts'
import type { MeterName } from './meter.ts'

/** Width of the buckets of a series; `total` is one bucket over the whole range. */
export type Granularity = 'minute' | '5min' | 'hour' | 'day' | 'total'

/**
 * What to compute per bucket and group.
 *
 * `peak_bps`, `p95_bps` rank the 5-minute sums of the selected members (at granularity `minute`
 * the minute sums); `p95_bps` comes with the start of the bucket it was found in.
 */
export type Measure = 'bytes' | 'requests' | 'avg_bps' | 'peak_bps' | 'p95_bps'

/** A question about usage, the same for every dialect. */
export interface UsageQuery {
  readonly meter: MeterName
  /** Owner of everything that may be seen. */
  readonly accountId: string
  /** Absent: all projects of the account. */
  readonly projectIds?: readonly string[]
  /** Range `[startMs, endMs)`; widened to whole buckets. */
  readonly startMs: EpochMs
  readonly endMs: EpochMs
  readonly granularity: Granularity
  /** IANA zone of day buckets. */
  readonly zone: string
  /** Dimension → accepted values; several dimensions must all match. */
  readonly filters: Readonly<Record<string, readonly string[]>>
  readonly groupBy: readonly string[]
  readonly measures: readonly Measure[]
  /** Zero buckets present (dense) or left out. */
  readonly dense: boolean
}

/** One bucket of one group. Integers are exact; rates are bit/s rounded down. */
export interface UsagePoint {
  readonly startMs: EpochMs
  readonly group: Readonly<Record<string, string>>
  readonly bytes?: bigint
  readonly requests?: bigint
  readonly avgBps?: bigint
  readonly peakBps?: bigint
  readonly p95Bps?: bigint
  readonly p95AtMs?: EpochMs
}
