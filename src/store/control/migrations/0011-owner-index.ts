import type { MigrationStep } from '../migrate.ts'

/** Finds what was ever an account's: its book is read with every balance. */
export const ownerIndex: MigrationStep = {
  name: '0011-owner-index',
  up: async (db) => {
    await db.schema
      .createIndex('resource_versions_account_id')
      .ifNotExists()
      .on('resource_versions')
      .columns(['account_id', 'resource_id'])
      .execute()
  },
}
