import { dayStart, type Interval } from '../../src/core/period.ts'
import type { Engine } from '../../src/store/usage/engine.ts'

/** Every account is in this zone. */
export const ZONE = 'Asia/Shanghai'

/** November 2026: 30 days of 288 slots. */
export const MONTH: Interval = {
  startMs: dayStart(Date.UTC(2026, 10, 1), ZONE),
  endMs: dayStart(Date.UTC(2026, 11, 1), ZONE),
}

const SLOTS = (MONTH.endMs - MONTH.startMs) / 300_000
const DOMAINS_PER_ACCOUNT = 50
const DOMAINS_PER_STATEMENT = 500

/** Domains that also move something abroad: their slots are two rows. */
const ABROAD_EVERY = 10

/** Domains of which a day was reported again: their slots have a row in another part. */
const LATE_EVERY = 100

/** Accounts of a world of so many domains. */
export function accountsOf(domains: number): string[] {
  const count = Math.ceil(domains / DOMAINS_PER_ACCOUNT)
  return Array.from({ length: count }, (_, index) => `acc-${String(index).padStart(4, '0')}`)
}

/**
 * Fills the rollup of domains with a month in which every domain moves something in every slot.
 *
 * Shape: bytes look random and are the same in every run. Quantities that nothing measured reads
 * stay zero, to fill faster.
 */
export async function fillMonth(
  engine: Engine,
  domains: number,
  say: (text: string) => void,
): Promise<void> {
  for (let first = 0; first < domains; first += DOMAINS_PER_STATEMENT) {
    const count = Math.min(DOMAINS_PER_STATEMENT, domains - first)
    await engine.command(renderFill({ first, count, every: 1, area: 'cn', slots: SLOTS }))
    const some = Math.ceil(count / ABROAD_EVERY)
    const abroad = { first, count: some, every: ABROAD_EVERY, area: 'abroad', slots: SLOTS }
    await engine.command(renderFill(abroad))
    if ((first / DOMAINS_PER_STATEMENT) % 10 === 9) say(`filled ${first + count} domains`)
  }
  await settle(engine)
  const late = { first: 0, count: Math.ceil(domains / LATE_EVERY), every: LATE_EVERY, area: 'cn' }
  await engine.command(renderFill({ ...late, slots: 288 }))
}

interface Fill {
  readonly first: number
  readonly count: number
  readonly every: number
  readonly area: string
  readonly slots: number
}

// Names are made once per domain: joining the slots copies numbers of dictionary entries only.
function renderFill({ first, count, every, area, slots }: Fill): string {
  const owner = `leftPad(toString(intDiv(${first} + number * ${every}, ${DOMAINS_PER_ACCOUNT})), 4, '0')`
  return `INSERT INTO cdn_resource_5m
  (resource, bucket, area, kind, project, account, bytes_out, bytes_in)
SELECT
  d.resource, toDateTime(${MONTH.startMs / 1000} + slot * 300, 'UTC'),
  '${area}', 'static', d.project, d.account,
  cityHash64(d.number, slot, ${first}, '${area}') % 50000000000,
  cityHash64(d.number, slot, ${first}) % 500000000
FROM (
  SELECT number,
    toLowCardinality(concat('ucdn-', leftPad(toString(${first} + number * ${every}), 5, '0'))) AS resource,
    toLowCardinality(concat('org-', ${owner})) AS project,
    toLowCardinality(concat('acc-', ${owner})) AS account
  FROM numbers(${count})
) AS d
ARRAY JOIN range(${slots}) AS slot
SETTINGS max_insert_threads = 1, optimize_on_insert = 0, max_memory_usage = 1000000000`
}

// A rollup of a running server is merged; many fresh parts would be measured otherwise.
async function settle(engine: Engine): Promise<void> {
  for (;;) {
    const [row] = await engine.rows<{ merges: string }>(
      `SELECT count() AS merges FROM system.merges AS m WHERE m.table = 'cdn_resource_5m'`,
    )
    if (row?.merges === '0') return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** What the filled table weighs. */
export async function describeMonth(engine: Engine) {
  const [row] = await engine.rows<{ rows: string; bytes: string; parts: string }>(
    `SELECT sum(p.rows) AS rows, sum(p.bytes_on_disk) AS bytes, count() AS parts
FROM system.parts AS p WHERE p.table = 'cdn_resource_5m' AND p.active`,
  )
  return { rows: Number(row?.rows), bytes: Number(row?.bytes), parts: Number(row?.parts) }
}
