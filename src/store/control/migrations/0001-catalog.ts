import { type CreateTableBuilder, type Kysely, sql } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** Tables of brands, accounts, keys, resources, packages, sources and the audit log. */
export const catalog: MigrationStep = {
  name: '0001-catalog',
  up: async (db) => {
    await createOwners(db)
    await createResources(db)
    await createPackages(db)
    await createAccess(db)
    await createState(db)
  },
}

function table(db: Db, name: string): CreateTableBuilder<string> {
  return db.schema.createTable(name).ifNotExists()
}

async function createOwners(db: Db): Promise<void> {
  await table(db, 'brands')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('hosts', 'text', (c) => c.notNull())
    .addColumn('radix_cn', 'integer', (c) => c.notNull())
    .addColumn('radix_abroad', 'integer', (c) => c.notNull())
    .addColumn('zone', 'text', (c) => c.notNull())
    .addColumn('response_aliases', 'integer', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .execute()
  await table(db, 'accounts')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('number', 'integer', (c) => c.notNull().unique())
    .addColumn('brand_id', 'text', (c) => c.notNull().references('brands.id'))
    .addColumn('parent_id', 'text', (c) => c.references('accounts.id'))
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('email', 'text', (c) => c.notNull())
    .addColumn('zone', 'text', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .execute()
  await table(db, 'projects')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('is_default', 'integer', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('projects_name', ['account_id', 'name'])
    .execute()
  // At most one default project per account; that there is one is the writer's rule.
  await db.schema
    .createIndex('projects_default')
    .ifNotExists()
    .unique()
    .on('projects')
    .column('account_id')
    .where(sql.ref('is_default'), '=', sql.lit(1))
    .execute()
}

async function createResources(db: Db): Promise<void> {
  await table(db, 'regions')
    .addColumn('region', 'text', (c) => c.primaryKey())
    .addColumn('region_id', 'integer', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('is_default', 'integer', (c) => c.notNull())
    .addColumn('zones', 'text', (c) => c.notNull())
    .execute()
  await table(db, 'resources')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('project_id', 'text', (c) => c.notNull().references('projects.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('name_scope', 'text', (c) => c.notNull())
    .addColumn('region', 'text', (c) => c.notNull())
    .addColumn('zone', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('gateway_type', 'integer', (c) => c.notNull())
    .addColumn('pay_mode', 'text', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addColumn('deleted_ms', 'bigint')
    .execute()
  // A name may be taken again once its former bearer is deleted.
  await db.schema
    .createIndex('resources_living_name')
    .ifNotExists()
    .unique()
    .on('resources')
    .columns(['meter', 'name', 'name_scope'])
    .where(sql.ref('deleted_ms'), 'is', null)
    .execute()
  await index(db, 'resources', ['account_id'])
  await index(db, 'resources', ['project_id'])
  await index(db, 'resources', ['created_ms', 'id'])
  await table(db, 'resource_versions')
    .addColumn('resource_id', 'text', (c) => c.notNull().references('resources.id'))
    .addColumn('from_ms', 'bigint', (c) => c.notNull())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('project_id', 'text', (c) => c.notNull().references('projects.id'))
    .addColumn('pay_mode', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('resource_versions_key', ['resource_id', 'from_ms'])
    .execute()
}

async function createPackages(db: Db): Promise<void> {
  await table(db, 'traffic_packages')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('area', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('purchased_ms', 'bigint', (c) => c.notNull())
    .addColumn('start_ms', 'bigint', (c) => c.notNull())
    .addColumn('end_ms', 'bigint')
    .execute()
  await index(db, 'traffic_packages', ['account_id'])
  await table(db, 'exclusive_packages')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('resource_id', 'text', (c) => c.notNull().unique().references('resources.id'))
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('reset_policy', 'text', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .execute()
}

async function createAccess(db: Db): Promise<void> {
  await table(db, 'keys')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('public_key', 'text', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('dialect', 'text', (c) => c.notNull())
    .addColumn('active', 'integer', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addColumn('secret_sealed', 'text', (c) => c.notNull())
    .addColumn('master_key_id', 'text', (c) => c.notNull())
    .execute()
  await index(db, 'keys', ['account_id'])
  await table(db, 'sources')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('meters', 'text', (c) => c.notNull())
    .addColumn('account_id', 'text', (c) => c.references('accounts.id'))
    .addColumn('active', 'integer', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .execute()
  await table(db, 'admin_tokens')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('active', 'integer', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addColumn('token_hash', 'text', (c) => c.notNull().unique())
    .execute()
}

async function createState(db: Db): Promise<void> {
  await table(db, 'audit_log')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .execute()
  await index(db, 'audit_log', ['at_ms', 'id'])
  await table(db, 'catalog_state')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('revision', 'bigint', (c) => c.notNull())
    .execute()
  for (const name of ['catalog', 'attribution']) {
    await db
      .insertInto('catalog_state')
      .values({ name, revision: 1 })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
  }
}

async function index(db: Db, name: string, columns: readonly string[]): Promise<void> {
  await db.schema
    .createIndex(`${name}_${columns.join('_')}`)
    .ifNotExists()
    .on(name)
    .columns([...columns])
    .execute()
}
