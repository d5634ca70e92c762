import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ClickHouseClient } from '@clickhouse/client'
import { AppError } from '../../core/errors.ts'
import { bindLiterals, type Parameters } from './bind.ts'
import { toAppError } from './engine-errors.ts'
import { createPool } from './query-pool.ts'
import { quote, type Topology } from './render.ts'

/** A file whose lines a load reads; all in one directory, lines end with LF, the last one too. */
export interface LineFile {
  readonly path: string
  /** Position of its first line within the load. */
  readonly firstPosition: number
}

/** How a load statement refers to the lines it reads. */
export interface LineSource {
  /** Table expression with the String column `line`. */
  readonly from: string
  /** Expression: UInt64 position of the line within the load, from 0. */
  readonly position: string
  /** What ends an INSERT … SELECT that reads it; streams name their format there. */
  readonly suffix: string
}

/** The one seam to the engine: the same statements, in this process or over the wire. */
export interface Engine {
  readonly topology: Topology
  /** Runs a statement that answers nothing, on a connection that queries do not use. */
  command(sql: string, options?: { parameters?: Parameters; queryId?: string }): Promise<void>
  /** Runs a query and parses its rows. 64-bit integers arrive as strings. */
  rows<Row>(sql: string, parameters?: Parameters): Promise<Row[]>
  /**
   * Runs a query that ends with its own FORMAT clause and returns the text as the engine wrote it.
   */
  text(sql: string, parameters?: Parameters): Promise<string>
  /** Runs an INSERT … SELECT over the lines of local files. */
  loadLines(render: (source: LineSource) => string, files: readonly LineFile[]): Promise<void>
  /**
   * Runs a query and writes its rows into a Parquet file that is not there yet.
   *
   * Errors: as a query's; what was written of the file stays.
   */
  writeParquet(path: string, sql: string, parameters?: Parameters): Promise<void>
  /** Inserts tab-separated text into a table. */
  insertTsv(table: string, columns: readonly string[], path: string): Promise<void>
  /**
   * Lets queries, for which somebody is waiting, go before work for which nobody is: resolves when
   * none runs, after 10 ms at the latest.
   */
  giveWay(): Promise<void>
  /** Resolves when the engine answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

/**
 * What both kinds of engine need: clients for loads, which parse one batch while another is
 * inserted, and others for queries, which never wait for loads.
 */
export interface EngineClients {
  readonly topology: Topology
  readonly loads: readonly ClickHouseClient[]
  readonly queries: readonly ClickHouseClient[]
  readonly onError?: (code: string) => void
}

/** A question about one domain's day takes as long. */
const GIVE_WAY_MS_MAX = 10

const QUOTE_INTEGERS = { output_format_json_quote_64bit_integers: 1 } as const

/** A statement and its values, as the engine takes them. */
function bound({ topology }: EngineClients, sql: string, parameters: Parameters = {}) {
  if (topology.kind === 'embedded') return { query: bindLiterals(sql, parameters) }
  return { query: sql, query_params: { ...parameters } }
}

/**
 * Wraps clients into an engine.
 *
 * Errors: every engine failure becomes an AppError by its numeric code (`overloaded` when the
 * engine cannot be reached or is short of memory, `timeout`, otherwise `internal`).
 */
export function createEngine(clients: EngineClients): Engine {
  const { run: load } = createPool(clients.loads)
  const queries = createPool(clients.queries)
  const query = queries.run
  async function guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      const translated = toAppError(error)
      clients.onError?.(translated.code)
      throw translated
    }
  }
  return {
    topology: clients.topology,
    command: (sql, options = {}) =>
      guarded(() =>
        load(async (client) => {
          await client.command({
            ...bound(clients, sql, options.parameters),
            ...(options.queryId !== undefined && { query_id: options.queryId }),
          })
        }),
      ),
    rows: (sql, parameters) =>
      guarded(() =>
        query(async (client) => {
          const result = await client.query({
            ...bound(clients, sql, parameters),
            format: 'JSONEachRow',
            ...(clients.topology.kind !== 'embedded' && { clickhouse_settings: QUOTE_INTEGERS }),
          })
          return await result.json()
        }),
      ),
    text: (sql, parameters) =>
      guarded(() =>
        query(async (client) => {
          const result = await client.exec(bound(clients, sql, parameters))
          return await readAll(result.stream)
        }),
      ),
    loadLines: (render, files) => guarded(() => load((c) => loadLines(c, clients, render, files))),
    writeParquet: (path, sql, parameters = {}) =>
      guarded(() => query((c) => writeParquet(c, clients, { path, sql, parameters }))),
    insertTsv: (table, columns, path) =>
      guarded(() => load((c) => insertTsv(c, clients, { table, columns, path }))),
    giveWay: () => queries.idle(GIVE_WAY_MS_MAX),
    ping: () =>
      guarded(() =>
        query(async (client) => {
          const answer = await client.ping()
          if (!answer.success) throw answer.error
        }),
      ),
    async close() {
      await Promise.all([...clients.loads, ...clients.queries].map((client) => client.close()))
    },
  }
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

