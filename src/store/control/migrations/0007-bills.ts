import type { Kysely } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** Tables of books, what is kept of them, and the days of elastic IPs that they closed. */
export const bills: MigrationStep = {
  name: '0007-bills',
  up: async (db) => {
    await createBooks(db)
    await createRecords(db)
    await createAddressDays(db)
    await db.schema
      .createTable('late_marks')
      .ifNotExists()
      .addColumn('meter', 'text', (c) => c.primaryKey())
      .addColumn('batch', 'bigint', (c) => c.notNull())
      .execute()
  },
}

async function createBooks(db: Db): Promise<void> {
  await db.schema
    .createTable('books')
    .ifNotExists()
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('zone', 'text', (c) => c.notNull())
    .addColumn('start_ms', 'bigint', (c) => c.notNull())
    .addColumn('closed_until_ms', 'bigint', (c) => c.notNull())
    .addColumn('billed_until_ms', 'bigint', (c) => c.notNull())
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('books_key', ['meter', 'account_id'])
    .execute()
}

async function createRecords(db: Db): Promise<void> {
  await db.schema
    .createTable('book_records')
    .ifNotExists()
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('ref', 'text', (c) => c.notNull())
    .addColumn('start_ms', 'bigint', (c) => c.notNull())
    .addColumn('month', 'text', (c) => c.notNull())
    .addColumn('content', 'text', (c) => c.notNull())
    .addColumn('summary', 'text')
    .addColumn('previous_hash', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('closed_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('book_records_key', ['account_id', 'meter', 'sequence'])
    // A day is closed once, a month is billed once, the same late usage is adjusted once.
    .addUniqueConstraint('book_records_once', ['account_id', 'meter', 'kind', 'ref'])
    .execute()
  await db.schema
    .createIndex('book_records_by_start')
    .ifNotExists()
    .on('book_records')
    .columns(['account_id', 'meter', 'kind', 'start_ms'])
    .execute()
  await db.schema
    .createIndex('book_records_by_month')
    .ifNotExists()
    .on('book_records')
    .columns(['kind', 'month', 'account_id', 'meter'])
    .execute()
}

async function createAddressDays(db: Db): Promise<void> {
  await db.schema
    .createTable('address_days')
    .ifNotExists()
    .addColumn('account_id', 'text', (c) => c.notNull())
    .addColumn('resource_id', 'text', (c) => c.notNull())
    .addColumn('start_ms', 'bigint', (c) => c.notNull())
    .addColumn('end_ms', 'bigint', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('quantity_gb', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('address_days_key', ['account_id', 'resource_id', 'start_ms'])
    .execute()
  // Days that were closed before there were books belong to whom the address belongs now.
  await db
    .insertInto('address_days')
    .columns(['account_id', 'resource_id', 'start_ms', 'end_ms', 'bytes', 'quantity_gb'])
    .expression(
      db
        .selectFrom('closed_days as d')
        .innerJoin('resources as r', 'r.id', 'd.resource_id')
        .select([
          'r.account_id',
          'd.resource_id',
          'd.start_ms',
          'd.end_ms',
          'd.bytes',
          'd.quantity_gb',
        ])
        .where('d.charged', '=', 1),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
