import type { Meter, Rollup } from '../../meters/meter.ts'
import { deleteRows } from './delete-rows.ts'
import { dimensionValue } from './dimension.ts'
import type { Engine } from './engine.ts'
import { renderRebuild } from './roll.ts'

/** A stretch of time in epoch seconds, `[start, end)`, aligned to every rollup's buckets. */
export interface RepairRange {
  readonly start: number
  readonly end: number
}

/** Seconds to which a range that is repaired is aligned: the longest bucket. */
export const ALIGN_SECONDS = 300

/**
 * Compares every rollup of a meter with its usage, key by key, and rebuilds those that differ; the
 * tables that were rebuilt.
 *
 * What is compared is a fingerprint: the sum of hash(key) × quantity over all rows. It is the same
 * however the rows of a key are split, so nothing has to be grouped, and differs when a byte is
 * missing, is too much or lies under another key.
 *
 * Limits: nothing may be loaded meanwhile. Differences go unseen where 64-bit hashes of keys
 * collide.
 */
export async function repairRange(
  engine: Engine,
  meter: Meter,
  range: RepairRange,
): Promise<string[]> {
  const [usage] = await engine.rows<Record<string, string>>(renderUsagePrints(meter, range))
  const rebuilt: string[] = []
  for (const rollup of meter.rollups) {
    const [rolled] = await engine.rows<Record<string, string>>(
      renderRollupPrint(meter, rollup, range),
    )
    if (printsOf(meter, rollup).every(({ name }) => rolled?.[name] === usage?.[name])) continue
    await rebuild(engine, meter, rollup, range)
    rebuilt.push(rollup.table)
  }
  return rebuilt
}

async function rebuild(
  engine: Engine,
  meter: Meter,
  rollup: Rollup,
  range: RepairRange,
): Promise<void> {
  await deleteRows(engine, rollup.table, within('bucket', range))
  await engine.command(renderRebuild(meter, rollup, within('u.minute', range)))
}

/** Renders the fingerprints that the rollups of a meter must have, all from one reading. */
function renderUsagePrints(meter: Meter, range: RepairRange): string {
  const prints = meter.rollups.flatMap((rollup) => {
    const bucket = `toStartOfInterval(t.minute, INTERVAL ${rollup.bucketSeconds} SECOND)`
    return renderPrints(meter, rollup, bucket)
  })
  return `SELECT ${prints.join(',\n  ')}
FROM usage_${meter.name} AS t WHERE ${within('t.minute', range)}`
}

function renderRollupPrint(meter: Meter, rollup: Rollup, range: RepairRange): string {
  return `SELECT ${renderPrints(meter, rollup, 't.bucket').join(',\n  ')}
FROM ${rollup.table} AS t WHERE ${within('t.bucket', range)}`
}

function printsOf(meter: Meter, rollup: Rollup): { quantity: string; name: string }[] {
  return meter.quantities.map(({ name }) => ({ quantity: name, name: `${rollup.table}_${name}` }))
}

// In 128 bits a product of hash and quantity never wraps, so that bytes under a wrong key only
// cancel out where the hashes are equal. In 64 bits whole powers of two would more easily.
function renderPrints(meter: Meter, rollup: Rollup, bucket: string): string[] {
  const key = rollup.orderBy.map((name) =>
    name === 'bucket' ? bucket : dimensionValue(meter, name),
  )
  const hash = `toUInt128(cityHash64(${key.join(', ')}))`
  return printsOf(meter, rollup).map(
    ({ quantity, name }) => `toString(sum(${hash} * t.${quantity})) AS ${name}`,
  )
}

function within(column: string, { start, end }: RepairRange): string {
  return `${column} >= toDateTime(${start}, 'UTC') AND ${column} < toDateTime(${end}, 'UTC')`
}
