import { createHash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { CatalogReader, Credential } from '../../api/operations/ports.ts'
import type {
  Account,
  AdminToken,
  Attribution,
  Brand,
  MeterName,
  Resource,
  Source,
} from '../../catalog/model.ts'
import { assert } from '../../core/errors.ts'
import {
  accountShape,
  adminTokenShape,
  brandShape,
  exclusivePackageShape,
  keyShape,
  projectShape,
  regionShape,
  resourceShape,
  sourceShape,
  trafficPackageShape,
} from './catalog-rows.ts'
import { countResources, readVersions } from './catalog-store.ts'
import type { MasterKeys } from './master-key.ts'
import type { Memo } from './memo.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

/** What ingest and the admin API read: who a bearer token belongs to. */
export interface TokenReader {
  /** The active source with this ingest token; undefined when unknown or revoked. */
  sourceOfToken(token: string): Promise<Source | undefined>
  /** The active admin token; undefined when unknown or revoked. */
  adminOfToken(token: string): Promise<AdminToken | undefined>
}

/**
 * Answers the operations' questions about the catalog from memory, as fresh as the memo.
 *
 * A deleted resource is found by its id, so that its past can still be asked for, not by its name.
 */
export function createCatalogReader(
  db: Db,
  masterKeys: MasterKeys,
  memo: Memo,
): CatalogReader & TokenReader {
  return {
    brandOf: async (host) => {
      const { byHost, fallback } = await memo.recall('brands', () => readBrands(db))
      const brand = byHost.get(host) ?? fallback
      assert(brand !== undefined, 'the catalog has no brand; it makes one when it starts')
      return brand
    },
    credential: (publicKey) =>
      memo.recall(tuple('credential', publicKey), () => readCredential(db, masterKeys, publicKey)),
    account: (id) => memo.recall(tuple('account', id), () => readAccount(db, id)),
    projects: (account) => {
      const ownerId = rootOf(account)
      return memo.recall(tuple('projects', ownerId), () => readProjects(db, ownerId))
    },
    resource: (account, meter, idOrName) => {
      const ownerId = rootOf(account)
      return memo.recall(tuple('resource', ownerId, meter, idOrName), () =>
        readResource(db, ownerId, meter, idOrName),
      )
    },
    resourceVersions: (resourceId) =>
      memo.recall(tuple('versions', resourceId), () => readVersions(db, resourceId)),
    resourceCount: (projectId) =>
      memo.recall(tuple('count', projectId), () => countResources(db, projectId)),
    regions: () => memo.recall('regions', () => readRegions(db)),
    trafficPackages: (accountId) =>
      memo.recall(tuple('packages', accountId), () => readTrafficPackages(db, accountId)),
    exclusivePackage: (resourceId) =>
      memo.recall(tuple('exclusive', resourceId), () => readExclusivePackage(db, resourceId)),
    sourceOfToken: (token) => {
      const hash = hashOf(token)
      return memo.recall(tuple('source', hash), () => readSource(db, hash))
    },
    adminOfToken: (token) => {
      const hash = hashOf(token)
      return memo.recall(tuple('admin', hash), () => readAdminToken(db, hash))
    },
  }
}

/** A key that parts cannot forge: what they contain is quoted. */
function tuple(...parts: readonly string[]): string {
  return JSON.stringify(parts)
}

function rootOf(account: Account): string {
  return account.parentId ?? account.id
}

// Looked up by hash: how long the lookup takes says nothing about the token.
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

interface BrandIndex {
  readonly byHost: ReadonlyMap<string, Brand>
  readonly fallback: Brand | undefined
}

async function readBrands(db: Db): Promise<BrandIndex> {
  const rows = await db
    .selectFrom('brands')
    .selectAll()
    .orderBy('created_ms')
    .orderBy('id')
    .execute()
  const brands = rows.map((row) => brandShape.fromRow(row))
  const byHost = new Map<string, Brand>()
  for (const brand of brands) for (const host of brand.hosts) byHost.set(host, brand)
  return { byHost, fallback: brands.find((brand) => brand.hosts.length === 0) ?? brands[0] }
}

async function readCredential(
  db: Db,
  masterKeys: MasterKeys,
  publicKey: string,
): Promise<Credential | undefined> {
  const row = await db
    .selectFrom('keys')
    .selectAll()
    .where('public_key', '=', publicKey)
    .where('active', '=', 1)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const owner = await db
    .selectFrom('accounts')
    .selectAll()
    .where('id', '=', row.account_id)
    .executeTakeFirstOrThrow()
  const sealed = { keyId: row.master_key_id, text: row.secret_sealed }
  return {
    key: keyShape.fromRow(row),
    secret: masterKeys.open(sealed, row.id),
    account: accountShape.fromRow(owner),
  }
}

async function readAccount(db: Db, id: string): Promise<Account | undefined> {
  const row = await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
  return row === undefined ? undefined : accountShape.fromRow(row)
}

async function readProjects(db: Db, accountId: string) {
  const rows = await db
    .selectFrom('projects')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('created_ms')
    .orderBy('id')
    .execute()
  return rows.map((row) => projectShape.fromRow(row))
}

async function readResource(
  db: Db,
  accountId: string,
  meter: MeterName,
  idOrName: string,
): Promise<Resource | undefined> {
  const row = await db
    .selectFrom('resources')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('meter', '=', meter)
    .where((is) =>
      is.or([
        is('id', '=', idOrName),
        is.and([is('name', '=', idOrName), is('deleted_ms', 'is', null)]),
      ]),
    )
    .executeTakeFirst()
  return row === undefined ? undefined : resourceShape.fromRow(row)
}

async function readRegions(db: Db) {
  const rows = await db
    .selectFrom('regions')
    .selectAll()
    .orderBy('region_id')
    .orderBy('region')
    .execute()
  return rows.map((row) => regionShape.fromRow(row))
}

async function readTrafficPackages(db: Db, accountId: string) {
  const rows = await db
    .selectFrom('traffic_packages')
    .selectAll()
    .where('account_id', '=', accountId)
    .orderBy('purchased_ms')
    .orderBy('id')
    .execute()
  return rows.map((row) => trafficPackageShape.fromRow(row))
}

async function readExclusivePackage(db: Db, resourceId: string) {
  const row = await db
    .selectFrom('exclusive_packages')
    .selectAll()
    .where('resource_id', '=', resourceId)
    .where('deleted_ms', 'is', null)
    .executeTakeFirst()
  return row === undefined ? undefined : exclusivePackageShape.fromRow(row)
}

async function readSource(db: Db, tokenHash: string): Promise<Source | undefined> {
  const row = await db
    .selectFrom('sources')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('active', '=', 1)
    .executeTakeFirst()
  return row === undefined ? undefined : sourceShape.fromRow(row)
}

async function readAdminToken(db: Db, tokenHash: string): Promise<AdminToken | undefined> {
  const row = await db
    .selectFrom('admin_tokens')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('active', '=', 1)
    .executeTakeFirst()
  return row === undefined ? undefined : adminTokenShape.fromRow(row)
}

/**
 * Lists to whom every resource's usage belongs, from its first version to the end of its life.
 *
 * Shape: ordered by meter, name, then time; a version that ended before it began is left out.
 */
export async function readAttributions(db: Db): Promise<readonly Attribution[]> {
  const rows = await db
    .selectFrom('resource_versions as v')
    .innerJoin('resources as r', 'r.id', 'v.resource_id')
    .select([
      'r.meter',
      'r.id',
      'r.name',
      'v.account_id',
      'v.project_id',
      'r.kind',
      'r.gateway_type',
      'v.pay_mode',
      'r.region',
      'v.from_ms',
      'r.deleted_ms',
    ])
    .orderBy('r.meter')
    .orderBy('r.name')
    .orderBy('r.created_ms')
    .orderBy('r.id')
    .orderBy('v.from_ms')
    .execute()
  const attributions: Attribution[] = []
  for (const [index, row] of rows.entries()) {
    const next = rows[index + 1]
    const toMs = next?.id === row.id ? next.from_ms : row.deleted_ms
    if (toMs !== null && toMs <= row.from_ms) continue
    attributions.push({
      meter: row.meter as MeterName,
      resourceId: row.id,
      name: row.name,
      accountId: row.account_id,
      projectId: row.project_id,
      kind: row.kind as Attribution['kind'],
      gatewayType: row.gateway_type as Attribution['gatewayType'],
      payMode: row.pay_mode as Attribution['payMode'],
      region: row.region,
      fromMs: row.from_ms,
      toMs,
    })
  }
  return attributions
}
