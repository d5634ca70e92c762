import type { RejectReason } from '../../meters/reject-reasons.ts'
import type { Engine } from './engine.ts'

/** Which rejected lines are meant; absent: any. */
export interface RejectFilter {
  readonly source?: string
  readonly meter?: string
  readonly reasons?: readonly string[]
  readonly detail?: string
}

/** A line that could not be used. */
export interface RejectedLine {
  readonly batch: number
  readonly frame: number
  readonly line: number
  readonly receivedMs: number
  readonly source: string
  readonly meter: string
  /** How it was read, as JSON of a Reading. */
  readonly format: string
  readonly reason: RejectReason
  /** Domain, resource or value at fault. */
  readonly detail: string
  /** Its bytes, as received. */
  readonly raw: Buffer
}

/** Bytes of raw text in one page; a page holds at least one line. */
const PAGE_BYTES_MAX = 32 << 20

interface Row {
  readonly batch: string
  readonly frame: string
  readonly line: string
  readonly received: number
  readonly source: string
  readonly meter: string
  readonly format: string
  readonly reason: RejectReason
  readonly detail: string
  readonly raw: string
}

function conditions(filter: RejectFilter): { where: string; parameters: Record<string, unknown> } {
  const parts: string[] = ['1']
  const parameters: Record<string, unknown> = {}
  if (filter.source !== undefined) {
    parts.push('r.source = {source:String}')
    parameters['source'] = filter.source
  }
  if (filter.meter !== undefined) {
    parts.push('r.meter = {meter:String}')
    parameters['meter'] = filter.meter
  }
  if (filter.reasons !== undefined) {
    parts.push('r.reason IN {reasons:Array(String)}')
    parameters['reasons'] = filter.reasons
  }
  if (filter.detail !== undefined) {
    parts.push('r.detail = {detail:String}')
    parameters['detail'] = filter.detail
  }
  return { where: parts.join(' AND '), parameters }
}

/** Lists rejected lines after a position, in the order in which they were rejected. */
export async function listRejected(
  engine: Engine,
  filter: RejectFilter,
  page: { readonly limit: number; readonly after: { frame: number; line: number } | null },
): Promise<RejectedLine[]> {
  const { where, parameters } = conditions(filter)
  const after =
    page.after === null ? '' : ' AND (r.frame, r.line) > ({frame:UInt64}, {line:UInt64})'
  const rows = await engine.rows<Row>(
    `SELECT q.batch AS batch, q.frame AS frame, q.line AS line, toUnixTimestamp(q.received) AS received,
  q.source AS source, q.meter AS meter, q.format AS format, q.reason AS reason, q.detail AS detail,
  base64Encode(q.raw) AS raw
FROM (
  SELECT *, sum(length(p.raw)) OVER (ORDER BY p.frame, p.line ROWS UNBOUNDED PRECEDING) - length(p.raw) AS before
  FROM (
    SELECT * FROM rejected AS r WHERE ${where}${after} ORDER BY r.frame, r.line LIMIT {limit:UInt32}
  ) AS p
) AS q
WHERE q.before < ${PAGE_BYTES_MAX}
ORDER BY q.frame, q.line`,
    { ...parameters, ...page.after, limit: page.limit },
  )
  return rows.map((row) => ({
    ...row,
    batch: Number(row.batch),
    frame: Number(row.frame),
    line: Number(row.line),
    receivedMs: row.received * 1000,
    raw: Buffer.from(row.raw, 'base64'),
  }))
}

/** Counts rejected lines by source, meter and reason. */
export async function countRejected(
  engine: Engine,
  filter: RejectFilter,
): Promise<{ source: string; meter: string; reason: RejectReason; lines: number }[]> {
  const { where, parameters } = conditions(filter)
  const rows = await engine.rows<{
    source: string
    meter: string
    reason: RejectReason
    lines: string
  }>(
    `SELECT r.source AS source, r.meter AS meter, r.reason AS reason, count() AS lines
FROM rejected AS r WHERE ${where} GROUP BY source, meter, reason ORDER BY source, meter, reason`,
    parameters,
  )
  return rows.map((row) => ({ ...row, lines: Number(row.lines) }))
}

/** Lists the refused lines of one frame: number and reason, ascending. */
export async function refusedLines(
  engine: Engine,
  frame: number,
  limit: number,
): Promise<{ line: number; reason: RejectReason }[]> {
  const rows = await engine.rows<{ line: string; reason: RejectReason }>(
    `SELECT r.line AS line, r.reason AS reason FROM rejected AS r
WHERE r.frame = {frame:UInt64} ORDER BY line LIMIT {limit:UInt32}`,
    { frame, limit },
  )
  return rows.map((row) => ({ line: Number(row.line), reason: row.reason }))
}
