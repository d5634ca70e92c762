import {
  fastify,
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify'
import { AppError } from '../core/errors.ts'
import { newRequestId } from '../core/ids.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { HEADER_BYTES_MAX } from './dialects.ts'
import { addHealth, type ReadinessCheck } from './health.ts'
import { sendFailure } from './native-errors.ts'

/** How the HTTP server listens. */
export interface HttpServerConfig {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly bodyBytesMax: number
  /** For a request to arrive completely. */
  readonly requestTimeoutMs: number
  /** For requests under way when the server stops. */
  readonly stopTimeoutMs: number
  /** Proxies whose forwarded host and address are believed. */
  readonly trustProxy: readonly string[]
}

export interface HttpServerDeps {
  readonly log: FastifyBaseLogger
  readonly metrics: Metrics
  /** Everything that answers; each lives in its own encapsulated context. */
  readonly plugins: readonly FastifyPluginAsync[]
  readonly checks: readonly ReadinessCheck[]
}

/** The HTTP server. Inert until started. */
export interface HttpServer {
  readonly name: 'http'
  /** For tests: `inject()` needs no socket. */
  readonly app: FastifyInstance
  /** Where it listens, `http://127.0.0.1:8080`; empty until started. */
  url(): string
  /** Errors: `config_invalid` when the address cannot be had, with what to do about it. */
  start(): Promise<void>
  /** Refuses new requests, lets those under way finish for a while, then cuts them off. */
  stop(): Promise<void>
}

/** Idle connections are kept this long; clients reuse them without paying for a new handshake. */
const KEEP_ALIVE_MS = 65_000
/** How soon a connection is closed that became idle while the server stops. */
const IDLE_SWEEP_MS = 20

/**
 * Creates the HTTP server around the given plugins, with /healthz, /readyz and /metrics.
 *
 * Every request gets an id, answered as `x-request-id` and written with each of its log lines.
 * Errors: plugins throw AppErrors; they become `{error: {code, message, field?}}`.
 */
export function createServer(config: HttpServerConfig, deps: HttpServerDeps): HttpServer {
  const app = fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newRequestId(),
    requestIdHeader: false,
    bodyLimit: config.bodyBytesMax,
    requestTimeout: config.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: 'idle',
    trustProxy: config.trustProxy.length === 0 ? false : [...config.trustProxy],
    http: { maxHeaderSize: HEADER_BYTES_MAX },
  })
  app.setErrorHandler((thrown, request, reply) => sendFailure(thrown, request, reply))
  app.setNotFoundHandler((request, reply) => sendFailure(unknownRoute(request), request, reply))
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    report(request, reply, deps)
    done()
  })
  const health = addHealth(app, deps)
  for (const plugin of deps.plugins) void app.register(plugin)
  let url = ''
  return {
    name: 'http',
    app,
    url: () => url,
    async start() {
      url = await listen(app, config)
      health.open()
    },
    async stop() {
      health.close()
      // A connection whose last request ends from now on is idle, and would hold up the stop.
      const sweep = setInterval(() => app.server.closeIdleConnections(), IDLE_SWEEP_MS)
      const cutOff = setTimeout(() => {
        deps.log.warn({ timeoutMs: config.stopTimeoutMs }, 'http: cutting off slow requests')
        app.server.closeAllConnections()
      }, config.stopTimeoutMs)
      try {
        await app.close()
      } finally {
        clearInterval(sweep)
        clearTimeout(cutOff)
      }
    },
  }
}

function unknownRoute(request: FastifyRequest): AppError {
  const path = request.url.split('?', 1)[0]
  return new AppError('not_found', `There is no ${request.method} ${path} here.`)
}

async function listen(app: FastifyInstance, { host, port }: HttpServerConfig): Promise<string> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || !code.startsWith('E')) throw error
    throw new AppError('config_invalid', cannotListen(code, host, port), { cause: error })
  }
  const address = app.server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  const isAny = host === '0.0.0.0' || host === '::'
  const name = isAny ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${bound}`
}

function cannotListen(code: string, host: string, port: number): string {
  const place = `${host}:${port}`
  if (code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is taken by another program. Stop it, or choose another port with --port or server.port.`
  }
  if (code === 'EACCES') return `This user may not listen on ${place}; choose a port above 1023.`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `This machine has no address ${host}; set server.host to one of its own, or to 0.0.0.0.`
  }
  return `Cannot listen on ${place} (${code}).`
}

/** Logs and counts one answered request. The dialects on `/` do both themselves, by action. */
function report(request: FastifyRequest, reply: FastifyReply, deps: HttpServerDeps): void {
  const route = request.routeOptions.url
  if (route === '/') return
  const seconds = reply.elapsedTime / 1000
  const status = reply.statusCode
  const action = route === undefined ? 'unknown' : `${request.method} ${route}`
  const api = route?.startsWith('/admin/') === true ? 'admin' : 'native'
  deps.metrics.countRequest({ api, action, outcome: String(status) }, seconds)
  if (route !== undefined && isRefusedUsage(request.method, route, status)) {
    deps.metrics.countRefused(String(status))
  }
  const level = route !== undefined && QUIET_ROUTES.has(route) ? 'debug' : 'info'
  request.log[level](
    { api, action, status, durationMs: Math.round(seconds * 1e4) / 10, client: request.ip },
    'request answered',
  )
}

function isRefusedUsage(method: string, route: string, status: number): boolean {
  return method === 'POST' && route.startsWith('/v1/usage/') && status >= 400
}

/** Asked every few seconds by machines. */
const QUIET_ROUTES = new Set(['/healthz', '/readyz', '/metrics'])
