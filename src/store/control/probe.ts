import { existsSync } from 'node:fs'
import { Kysely, sql } from 'kysely'
import { createPostgresDialect } from './postgres.ts'
import { createSqliteDialect } from './sqlite.ts'

/**
 * Asks the database for its version. Makes neither files nor tables.
 *
 * Shape: a SQLite file that does not exist yet is answered for by one in memory.
 * Errors: whatever the driver throws.
 */
export async function probeControlStore(location: string): Promise<string> {
  const isPostgres = /^postgres(ql)?:\/\//.test(location)
  const db = new Kysely<object>({
    dialect: isPostgres
      ? createPostgresDialect(location)
      : createSqliteDialect(existsSync(location) ? location : ':memory:'),
  })
  try {
    const query = isPostgres
      ? sql<{ version: string }>`select split_part(version(), ' ', 2) as version`
      : sql<{ version: string }>`select sqlite_version() as version`
    const { rows } = await query.execute(db)
    return `${isPostgres ? 'PostgreSQL' : 'SQLite'} ${rows[0]?.version ?? ''}`
  } finally {
    await db.destroy()
  }
}
