import type { Kysely } from 'kysely'
import type { CatalogRows, CatalogStore, TrafficPackageFilter } from '../../catalog/ports.ts'
import type { AreaScope, MeterName, ResourceVersion } from '../../catalog/model.ts'
import type { EpochMs } from '../../core/clock.ts'
import { BILLING_REGIONS } from '../../meters/places.ts'
import { appendAudit } from './audit-log.ts'
import {
  accountShape,
  adminTokenShape,
  auditShape,
  brandShape,
  exclusivePackageShape,
  keyShape,
  projectShape,
  regionShape,
  resourceShape,
  sourceShape,
  spellingsWith,
  trafficPackageShape,
  versionShape,
} from './catalog-rows.ts'
import type { CatalogTables } from './catalog-tables.ts'
import type { MasterKeys } from './master-key.ts'
import { createShelf } from './shelf.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

const BY_CREATION = ['created_ms', 'id'] as const

/** Changes of these tables change whom usage belongs to. */
const ATTRIBUTING: ReadonlySet<keyof CatalogTables> = new Set(['projects', 'resources'])

/** The catalog's store, for what changes together with other areas of the control store. */
export interface ControlCatalogStore extends CatalogStore {
  /** Does what `change` does, and gives the work its transaction, too. */
  changeWith<T>(work: (rows: CatalogRows, trx: Db) => Promise<T>): Promise<T>
}

/** Reads up to where a book is closed, in the transaction of a change; null: nothing is. */
export type ClosedUntil = (db: Db, accountId: string, meter: MeterName) => Promise<EpochMs | null>

/** Keeps the catalog in the control store. `onChange` runs after every committed change. */
export function createCatalogStore(
  db: Db,
  masterKeys: MasterKeys,
  onChange: () => void,
  closedUntil: ClosedUntil = async () => null,
): ControlCatalogStore {
  const changeWith: ControlCatalogStore['changeWith'] = async (work) => {
    const result = await db.transaction().execute(async (trx) => {
      // First of all: on PostgreSQL this row is the lock that lets one change in at a time.
      await bumpRevision(trx, 'catalog')
      let attributing = false
      const rows = createCatalogRows(trx, masterKeys, closedUntil, (table) => {
        attributing ||= ATTRIBUTING.has(table)
      })
      const done = await work(rows, trx)
      if (attributing) await bumpRevision(trx, 'attribution')
      return done
    })
    onChange()
    return result
  }
  return {
    rows: createCatalogRows(db, masterKeys, closedUntil, () => undefined),
    change: (work) => changeWith((rows) => work(rows)),
    changeWith,
  }
}

async function bumpRevision(db: Db, name: 'catalog' | 'attribution'): Promise<void> {
  await db
    .updateTable('catalog_state')
    .set((is) => ({ revision: is('revision', '+', 1) }))
    .where('name', '=', name)
    .execute()
}

/** Reads a counter that grows with every change of the catalog, or of whom usage belongs to. */
export async function readRevision(db: Db, name: 'catalog' | 'attribution'): Promise<number> {
  const row = await db
    .selectFrom('catalog_state')
    .select('revision')
    .where('name', '=', name)
    .executeTakeFirstOrThrow()
  return row.revision
}

function createCatalogRows(
  db: Db,
  masterKeys: MasterKeys,
  closedUntil: ClosedUntil,
  onWrite: (table: keyof CatalogTables) => void,
): CatalogRows {
  return {
    ...ownerShelves(db, onWrite),
    ...accessShelves(db, masterKeys),
    regions: createShelf(db, regionShape, {
      table: 'regions',
      id: 'region',
      order: ['region_id', 'region'],
      filters: { region: 'region', regionId: 'region_id', isDefault: 'is_default' },
    }),
    trafficPackages: trafficPackageShelf(db),
    exclusivePackages: createShelf(db, exclusivePackageShape, {
      table: 'exclusive_packages',
      id: 'id',
      order: BY_CREATION,
      filters: { accountId: 'account_id', resourceId: 'resource_id', deletedMs: 'deleted_ms' },
    }),
    audit: auditShelf(db),
    versions: async (resourceId) => readVersions(db, resourceId),
    putVersion: async (version) => {
      onWrite('resources')
      await putVersion(db, version)
    },
    lastAccountNumber: async () => {
      const row = await db
        .selectFrom('accounts')
        .select((is) => is.fn.max<number | null>('number').as('number'))
        .executeTakeFirstOrThrow()
      return row.number ?? undefined
    },
    resourceCount: (projectId) => countResources(db, projectId),
    closedUntil: (accountId, meter) => closedUntil(db, accountId, meter),
  }
}

function trafficPackageShelf(db: Db): CatalogRows['trafficPackages'] {
  const shelf = createShelf(db, trafficPackageShape, {
    table: 'traffic_packages',
    id: 'id',
    // Draw-down follows the purchase; the packages of one purchase have different ids.
    order: ['purchased_ms', 'id'],
    filters: { accountId: 'account_id', meter: 'meter', area: 'areas', kind: 'kinds' },
  })
  // Asking for one word means every list that has it.
  const spelled = ({ area, kind, ...rest }: TrafficPackageFilter): object => ({
    ...rest,
    ...(area !== undefined && { area: spellingsWith(payingThere(area), SCOPES) }),
    ...(kind !== undefined && { kind: spellingsWith([kind], ['dynamic', 'static']) }),
  })
  return {
    ...shelf,
    list: (filter, page) => shelf.list(spelled(filter), page),
    find: (filter) => shelf.find(spelled(filter)),
  }
}

