import type { Batch } from '../../ingest/batch.ts'
import type { Meter } from '../../meters/meter.ts'
import type { Engine } from './engine.ts'
import { ALIGN_SECONDS, repairRange, type RepairRange } from './rollup-repair.ts'
import { meterOf } from './stage.ts'

/**
 * Compares the rollups with usage over the time that a batch touches, and rebuilds what differs.
 *
 * The engine notes an insert token before the rows are in place: after a crash or a full disk in
 * between, it takes a repeated insert for done although its rows are not there.
 */
export async function repairRollups(engine: Engine, batch: Batch): Promise<void> {
  const meter = meterOf(batch)
  const range = await rangeOf(engine, meter, batch)
  if (range !== undefined) await repairRange(engine, meter, range)
}

async function rangeOf(
  engine: Engine,
  meter: Meter,
  batch: Batch,
): Promise<RepairRange | undefined> {
  const [row] = await engine.rows<{ rows: string; first: number; last: number }>(
    `SELECT count() AS rows, toUnixTimestamp(min(u.minute)) AS first, toUnixTimestamp(max(u.minute)) AS last
FROM usage_${meter.name} AS u WHERE u.batch = ${batch.id}`,
  )
  if (row === undefined || row.rows === '0') return undefined
  const start = Math.floor(row.first / ALIGN_SECONDS) * ALIGN_SECONDS
  return { start, end: (Math.floor(row.last / ALIGN_SECONDS) + 1) * ALIGN_SECONDS }
}
