import type { MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import { DAY_MS, type Interval } from '../core/period.ts'
import { coverSource, type SourceCoverage, type SourceEvidence } from './coverage.ts'

/** What the control store knows of one source, as of an instant. */
export interface SourceRecord extends Omit<SourceEvidence, 'received'> {
  /** Slots for which it said that there was nothing more. */
  readonly beats: readonly Interval[]
  /** Restricted to this account; null: to none. */
  readonly accountId: string | null
  /** What it may report; null: not known, a log or files that were taken in by hand. */
  readonly meters: readonly MeterName[] | null
}

/** The slots of one source in which records moved. */
export interface MovedSlots {
  readonly source: string
  /** Of the first of them that was asked for. */
  readonly firstMs: EpochMs
  readonly slots: readonly Interval[]
}

/** Accounts that the same sources reported for. */
export interface SourceSet {
  readonly sources: readonly string[]
  readonly accountIds: readonly string[]
}

/** Usage of a meter that moved in the interval and came with a batch up to that; null: with any. */
export interface MovedQuery {
  readonly meter: MeterName
  readonly interval: Interval
  readonly throughBatch: number | null
}

/** What the coverage of the books is made of. */
export interface CoverageDeps {
  readonly records: {
    /**
     * Every source of which anything is expected or missing in the interval, by name.
     *
     * Time: only what was recorded by `knownMs`, so that the same question has one answer.
     */
    records(interval: Interval, knownMs: EpochMs): Promise<readonly SourceRecord[]>
  }
  readonly slots: {
    /** Slots in the interval, and the first record since `sinceMs`, per source. */
    slots(query: MovedQuery & { readonly sinceMs: EpochMs }): Promise<readonly MovedSlots[]>
    sourceSets(query: MovedQuery): Promise<readonly SourceSet[]>
    /** Whether anything that moved in the interval came with a batch after `afterBatch`. */
    isAnyAfter(
      query: MovedQuery & { readonly throughBatch: number; readonly afterBatch: number },
    ): Promise<boolean>
  }
}

/** A source with its counted slots. */
export interface CoveredSource {
  readonly record: SourceRecord
  readonly coverage: SourceCoverage
}

/** How long a source that was heard of once counts as an account's. */
const MEMORY_MS = 35 * DAY_MS

/** Reads and counts the slots of every source of which something is expected, of these meters. */
export async function coverSources(
  deps: CoverageDeps,
  query: {
    readonly meters: readonly MeterName[]
    readonly interval: Interval
    readonly throughBatch: number | null
    readonly knownMs: EpochMs
  },
): Promise<readonly CoveredSource[]> {
  const { interval, knownMs } = query
  const records = await deps.records.records(interval, knownMs)
  const moved = await readMoved(deps, query, records)
  return records.map((record) => {
    const slots = moved.get(record.source)
    return { record, coverage: coverSource(toEvidence(record, slots), interval) }
  })
}

async function readMoved(
  deps: CoverageDeps,
  query: Omit<MovedQuery, 'meter'> & { readonly meters: readonly MeterName[] },
  records: readonly SourceRecord[],
): Promise<ReadonlyMap<string, Omit<MovedSlots, 'source'>>> {
  const { meters, interval, throughBatch } = query
  // Records may be older than the moment at which their source was first heard of. That matters
  // only where a source began within the interval: otherwise they need not be read.
  const isAnyNew = records.some(({ firstMs }) => firstMs === null || firstMs > interval.startMs)
  const sinceMs = isAnyNew ? remembered(interval).startMs : interval.startMs
  const moved = new Map<string, Omit<MovedSlots, 'source'>>()
  for (const meter of meters) {
    for (const found of await deps.slots.slots({ meter, interval, throughBatch, sinceMs })) {
      const before = moved.get(found.source)
      moved.set(found.source, {
        firstMs: Math.min(found.firstMs, before?.firstMs ?? found.firstMs),
        slots: [...(before?.slots ?? []), ...found.slots],
      })
    }
  }
  return moved
}

function toEvidence(
  { beats, ...record }: SourceRecord,
  moved: Omit<MovedSlots, 'source'> | undefined,
): SourceEvidence {
  const firsts = [record.firstMs, moved?.firstMs ?? null].filter((ms) => ms !== null)
  return {
    ...record,
    firstMs: firsts.length === 0 ? null : Math.min(...firsts),
    received: [...beats, ...(moved?.slots ?? [])],
  }
}

/** Accounts by the sources that reported for them in the 35 days before the interval ends. */
export function readSourceSets(
  deps: CoverageDeps,
  query: MovedQuery,
): Promise<readonly SourceSet[]> {
  return deps.slots.sourceSets({ ...query, interval: remembered(query.interval) })
}

/** All from which the coverage of an interval is told: also what moved before it. */
export function remembered({ startMs, endMs }: Interval): Interval {
  return { startMs: Math.min(startMs, endMs - MEMORY_MS), endMs }
}
