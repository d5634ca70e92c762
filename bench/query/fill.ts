import type { Engine } from '../../src/store/usage/engine.ts'
import { arrayOf } from '../../src/store/usage/places.ts'
import { ISPS, PROVINCES } from '../../src/meters/places.ts'
import { NOW_MS } from '../support/weir.ts'

/** Whole days of usage before now. */
export const DAYS = 30

/** End of the filled range. */
export const END_MS = Math.floor(NOW_MS / 300_000) * 300_000
export const START_MS = END_MS - DAYS * 86_400_000

const BUCKETS = DAYS * 288

/** Places with usage in every bucket: every province with every carrier. */
export const PLACES = PROVINCES.length * ISPS.length

/** Rows that one domain has. */
export const ROWS_PER_DOMAIN = BUCKETS * PLACES

/**
 * Fills the province rollup for some domains, one after the other, so that memory stays bounded.
 *
 * Shape: one row per domain, 5 minutes, province and carrier; bytes look random and are the same
 * in every run. Quantities that no measured question reads stay zero, to fill faster.
 */
export async function fillRollup(
  engine: Engine,
  owner: { accountId: string; projectId: string; resourceIds: readonly string[] },
  say: (text: string) => void,
): Promise<void> {
  for (const [index, resource] of owner.resourceIds.entries()) {
    await engine.command(renderFill(owner, resource, index))
    if ((index + 1) % 12 === 0) say(`filled ${index + 1} of ${owner.resourceIds.length} domains`)
  }
  await settle(engine)
}

function renderFill(
  { accountId, projectId }: { accountId: string; projectId: string },
  resource: string,
  seed: number,
): string {
  return `INSERT INTO cdn_5m
  (resource, bucket, province, isp, area, kind, project, account, bytes_out, requests)
SELECT
  '${resource}',
  toDateTime(${START_MS / 1000} + intDiv(number, ${PLACES}) * 300, 'UTC'),
  arrayElement(${arrayOf([...PROVINCES].sort())}, intDiv(number % ${PLACES}, ${ISPS.length}) + 1),
  arrayElement(${arrayOf([...ISPS].sort())}, number % ${ISPS.length} + 1),
  'cn', 'static', '${projectId}', '${accountId}',
  cityHash64(number, ${seed}) % 50000000, 1 + number % 97
FROM numbers(${ROWS_PER_DOMAIN})
SETTINGS max_insert_threads = 1, max_memory_usage = 1000000000`
}

// A rollup of a running server is merged; many fresh parts would be measured otherwise.
async function settle(engine: Engine): Promise<void> {
  for (;;) {
    const [row] = await engine.rows<{ merges: string }>(
      `SELECT count() AS merges FROM system.merges AS m WHERE m.table = 'cdn_5m'`,
    )
    if (row?.merges === '0') return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** What the filled table weighs. */
export async function describeRollup(engine: Engine) {
  const [row] = await engine.rows<{ rows: string; bytes: string; parts: string }>(
    `SELECT sum(p.rows) AS rows, sum(p.bytes_on_disk) AS bytes, count() AS parts
FROM system.parts AS p WHERE p.table = 'cdn_5m' AND p.active`,
  )
  return { rows: Number(row?.rows), bytes: Number(row?.bytes), parts: Number(row?.parts) }
}
