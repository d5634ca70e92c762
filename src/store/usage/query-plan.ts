import { METERS, dimensionsOf, type Meter } from '../../meters/meter.ts'
import type { Granularity, UsageQuery } from '../../meters/query.ts'
import { AppError, unreachable } from '../../core/errors.ts'
import { dimensionValue } from './dimension.ts'

/** A table that can answer a query, and the column that holds its bucket. */
export interface Source {
  readonly table: string
  readonly time: string
}

/**
 * Picks the smallest table that has every dimension a query needs at the grain it needs.
 *
 * Minutes are read from the usage itself, unless a minute rollup has what is asked for.
 */
export function chooseSource(
  meter: Meter,
  dimensions: ReadonlySet<string>,
  grainSeconds: 60 | 300,
): Source {
  for (const rollup of meter.rollups) {
    if (rollup.bucketSeconds > grainSeconds) continue
    if ([...dimensions].every((name) => rollup.orderBy.includes(name))) {
      return { table: rollup.table, time: 'bucket' }
    }
  }
  return { table: `usage_${meter.name}`, time: 'minute' }
}

/** Seconds of the buckets whose sums are ranked for peaks and percentiles. */
export function rankedSeconds(granularity: Granularity): 60 | 300 {
  return granularity === 'minute' ? 60 : 300
}

/** Expression: start of the bucket that contains `time`, as a DateTime in UTC. */
export function bucketStart(granularity: Granularity, time: string, rangeStart: string): string {
  switch (granularity) {
    case 'minute':
      return `toStartOfMinute(${time})`
    case '5min':
      return `toStartOfFiveMinutes(${time})`
    case 'hour':
      return `toTimeZone(toStartOfHour(toTimeZone(${time}, {zone:String})), 'UTC')`
    case 'day':
      return `toTimeZone(toDateTime(toStartOfDay(toTimeZone(${time}, {zone:String})), {zone:String}), 'UTC')`
    case 'total':
      return rangeStart
    default:
      return unreachable(granularity)
  }
}

/** Statement and bound values of a query. */
export interface PlannedQuery {
  readonly sql: string
  readonly parameters: Readonly<Record<string, unknown>>
}

/**
 * Plans a usage query as one statement.
 *
 * Shape: rows of `start` (Unix seconds), one text column `g_<dimension>` per group-by, then
 * `bytes`, `requests`, `peak` (bytes of the highest ranked slot) and `slots`, the ranked slots
 * as [bytes, Unix seconds], highest first, where a percentile is asked for.
 * Errors: `parameter_invalid` for a dimension that the meter does not have.
 */
export function planQuery(query: UsageQuery): PlannedQuery {
  const meter = METERS[query.meter]
  const known = new Set(dimensionsOf(meter).map(({ name }) => name))
  const asked = [...Object.keys(query.filters), ...query.groupBy]
  for (const name of asked) {
    if (known.has(name)) continue
    throw new AppError(
      'parameter_invalid',
      `The meter ${meter.name} has no dimension ${name}; it has ${[...known].join(', ')}.`,
      { field: name },
    )
  }
  const needed = new Set([...asked, 'account', ...(query.projectIds ? ['project'] : [])])
  const grain = rankedSeconds(query.granularity)
  const source = chooseSource(meter, needed, grain)
  const ranked = query.measures.some((name) => name === 'peak_bps' || name === 'p95_bps')
  const groups = query.groupBy.map((name) => `g_${name}`)
  const groupSelect = query.groupBy.map(
    (name) => `toString(${dimensionValue(meter, name)}) AS g_${name}`,
  )
  const requests = meter.requests === null ? '0' : `sum(t.${meter.requests})`
  const time = `t.${source.time}`
  const inner = ranked ? (grain === 60 ? '60' : '300') : null
  const slot =
    inner === null
      ? bucketStart(query.granularity, time, '{start:DateTime}')
      : `toStartOfInterval(${time}, INTERVAL ${inner} SECOND)`
  const sums = `SELECT ${[`${slot} AS slot`, ...groupSelect].join(', ')},
    sum(t.${meter.bytes}) AS slot_bytes, ${requests} AS slot_requests
  FROM ${source.table} AS t
  WHERE ${conditions(query, source).join(' AND ')}
  GROUP BY ${['slot', ...groups].join(', ')}`
  const percentile = query.measures.includes('p95_bps')
  const slots = percentile
    ? ', arrayReverseSort(s -> (s.1, -s.2), groupArray((q.slot_bytes, toInt64(toUnixTimestamp(q.slot))))) AS slots'
    : ''
  const sql = `SELECT toUnixTimestamp(${bucketStart(query.granularity, 'q.slot', '{start:DateTime}')}) AS start${groups.map((g) => `, q.${g} AS ${g}`).join('')},
  sum(q.slot_bytes) AS bytes, sum(q.slot_requests) AS requests, max(q.slot_bytes) AS peak${slots}
FROM (
  ${sums}
) AS q
GROUP BY ${['start', ...groups].join(', ')}
ORDER BY ${['start', ...groups].join(', ')}`
  return { sql, parameters: parametersOf(query) }
}

function conditions(query: UsageQuery, source: Source): string[] {
  return [
    't.account = {account:String}',
    `t.${source.time} >= {start:DateTime}`,
    `t.${source.time} < {end:DateTime}`,
    ...(query.projectIds === undefined ? [] : ['t.project IN {projects:Array(String)}']),
    ...Object.keys(query.filters).map(
      (name, index) =>
        `toString(${dimensionValue(METERS[query.meter], name)}) IN {filter_${index}:Array(String)}`,
    ),
  ]
}

function parametersOf(query: UsageQuery): Record<string, unknown> {
  return {
    account: query.accountId,
    start: Math.floor(query.startMs / 1000),
    end: Math.ceil(query.endMs / 1000),
    ...(query.granularity === 'hour' || query.granularity === 'day' ? { zone: query.zone } : {}),
    ...(query.projectIds === undefined ? {} : { projects: query.projectIds }),
    ...Object.fromEntries(
      Object.values(query.filters).map((values, index) => [`filter_${index}`, values]),
    ),
  }
}
