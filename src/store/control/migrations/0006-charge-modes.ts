import type { Kysely } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** Tables of rule packs, and of which account was billed by which of them since when. */
export const chargeModes: MigrationStep = {
  name: '0006-charge-modes',
  up: async (db) => {
    await createRulePacks(db)
    await createChargeModes(db)
  },
}

async function createRulePacks(db: Db): Promise<void> {
  await db.schema
    .createTable('rule_packs')
    .ifNotExists()
    .addColumn('hash', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('version', 'text', (c) => c.notNull())
    .addColumn('content', 'text', (c) => c.notNull())
    .addColumn('recorded_ms', 'bigint', (c) => c.notNull())
    // What a bill calls "my-cdn 2" is one thing for ever.
    .addUniqueConstraint('rule_packs_version', ['name', 'version'])
    .execute()
}

async function createChargeModes(db: Db): Promise<void> {
  await db.schema
    .createTable('charge_modes')
    .ifNotExists()
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('from_ms', 'bigint', (c) => c.notNull())
    .addColumn('requested_ms', 'bigint', (c) => c.notNull())
    .addColumn('pack_hash', 'text', (c) => c.notNull().references('rule_packs.hash'))
    .addColumn('groups', 'text', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .execute()
  // Histories are read by book, or of all books of a meter.
  await db.schema
    .createIndex('charge_modes_by_book')
    .ifNotExists()
    .on('charge_modes')
    .columns(['meter', 'account_id', 'from_ms'])
    .execute()
}
