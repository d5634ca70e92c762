import type { BooksTrafficQuery, BooksUsage } from '../../billing/books-usage.ts'
import { booksSource, byAccount, limitedRows, selectScope } from './books-source.ts'
import type { Engine } from './engine.ts'

type TrafficOf = Awaited<ReturnType<BooksUsage['traffic']>>
type Traffic = TrafficOf extends ReadonlyMap<string, readonly (infer Entry)[]> ? Entry : never

interface TrafficRow {
  readonly account: string
  readonly start: number
  readonly resource: string
  readonly project: string
  readonly area: Traffic['area']
  readonly billed_in: Traffic['billingRegion']
  readonly kind: Traffic['kind']
  readonly province: string
  readonly outgoing: string
  readonly incoming: string
}

/** Columns that tell members apart. */
const OWNERS = { resource: ['resource', 'project'], project: ['project'], account: [] } as const

/** Sums volumes from cut to cut; see `BooksUsage.traffic`. */
export async function readTraffic(engine: Engine, query: BooksTrafficQuery): Promise<TrafficOf> {
  const [startMs] = query.cutsMs
  if (startMs === undefined) return new Map()
  const { members = 'resource' } = query
  const source = booksSource(query, {
    dimensions: [
      ...OWNERS[members],
      'area',
      'kind',
      ...(query.byProvince ? ['province' as const] : []),
      ...(query.byRegion ? ['billing_region' as const] : []),
    ],
    grainSeconds: query.grain === 'minute' ? 60 : 300,
  })
  const { where, parameters } = selectScope({ ...query, startMs }, source)
  const keys = 'account, start, resource, project, area, billed_in, kind, province'
  const rows = await limitedRows<TrafficRow>(
    engine,
    `SELECT t.account AS account,
  roundDown(toUnixTimestamp(${source.time}), {cuts:Array(UInt32)}) AS start,
  ${members === 'resource' ? 't.resource' : `''`} AS resource,
  ${members === 'account' ? `''` : 't.project'} AS project, ${source.area} AS area,
  ${source.billingRegion} AS billed_in, ${source.kind} AS kind, ${source.province} AS province,
  sum(${source.bytesOut}) AS outgoing, sum(${source.bytesIn}) AS incoming
FROM ${source.table} AS t WHERE ${where}
GROUP BY ${keys} HAVING outgoing > 0 OR incoming > 0 ORDER BY ${keys}`,
    { ...parameters, cuts: query.cutsMs.map((atMs) => atMs / 1000) },
  )
  return byAccount(rows, toTraffic)
}

function toTraffic(row: TrafficRow): Traffic[] {
  const { resource, project, area, kind, province } = row
  const place = { area, billingRegion: row.billed_in, province }
  const where = { ...place, kind, resourceId: resource, projectId: project }
  const entries = [
    ['out', BigInt(row.outgoing)],
    ['in', BigInt(row.incoming)],
  ] as const
  return entries.flatMap(([direction, bytes]) =>
    bytes === 0n ? [] : [{ startMs: row.start * 1000, ...where, direction, bytes }],
  )
}
