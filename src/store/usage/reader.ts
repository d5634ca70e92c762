import type { UsageReader } from '../../api/operations/ports.ts'
import { AppError } from '../../core/errors.ts'
import { FIVE_MINUTES_MS, floorTo, MINUTE_MS, type Interval } from '../../core/period.ts'
import type { UsagePoint, UsageQuery } from '../../meters/query.ts'
import { bucketsOf, RANGE_MS_MAX, widen } from './buckets.ts'
import type { Engine } from './engine.ts'
import { provinceSeriesJson } from './province-series.ts'
import { planQuery, rankedSeconds } from './query-plan.ts'

/** Most points that one native query answers. */
export const POINTS_MAX = 500_000

interface QueryRow {
  readonly start: number
  readonly bytes: string
  readonly requests: string
  readonly peak: string
  readonly slots?: readonly (readonly [bytes: string, at: string])[]
  readonly [group: `g_${string}`]: string
}

/** Builds the reading side of the usage store over an engine. */
export function createUsageReader(engine: Engine): UsageReader {
  return {
    query: (query) => runQuery(engine, query),
    provinceSeriesJson: (query) => provinceSeriesJson(engine, query),
    eipOutBytes: (resourceId, intervals) => eipOutBytes(engine, resourceId, intervals),
  }
}

async function runQuery(engine: Engine, query: UsageQuery): Promise<UsagePoint[]> {
  if (query.endMs - query.startMs > RANGE_MS_MAX) {
    throw new AppError('parameter_invalid', 'The range is longer than 400 days.', { field: 'end' })
  }
  const range = widen(query, query.granularity, query.zone)
  const { sql, parameters } = planQuery({ ...query, ...range })
  const rows = await engine.rows<QueryRow>(sql, parameters)
  const buckets = bucketsOf(range, query.granularity, query.zone)
  const byStart = new Map(buckets.map((bucket) => [bucket.startMs, bucket]))
  const points = rows.map((row) => {
    const bucket = byStart.get(row.start * 1000)
    if (bucket === undefined) throw new AppError('internal', 'A bucket outside the range.')
    return toPoint(query, row, bucket)
  })
  return query.dense ? fill(query, points, buckets) : points
}

function toPoint(query: UsageQuery, row: QueryRow, bucket: Interval): UsagePoint {
  const bytes = BigInt(row.bytes)
  const group = Object.fromEntries(query.groupBy.map((name) => [name, row[`g_${name}`] ?? '']))
  const slotSeconds = rankedSeconds(query.granularity)
  const wants = new Set(query.measures)
  return {
    startMs: bucket.startMs,
    group,
    ...(wants.has('bytes') && { bytes }),
    ...(wants.has('requests') && { requests: BigInt(row.requests) }),
    ...(wants.has('avg_bps') && {
      avgBps: (bytes * 8000n) / BigInt(bucket.endMs - bucket.startMs),
    }),
    ...(wants.has('peak_bps') && { peakBps: (BigInt(row.peak) * 8n) / BigInt(slotSeconds) }),
    ...(wants.has('p95_bps') && percentile(row.slots ?? [], bucket, slotSeconds)),
  }
}

/**
 * The 95th percentile by nearest rank over every slot of the bucket, empty ones counted as zero:
 * the highest 5 % of slots (rounded down) are dropped, the highest that is left is the value.
 */
function percentile(
  slots: readonly (readonly [bytes: string, at: string])[],
  bucket: Interval,
  slotSeconds: number,
): Pick<UsagePoint, 'p95Bps' | 'p95AtMs'> {
  const count = Math.floor((bucket.endMs - bucket.startMs) / (slotSeconds * 1000))
  const slot = slots[Math.floor((count * 5) / 100)]
  if (slot !== undefined) {
    return { p95Bps: (BigInt(slot[0]) * 8n) / BigInt(slotSeconds), p95AtMs: Number(slot[1]) * 1000 }
  }
  const taken = new Set(slots.map(([, at]) => Number(at) * 1000))
  let atMs = bucket.startMs
  while (taken.has(atMs)) atMs += slotSeconds * 1000
  return { p95Bps: 0n, p95AtMs: atMs }
}

function fill(query: UsageQuery, points: UsagePoint[], buckets: readonly Interval[]): UsagePoint[] {
  const groups = new Map<string, { group: UsagePoint['group']; points: Map<number, UsagePoint> }>()
  if (query.groupBy.length === 0) groups.set('', { group: {}, points: new Map() })
  for (const point of points) {
    const key = query.groupBy.map((name) => point.group[name]).join('\0')
    const entry = groups.get(key) ?? { group: point.group, points: new Map() }
    entry.points.set(point.startMs, point)
    groups.set(key, entry)
  }
  if (groups.size * buckets.length > POINTS_MAX) {
    throw new AppError(
      'parameter_invalid',
      `The answer would have ${groups.size * buckets.length} points, more than ${POINTS_MAX}; ` +
        'choose a coarser granularity, a shorter range or fewer groups.',
      { field: 'granularity' },
    )
  }
  const zero = { start: 0, bytes: '0', requests: '0', peak: '0' }
  return buckets.flatMap((bucket) =>
    [...groups.values()].map(
      ({ group, points: known }) =>
        known.get(bucket.startMs) ?? { ...toPoint(query, zero, bucket), group },
    ),
  )
}

async function eipOutBytes(
  engine: Engine,
  resourceId: string,
  intervals: readonly Interval[],
): Promise<bigint[]> {
  if (intervals.length === 0) return []
  const aligned = intervals.every(
    ({ startMs, endMs }) => startMs % FIVE_MINUTES_MS === 0 && endMs % FIVE_MINUTES_MS === 0,
  )
  const [table, time] = aligned ? ['eip_5m', 'bucket'] : ['usage_eip', 'minute']
  const starts = `[${intervals.map(({ startMs }) => `toUInt32(${seconds(startMs)})`).join(', ')}]`
  const ends = `[${intervals.map(({ endMs }) => `toUInt32(${seconds(endMs)})`).join(', ')}]`
  const rows = await engine.rows<{ start: number; bytes: string }>(
    `SELECT roundDown(toUnixTimestamp(t.${time}), ${starts}) AS start, sum(t.bytes) AS bytes
FROM ${table} AS t
WHERE t.resource = {resource:String} AND t.direction = 'out'
  AND t.${time} >= {start:DateTime} AND t.${time} < {end:DateTime}
  AND toUnixTimestamp(t.${time}) < transform(roundDown(toUnixTimestamp(t.${time}), ${starts}), ${starts}, ${ends}, toUInt32(0))
GROUP BY start`,
    {
      resource: resourceId,
      start: Math.min(...intervals.map(({ startMs }) => seconds(startMs))),
      end: Math.max(...intervals.map(({ endMs }) => seconds(endMs))),
    },
  )
  const byStart = new Map(rows.map((row) => [row.start, BigInt(row.bytes)]))
  return intervals.map(({ startMs }) => byStart.get(seconds(startMs)) ?? 0n)
}

/** Unix seconds of the minute that contains the instant. */
function seconds(instantMs: number): number {
  return floorTo(instantMs, MINUTE_MS) / 1000
}
