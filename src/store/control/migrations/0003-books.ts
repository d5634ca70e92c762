import type { MigrationStep } from '../migrate.ts'

/** Table of closed billing days: what was billed, for good. */
export const books: MigrationStep = {
  name: '0003-books',
  up: async (db) => {
    await db.schema
      .createTable('closed_days')
      .ifNotExists()
      .addColumn('resource_id', 'text', (c) => c.notNull())
      .addColumn('start_ms', 'bigint', (c) => c.notNull())
      .addColumn('end_ms', 'bigint', (c) => c.notNull())
      .addColumn('bytes', 'bigint', (c) => c.notNull())
      .addColumn('quantity_gb', 'bigint', (c) => c.notNull())
      .addColumn('charged', 'integer', (c) => c.notNull())
      .addColumn('closed_ms', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('closed_days_key', ['resource_id', 'start_ms'])
      .execute()
  },
}
