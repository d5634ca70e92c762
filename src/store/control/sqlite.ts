import Libsql from 'libsql'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { assert } from '../../core/errors.ts'

/** How long a statement waits for another process that is writing the same file. */
const BUSY_TIMEOUT_MS = 5000
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

type Cell = string | number | bigint | Uint8Array | null

/**
 * Lets Kysely speak to a SQLite file through libsql.
 *
 * One connection per file: a transaction owns it until it ends, everybody else waits in turn. So
 * inside a transaction only the transaction's own handle may be used.
 *
 * Shape: integers come back as number while they are exact, as bigint beyond 2^53.
 */
export function createSqliteDialect(path: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createSqliteDriver(path),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

function openFile(path: string): Libsql.Database {
  const file = new Libsql(path)
  // FULL: a commit survives power loss; WAL alone would only survive a killed process.
  file.pragma('journal_mode = WAL')
  file.pragma('synchronous = FULL')
  file.pragma('foreign_keys = ON')
  file.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`)
  file.defaultSafeIntegers(true)
  return file
}

function createSqliteDriver(path: string): Driver {
  let file: Libsql.Database | undefined
  let connection: DatabaseConnection | undefined
  const turns = createTurns()
  return {
    init: async () => {
      file = openFile(path)
      connection = createConnection(file)
    },
    acquireConnection: async () => {
      await turns.take()
      assert(connection !== undefined, 'the SQLite driver is used before init or after destroy')
      return connection
    },
    releaseConnection: async () => turns.pass(),
    // IMMEDIATE: a deferred transaction that reads, then writes, fails when another process wrote
    // between.
    beginTransaction: (active) => run(active, 'begin immediate'),
    commitTransaction: (active) => run(active, 'commit'),
    rollbackTransaction: (active) => run(active, 'rollback'),
    destroy: async () => {
      connection = undefined
      file?.close()
      file = undefined
    },
  }
}

async function run(connection: DatabaseConnection, sql: string): Promise<void> {
  await connection.executeQuery(CompiledQuery.raw(sql))
}

/** A queue of one: `take` resolves when everybody before has called `pass`. */
function createTurns(): { take(): Promise<void>; pass(): void } {
  let busy = false
  const waiting: (() => void)[] = []
  return {
    take: () => {
      if (!busy) {
        busy = true
        return Promise.resolve()
      }
      return new Promise((resolve) => waiting.push(resolve))
    },
    pass: () => {
      const next = waiting.shift()
      if (next === undefined) busy = false
      else next()
    },
  }
}

function createConnection(file: Libsql.Database): DatabaseConnection {
  const prepare = createPreparer(file)
  return {
    executeQuery: async <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
      const statement = prepare(query.sql)
      const cells = query.parameters.map(toCell)
      if (statement.reader) {
        const rows = (statement.all(cells) as Record<string, unknown>[]).map(fromCells)
        return { rows: rows as R[] }
      }
      const { changes } = statement.run(cells)
      return { rows: [], numAffectedRows: BigInt(changes) }
    },
    streamQuery: () => {
      throw new Error('streams are not used on SQLite: nobody else could use the file meanwhile')
    },
  }
}

/** Preparing takes longer than running most statements do, and there are few different ones. */
const STATEMENTS_MAX = 300
/** Long ones insert as many rows as there happen to be; they hardly ever come again. */
const STATEMENT_LENGTH_MAX = 4000

function createPreparer(file: Libsql.Database): (sql: string) => Libsql.Statement {
  let known = new Map<string, Libsql.Statement>()
  return (sql) => {
    const found = known.get(sql)
    if (found !== undefined) return found
    const statement = file.prepare(sql)
    // A change of the schema makes what was prepared before it useless.
    if (/^\s*(?:create|alter|drop|pragma)/i.test(sql)) known = new Map()
    else if (sql.length <= STATEMENT_LENGTH_MAX) {
      if (known.size >= STATEMENTS_MAX) known = new Map()
      known.set(sql, statement)
    }
    return statement
  }
}

/**
 * Checks a bound value before it reaches native code, which ends the whole process on a boolean and
 * on integers beyond 64 bits, and stores NaN as NULL.
 */
function toCell(value: unknown): Cell {
  if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number') {
    assert(Number.isFinite(value), `${value} is no number that SQLite can keep`)
    return value
  }
  assert(typeof value === 'bigint', `a value of type ${typeof value} cannot be bound`)
  assert(value >= INT64_MIN && value <= INT64_MAX, `${value} does not fit into 64 bits`)
  return value
}

function fromCells(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row)) {
    if (typeof value === 'bigint') row[name] = narrowInteger(value)
    else if (value instanceof ArrayBuffer) row[name] = Buffer.from(value)
  }
  return row
}

/** Turns a 64-bit integer into a number where that is exact, and leaves it a bigint elsewhere. */
export function narrowInteger(value: bigint): number | bigint {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value
}