/** Words that areas of packages may have. */
const SCOPES: readonly AreaScope[] = [...BILLING_REGIONS, 'abroad-other']

/** A part of abroad is paid for by packages of all of it, too, and all of it by those of parts. */
function payingThere(area: AreaScope): readonly AreaScope[] {
  if (area === 'cn') return [area]
  if (area !== 'abroad') return [area, 'abroad']
  return SCOPES.filter((scope) => scope !== 'cn')
}

function ownerShelves(
  db: Db,
  onWrite: (table: keyof CatalogTables) => void,
): Pick<CatalogRows, 'brands' | 'accounts' | 'projects' | 'resources'> {
  const projects = createShelf(db, projectShape, {
    table: 'projects',
    id: 'id',
    order: BY_CREATION,
    filters: { accountId: 'account_id', name: 'name', isDefault: 'is_default' },
  })
  const resources = createShelf(db, resourceShape, {
    table: 'resources',
    id: 'id',
    order: BY_CREATION,
    filters: {
      accountId: 'account_id',
      projectId: 'project_id',
      meter: 'meter',
      name: 'name',
      region: 'region',
      payMode: 'pay_mode',
      deletedMs: 'deleted_ms',
    },
  })
  return {
    brands: createShelf(db, brandShape, {
      table: 'brands',
      id: 'id',
      order: BY_CREATION,
      filters: { name: 'name' },
    }),
    accounts: createShelf(db, accountShape, {
      table: 'accounts',
      id: 'id',
      order: BY_CREATION,
      filters: { brandId: 'brand_id', parentId: 'parent_id', name: 'name', number: 'number' },
    }),
    projects: watched(projects, () => onWrite('projects')),
    resources: watched(resources, () => onWrite('resources')),
  }
}

function accessShelves(
  db: Db,
  masterKeys: MasterKeys,
): Pick<CatalogRows, 'keys' | 'sources' | 'adminTokens'> {
  const keys = createShelf(db, keyShape, {
    table: 'keys',
    id: 'id',
    order: BY_CREATION,
    filters: { accountId: 'account_id', publicKey: 'public_key', active: 'active' },
  })
  const sources = createShelf(db, sourceShape, {
    table: 'sources',
    id: 'id',
    order: BY_CREATION,
    filters: { name: 'name', accountId: 'account_id', active: 'active' },
  })
  const adminTokens = createShelf(db, adminTokenShape, {
    table: 'admin_tokens',
    id: 'id',
    order: BY_CREATION,
    filters: { name: 'name', active: 'active' },
  })
  return {
    keys: {
      ...keys,
      insert: (key, { secret }) => {
        const sealed = masterKeys.seal(secret, key.id)
        return keys.insert(key, { secret_sealed: sealed.text, master_key_id: sealed.keyId })
      },
    },
    sources: {
      ...sources,
      insert: (source, { tokenHash }) => sources.insert(source, { token_hash: tokenHash }),
    },
    adminTokens: {
      ...adminTokens,
      insert: (token, { tokenHash }) => adminTokens.insert(token, { token_hash: tokenHash }),
    },
  }
}

function auditShelf(db: Db): CatalogRows['audit'] {
  const { list } = createShelf(db, auditShape, {
    table: 'audit_log',
    id: 'id',
    // The order of the chain: changes of one millisecond, and of a clock that was set back, too.
    order: ['sequence', 'id'],
    newestFirst: true,
    filters: { actor: 'actor', action: 'action', target: 'target' },
  })
  return { list, append: (draft) => appendAudit(db, draft) }
}

interface Writes<T> {
  insert(value: T): Promise<void>
  replace(value: T): Promise<void>
  remove(id: string): Promise<void>
}

/** The same shelf, telling of every write before it happens. */
function watched<T, S extends Writes<T>>(shelf: S & Writes<T>, onWrite: () => void): S & Writes<T> {
  return {
    ...shelf,
    insert: (value) => {
      onWrite()
      return shelf.insert(value)
    },
    replace: (value) => {
      onWrite()
      return shelf.replace(value)
    },
    remove: (id) => {
      onWrite()
      return shelf.remove(id)
    },
  }
}

/** Reads the versions of a resource, ascending. */
export async function readVersions(
  db: Db,
  resourceId: string,
): Promise<readonly ResourceVersion[]> {
  const rows = await db
    .selectFrom('resource_versions')
    .selectAll()
    .where('resource_id', '=', resourceId)
    .orderBy('from_ms')
    .execute()
  return rows.map((row) => versionShape.fromRow(row))
}

async function putVersion(db: Db, version: ResourceVersion): Promise<void> {
  const row = {
    resource_id: version.resourceId,
    from_ms: version.fromMs,
    account_id: version.accountId,
    project_id: version.projectId,
    pay_mode: version.payMode,
  }
  await db
    .insertInto('resource_versions')
    .values(row)
    .onConflict((conflict) => conflict.columns(['resource_id', 'from_ms']).doUpdateSet(row))
    .execute()
}

/** Counts the living resources of a project. */
export async function countResources(db: Db, projectId: string): Promise<number> {
  const row = await db
    .selectFrom('resources')
    .select((is) => is.fn.countAll<number>().as('count'))
    .where('project_id', '=', projectId)
    .where('deleted_ms', 'is', null)
    .executeTakeFirstOrThrow()
  return row.count
}
