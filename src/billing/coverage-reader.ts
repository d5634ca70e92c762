import type { MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import { ceilTo, FIVE_MINUTES_MS, floorTo, type Interval, MINUTE_MS } from '../core/period.ts'
import { METER_NAMES } from '../meters/meter.ts'
import type { Coverage } from './book.ts'
import {
  type CoverageDeps,
  type CoveredSource,
  coverSources,
  readSourceSets,
  remembered,
  type SourceSet,
} from './coverage-facts.ts'
import { type SourceCoverage, sumCoverage } from './coverage.ts'

/** Which slots to count, and from which knowledge. */
export interface CoverageQuery {
  readonly meter: MeterName
  readonly accountIds: readonly string[]
  readonly interval: Interval
  /** Only records that came with a batch up to it. */
  readonly throughBatch: number
  /** Only heartbeats and gaps known by then; the same instant again gives the same answer. */
  readonly asOfMs: EpochMs
}

/** Tells how completely accounts' usage was reported. */
export interface CoverageReader {
  /**
   * Counts the slots of each account's sources; accounts of which nothing was expected are absent.
   *
   * An account's sources are those that reported any usage of it in the 35 days before the
   * interval ends, and those that are restricted to it.
   * Time: slots that were not over, or not known to be, at `asOfMs` are not expected yet.
   */
  coverage(query: CoverageQuery): Promise<ReadonlyMap<string, Coverage>>
  /**
   * Counts the slots of every source of which anything was expected, by name: of all meters and
   * accounts, or of one account.
   */
  sources(query: {
    readonly interval: Interval
    readonly asOfMs: EpochMs
    readonly accountId?: string
  }): Promise<readonly SourceCoverage[]>
}

/**
 * What happened in this time before an instant is not known for sure by then: slots are written
 * while they last, and machines' clocks differ.
 */
const KNOWN_AFTER_MS = 2 * MINUTE_MS

/**
 * The instant up to which all is known as of another.
 *
 * Rounding: to whole slots, so that what is asked one after the other is asked of the same
 * knowledge.
 */
export function knownAt(asOfMs: EpochMs): EpochMs {
  return floorTo(asOfMs - KNOWN_AFTER_MS, FIVE_MINUTES_MS)
}

/** Reads coverage from what both stores know. */
export function createCoverageReader(deps: CoverageDeps): CoverageReader {
  const remember = createMemory(deps)
  return {
    async coverage(query) {
      const knownMs = knownAt(query.asOfMs)
      const interval = untilKnown(query.interval, knownMs)
      if (interval === null) return new Map()
      const coverageOf = await remember({ ...query, interval, knownMs })
      return new Map(
        query.accountIds.flatMap((id) => {
          const coverage = coverageOf(id)
          return coverage === null ? [] : [[id, coverage] as const]
        }),
      )
    },
    async sources({ interval: asked, asOfMs, accountId }) {
      const knownMs = knownAt(asOfMs)
      const interval = untilKnown(asked, knownMs)
      if (interval === null) return []
      const scope = { interval, throughBatch: null }
      const covered = await coverSources(deps, { ...scope, meters: METER_NAMES, knownMs })
      if (accountId === undefined) return covered.map(({ coverage }) => coverage)
      const reported = new Set<string>()
      for (const meter of METER_NAMES) {
        const sets = await readSourceSets(deps, { ...scope, meter })
        const own = sets.find(({ accountIds }) => accountIds.includes(accountId))
        for (const source of own?.sources ?? []) reported.add(source)
      }
      return covered
        .filter(({ record }) => reported.has(record.source) || record.accountId === accountId)
        .map(({ coverage }) => coverage)
    },
  }
}

/** The part of the interval of which all is known; null: none. */
function untilKnown({ startMs, endMs }: Interval, knownMs: EpochMs): Interval | null {
  const end = Math.min(endMs, knownMs)
  // A slot belongs to the interval in which it begins.
  return ceilTo(startMs, FIVE_MINUTES_MS) < end ? { startMs, endMs: end } : null
}

/** Account → its coverage; null: nothing was expected of its sources. */
type Shared = (accountId: string) => Coverage | null

type SharedQuery = Omit<CoverageQuery, 'accountIds' | 'asOfMs'> & { readonly knownMs: EpochMs }

/**
 * Keeps the last answer of each meter: months are closed account by account, and what is read for
 * one is what the next one needs, as long as nothing was loaded into that time.
 */
function createMemory(deps: CoverageDeps): (query: SharedQuery) => Promise<Shared> {
  const kept = new Map<MeterName, { key: string; batch: number; shared: Shared }>()
  return async (query) => {
    const { meter, interval, throughBatch, knownMs } = query
    const key = JSON.stringify([interval.startMs, interval.endMs, knownMs])
    const last = kept.get(meter)
    if (last?.key === key && last.batch <= throughBatch) {
      const isSame =
        last.batch === throughBatch ||
        !(await deps.slots.isAnyAfter({
          meter,
          interval: remembered(interval),
          afterBatch: last.batch,
          throughBatch,
        }))
      if (isSame) return last.shared
    }
    const covered = await coverSources(deps, { ...query, meters: [meter] })
    // Where nothing is expected of anybody, nobody asks who reported for whom.
    const sets = covered.length === 0 ? [] : await readSourceSets(deps, query)
    const shared = shareSums(meter, covered, sets)
    kept.set(meter, { key, batch: throughBatch, shared })
    return shared
  }
}

/** Accounts with the same sources share one sum. */
function shareSums(
  meter: MeterName,
  covered: readonly CoveredSource[],
  sets: readonly SourceSet[],
): Shared {
  const bySource = new Map(covered.map(({ record, coverage }) => [record.source, coverage]))
  const restricted = restrictedTo(covered, meter)
  const reported = new Map(
    sets.flatMap((set) => set.accountIds.map((id) => [id, set.sources] as const)),
  )
  const sums = new Map<string, Coverage | null>()
  return (id) => {
    const names = new Set([...(reported.get(id) ?? []), ...(restricted.get(id) ?? [])])
    const sources = [...names].filter((name) => bySource.has(name)).sort()
    const key = JSON.stringify(sources)
    const known = sums.get(key)
    if (known !== undefined) return known
    const sum = sumCoverage(sources.flatMap((name) => bySource.get(name) ?? []))
    sums.set(key, sum)
    return sum
  }
}

/** Account → sources that may report this meter for it alone. */
function restrictedTo(
  covered: readonly CoveredSource[],
  meter: MeterName,
): ReadonlyMap<string, readonly string[]> {
  const restricted = new Map<string, string[]>()
  for (const { record } of covered) {
    const { accountId, meters, source } = record
    if (accountId === null || meters?.includes(meter) === false) continue
    restricted.set(accountId, [...(restricted.get(accountId) ?? []), source])
  }
  return restricted
}
