import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
} from 'fastify'
import { AppError, ERRORS, toAppError } from '../core/errors.ts'
import { newRequestId } from '../core/ids.ts'

export interface ServerSettings {
  readonly host: string
  readonly port: number
  readonly bodyBytesMax: number
  readonly requestTimeoutMs: number
  readonly stopTimeoutMs: number
  /** Longest request line and headers together. */
  readonly headerBytesMax: number
  readonly trustProxy: readonly string[]
}

/** One thing that must work for the server to be ready; `problem` says what does not. */
export interface ReadyCheck {
  readonly name: string
  readonly problem: () => Promise<string | null>
}

export interface ServerDeps {
  readonly log: FastifyBaseLogger
  /** Mounted in order, each in a scope of its own. */
  readonly plugins: readonly FastifyPluginAsync[]
  readonly ready: readonly ReadyCheck[]
  readonly metrics: { render(): Promise<{ contentType: string; text: string }> }
  /** Told of every answer of the native APIs. */
  readonly onAnswer?: (answer: { route: string; status: number; seconds: number }) => void
}

/** The HTTP server. Inert until started. */
export interface Server {
  readonly name: string
  readonly app: FastifyInstance
  start(): Promise<void>
  stop(): Promise<void>
  /** Where it listens once started, `http://127.0.0.1:8080`. */
  url(): string
}

/** Longest time a readiness check may take before it counts as failed. */
const READY_MS_MAX = 3000

/**
 * Builds the HTTP server with health, readiness, metrics and one way to report errors.
 *
 * Errors: AppErrors become their status and `{"error":{"code","message","field"}}`; anything else
 * is logged and answered as `internal`.
 */
export function createServer(settings: ServerSettings, deps: ServerDeps): Server {
  const app = Fastify({
    loggerInstance: deps.log,
    // Every API logs its own outcome, with who and what.
    disableRequestLogging: true,
    genReqId: () => newRequestId(),
    bodyLimit: settings.bodyBytesMax,
    requestTimeout: settings.requestTimeoutMs,
    trustProxy: settings.trustProxy.length === 0 ? false : [...settings.trustProxy],
    http: { maxHeaderSize: settings.headerBytesMax },
    forceCloseConnections: 'idle',
  })
  reportErrors(app)
  addProbes(app, deps)
  if (deps.onAnswer !== undefined) observe(app, deps.onAnswer)
  for (const plugin of deps.plugins) app.register(plugin)
  return {
    name: 'http',
    app,
    async start() {
      try {
        await app.listen({ host: settings.host, port: settings.port })
      } catch (error) {
        throw listenError(error, settings)
      }
    },
    async stop() {
      // Requests under way may finish, but not hold the process for ever.
      const timer = setTimeout(() => app.server.closeAllConnections(), settings.stopTimeoutMs)
      await app.close()
      clearTimeout(timer)
    },
    url() {
      const address = app.server.address()
      const port = typeof address === 'object' && address !== null ? address.port : settings.port
      const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host
      return `http://${host === '0.0.0.0' || host === '[::]' ? '127.0.0.1' : host}:${port}`
    },
  }
}

function listenError(error: unknown, { host, port }: ServerSettings): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new AppError(
      'config_invalid',
      `Port ${port} on ${host} is taken. Stop what uses it, or choose another with --port.`,
      { cause: error },
    )
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new AppError('config_invalid', `Weir may not listen on ${host}:${port} (${code}).`, {
      cause: error,
    })
  }
  return error
}

function reportErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => {
    const known = fromFastify(error)
    const { http } = ERRORS[known.code]
    if (http >= 500) request.log.error({ err: known.cause ?? known, code: known.code }, 'failed')
    else request.log.info({ code: known.code, url: request.url, reason: known.message }, 'refused')
    if (known.retryAfterSeconds !== undefined) reply.header('retry-after', known.retryAfterSeconds)
    return reply.code(http).send(errorBody(known, request.id))
  })
  app.setNotFoundHandler((request, reply) => {
    const error = new AppError('not_found', `There is nothing at ${request.method} ${request.url}.`)
    return reply.code(404).send(errorBody(error, request.id))
  })
}

function errorBody(error: AppError, requestId: string): object {
  const { code, message, field } = error
  return { error: { code, message, ...(field !== undefined && { field }), requestId } }
}

function fromFastify(error: unknown): AppError {
  if (error instanceof AppError || !(error instanceof Error)) return toAppError(error)
  const status = 'statusCode' in error ? error.statusCode : undefined
  if (status === 413) {
    return new AppError('too_large', 'The request body is too large; send it in parts.', {
      cause: error,
    })
  }
  if (status === 415) {
    return new AppError('media_type_unsupported', 'This content type is not accepted here.', {
      cause: error,
    })
  }
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new AppError('body_malformed', error.message, { cause: error })
  }
  return toAppError(error)
}

function addProbes(app: FastifyInstance, deps: ServerDeps): void {
  app.get('/healthz', () => ({ status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const checks = await Promise.all(
      deps.ready.map(async ({ name, problem }) => ({ name, problem: await bounded(problem()) })),
    )
    const failed = checks.filter((check) => check.problem !== null)
    reply.code(failed.length === 0 ? 200 : 503)
    return { status: failed.length === 0 ? 'ready' : 'not ready', checks }
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await deps.metrics.render()
    return reply.type(contentType).send(text)
  })
}

async function bounded(check: Promise<string | null>): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer in time'), READY_MS_MAX)
  })
  try {
    return await Promise.race([check, late])
  } catch (error) {
    return toAppError(error).message
  } finally {
    clearTimeout(timer)
  }
}

function observe(app: FastifyInstance, onAnswer: NonNullable<ServerDeps['onAnswer']>): void {
  app.addHook('onResponse', (request, reply, done) => {
    onAnswer({
      route: `${request.method} ${request.routeOptions.url ?? 'unknown'}`,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    })
    done()
  })
}
