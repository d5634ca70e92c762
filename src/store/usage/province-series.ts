import type { ProvinceSeriesQuery } from '../../api/operations/ports.ts'
import { bucketsOf } from './buckets.ts'
import type { Engine } from './engine.ts'
import type { PlannedQuery } from './query-plan.ts'
import { quote } from './render.ts'

/**
 * Points up to which an answer is shaped here: reading the statement that shapes it would cost the
 * engine more than the answer does.
 */
const SMALL_POINTS = 2000
/** More than there are. */
const PROVINCES = 40

/**
 * The per-province series as JSON text: a list of provinces, each with its points under every name
 * of `listNames`.
 *
 * Members are summed per slot first; an hour's or day's bandwidth is its highest slot. A province
 * without usage in a bucket has a zero point, so every list has the same length.
 */
export async function provinceSeriesJson(
  engine: Engine,
  query: ProvinceSeriesQuery,
): Promise<string> {
  const series = seriesOf(query)
  const { sql, parameters } = planProvinceSeries(query, series)
  const lines = (await engine.text(sql, parameters)).trimEnd()
  return `[${isSmall(query, series) ? shape(lines, query, series) : lines.replaceAll('\n', ',')}]`
}

/** What a series is made of. */
interface Series {
  /** Unix seconds of the buckets. */
  readonly starts: readonly number[]
  readonly slotSeconds: 60 | 300
  /** A bucket holds several slots. */
  readonly wide: boolean
  readonly table: string
  readonly time: string
}

function seriesOf(query: ProvinceSeriesQuery): Series {
  const minutes = query.granularity === 'minute'
  const byResource = query.resourceIds.length > 0
  return {
    starts: bucketsOf(query, query.granularity, query.zone).map(({ startMs }) => startMs / 1000),
    slotSeconds: minutes ? 60 : 300,
    wide: query.granularity === 'hour' || query.granularity === 'day',
    table: minutes ? 'usage_cdn' : byResource ? 'cdn_5m' : 'cdn_project_5m',
    time: minutes ? 't.minute' : 't.bucket',
  }
}

function isSmall(query: ProvinceSeriesQuery, { starts }: Series): boolean {
  return (query.provinces.length || PROVINCES) * starts.length <= SMALL_POINTS
}

/** Plans the rows of a small answer, or a large one as the engine shapes it. */
function planProvinceSeries(query: ProvinceSeriesQuery, series: Series): PlannedQuery {
  const rows = bucketRows(query, series)
  const sql = isSmall(query, series)
    ? `${rows}\nFORMAT TSVRaw`
    : `SELECT ${entryOf(query)} AS entry FROM (
  SELECT province, ${listOfPoints(series)} AS points
  FROM (
    ${rows}
    ${requested(query, series)}
  )
  GROUP BY province
)
ORDER BY province
FORMAT TSVRaw`
  return { sql, parameters: parametersOf(query) }
}

function entryOf({ listNames }: ProvinceSeriesQuery): string {
  const lists = listNames.map((name) => `${quote(`,${JSON.stringify(name)}:[`)}, points, ']'`)
  return `concat('{"Province":"', province, '"', ${lists.join(', ')}, '}')`
}

/** Shapes rows of province, bucket, bytes and, of wide buckets, the highest slot's bytes. */
function shape(lines: string, query: ProvinceSeriesQuery, series: Series): string {
  const { starts, slotSeconds, wide } = series
  const empty = (): string[] => starts.map((start) => pointText(start, '0', '0', slotSeconds))
  const byProvince = new Map(query.provinces.map((province) => [province, empty()]))
  for (const line of lines === '' ? [] : lines.split('\n')) {
    const [province = '', index = '', bytes = '', peak = bytes] = line.split('\t')
    const points = byProvince.get(province) ?? empty()
    byProvince.set(province, points)
    const start = starts[Number(index)] ?? 0
    points[Number(index)] = pointText(start, bytes, wide ? peak : bytes, slotSeconds)
  }
  return [...byProvince]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([province, points]) => {
      const list = points.join(',')
      const lists = query.listNames.map((name) => `,${JSON.stringify(name)}:[${list}]`)
      return `{"Province":${JSON.stringify(province)}${lists.join('')}}`
    })
    .join(',')
}

function pointText(start: number, bytes: string, peak: string, slotSeconds: number): string {
  return `{"Time":${start},"CdnBandwidth":${Number(peak) / mbpsDivisor(slotSeconds)},"Traffic":${bytes}}`
}

/** bytes × 8 / seconds / 10^6 = bytes / (seconds × 125 000) */
function mbpsDivisor(slotSeconds: number): number {
  return slotSeconds * 125_000
}

function bucketRows(query: ProvinceSeriesQuery, series: Series): string {
  const { time, starts, slotSeconds, table, wide } = series
  const where = [
    't.account = {account:String}',
    't.project IN {projects:Array(String)}',
    `${time} >= {start:DateTime}`,
    `${time} < {end:DateTime}`,
    ...(query.resourceIds.length > 0 ? ['t.resource IN {resources:Array(String)}'] : []),
    ...(query.provinces.length > 0 ? ['t.province IN {provinces:Array(String)}'] : []),
    ...(query.isp === null ? [] : ['t.isp = {isp:String}']),
  ]
  const from = `FROM ${table} AS t WHERE ${where.join(' AND ')}`
  if (!wide) {
    const index = `intDiv(toUnixTimestamp(${time}) - ${starts[0] ?? 0}, ${slotSeconds})`
    return `SELECT t.province AS province, ${index} AS i, sum(t.bytes_out) AS traffic
    ${from} GROUP BY province, i`
  }
  const times = wideTimes(series)
  const index = `transform(roundDown(toUnixTimestamp(slot), ${times}), ${times}, range(toUInt32(${starts.length})), toUInt32(0))`
  return `SELECT province, ${index} AS i, sum(slot_bytes) AS traffic, max(slot_bytes) AS peak
    FROM (SELECT t.province AS province, ${time} AS slot, sum(t.bytes_out) AS slot_bytes
    ${from} GROUP BY province, slot)
    GROUP BY province, i`
}

function wideTimes({ starts }: Series): string {
  return `[${starts.map((start) => `toUInt32(${start})`).join(', ')}]`
}

// Asked-for provinces are answered even when nothing moved there: their extra point, behind the
// last bucket, only makes the group exist.
function requested(query: ProvinceSeriesQuery, { starts, wide }: Series): string {
  if (query.provinces.length === 0) return ''
  const peak = wide ? ', toUInt64(0) AS peak' : ''
  return `UNION ALL
    SELECT toLowCardinality(arrayJoin({provinces:Array(String)})) AS province, ${starts.length} AS i, toUInt64(0) AS traffic${peak}`
}

function listOfPoints(series: Series): string {
  const { starts, slotSeconds, wide } = series
  const first = starts[0] ?? 0
  const times = wide
    ? wideTimes(series)
    : `range(toUInt32(${first}), toUInt32(${first + starts.length * slotSeconds}), ${slotSeconds})`
  const dense = (column: string): string =>
    `arrayPopBack(groupArrayInsertAt(0, ${starts.length + 1})(${column}, toUInt32(i)))`
  const mbps = (bytes: string): string => `toString(${bytes} / ${mbpsDivisor(slotSeconds)})`
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
