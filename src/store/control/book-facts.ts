import type { Kysely } from 'kysely'
import type { BookFacts, BookOrigin, PackageFact } from '../../billing/book-keeping.ts'
import type { TrafficPackage } from '../../catalog/model.ts'
import type { EpochMs } from '../../core/clock.ts'
import type { MeterName } from '../../meters/meter.ts'
import { exclusivePackageShape, trafficPackageShape, versionShape } from './catalog-rows.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

/** What turns a package of the catalog into terms. */
export type TermsOf = (entry: TrafficPackage) => PackageFact['terms']

/**
 * Lists the books that the catalog calls for: who owned a resource of the meter, and since when.
 *
 * Time: an account that only bought packages so far has its book begun now, since nothing can have
 * been drawn from them.
 */
export async function readOrigins(
  db: Db,
  meter: MeterName,
  nowMs: EpochMs,
  onlyId?: string,
): Promise<BookOrigin[]> {
  const rows = await db
    .selectFrom('resource_versions as v')
    .innerJoin('resources as r', 'r.id', 'v.resource_id')
    .innerJoin('accounts as a', 'a.id', 'v.account_id')
    .where('r.meter', '=', meter)
    .$if(onlyId !== undefined, (query) => query.where('v.account_id', '=', onlyId ?? ''))
    .select((eb) => ['v.account_id', 'a.zone', eb.fn.min('v.from_ms').as('first_ms')])
    .groupBy(['v.account_id', 'a.zone'])
    .orderBy('v.account_id')
    .execute()
  const owners = rows.map((row) => ({
    accountId: row.account_id,
    meter,
    zone: row.zone,
    firstMs: row.first_ms,
  }))
  const known = new Set(owners.map(({ accountId }) => accountId))
  const buyers = await db
    .selectFrom('traffic_packages as p')
    .innerJoin('accounts as a', 'a.id', 'p.account_id')
    .where('p.meter', '=', meter)
    .$if(onlyId !== undefined, (query) => query.where('p.account_id', '=', onlyId ?? ''))
    .select(['p.account_id', 'a.zone'])
    .distinct()
    .orderBy('p.account_id')
    .execute()
  const others = buyers
    .filter((row) => !known.has(row.account_id))
    .map((row) => ({ accountId: row.account_id, meter, zone: row.zone, firstMs: nowMs }))
  return [...owners, ...others]
}

/** Reads what books of accounts depend on, with as many questions for one as for hundreds. */
export async function readFacts(
  db: Db,
  meter: MeterName,
  accountIds: readonly string[],
  termsOf: TermsOf,
): Promise<ReadonlyMap<string, BookFacts>> {
  if (accountIds.length === 0) return new Map()
  const accounts = await db
    .selectFrom('accounts')
    .select(['id', 'name', 'number'])
    .where('id', 'in', accountIds)
    .execute()
  const packages = groupByAccount(await readPackages(db, meter, accountIds, termsOf))
  const exclusive = groupByAccount(meter === 'eip' ? await readExclusive(db, accountIds) : [])
  const resources = groupByAccount(await readResources(db, meter, accountIds))
  return new Map(
    accounts.map(({ id, name, number }) => [
      id,
      {
        name,
        number,
        packages: packages.get(id) ?? [],
        exclusive: exclusive.get(id) ?? [],
        resources: resources.get(id) ?? [],
      },
    ]),
  )
}

type Owned<T> = readonly (readonly [accountId: string, value: T])[]

async function readPackages(
  db: Db,
  meter: MeterName,
  accountIds: readonly string[],
  termsOf: TermsOf,
): Promise<Owned<PackageFact>> {
  const rows = await db
    .selectFrom('traffic_packages')
    .selectAll()
    .where('meter', '=', meter)
    .where('account_id', 'in', accountIds)
    .orderBy('purchased_ms')
    .orderBy('id')
    .execute()
  return rows.map((row) => {
    const entry = trafficPackageShape.fromRow(row)
    const { paid, refundedMs, refundAmount } = entry
    const refunded = refundedMs === null ? null : { atMs: refundedMs, amount: refundAmount ?? 0n }
    return [entry.accountId, { terms: termsOf(entry), paid, refunded }]
  })
}

async function readExclusive(
  db: Db,
  accountIds: readonly string[],
): Promise<Owned<BookFacts['exclusive'][number]>> {
  const rows = await db
    .selectFrom('exclusive_packages')
    .selectAll()
    .where('account_id', 'in', accountIds)
    .orderBy('id')
    .execute()
  return rows.map((row) => {
    const { accountId, deletedMs, ...volume } = exclusivePackageShape.fromRow(row)
    return [accountId, { ...volume, ...(deletedMs !== null && { deletedMs }) }]
  })
}

async function readResources(
  db: Db,
  meter: MeterName,
  accountIds: readonly string[],
): Promise<Owned<BookFacts['resources'][number]>> {
  const owned = await db
    .selectFrom('resource_versions as v')
    .innerJoin('resources as r', 'r.id', 'v.resource_id')
    .where('r.meter', '=', meter)
    .where('v.account_id', 'in', accountIds)
    .select(['v.account_id', 'r.id', 'r.deleted_ms'])
    .distinct()
    .orderBy('r.id')
    .execute()
  // Only addresses have a pay mode that the books ask for.
  if (meter !== 'eip') {
    return owned.map((row) => [
      row.account_id,
      { id: row.id, deletedMs: row.deleted_ms, versions: [] },
    ])
  }
  // Versions of other owners, too: whoever comes next ends one's own.
  const rows = await db
    .selectFrom('resource_versions as v')
    .selectAll('v')
    .where('v.resource_id', 'in', (eb) =>
      eb
        .selectFrom('resource_versions as w')
        .select('w.resource_id')
        .where('w.account_id', 'in', accountIds),
    )
    .orderBy('v.resource_id')
    .orderBy('v.from_ms')
    .execute()
  const versions = new Map<string, BookFacts['resources'][number]['versions'][number][]>()
  for (const row of rows) {
    const list = versions.get(row.resource_id) ?? []
    list.push(versionShape.fromRow(row))
    versions.set(row.resource_id, list)
  }
  return owned.map((row) => [
    row.account_id,
    { id: row.id, deletedMs: row.deleted_ms, versions: versions.get(row.id) ?? [] },
  ])
}

function groupByAccount<T>(entries: Owned<T>): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const [accountId, value] of entries) {
    const list = groups.get(accountId) ?? []
    list.push(value)
    groups.set(accountId, list)
  }
  return groups
}
