import type { Kysely } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** Tables of alerts, of webhook endpoints, and of what is to be delivered to whom. */
export const alerts: MigrationStep = {
  name: '0008-alerts',
  up: async (db) => {
    await createEndpoints(db)
    await createAlerts(db)
    await createDeliveries(db)
    await createAttempts(db)
  },
}

async function createEndpoints(db: Db): Promise<void> {
  await db.schema
    .createTable('alert_endpoints')
    .ifNotExists()
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('url', 'text', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addColumn('secret_sealed', 'text', (c) => c.notNull())
    .addColumn('master_key_id', 'text', (c) => c.notNull())
    .execute()
}

// Limits are decimal text: billionths of a currency unit may exceed 64 bits.
async function createAlerts(db: Db): Promise<void> {
  await db.schema
    .createTable('alerts')
    .ifNotExists()
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('account_id', 'text', (c) => c.notNull().references('accounts.id'))
    .addColumn('meter', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('watch', 'text', (c) => c.notNull())
    .addColumn('threshold', 'text', (c) => c.notNull())
    .addColumn('recovery', 'text', (c) => c.notNull())
    .addColumn('endpoints', 'text', (c) => c.notNull())
    .addColumn('emails', 'text', (c) => c.notNull())
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    .addColumn('phase', 'text', (c) => c.notNull())
    .addColumn('period_ms', 'bigint')
    .addColumn('as_of_ms', 'bigint')
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('value', 'text')
    .execute()
  // Lists are paged by creation.
  await db.schema
    .createIndex('alerts_by_creation')
    .ifNotExists()
    .on('alerts')
    .columns(['created_ms', 'id'])
    .execute()
}

async function createDeliveries(db: Db): Promise<void> {
  await db.schema
    .createTable('alert_deliveries')
    .ifNotExists()
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('alert_id', 'text', (c) => c.notNull())
    .addColumn('notification_id', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('body', 'text', (c) => c.notNull())
    .addColumn('recipient_type', 'text', (c) => c.notNull())
    .addColumn('recipient', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('next_ms', 'bigint', (c) => c.notNull())
    .addColumn('claim', 'text')
    .addColumn('reason', 'text')
    .addColumn('created_ms', 'bigint', (c) => c.notNull())
    // Whatever goes wrong, nobody is told one thing twice.
    .addUniqueConstraint('alert_deliveries_once', [
      'notification_id',
      'recipient_type',
      'recipient',
    ])
    .execute()
  // What is due; waiting rows are few among many.
  await db.schema
    .createIndex('alert_deliveries_due')
    .ifNotExists()
    .on('alert_deliveries')
    .columns(['state', 'next_ms'])
    .execute()
  // History, newest first, of all and of one alert.
  await db.schema
    .createIndex('alert_deliveries_by_creation')
    .ifNotExists()
    .on('alert_deliveries')
    .columns(['created_ms', 'id'])
    .execute()
  await db.schema
    .createIndex('alert_deliveries_of_alert')
    .ifNotExists()
    .on('alert_deliveries')
    .columns(['alert_id', 'created_ms', 'id'])
    .execute()
}

async function createAttempts(db: Db): Promise<void> {
  await db.schema
    .createTable('alert_attempts')
    .ifNotExists()
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('delivery_id', 'text', (c) =>
      c.notNull().references('alert_deliveries.id').onDelete('cascade'),
    )
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .execute()
  await db.schema
    .createIndex('alert_attempts_of_delivery')
    .ifNotExists()
    .on('alert_attempts')
    .columns(['delivery_id', 'at_ms'])
    .execute()
}
