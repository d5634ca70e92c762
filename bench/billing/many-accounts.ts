import type { Core } from '../../src/compose.ts'
import { chunksOf } from '../../src/core/chunks.ts'
import { METERS } from '../../src/meters/meter.ts'
import { renderRebuild } from '../../src/store/usage/roll.ts'

/** Rows that one statement of the control store takes. */
const ROWS_MAX = 1000

const GIB = 2n ** 30n

/** Names the account of a number. */
export function accountId(index: number): string {
  return `acc-${String(index).padStart(5, '0')}`
}

/** How much there is of what. */
export interface Filling {
  readonly accounts: number
  readonly domainsPerAccount: number
  /** When the accounts and all that is theirs were made. */
  readonly startMs: number
  /** One statement each: as many parts as so many loads leave. */
  readonly loads: number
  /** Of each domain in each load. */
  readonly rowsPerLoad: number
  /** From one row of a domain to the next. */
  readonly rowSeconds: number
}

/**
 * Registers accounts with their domains, half of them with two packages, and usage as loads leave
 * it, with the rollups that belong to it.
 */
export async function fillAccounts(core: Core, filling: Filling): Promise<{ rows: number }> {
  await fillCatalog(core, filling)
  for (let load = 0; load < filling.loads; load += 1) await fillUsage(core, filling, load)
  const { accounts, domainsPerAccount, loads, rowsPerLoad } = filling
  return { rows: accounts * domainsPerAccount * loads * rowsPerLoad }
}

async function fillCatalog({ control, catalog }: Core, filling: Filling): Promise<void> {
  const { accounts, domainsPerAccount, startMs } = filling
  const brand = await catalog.rows.brands.find({})
  if (brand === undefined) throw new Error('there is no brand')
  const owner = (domain: number): number => Math.floor(domain / domainsPerAccount)
  await control.db.transaction().execute(async (trx) => {
    for (const some of chunksOf(upTo(accounts), ROWS_MAX)) {
      const owners = some.map((index) => accountRow(index, brand.id, startMs))
      await trx.insertInto('accounts').values(owners).execute()
      const projects = some.map((index) => projectRow(index, startMs))
      await trx.insertInto('projects').values(projects).execute()
      const packages = some
        .filter((index) => index % 2 === 0)
        .flatMap((index) => [0, 1].map((part) => packageRow(index, part, startMs)))
      await trx.insertInto('traffic_packages').values(packages).execute()
    }
    for (const some of chunksOf(upTo(accounts * domainsPerAccount), ROWS_MAX)) {
      const domains = some.map((index) => domainRow(index, owner(index), startMs))
      await trx.insertInto('resources').values(domains).execute()
      const versions = some.map((index) => versionRow(index, owner(index), startMs))
      await trx.insertInto('resource_versions').values(versions).execute()
    }
  })
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function accountRow(index: number, brand: string, startMs: number) {
  return {
    id: accountId(index),
    number: 60_000_000 + index,
    brand_id: brand,
    parent_id: null,
    name: `Account ${index}`,
    email: '',
    zone: 'Asia/Shanghai',
    created_ms: startMs,
  }
}

function projectRow(index: number, startMs: number) {
  return {
    id: `org-${index}`,
    account_id: accountId(index),
    name: 'Default',
    is_default: 1 as const,
    created_ms: startMs,
  }
}

function domainId(index: number): string {
  return `ucdn-${String(index).padStart(5, '0')}`
}

function domainRow(index: number, owner: number, startMs: number) {
  return {
    id: domainId(index),
    meter: 'cdn',
    account_id: accountId(owner),
    project_id: `org-${owner}`,
    name: `d${index}.example.com`,
    name_scope: '',
    region: 'cn-bj2',
    zone: '',
    kind: 'static',
    gateway_type: 0,
    pay_mode: 'Traffic',
    created_ms: startMs,
    deleted_ms: null,
  }
}

function versionRow(index: number, owner: number, startMs: number) {
  return {
    resource_id: domainId(index),
    from_ms: startMs,
    account_id: accountId(owner),
    project_id: `org-${owner}`,
    pay_mode: 'Traffic',
  }
}

function packageRow(index: number, part: number, startMs: number) {
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
    purchased_ms: startMs,
    start_ms: startMs,
    end_ms: startMs + (30 + part) * 86_400_000,
    first_use_months: null,
    paid_amount: null,
    paid_currency: null,
    refunded_ms: null,
    refund_amount: null,
    offer: null,
  }
}

async function fillUsage(
  { engine }: Core,
  { accounts, domainsPerAccount, startMs, rowsPerLoad, rowSeconds }: Filling,
  load: number,
): Promise<void> {
  const start = startMs / 1000 + load * rowsPerLoad * rowSeconds
  const domain = `intDiv(n.number, ${rowsPerLoad})`
  const owner = `intDiv(n.number, ${rowsPerLoad * domainsPerAccount})`
  const padded = (index: string): string => `leftPad(toString(${index}), 5, '0')`
  await engine.command(`INSERT INTO usage_cdn
  (batch, frame, source, rid, rid_check, minute, account, project, resource, area, province, isp,
   protocol, ip_version, status, cache, kind, bytes_out, bytes_in, requests, hit_bytes,
   hit_requests, origin_bytes, origin_requests, geo_version)
SELECT ${load + 1}, ${load + 1}, 'bench', 0, 0,
  toDateTime(${start} + (n.number % ${rowsPerLoad}) * ${rowSeconds}, 'UTC'),
  concat('acc-', ${padded(owner)}),
  concat('org-', toString(${owner})),
  concat('ucdn-', ${padded(domain)}),
  'cn', 'beijing', 'CT', 'https', 4, 200, 'hit', 'static',
  1000000 + cityHash64(n.number, ${load}) % 9000000, 1000, 10, 0, 0, 0, 0, 'bench'
FROM numbers(${accounts * domainsPerAccount * rowsPerLoad}) AS n
SETTINGS max_partitions_per_insert_block = 0`)
  for (const rollup of METERS.cdn.rollups) {
    await engine.command(renderRebuild(METERS.cdn, rollup, `u.batch = ${load + 1}`))
  }
}
