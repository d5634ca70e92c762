import type { Kysely } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

const TABLE = 'traffic_packages'

/**
 * Lets a package have several areas and kinds, and all other terms that the books know.
 *
 * What a row says stays: one word is a list of one, and the new columns say what was implied.
 */
export const packageTerms: MigrationStep = {
  name: '0005-package-terms',
  up: async (db) => {
    const columns = await columnsOf(db)
    for (const [from, to] of [
      ['area', 'areas'],
      ['kind', 'kinds'],
    ] as const) {
      if (!columns.has(to)) await db.schema.alterTable(TABLE).renameColumn(from, to).execute()
    }
    const add = async (name: string, type: 'text' | 'integer' | 'bigint', fallback?: string) => {
      if (columns.has(name)) return
      await db.schema
        .alterTable(TABLE)
        .addColumn(name, type, (c) =>
          fallback === undefined ? c : c.notNull().defaultTo(fallback),
        )
        .execute()
    }
    await add('meter', 'text', 'cdn')
    await add('project_ids', 'text')
    await add('resource_ids', 'text')
    await add('windows', 'text', '[]')
    await add('first_use_months', 'integer')
    await add('paid_amount', 'text')
    await add('paid_currency', 'text')
    await add('refunded_ms', 'bigint')
    await add('refund_amount', 'text')
    await add('offer', 'text')
  },
}

async function columnsOf(db: Kysely<ControlDatabase>): Promise<ReadonlySet<string>> {
  const tables = await db.introspection.getTables()
  const table = tables.find(({ name }) => name === TABLE)
  return new Set(table?.columns.map(({ name }) => name))
}
