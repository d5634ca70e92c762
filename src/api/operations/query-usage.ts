import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import { DEFAULT_ZONE, isZone } from '../../core/period.ts'
import { dimensionsOf, METERS, METER_NAMES } from '../../meters/meter.ts'
import type { Measure, UsagePoint, UsageQuery } from '../../meters/query.ts'
import { Instant } from './instant.ts'

/** Every measure, in the order of its columns. */
export const MEASURES: readonly Measure[] = ['bytes', 'requests', 'avg_bps', 'peak_bps', 'p95_bps']

/** The body of `POST /v1/query`. */
export const QueryRequest = z.strictObject({
  account: z
    .string()
    .min(1)
    .describe('Id, name or number; a sub-account stands for its parent, who pays.'),
  projects: z.array(z.string()).min(1).optional().describe('Project ids; default all.'),
  meter: z.enum(METER_NAMES as [string, ...string[]]).describe('cdn, eip or mna.'),
  start: Instant,
  end: Instant,
  granularity: z.enum(['minute', '5min', 'hour', 'day', 'total']).default('hour'),
  zone: z.string().refine(isZone, 'is not an IANA time zone').default(DEFAULT_ZONE),
  filters: z
    .record(z.string(), z.union([z.string(), z.array(z.string()).min(1)]))
    .default({})
    .describe('Dimension → accepted value or values.'),
  groupBy: z.array(z.string()).max(6).default([]),
  measures: z
    .array(z.enum(MEASURES as [Measure, ...Measure[]]))
    .min(1)
    .default(['bytes']),
  dense: z.boolean().default(true).describe('Whether buckets without usage are answered.'),
})
export type QueryRequest = z.output<typeof QueryRequest>

/**
 * Reads a native query.
 *
 * Errors: `parameter_invalid` listing every problem, with the path of each.
 */
export function parseQuery(body: unknown): UsageQuery {
  const parsed = QueryRequest.safeParse(body)
  if (!parsed.success) {
    const [first] = parsed.error.issues
    throw new AppError('parameter_invalid', z.prettifyError(parsed.error), {
      ...(first !== undefined && { field: first.path.join('.') }),
    })
  }
  const request = parsed.data
  if (request.end <= request.start) {
    throw new AppError('parameter_invalid', 'end must be after start.', { field: 'end' })
  }
  const meter = METERS[request.meter as keyof typeof METERS]
  const known = dimensionsOf(meter).map(({ name }) => name)
  for (const name of [...Object.keys(request.filters), ...request.groupBy]) {
    if (known.includes(name)) continue
    throw new AppError(
      'parameter_invalid',
      `The meter ${meter.name} has no dimension ${name}; it has ${known.join(', ')}.`,
      { field: name },
    )
  }
  return {
    meter: meter.name,
    accountId: request.account,
    ...(request.projects !== undefined && { projectIds: request.projects }),
    startMs: request.start,
    endMs: request.end,
    granularity: request.granularity,
    zone: request.zone,
    filters: Object.fromEntries(
      Object.entries(request.filters).map(([name, value]) => [
        name,
        typeof value === 'string' ? [value] : value,
      ]),
    ),
    groupBy: request.groupBy,
    measures: request.measures,
    dense: request.dense,
  }
}

type Cell = { readonly name: string; readonly value: string | bigint }

/** The cells of a point, in column order: time, groups, measures. */
export function cellsOf(query: UsageQuery, point: UsagePoint): Cell[] {
  const measures: Record<Measure, readonly (readonly [string, bigint | undefined])[]> = {
    bytes: [['bytes', point.bytes]],
    requests: [['requests', point.requests]],
    avg_bps: [['avg_bps', point.avgBps]],
    peak_bps: [['peak_bps', point.peakBps]],
    p95_bps: [['p95_bps', point.p95Bps]],
  }
  const cells: Cell[] = [{ name: 'time', value: new Date(point.startMs).toISOString() }]
  for (const name of query.groupBy) cells.push({ name, value: point.group[name] ?? '' })
  for (const measure of query.measures) {
    for (const [name, value] of measures[measure]) cells.push({ name, value: value ?? 0n })
    if (measure === 'p95_bps') {
      cells.push({ name: 'p95_at', value: new Date(point.p95AtMs ?? point.startMs).toISOString() })
    }
  }
  return cells
}

/** Writes points as a JSON array of objects; integers keep all their digits. */
export function formatJson(query: UsageQuery, points: readonly UsagePoint[]): string {
  const rows = points.map((point) => {
    const cells = cellsOf(query, point).map(({ name, value }) => {
      const text = typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
      return `${JSON.stringify(name)}:${text}`
    })
    return `{${cells.join(',')}}`
  })
  return `{"rows":[${rows.join(',')}]}`
}

/** Writes points as CSV with a header line (RFC 4180). */
export function formatCsv(query: UsageQuery, points: readonly UsagePoint[]): string {
  const [first] = points
  if (first === undefined) return ''
  const header = cellsOf(query, first).map(({ name }) => name)
  const rows = points.map((point) => cellsOf(query, point).map(({ value }) => csvCell(value)))
  return [header, ...rows].map((row) => `${row.join(',')}\r\n`).join('')
}

function csvCell(value: string | bigint): string {
  const text = String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
