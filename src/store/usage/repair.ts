import type { Batch } from '../../ingest/batch.ts'
import type { Meter, Rollup } from '../../meters/meter.ts'
import { deleteRows } from './delete-rows.ts'
import type { Engine } from './engine.ts'
import { renderRebuild } from './load.ts'
import { meterOf } from './stage.ts'

/** A stretch of time in epoch seconds, `[start, end)`, aligned to every rollup's buckets. */
interface Range {
  readonly start: number
  readonly end: number
}

const ALIGN_SECONDS = 300

/**
 * Compares the rollups with usage over the time that a batch touches, and rebuilds what differs.
 *
 * The engine notes an insert token before the rows are in place: after a crash or a full disk in
 * between, it takes a repeated insert for done although its rows are not there.
 */
export async function repairRollups(engine: Engine, batch: Batch): Promise<void> {
  const meter = meterOf(batch)
  const range = await rangeOf(engine, meter, batch)
  if (range === undefined) return
  const expected = await sums(engine, meter, `usage_${meter.name}`, 'minute', range)
  for (const rollup of meter.rollups) {
    const actual = await sums(engine, meter, rollup.table, 'bucket', range)
    if (actual !== expected) await rebuild(engine, meter, rollup, range)
  }
}

async function rangeOf(engine: Engine, meter: Meter, batch: Batch): Promise<Range | undefined> {
  const [row] = await engine.rows<{ rows: string; first: number; last: number }>(
    `SELECT count() AS rows, toUnixTimestamp(min(u.minute)) AS first, toUnixTimestamp(max(u.minute)) AS last
FROM usage_${meter.name} AS u WHERE u.batch = ${batch.id}`,
  )
  if (row === undefined || row.rows === '0') return undefined
  const start = Math.floor(row.first / ALIGN_SECONDS) * ALIGN_SECONDS
  return { start, end: (Math.floor(row.last / ALIGN_SECONDS) + 1) * ALIGN_SECONDS }
}

function within(column: string, { start, end }: Range): string {
  return `${column} >= toDateTime(${start}, 'UTC') AND ${column} < toDateTime(${end}, 'UTC')`
}

async function sums(
  engine: Engine,
  meter: Meter,
  table: string,
  time: string,
  range: Range,
): Promise<string> {
  const columns = meter.quantities.map(({ name }) => `sum(t.${name}) AS ${name}`).join(', ')
  const rows = await engine.rows(
    `SELECT ${columns} FROM ${table} AS t WHERE ${within(`t.${time}`, range)}`,
  )
  return JSON.stringify(rows)
}

async function rebuild(engine: Engine, meter: Meter, rollup: Rollup, range: Range): Promise<void> {
  await deleteRows(engine, rollup.table, within('bucket', range))
  await engine.command(renderRebuild(meter, rollup, within('u.minute', range)))
}
