import type {
  RatingUsageReader,
  SlotUsageQuery,
  TrafficUsageQuery,
} from '../../billing/rating-usage.ts'
import type { MeterName } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import type { Engine, Parameters } from './engine.ts'

/** Rows that one question may answer; each becomes an object of some 200 bytes. */
const ROWS_MAX = 2_000_000

type Traffic = Awaited<ReturnType<RatingUsageReader['trafficUsage']>>[number]
type Members = Awaited<ReturnType<RatingUsageReader['slotUsage']>>

/** A table and how its columns say what rating asks for. */
interface Source {
  readonly table: string
  readonly time: string
  readonly bytesOut: string
  readonly bytesIn: string
  readonly area: string
  readonly kind: string
  readonly province: string
}

/** Answers what rating asks of the measured usage, summed by the engine. */
export function createRatingReader(engine: Engine): RatingUsageReader {
  return {
    trafficUsage: (query) => trafficUsage(engine, query),
    slotUsage: (query) => slotUsage(engine, query),
  }
}

function sourceOf(
  meter: MeterName,
  grain: TrafficUsageQuery['grain'],
  byProvince: boolean,
): Source {
  const minute = grain === 'minute'
  if (meter === 'cdn') {
    const rollup = byProvince ? 'cdn_5m' : 'cdn_resource_5m'
    return {
      table: minute ? 'usage_cdn' : rollup,
      time: minute ? 't.minute' : 't.bucket',
      bytesOut: 't.bytes_out',
      bytesIn: 't.bytes_in',
      area: 'toString(t.area)',
      kind: 'toString(t.kind)',
      province: byProvince ? 'toString(t.province)' : `''`,
    }
  }
  const out = meter === 'eip' ? 'out' : 'up'
  return {
    table: `${minute ? 'usage' : meter}_${minute ? meter : '5m'}`,
    time: minute ? 't.minute' : 't.bucket',
    bytesOut: `if(t.direction = '${out}', t.bytes, 0)`,
    bytesIn: `if(t.direction = '${out}', 0, t.bytes)`,
    area: `'cn'`,
    kind: `'static'`,
    province: `''`,
  }
}

interface TrafficRow {
  readonly start: number
  readonly resource: string
  readonly project: string
  readonly area: Traffic['area']
  readonly kind: Traffic['kind']
  readonly province: string
  readonly outgoing: string
  readonly incoming: string
}

async function trafficUsage(engine: Engine, query: TrafficUsageQuery): Promise<Traffic[]> {
  const [first] = query.cutsMs
  if (first === undefined) return []
  const source = sourceOf(query.meter, query.grain, query.byProvince)
  const cuts = `[${query.cutsMs.map((atMs) => `toUInt32(${atMs / 1000})`).join(', ')}]`
  const rows = await limited<TrafficRow>(
    engine,
    `SELECT roundDown(toUnixTimestamp(${source.time}), ${cuts}) AS start,
  toString(t.resource) AS resource, toString(t.project) AS project, ${source.area} AS area,
  ${source.kind} AS kind, ${source.province} AS province,
  sum(${source.bytesOut}) AS outgoing, sum(${source.bytesIn}) AS incoming
FROM ${source.table} AS t
WHERE t.account = {account:String} AND ${source.time} >= {start:DateTime} AND ${source.time} < {end:DateTime}
GROUP BY start, resource, project, area, kind, province
ORDER BY start, resource, project, area, kind, province`,
    { account: query.accountId, start: first / 1000, end: query.endMs / 1000 },
  )
  return rows.flatMap((row) => {
    const { resource, project, area, kind, province } = row
    const where = { area, kind, province, resourceId: resource, projectId: project }
    const entries = [
      ['out', BigInt(row.outgoing)],
      ['in', BigInt(row.incoming)],
    ] as const
    return entries.flatMap(([direction, bytes]): Traffic[] =>
      bytes === 0n ? [] : [{ startMs: row.start * 1000, ...where, direction, bytes }],
    )
  })
}

interface SlotRow {
  readonly member: string
  readonly slot: number
  readonly outgoing: string
  readonly incoming: string
  readonly outgoing_max: string
  readonly incoming_max: string
}

async function slotUsage(engine: Engine, query: SlotUsageQuery): Promise<Members> {
  const byProvince = query.provinces !== undefined
  const source = sourceOf(query.meter, query.samples ? 'minute' : '5min', byProvince)
  const filters = [
    ['area', source.area, query.areas],
    ['province', source.province, query.provinces],
    ['kind', source.kind, query.kinds],
  ] as const
  const used = filters.filter(([, , values]) => values !== undefined)
  const where = [
    't.account = {account:String}',
    `${source.time} >= {start:DateTime}`,
    `${source.time} < {end:DateTime}`,
    ...used.map(([name, column]) => `${column} IN {${name}:Array(String)}`),
  ]
  // A slot's samples are its minutes: they are summed over everything before the highest is taken.
  const inner = `SELECT toString(t.${query.member}) AS member, ${source.time} AS at,
    sum(${source.bytesOut}) AS outgoing, sum(${source.bytesIn}) AS incoming
  FROM ${source.table} AS t WHERE ${where.join(' AND ')} GROUP BY member, at`
  const rows = await limited<SlotRow>(
    engine,
    `SELECT s.member AS member, toUnixTimestamp(toStartOfFiveMinutes(s.at)) AS slot,
  sum(s.outgoing) AS outgoing, sum(s.incoming) AS incoming,
  max(s.outgoing) AS outgoing_max, max(s.incoming) AS incoming_max
FROM (${inner}) AS s GROUP BY member, slot ORDER BY member, slot`,
    {
      account: query.accountId,
      start: query.startMs / 1000,
      end: query.endMs / 1000,
      ...Object.fromEntries(used.map(([name, , values]) => [name, values])),
    },
  )
  return toMembers(rows, query.samples)
}

function toMembers(rows: readonly SlotRow[], samples: boolean): Members {
  const members = new Map<string, Members[number]['slots'][number][]>()
  for (const row of rows) {
    const slots = members.get(row.member) ?? []
    members.set(row.member, slots)
    slots.push({
      startMs: row.slot * 1000,
      inBytes: BigInt(row.incoming),
      outBytes: BigInt(row.outgoing),
      ...(samples && {
        inSampleBpsMax: minuteBps(row.incoming_max),
        outSampleBpsMax: minuteBps(row.outgoing_max),
      }),
    })
  }
  return [...members].map(([memberId, slots]) => ({ memberId, slots }))
}

/** Bit/s of a minute's bytes, rounded down. */
function minuteBps(bytes: string): bigint {
  return (BigInt(bytes) * 8n) / 60n
}

async function limited<Row>(engine: Engine, sql: string, parameters: Parameters): Promise<Row[]> {
  const rows = await engine.rows<Row>(`${sql} LIMIT ${ROWS_MAX + 1}`, parameters)
  if (rows.length <= ROWS_MAX) return rows
  throw new AppError(
    'too_large',
    `The usage has more than ${ROWS_MAX} sums at this level; rate a shorter period, or at a level above the resource.`,
  )
}
