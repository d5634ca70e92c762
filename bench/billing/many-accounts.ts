import type { Core } from '../../src/compose.ts'
import { METERS } from '../../src/meters/meter.ts'
import { renderRebuild } from '../../src/store/usage/load.ts'

/** Rows that one statement of the control store takes. */
const ROWS_MAX = 1000
const CREATED_MS = Date.UTC(2026, 10, 18, 16)

/** Shanghai's 19 November: the day that is closed. */
export const DAY = { startMs: CREATED_MS, endMs: CREATED_MS + 86_400_000 }

const GIB = 2n ** 30n

/** Names the account of a number. */
export function accountId(index: number): string {
  return `acc-${String(index).padStart(5, '0')}`
}

/**
 * Registers accounts with a domain each, half of them with two packages, and a day of usage: one
 * row per domain and minute, as a load leaves it, with the rollups that belong to it.
 */
export async function fillAccounts(core: Core, accounts: number): Promise<{ rows: number }> {
  await fillCatalog(core, accounts)
  await fillUsage(core, accounts)
  return { rows: accounts * 1440 }
}

async function fillCatalog({ control, catalog }: Core, accounts: number): Promise<void> {
  const brand = await catalog.rows.brands.find({})
  if (brand === undefined) throw new Error('there is no brand')
  const indexes = Array.from({ length: accounts }, (_, index) => index)
  await control.db.transaction().execute(async (trx) => {
    for (let at = 0; at < accounts; at += ROWS_MAX) {
      const some = indexes.slice(at, at + ROWS_MAX)
      const owners = some.map((index) => accountRow(index, brand.id))
      await trx.insertInto('accounts').values(owners).execute()
      await trx.insertInto('projects').values(some.map(projectRow)).execute()
      await trx.insertInto('resources').values(some.map(domainRow)).execute()
      await trx.insertInto('resource_versions').values(some.map(versionRow)).execute()
      const packages = some
        .filter((index) => index % 2 === 0)
        .flatMap((index) => [0, 1].map((part) => packageRow(index, part)))
      await trx.insertInto('traffic_packages').values(packages).execute()
    }
  })
}

function accountRow(index: number, brand: string) {
  return {
    id: accountId(index),
    number: 60_000_000 + index,
    brand_id: brand,
    parent_id: null,
    name: `Account ${index}`,
    email: '',
    zone: 'Asia/Shanghai',
    created_ms: CREATED_MS,
  }
}

function projectRow(index: number) {
  return {
    id: `org-${index}`,
    account_id: accountId(index),
    name: 'Default',
    is_default: 1 as const,
    created_ms: CREATED_MS,
  }
}

function domainId(index: number): string {
  return `ucdn-${String(index).padStart(5, '0')}`
}

function domainRow(index: number) {
  return {
    id: domainId(index),
    meter: 'cdn',
    account_id: accountId(index),
    project_id: `org-${index}`,
    name: `d${index}.example.com`,
    name_scope: '',
    region: 'cn-bj2',
    zone: '',
    kind: 'static',
    gateway_type: 0,
    pay_mode: 'Traffic',
    created_ms: CREATED_MS,
    deleted_ms: null,
  }
}

function versionRow(index: number) {
  return {
    resource_id: domainId(index),
    from_ms: CREATED_MS,
    account_id: accountId(index),
    project_id: `org-${index}`,
    pay_mode: 'Traffic',
  }
}

function packageRow(index: number, part: number) {
  return {
    id: `pkg-${String(index).padStart(5, '0')}-${part}`,
    account_id: accountId(index),
    meter: 'cdn',
    areas: 'cn',
    kinds: 'static',
    project_ids: null,
    resource_ids: null,
    windows: '[]',
    size_bytes: (part === 0 ? 1n : 100n) * GIB,
    purchased_ms: CREATED_MS,
    start_ms: CREATED_MS,
    end_ms: CREATED_MS + (30 + part) * 86_400_000,
    first_use_months: null,
    paid_amount: null,
    paid_currency: null,
    refunded_ms: null,
    refund_amount: null,
    offer: null,
  }
}

/** Minutes of usage that one statement makes: as many parts as an ordinary day of loads leaves. */
const HOURS = 24

async function fillUsage({ engine }: Core, accounts: number): Promise<void> {
  const start = CREATED_MS / 1000
  for (let hour = 0; hour < HOURS; hour += 1) {
    await engine.command(`INSERT INTO usage_cdn
  (batch, frame, source, rid, rid_check, minute, account, project, resource, area, province, isp,
   protocol, ip_version, status, cache, kind, bytes_out, bytes_in, requests, hit_bytes,
   hit_requests, origin_bytes, origin_requests, geo_version)
SELECT ${hour + 1}, ${hour + 1}, 'bench', 0, 0,
  toDateTime(${start + hour * 3600} + (n.number % 60) * 60, 'UTC'),
  concat('acc-', leftPad(toString(intDiv(n.number, 60)), 5, '0')),
  concat('org-', toString(intDiv(n.number, 60))),
  concat('ucdn-', leftPad(toString(intDiv(n.number, 60)), 5, '0')),
  'cn', 'beijing', 'CT', 'https', 4, 200, 'hit', 'static',
  1000000 + cityHash64(n.number, ${hour}) % 9000000, 1000, 10, 0, 0, 0, 0, 'bench'
FROM numbers(${accounts * 60}) AS n
SETTINGS max_partitions_per_insert_block = 0`)
    for (const rollup of METERS.cdn.rollups) {
      await engine.command(renderRebuild(METERS.cdn, rollup, `u.batch = ${hour + 1}`))
    }
  }
}
