import type { FastifyInstance } from 'fastify'
import { AppError } from '../core/errors.ts'
import type { Metrics } from '../telemetry/metrics.ts'

/** One thing without which the process cannot do its work. */
export interface ReadinessCheck {
  readonly name: string
  /** Resolves when all is well; an AppError's message is shown to the caller. */
  check(): Promise<void>
}

/** Longest wait for one check: an orchestrator asks again after a few seconds anyway. */
const CHECK_TIMEOUT_MS = 2000

/** Switches readiness with the life of the server. */
export interface Health {
  open(): void
  close(): void
}

/**
 * Adds `/healthz` (the process answers), `/readyz` (it can do its work) and `/metrics`.
 *
 * Shape: readyz gives `{status, checks: {name: 'ok' | reason}}`, 200 or 503.
 */
export function addHealth(
  app: FastifyInstance,
  deps: { readonly checks: readonly ReadinessCheck[]; readonly metrics: Metrics },
): Health {
  let state: 'starting' | 'open' | 'stopping' = 'starting'
  app.get('/healthz', async () => ({ status: 'ok' }))
  app.get('/readyz', async (request, reply) => {
    const results = await Promise.all(
      deps.checks.map(async (each) => [each.name, await outcomeOf(each, request.log)] as const),
    )
    const isReady = state === 'open' && results.every(([, outcome]) => outcome === 'ok')
    if (!isReady) void reply.status(503).header('retry-after', '2')
    const status = isReady ? 'ready' : state === 'open' ? 'unready' : state
    return { status, checks: Object.fromEntries(results) }
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await deps.metrics.expose()
    return reply.type(contentType).send(text)
  })
  return {
    open: () => {
      state = 'open'
    },
    close: () => {
      state = 'stopping'
    },
  }
}

async function outcomeOf(
  check: ReadinessCheck,
  log: { warn(details: object, message: string): void },
): Promise<string> {
  const deadline = new AbortController()
  const timeout = new Promise<never>((_resolve, reject) => {
    const timer = setTimeout(
      () => reject(new AppError('timeout', `no answer within ${CHECK_TIMEOUT_MS} ms`)),
      CHECK_TIMEOUT_MS,
    )
    deadline.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  try {
    await Promise.race([check.check(), timeout])
    return 'ok'
  } catch (error) {
    log.warn({ err: error }, 'readiness check failed')
    // What a driver says may name hosts and paths; it stays in the log.
    return error instanceof AppError ? error.message : 'failed; the reason is in the log'
  } finally {
    deadline.abort()
  }
}
