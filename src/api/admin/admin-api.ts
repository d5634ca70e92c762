import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Catalog } from '../../catalog/catalog.ts'
import { parseInput } from '../../catalog/input.ts'
import type { AdminToken } from '../../catalog/model.ts'
import { AppError, ERRORS, type ErrorCode, toAppError } from '../../core/errors.ts'
import { adminRefusal } from '../admin-refusal.ts'
import type { PackageDesk } from '../operations/buy-package.ts'
import type { ChargeDeps } from '../operations/charge-modes.ts'
import type { AlertDesk } from '../operations/alert-desk.ts'
import { buildOpenApi } from './openapi.ts'
import type { AdminRoute } from './route.ts'
import { ADMIN_ROUTES } from './routes.ts'

/** What the admin API works with. */
export interface AdminApiDeps {
  readonly catalog: Catalog
  readonly charges: ChargeDeps
  readonly packages: PackageDesk
  readonly alerts: AlertDesk
  /** The active admin token; undefined when unknown or revoked. */
  readonly adminOfToken: (token: string) => Promise<AdminToken | undefined>
}

/** Where the admin API lives. */
export const ADMIN_PREFIX = '/admin/v1'

/**
 * Adds the admin API to a scope of the server that is registered under ADMIN_PREFIX.
 *
 * Every operation needs `Authorization: Bearer <admin token>`; only the OpenAPI document does not.
 * Errors: `{error: {code, message, field?, problems?}}` with the status of core/errors.ts.
 */
export async function addAdminApi(scope: FastifyInstance, deps: AdminApiDeps): Promise<void> {
  scope.setErrorHandler((thrown, request, reply) => sendError(thrown, request, reply))
  scope.setNotFoundHandler((request, reply) => {
    const message = `${request.method} ${request.url} does not exist; see ${ADMIN_PREFIX}/openapi.json.`
    return sendError(new AppError('not_found', message), request, reply)
  })
  const document = buildOpenApi(ADMIN_ROUTES)
  scope.get('/openapi.json', () => document)
  const callers = new WeakMap<FastifyRequest, AdminToken>()
  for (const each of ADMIN_ROUTES) addRoute(scope, each, deps, callers)
}

function addRoute(
  scope: FastifyInstance,
  route: AdminRoute,
  deps: AdminApiDeps,
  callers: WeakMap<FastifyRequest, AdminToken>,
): void {
  scope.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    // Before the body is read: strangers cannot make us parse anything.
    onRequest: async (request) => {
      callers.set(request, await authenticate(request, deps))
    },
    handler: async (request, reply) => {
      const actor = callers.get(request)?.name ?? ''
      const answer = await route.run({
        id: (request.params as { readonly id?: string }).id ?? '',
        query: parseInput(route.query, request.query),
        body: request.body ?? {},
        actor,
        catalog: deps.catalog,
        writer: deps.catalog.as(actor),
        alerts: deps.alerts,
        charges: deps.charges,
        packages: deps.packages,
      })
      return reply.status(route.status).send(answer)
    },
  })
}

async function authenticate(request: FastifyRequest, deps: AdminApiDeps): Promise<AdminToken> {
  const match = /^Bearer +(\S{1,200})$/i.exec(request.headers.authorization ?? '')
  const token = match?.[1] === undefined ? undefined : await deps.adminOfToken(match[1])
  if (token !== undefined) return token
  throw adminRefusal(match !== null)
}

/** What the server itself refuses before an operation sees the request. */
const SERVER_REFUSALS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_unsupported',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body_malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body_malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body_malformed',
}

function classify(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return toAppError(thrown)
  const code = SERVER_REFUSALS[(thrown as Error & { readonly code?: string }).code ?? '']
  if (code !== undefined) return new AppError(code, thrown.message, { cause: thrown })
  // The JSON parser's own complaint about the body carries only this status.
  const status = (thrown as Error & { readonly statusCode?: number }).statusCode
  if (status === 400) return new AppError('body_malformed', thrown.message, { cause: thrown })
  return toAppError(thrown)
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = classify(thrown)
  const { http } = ERRORS[error.code]
  if (http >= 500) request.log.error({ err: error.cause ?? error }, 'admin call failed')
  if (http === 401) void reply.header('www-authenticate', 'Bearer')
  if (error.retryAfterSeconds !== undefined) {
    void reply.header('retry-after', String(error.retryAfterSeconds))
  }
  const { code, message, field, problems } = error
  return reply.status(http).send({
    error: {
      code,
      message,
      ...(field === undefined ? {} : { field }),
      ...(problems.length === 0 ? {} : { problems }),
    },
  })
}
