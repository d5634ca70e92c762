import type { FastifyPluginAsync } from 'fastify'
import { ADMIN_PREFIX, addAdminApi } from './api/admin/admin-api.ts'
import { createDialects } from './api/dialects.ts'
import { createAlertDesk } from './api/operations/alert-desk.ts'
import { createGuarded } from './api/native/guard.ts'
import { createIngestFilesApi } from './api/ingest/files.ts'
import { createCoverageApi } from './api/native/coverage.ts'
import { createQueryApi } from './api/native/query.ts'
import { createRulesApi } from './api/native/rules.ts'
import { createUpkeepApi } from './api/native/upkeep.ts'
import type { ReadinessCheck } from './api/health.ts'
import { createServer, type HttpServer } from './api/server.ts'
import { createBookCurrencies } from './billing/book-currencies.ts'
import { findRootAccount } from './catalog/change.ts'
import { findOwnResource } from './catalog/package-scope.ts'
import { composeBills } from './compose-bills.ts'
import { composePackages } from './compose-packages.ts'
import type { Core, Telemetry } from './compose.ts'
import { forecastApi } from './compose-forecast.ts'
import type { Config } from './config/config.ts'
import { AppError } from './core/errors.ts'
import { createLogSink } from './ingest/log-sink.ts'
import { countRejected, listRejected, refusedLines } from './store/usage/rejects.ts'
import { compileFormat } from './sources/access-log/format.ts'
import { createUsageHttp } from './sources/usage-http/listen.ts'
import type { StepListener } from './ingest/steps.ts'

/** Builds the HTTP server over the core: vendor dialects, usage, admin and native APIs. */
export function composeServer(
  config: Config,
  core: Core,
  { log, metrics }: Telemetry,
  onStep: StepListener = () => undefined,
): HttpServer {
  const dialects = createDialects({
    clock: core.clock,
    catalog: core.control.reader,
    usage: core.reader,
    books: core.books,
    balances: core.bookkeeping.live,
    modes: core.charges.desk,
    orders: composePackages(core),
    requestsPerSecond: config.limits.requestsPerSecond,
    onAnswer: ({ dialect, action, outcome }, durationMs) =>
      metrics.countRequest({ api: dialect, action, outcome }, durationMs / 1000),
  })
  const { server } = config
  return createServer(
    {
      host: server.host,
      port: server.port,
      bodyBytesMax: server.bodyBytesMax,
      requestTimeoutMs: server.requestTimeout,
      stopTimeoutMs: server.stopTimeout,
      trustProxy: server.trustProxy,
    },
    {
      log,
      plugins: pluginsOf(config, core, dialects.plugin, onStep),
      checks: readinessChecks(core),
      metrics,
    },
  )
}

/** What the roles of this process answer; health and metrics are always there. */
function pluginsOf(
  config: Config,
  core: Core,
  dialects: FastifyPluginAsync,
  onStep: StepListener,
): FastifyPluginAsync[] {
  const answers = config.roles.includes('api')
  const takesIn = config.roles.includes('ingest')
  const guarded = [
    ...(answers ? [queryApi(core), rulesApi(core), upkeepApi(core)] : []),
    ...(answers ? [forecastApi(core), coverageApi(core)] : []),
    ...(answers ? composeBills(config, core) : []),
    ...(takesIn
      ? [createIngestFilesApi({ sink: createLogSink(core.ingest), checkFormat: compileFormat })]
      : []),
  ]
  return [
    ...(answers ? [dialects, adminApi(core)] : []),
    ...(takesIn ? [usageHttp(config, core, onStep)] : []),
    createGuarded(async (token) => isAdmin(core, token), guarded),
  ]
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
      coverage: core.coverage.reported,
    },
  )
}

function coverageApi({ clock, coverage }: Core): FastifyPluginAsync {
  return createCoverageApi({
    clock,
    reader: coverage.reader,
    accountOf: (ref) => coverage.accountOf(ref),
  })
}

function queryApi({ reader, catalog }: Core): FastifyPluginAsync {
  return createQueryApi({ reader, payer: (ref) => findRootAccount(catalog.rows, ref) })
}

function rulesApi({ booksUsage, catalog }: Core): FastifyPluginAsync {
  return createRulesApi({
    usage: booksUsage,
    payer: (ref) => findRootAccount(catalog.rows, ref),
    resource: (owner, ref) => findOwnResource(catalog.rows, owner, ref),
  })
}

function adminApi(core: Core): FastifyPluginAsync {
  const { catalog, charges, clock, control } = core
  const { rows } = catalog
  const currencies = createBookCurrencies({ charges: charges.desk, rows, clock })
  return async (server) => {
    await server.register(
      (scope) =>
        addAdminApi(scope, {
          catalog,
          charges: { ...charges, clock },
          packages: composePackages(core),
          alerts: createAlertDesk({ store: control.alerts, rows, clock, currencies }),
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
    replay: async (request) => {
      // A wrong format must not get into the journal: no load could ever finish.
      if (request.spec !== undefined) compileFormat(request.spec)
      return core.replay(request)
    },
    audit: () => core.audit(),
    totals: () => core.registry.totals(),
  })
}

function readinessChecks(core: Core): ReadinessCheck[] {
  const healthy = (name: string, isHealthy: () => boolean, problem: string): ReadinessCheck => ({
    name,
    async check() {
      if (!isHealthy()) throw new AppError('overloaded', problem)
    },
  })
  return [
    healthy('journal', () => core.journal.healthy, 'the journal cannot be written'),
    healthy('loader', () => core.loader.healthy, 'the usage store does not take batches'),
    { name: 'usageStore', check: () => core.engine.ping() },
    { name: 'controlStore', check: () => core.control.ping() },
  ]
}
