import { ClickHouseLogLevel, createClient, type ClickHouseClient } from '@clickhouse/client'
import { AppError } from '../../core/errors.ts'
import { createEngine, type Engine } from './engine.ts'
import type { Topology } from './render.ts'

type PluggableConnection = NonNullable<
  NonNullable<Parameters<typeof createClient>[0]>['connection']
>

/** One parses the next batch while the other inserts and rolls up. */
const LOAD_CONNECTIONS = 2

/**
 * What a session of the embedded engine is told once. Formatting an answer in parallel would pass
 * even the smallest one through five more threads, each of which waits for a processor while a load
 * keeps them all busy.
 */
const EMBEDDED_SETTINGS =
  'SET output_format_parallel_formatting = 0, output_format_json_quote_64bit_integers = 1'

/** Where the usage store is. */
export interface UsageStoreConfig {
  /** A directory (embedded engine), or `http(s)://user:password@host:8123/database`. */
  readonly location: string
  /** Name of the cluster whose tables are replicated and sharded; null for one server. */
  readonly cluster: string | null
  /** Queries that may run at the same time. */
  readonly queryConnections: number
  readonly requestTimeoutMs: number
}

/**
 * Opens the engine. The embedded one allows one process per directory.
 *
 * Errors: `config_invalid` when the optional package `chdb` is missing or its directory is held by
 * another process.
 */
export async function openEngine(
  config: UsageStoreConfig,
  onError?: (code: string) => void,
): Promise<Engine> {
  const onErrorOption = onError === undefined ? {} : { onError }
  if (isUrl(config.location)) {
    const create = () => createServerClient(config, 1)
    const loads = Array.from({ length: LOAD_CONNECTIONS }, create)
    const queries = Array.from({ length: config.queryConnections }, create)
    const topology: Topology =
      config.cluster === null ? { kind: 'single' } : { kind: 'cluster', cluster: config.cluster }
    return createEngine({ topology, loads, queries, ...onErrorOption })
  }
  const create = await embeddedClients(config.location)
  const loads = Array.from({ length: LOAD_CONNECTIONS }, create)
  const queries = Array.from({ length: config.queryConnections }, create)
  for (const client of queries) await client.command({ query: EMBEDDED_SETTINGS })
  return createEngine({ topology: { kind: 'embedded' }, loads, queries, ...onErrorOption })
}

/** Tells a server address from a directory. */
export function isUrl(location: string): boolean {
  return location.startsWith('http://') || location.startsWith('https://')
}

function createServerClient(config: UsageStoreConfig, connections: number): ClickHouseClient {
  return createClient({
    url: config.location,
    application: 'weir',
    // Failures are logged once, by whoever handles them.
    log: { level: ClickHouseLogLevel.OFF },
    request_timeout: config.requestTimeoutMs,
    max_open_connections: connections,
    compression: { request: false, response: true },
    // An INSERT … SELECT must not be answered before its last part is written.
    clickhouse_settings: {
      wait_end_of_query: 1,
      async_insert: 0,
      // Nor before every shard has its rows, where there are several.
      ...(config.cluster !== null && { distributed_foreground_insert: 1 }),
    },
  })
}

async function embeddedClients(path: string): Promise<() => ClickHouseClient> {
  let connection: typeof import('chdb/connection')
  try {
    connection = await import('chdb/connection')
  } catch (error) {
    throw new AppError(
      'config_invalid',
      'The embedded engine is not installed. Install it with `npm install chdb`, ' +
        'or set usageStore.location to the URL of a ClickHouse server.',
      { cause: error },
    )
  }
  return () => {
    try {
      // chDB types its connection by its own copy of the client's interface; the two are equal.
      const chdb = connection.createChdbConnection({ path }) as unknown as PluggableConnection
      return createClient({ connection: chdb })
    } catch (error) {
      throw new AppError(
        'config_invalid',
        `The usage store in ${path} cannot be opened; is another process using it?`,
        { cause: error },
      )
    }
  }
}
