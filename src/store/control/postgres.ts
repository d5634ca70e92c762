import { Pool, types } from 'pg'
import { type Dialect, PostgresDialect } from 'kysely'
import { narrowInteger } from './sqlite.ts'

const CONNECTIONS_MAX = 10

/**
 * Lets Kysely speak to PostgreSQL through a small pool.
 *
 * Shape: as in SQLite, 64-bit integers come back as number while exact, as bigint beyond 2^53.
 */
export function createPostgresDialect(
  url: string,
  onIdleError: (error: Error) => void = () => undefined,
): Dialect {
  const pool = new Pool({
    connectionString: url,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: 10_000,
    types: {
      getTypeParser: (oid, format) =>
        oid === types.builtins.INT8 && format !== 'binary'
          ? (text: string) => narrowInteger(BigInt(text))
          : types.getTypeParser(oid, format),
    },
  })
  // An idle connection that the server ends is replaced on the next query; unheard, it would end
  // us.
  pool.on('error', onIdleError)
  return new PostgresDialect({ pool })
}
