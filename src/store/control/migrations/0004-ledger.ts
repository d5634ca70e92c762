import type { Kysely } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** Tables of the double-entry ledger of package bytes and of money. */
export const ledger: MigrationStep = {
  name: '0004-ledger',
  up: async (db) => {
    await createHeads(db)
    await createPostings(db)
    await createLegs(db)
    await createBalances(db)
  },
}

async function createHeads(db: Db): Promise<void> {
  await db.schema
    .createTable('ledger_heads')
    .ifNotExists()
    .addColumn('account_id', 'text', (c) => c.primaryKey())
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute()
}

async function createPostings(db: Db): Promise<void> {
  await db.schema
    .createTable('ledger_postings')
    .ifNotExists()
    .addColumn('account_id', 'text', (c) => c.notNull().references('ledger_heads.account_id'))
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('unit', 'text', (c) => c.notNull())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('previous_hash', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('recorded_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('ledger_postings_key', ['account_id', 'sequence'])
    .addUniqueConstraint('ledger_postings_once', ['account_id', 'key'])
    .execute()
}

// Amounts are decimal text: nano-currency may exceed 64 bits, and no sum is made in SQL.
async function createLegs(db: Db): Promise<void> {
  await db.schema
    .createTable('ledger_legs')
    .ifNotExists()
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('ledger_account', 'text', (c) => c.notNull())
    .addColumn('amount', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('ledger_legs_key', ['account_id', 'sequence', 'ledger_account'])
    .addForeignKeyConstraint('ledger_legs_posting', ['account_id', 'sequence'], 'ledger_postings', [
      'account_id',
      'sequence',
    ])
    .execute()
}

async function createBalances(db: Db): Promise<void> {
  await db.schema
    .createTable('ledger_balances')
    .ifNotExists()
    .addColumn('account_id', 'text', (c) => c.notNull().references('ledger_heads.account_id'))
    .addColumn('unit', 'text', (c) => c.notNull())
    .addColumn('ledger_account', 'text', (c) => c.notNull())
    .addColumn('amount', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('ledger_balances_key', ['account_id', 'unit', 'ledger_account'])
    .execute()
}
