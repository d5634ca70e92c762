import type { ProvinceSeriesQuery } from '../../api/operations/ports.ts'
import type { PlannedQuery } from './query-plan.ts'
import { bucketsOf } from './buckets.ts'
import { quote } from './render.ts'

/**
 * Plans the per-province series, shaped as JSON by the engine: one row with one text.
 *
 * Members are summed per slot first; an hour's or day's bandwidth is its highest slot. A province
 * without usage in a bucket has a zero point, so every list has the same length.
 */
export function planProvinceSeries(query: ProvinceSeriesQuery): PlannedQuery {
  const minutes = query.granularity === 'minute'
  const slotSeconds = minutes ? 60 : 300
  const byResource = query.resourceIds.length > 0
  const table = minutes ? 'usage_cdn' : byResource ? 'cdn_5m' : 'cdn_project_5m'
  const time = minutes ? 'minute' : 'bucket'
  const wide = query.granularity === 'hour' || query.granularity === 'day'
  const starts = bucketsOf(query, query.granularity, query.zone).map((b) => b.startMs / 1000)
  const stepSeconds = minutes ? 60 : 300
  const first = starts[0] ?? 0
  const bucketTimes = wide
    ? `[${starts.map((start) => `toUInt32(${start})`).join(', ')}]`
    : `range(toUInt32(${first}), toUInt32(${first + starts.length * stepSeconds}), ${stepSeconds})`
  const index = wide
    ? `transform(roundDown(toUnixTimestamp(slot), ${bucketTimes}), ${bucketTimes}, range(toUInt32(${starts.length})), toUInt32(0))`
    : `intDiv(toUnixTimestamp(slot) - ${first}, ${stepSeconds})`
  const points = listOfPoints(slotSeconds, wide)
  const lists = query.listNames.map((name) => `,${JSON.stringify(name)}:[`)
  const list = lists.map((opening) => `${quote(opening)}, points, ']'`).join(', ')
  const sql = `SELECT concat('[', arrayStringConcat(groupArray(entry), ','), ']') AS json FROM (
SELECT concat('{"Province":"', province, '"', ${list}, '}') AS entry FROM (
SELECT province, ${points} AS points FROM (
  SELECT province,
    arrayPopBack(groupArrayInsertAt(0, ${starts.length + 1})(traffic, toUInt32(i))) AS traffics,
    arrayPopBack(groupArrayInsertAt(0, ${starts.length + 1})(peak, toUInt32(i))) AS peaks,
    ${bucketTimes} AS times
  FROM (
    ${bucketRows(query, { table, time, index, wide })}
    ${requested(query, starts.length)}
  )
  GROUP BY province
)) ORDER BY entry)
FORMAT TSVRaw`
  return { sql, parameters: parametersOf(query) }
}

function bucketRows(
  query: ProvinceSeriesQuery,
  plan: { table: string; time: string; index: string; wide: boolean },
): string {
  const time = `t.${plan.time}`
  const where = [
    't.account = {account:String}',
    't.project IN {projects:Array(String)}',
    `${time} >= {start:DateTime}`,
    `${time} < {end:DateTime}`,
    ...(query.resourceIds.length > 0 ? ['t.resource IN {resources:Array(String)}'] : []),
    ...(query.provinces.length > 0 ? ['t.province IN {provinces:Array(String)}'] : []),
    ...(query.isp === null ? [] : ['t.isp = {isp:String}']),
  ]
  const slots = `SELECT t.province AS province, ${time} AS slot, sum(t.bytes_out) AS slot_bytes
    FROM ${plan.table} AS t WHERE ${where.join(' AND ')} GROUP BY province, slot`
  if (!plan.wide) {
    return `SELECT toString(province) AS province, ${plan.index} AS i, slot_bytes AS traffic, slot_bytes AS peak FROM (${slots})`
  }
  return `SELECT toString(province) AS province, ${plan.index} AS i, sum(slot_bytes) AS traffic, max(slot_bytes) AS peak
    FROM (${slots}) GROUP BY province, i`
}

// Asked-for provinces are answered even when nothing moved there: their extra point, behind the
// last bucket, only makes the group exist.
function requested(query: ProvinceSeriesQuery, bucketCount: number): string {
  if (query.provinces.length === 0) return ''
  return `UNION ALL
    SELECT arrayJoin({provinces:Array(String)}) AS province, ${bucketCount} AS i, toUInt64(0) AS traffic, toUInt64(0) AS peak`
}

function listOfPoints(slotSeconds: number, wide: boolean): string {
  // bytes × 8 / seconds / 10^6 = bytes / (seconds × 125 000)
  const mbps = (bytes: string): string => `toString(${bytes} / ${slotSeconds * 125_000})`
  if (!wide) {
    return `arrayStringConcat(arrayMap((b, time) -> concat('{"Time":', toString(time), ',"CdnBandwidth":', ${mbps('b')}, ',"Traffic":', toString(b), '}'), traffics, times), ',')`
  }
  return `arrayStringConcat(arrayMap((b, p, time) -> concat('{"Time":', toString(time), ',"CdnBandwidth":', ${mbps('p')}, ',"Traffic":', toString(b), '}'), traffics, peaks, times), ',')`
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
