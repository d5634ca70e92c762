import { type Kysely, sql } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** Refilling volumes that were taken away stay, with their end; an address has one at a time. */
export const exclusiveEnds: MigrationStep = {
  name: '0012-exclusive-ends',
  up: async (db) => {
    const tables = await db.introspection.getTables()
    const packages = tables.find(({ name }) => name === 'exclusive_packages')
    if (packages?.columns.some(({ name }) => name === 'deleted_ms') !== true) await rebuild(db)
    await createIndexes(db)
  },
}

// A new table: SQLite cannot take back that a resource was in it once only.
async function rebuild(db: Db): Promise<void> {
  await db.schema
    .createTable('exclusive_packages_ending')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('resource_id', 'text', (c) => c.notNull().references('resources.id'))
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('reset_policy', 'text', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addColumn('deleted_ms', 'bigint')
    .execute()
  // Until now the volume of an address that was deleted lived on.
  await sql`
    insert into exclusive_packages_ending
      (id, account_id, resource_id, size_bytes, reset_policy, created_ms, deleted_ms)
    select p.id, p.account_id, p.resource_id, p.size_bytes, p.reset_policy, p.created_ms,
      case when r.deleted_ms < p.created_ms then p.created_ms else r.deleted_ms end
    from exclusive_packages as p
    inner join resources as r on r.id = p.resource_id`.execute(db)
  await db.schema.dropTable('exclusive_packages').execute()
  await db.schema.alterTable('exclusive_packages_ending').renameTo('exclusive_packages').execute()
}

async function createIndexes(db: Db): Promise<void> {
  await db.schema
    .createIndex('exclusive_packages_living')
    .ifNotExists()
    .unique()
    .on('exclusive_packages')
    .column('resource_id')
    .where(sql<number | null>`deleted_ms`, 'is', null)
    .execute()
  await db.schema
    .createIndex('exclusive_packages_account_id')
    .ifNotExists()
    .on('exclusive_packages')
    .column('account_id')
    .execute()
}
