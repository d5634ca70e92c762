import type { FastifyPluginAsync } from 'fastify'
import { ADMIN_PREFIX, addAdminApi } from './api/admin/admin-api.ts'
import { createDialects, HEADER_BYTES_MAX } from './api/dialects.ts'
import { createGuarded } from './api/native/guard.ts'
import { createQueryApi } from './api/native/query.ts'
import { createUpkeepApi } from './api/native/upkeep.ts'
import { createServer, type ReadyCheck, type Server } from './api/server.ts'
import type { Core, Telemetry } from './compose.ts'
import type { Config } from './config/config.ts'
import { countRejected, listRejected, refusedLines } from './store/usage/rejects.ts'
import { createUsageHttp } from './sources/usage-http/listen.ts'
import type { StepListener } from './ingest/steps.ts'

const USAGE_ROUTE = 'POST /v1/usage/:meter'

/** Builds the HTTP server over the core: vendor dialects, usage, admin and native APIs. */
export function composeServer(
  config: Config,
  core: Core,
  { log, metrics }: Telemetry,
  onStep: StepListener = () => undefined,
): Server {
  const dialects = createDialects({
    clock: core.clock,
    catalog: core.control.reader,
    usage: core.reader,
    books: core.books,
    onAnswer: ({ dialect, action, outcome }, durationMs) =>
      metrics.countRequest({ api: dialect, action, outcome }, durationMs / 1000),
  })
  core.onLoaded(() => dialects.usageLoaded())
  const { server } = config
  return createServer(
    {
      host: server.host,
      port: server.port,
      bodyBytesMax: server.bodyBytesMax,
      requestTimeoutMs: server.requestTimeout,
      stopTimeoutMs: server.stopTimeout,
      headerBytesMax: HEADER_BYTES_MAX,
      trustProxy: server.trustProxy,
    },
    {
      log,
      plugins: [
        dialects.plugin,
        usageHttp(config, core, onStep),
        adminApi(core),
        createGuarded(
          async (token) => isAdmin(core, token),
          [createQueryApi({ reader: core.reader }), upkeepApi(core)],
        ),
      ],
      ready: readyChecks(core),
      metrics: { render: () => metrics.expose() },
      onAnswer({ route, status, seconds }) {
        // The dialects count their own answers, by action.
        if (route.endsWith(' /')) return
        const api = route.includes(ADMIN_PREFIX) ? 'admin' : 'native'
        metrics.countRequest({ api, action: route, outcome: String(status) }, seconds)
        if (status >= 400 && route === USAGE_ROUTE) metrics.countRefused(String(status))
      },
    },
  )
}

function usageHttp(config: Config, core: Core, onStep: StepListener): FastifyPluginAsync {
  const { bodyBytesMax, inFlightBytesMax, waitMax } = config.server
  return createUsageHttp(
    { bodyBytesMax, inFlightBytesMax, waitMsMax: waitMax },
    {
      ingest: core.ingest,
      refused: (seq, limit) => refusedLines(core.engine, seq, limit),
      sourceOfToken: (token) => core.control.reader.sourceOfToken(token),
      onAcked: () => onStep('ack.after'),
    },
  )
}

function adminApi({ catalog, control }: Core): FastifyPluginAsync {
  return async (server) => {
    await server.register(
      (scope) =>
        addAdminApi(scope, {
          catalog,
          adminOfToken: (token) => control.reader.adminOfToken(token),
        }),
      { prefix: ADMIN_PREFIX },
    )
  }
}

async function isAdmin({ control }: Core, token: string): Promise<boolean> {
  return (await control.reader.adminOfToken(token)) !== undefined
}

function upkeepApi(core: Core): FastifyPluginAsync {
  return createUpkeepApi({
    list: (filter, page) => listRejected(core.engine, filter, page),
    count: (filter) => countRejected(core.engine, filter),
    replay: (request) => core.replay(request),
    audit: () => core.audit(),
    totals: () => core.registry.totals(),
  })
}

function readyChecks(core: Core): ReadyCheck[] {
  return [
    {
      name: 'journal',
      problem: async () => (core.journal.healthy ? null : 'the journal cannot be written'),
    },
    {
      name: 'loader',
      problem: async () => (core.loader.healthy ? null : 'the usage store does not take batches'),
    },
    {
      name: 'usage store',
      problem: async () => {
        await core.engine.ping()
        return null
      },
    },
    {
      name: 'control store',
      problem: async () => {
        await core.control.ping()
        return null
      },
    },
  ]
}
