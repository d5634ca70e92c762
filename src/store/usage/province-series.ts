import type { ProvinceSeriesQuery } from '../../api/operations/ports.ts'
import type { PlannedQuery } from './query-plan.ts'
import { bucketsOf } from './buckets.ts'
import { quote } from './render.ts'

/**
 * Plans the per-province series, shaped as JSON by the engine: one row of text per province.
 *
 * Members are summed per slot first; an hour's or day's bandwidth is its highest slot. A province
 * without usage in a bucket has a zero point, so every list has the same length. The statement is
 * as flat as it can be: for a small answer the engine spends most of its time on reading it.
 */
export function planProvinceSeries(query: ProvinceSeriesQuery): PlannedQuery {
  const minutes = query.granularity === 'minute'
  const slotSeconds = minutes ? 60 : 300
  const byResource = query.resourceIds.length > 0
  const table = minutes ? 'usage_cdn' : byResource ? 'cdn_5m' : 'cdn_project_5m'
  const time = minutes ? 't.minute' : 't.bucket'
  const wide = query.granularity === 'hour' || query.granularity === 'day'
  const starts = bucketsOf(query, query.granularity, query.zone).map((b) => b.startMs / 1000)
  const first = starts[0] ?? 0
  const times = wide
    ? `[${starts.map((start) => `toUInt32(${start})`).join(', ')}]`
    : `range(toUInt32(${first}), toUInt32(${first + starts.length * slotSeconds}), ${slotSeconds})`
  const index = wide
    ? `transform(roundDown(toUnixTimestamp(slot), ${times}), ${times}, range(toUInt32(${starts.length})), toUInt32(0))`
    : `intDiv(toUnixTimestamp(${time}) - ${first}, ${slotSeconds})`
  const lists = query.listNames.map((name) => `,${JSON.stringify(name)}:[`)
  const list = lists.map((opening) => `${quote(opening)}, points, ']'`).join(', ')
  const sql = `SELECT concat('{"Province":"', province, '"', ${list}, '}') AS entry FROM (
  SELECT province, ${listOfPoints(slotSeconds, wide, { times, count: starts.length })} AS points
  FROM (
    ${bucketRows(query, { table, time, index, wide })}
    ${requested(query, starts.length, wide)}
  )
  GROUP BY province
)
ORDER BY province
FORMAT TSVRaw`
  return { sql, parameters: parametersOf(query) }
}

function bucketRows(
  query: ProvinceSeriesQuery,
  plan: { table: string; time: string; index: string; wide: boolean },
): string {
  const { time } = plan
  const where = [
    't.account = {account:String}',
    't.project IN {projects:Array(String)}',
    `${time} >= {start:DateTime}`,
    `${time} < {end:DateTime}`,
    ...(query.resourceIds.length > 0 ? ['t.resource IN {resources:Array(String)}'] : []),
    ...(query.provinces.length > 0 ? ['t.province IN {provinces:Array(String)}'] : []),
    ...(query.isp === null ? [] : ['t.isp = {isp:String}']),
  ]
  const from = `FROM ${plan.table} AS t WHERE ${where.join(' AND ')}`
  if (!plan.wide) {
    return `SELECT t.province AS province, ${plan.index} AS i, sum(t.bytes_out) AS traffic
    ${from} GROUP BY province, i`
  }
  return `SELECT province, ${plan.index} AS i, sum(slot_bytes) AS traffic, max(slot_bytes) AS peak
    FROM (SELECT t.province AS province, ${time} AS slot, sum(t.bytes_out) AS slot_bytes
    ${from} GROUP BY province, slot)
    GROUP BY province, i`
}

// Asked-for provinces are answered even when nothing moved there: their extra point, behind the
// last bucket, only makes the group exist.
function requested(query: ProvinceSeriesQuery, bucketCount: number, wide: boolean): string {
  if (query.provinces.length === 0) return ''
  const peak = wide ? ', toUInt64(0) AS peak' : ''
  return `UNION ALL
    SELECT toLowCardinality(arrayJoin({provinces:Array(String)})) AS province, ${bucketCount} AS i, toUInt64(0) AS traffic${peak}`
}

function listOfPoints(
  slotSeconds: number,
  wide: boolean,
  { times, count }: { times: string; count: number },
): string {
  const dense = (column: string): string =>
    `arrayPopBack(groupArrayInsertAt(0, ${count + 1})(${column}, toUInt32(i)))`
  // bytes × 8 / seconds / 10^6 = bytes / (seconds × 125 000)
  const mbps = (bytes: string): string => `toString(${bytes} / ${slotSeconds * 125_000})`
  const point = (peak: string): string =>
    `concat('{"Time":', toString(time), ',"CdnBandwidth":', ${mbps(peak)}, ',"Traffic":', toString(b), '}')`
  const points = wide
    ? `arrayMap((b, p, time) -> ${point('p')}, ${dense('traffic')}, ${dense('peak')}, ${times})`
    : `arrayMap((b, time) -> ${point('b')}, ${dense('traffic')}, ${times})`
  return `arrayStringConcat(${points}, ',')`
}

function parametersOf(query: ProvinceSeriesQuery): Record<string, unknown> {
  return {
    account: query.accountId,
    projects: query.projectIds,
    start: query.startMs / 1000,
    end: query.endMs / 1000,
    ...(query.resourceIds.length > 0 && { resources: query.resourceIds }),
    ...(query.provinces.length > 0 && { provinces: query.provinces }),
    ...(query.isp !== null && { isp: query.isp }),
  }
}