async function loadLines(
  client: ClickHouseClient,
  { topology }: EngineClients,
  render: (source: LineSource) => string,
  files: readonly LineFile[],
): Promise<void> {
  if (topology.kind === 'embedded') {
    await client.command({ query: render(localLines(files)) })
    return
  }
  // Parallel parsing would number the lines of its pieces out of order.
  const source: LineSource = {
    from: "input('line String')",
    position: 'rowNumberInAllBlocks()',
    suffix: ' FORMAT LineAsString',
  }
  const { createReadStream } = await import('node:fs')
  const body = Readable.from(concatenate(files.map((file) => createReadStream(file.path))))
  await finish(
    await client.exec({
      query: render(source),
      values: body,
      clickhouse_settings: { input_format_parallel_parsing: 0, max_threads: 1 },
    }),
  )
}

function localLines(files: readonly LineFile[]): LineSource {
  const [first] = files
  if (first === undefined) throw new AppError('internal', 'A load without files.')
  const names = files.map((file) => file.path)
  // Braces work within one directory, which is where the loader lays out a batch.
  const glob =
    names.length === 1
      ? first.path
      : join(dirname(first.path), `{${names.map((name) => basename(name)).join(',')}}`)
  const offset =
    names.length === 1
      ? String(first.firstPosition)
      : `transform(_file, [${names.map((name) => quote(basename(name))).join(', ')}], ` +
        `[${files.map((file) => `toUInt64(${file.firstPosition})`).join(', ')}], toUInt64(0))`
  return {
    from: `file(${quote(glob)}, 'LineAsString', 'line String')`,
    position: `(${offset} + assumeNotNull(_row_number))`,
    suffix: '',
  }
}

async function writeParquet(
  client: ClickHouseClient,
  clients: EngineClients,
  { path, sql, parameters }: { path: string; sql: string; parameters: Parameters },
): Promise<void> {
  if (clients.topology.kind === 'embedded') {
    const into = `INSERT INTO FUNCTION file(${quote(path)}, 'Parquet')`
    await client.command(bound(clients, `${into} ${sql}`, parameters))
    return
  }
  // A server answers once all is computed (wait_end_of_query), so that a failure is an error and
  // never the text of one at the end of a file.
  const result = await client.exec(bound(clients, `${sql} FORMAT Parquet`, parameters))
  const { createWriteStream } = await import('node:fs')
  await pipeline(result.stream, createWriteStream(path, { flags: 'wx' }))
}

async function* concatenate(streams: readonly Readable[]): AsyncGenerator<Buffer> {
  for (const stream of streams) yield* stream
}

async function insertTsv(
  client: ClickHouseClient,
  { topology }: EngineClients,
  target: { table: string; columns: readonly string[]; path: string },
): Promise<void> {
  const into = `INSERT INTO ${target.table} (${target.columns.join(', ')})`
  if (topology.kind === 'embedded') {
    const structure = target.columns.map((column) => `${column} String`).join(', ')
    const from = `file(${quote(target.path)}, 'TSV', ${quote(structure)})`
    await client.command({ query: `${into} SELECT ${target.columns.join(', ')} FROM ${from}` })
    return
  }
  const { createReadStream } = await import('node:fs')
  const values = createReadStream(target.path)
  await finish(await client.exec({ query: `${into} FORMAT TSV`, values }))
}

// An answer must be read to its end, or its connection stays busy and late errors go unseen.
async function finish(result: { stream: Readable }): Promise<void> {
  for await (const chunk of result.stream) void chunk
}
