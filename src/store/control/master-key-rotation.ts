import type { Kysely } from 'kysely'
import type { MasterKeys } from './master-key.ts'
import type { ControlDatabase } from './tables.ts'

/** Tables that keep sealed secrets, each under its row's id. */
const SEALED = ['keys', 'alert_endpoints'] as const

/**
 * Seals anew, under the current master key, every secret that a former one has sealed.
 *
 * Returns how many there were. After it, the former keys can leave the configuration.
 */
export async function resealKeys(
  db: Kysely<ControlDatabase>,
  masterKeys: MasterKeys,
): Promise<number> {
  let count = 0
  for (const table of SEALED) count += await resealTable(db, masterKeys, table)
  return count
}

async function resealTable(
  db: Kysely<ControlDatabase>,
  masterKeys: MasterKeys,
  table: (typeof SEALED)[number],
): Promise<number> {
  const stale = await db
    .selectFrom(table)
    .select('id')
    .where('master_key_id', '!=', masterKeys.currentId)
    .limit(1)
    .executeTakeFirst()
  if (stale === undefined) return 0
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .selectFrom(table)
      .select(['id', 'secret_sealed', 'master_key_id'])
      .where('master_key_id', '!=', masterKeys.currentId)
      .execute()
    for (const row of rows) {
      const secret = masterKeys.open({ keyId: row.master_key_id, text: row.secret_sealed }, row.id)
      const sealed = masterKeys.seal(secret, row.id)
      await trx
        .updateTable(table)
        .set({ secret_sealed: sealed.text, master_key_id: sealed.keyId })
        .where('id', '=', row.id)
        .execute()
    }
    return rows.length
  })
}
