/**
 * Both vendor dialects on `/`: every request is read as raw bytes and handed to one of them.
 *
 * Source: tencent.md §4 ("If one server also serves UCloud-style calls on `/`"), ucloud.md §2.
 */
import type {
  FastifyBaseLogger,
  FastifyError,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
} from 'fastify'
import { AppError, ERRORS, toAppError } from '../core/errors.ts'
import type { OperationDeps } from './operations/caller.ts'
import type { Answer, AnswerLog, RawCall } from './raw-call.ts'
import { TENCENT_ACTIONS } from './tencent/actions.ts'
import {
  answerTencent,
  BODY_BYTES_MAX,
  refuseTencent,
  type TencentDeps,
} from './tencent/dialect.ts'
import { createRateLimiter, REQUESTS_PER_SECOND } from './tencent/rate-limit.ts'
import { UCLOUD_ACTIONS } from './ucloud/actions.ts'
import { answerUcloud, refuseUcloud } from './ucloud/dialect.ts'

/**
 * Header bytes a server in front of this plugin must accept: a GET may carry 32 KB of query, twice
 * Node's default (`maxHeaderSize`).
 */
export const HEADER_BYTES_MAX = 64 * 1024

/** What the dialects need. */
export interface DialectsDeps extends OperationDeps {
  /** Told of every answer, `action` being `unknown` unless it is a declared one; must not throw. */
  readonly onAnswer?: (log: AnswerLog, durationMs: number) => void
  /** Default: what the vendor documents. */
  readonly requestsPerSecond?: number
}

/** The vendor dialects as a fastify plugin. */
export interface Dialects {
  /**
   * Registers `/`. The app's request ids must be UUIDs (`genReqId`): they are what clients get as
   * request id and read out to support.
   */
  readonly plugin: (app: FastifyInstance) => Promise<void>
}

/**
 * Builds the vendor dialects. Inert until the plugin is registered.
 *
 * Limits: 20 requests per second for each Tencent action and account, unless configured otherwise.
 */
export function createDialects(deps: DialectsDeps): Dialects {
  const { clock } = deps
  const limiter = createRateLimiter(deps.requestsPerSecond ?? REQUESTS_PER_SECOND)
  const { catalog, usage, books, balances, modes, orders, onAnswer } = deps
  const inner: TencentDeps = { catalog, usage, books, balances, modes, orders, clock, limiter }
  const plugin = async (app: FastifyInstance): Promise<void> => {
    // What is logged of a call is known field by field; looking for secrets in it takes longer
    // than writing it.
    const log = app.log.child({}, { redact: [] })
    app.removeAllContentTypeParsers()
    // Signatures are over raw bytes, so nothing may be parsed before they are checked.
    app.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX },
      (_request, body, done) => done(null, body),
    )
    app.setErrorHandler<FastifyError>((error, request, reply) => {
      const call = rawCall(request)
      const callId = request.id
      const fault = fromFastify(error)
      const answer = isTencent(call)
        ? refuseTencent(call, callId, fault, clock.nowMs())
        : refuseUcloud(callId, fault)
      report(answer, request, reply, { log, onAnswer })
      return send(answer, reply)
    })
    app.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/',
      handler: async (request, reply) => {
        const call = rawCall(request)
        const callId = request.id
        const answer = isTencent(call)
          ? await answerTencent(call, callId, inner)
          : await answerUcloud(call, callId, inner)
        report(answer, request, reply, { log, onAnswer })
        await endOfTurn()
        return send(answer, reply)
      },
    })
  }
  return { plugin }
}

/** Tells a Tencent request from a UCloud one, without believing anything it says. */
export function isTencent(call: RawCall): boolean {
  const { headers } = call
  if (headers['x-tc-action'] !== undefined) return true
  const authorization = headers['authorization'] ?? ''
  if (authorization.startsWith('TC3-') || authorization === 'SKIP') return true
  const text = call.method === 'GET' ? call.query : formText(call)
  if (hasName(text, 'PublicKey')) return false
  return hasName(text, 'SecretId') || hasName(text, 'Version')
}

function formText(call: RawCall): string {
  const isJson = /json/i.test(call.headers['content-type'] ?? '')
  return isJson ? '' : Buffer.from(call.body).toString('latin1')
}

function hasName(text: string, name: string): boolean {
  return text.startsWith(`${name}=`) || text.includes(`&${name}=`)
}

function rawCall(request: FastifyRequest): RawCall {
  const { method, url } = request.raw
  const target = url ?? '/'
  const at = target.indexOf('?')
  const headers = request.headers as Readonly<Record<string, string | undefined>>
  const host = headers['host'] ?? ''
  // Differs from the Host header only behind a proxy that the server was told to trust.
  const outerHost = request.host
  return {
    method: method ?? 'GET',
    path: at < 0 ? target : target.slice(0, at),
    query: at < 0 ? '' : target.slice(at + 1),
    headers,
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
    hosts: outerHost === host ? [host] : [outerHost, host],
  }
}

function fromFastify(error: FastifyError): AppError {
  if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new AppError('too_large', 'The request is larger than 10 MB.', { cause: error })
  }
  const isClients = error.statusCode !== undefined && error.statusCode < 500
  return isClients
    ? new AppError('body_malformed', 'The request is malformed.', { cause: error })
    : toAppError(error)
}

/** Logs and counts an answer that is about to leave. */
function report(
  answer: Answer,
  request: FastifyRequest,
  reply: FastifyReply,
  to: { readonly log: FastifyBaseLogger; readonly onAnswer: DialectsDeps['onAnswer'] },
): void {
  const durationMs = Math.round(reply.elapsedTime * 10) / 10
  // Named one by one: copying an object without some of its fields takes longer, too.
  const { dialect, action, accountId, outcome, reason, cause } = answer.log
  const line = { reqId: request.id, dialect, action, accountId, outcome, reason, durationMs }
  const isOurs = outcome !== 'ok' && ERRORS[outcome].http >= 500
  if (isOurs) to.log.error({ ...line, err: cause }, 'call failed')
  else to.log.info(line, 'call answered')
  // What strangers call an action must not become a label of a metric.
  const known = knownAction(answer.log)
  to.onAnswer?.(known === action ? answer.log : { ...answer.log, action: known }, durationMs)
}

function send(answer: Answer, reply: FastifyReply): FastifyReply {
  // A serializer of its own keeps fastify from adding a charset to the content type; text, unlike
  // a Buffer, leaves in one write together with its headers.
  return reply.code(200).headers(answer.headers).serializer(verbatim).send(answer.body)
}

/**
 * Waits until everything that has arrived is answered, so that answers leave in a row.
 *
 * Sent one by one, each answer wakes a client that has gone to sleep since the last: with 32
 * connections that costs 25 of 73 µs per call.
 */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

function knownAction({ dialect, action }: AnswerLog): string {
  const actions = dialect === 'tencent' ? TENCENT_ACTIONS : UCLOUD_ACTIONS
  return actions.has(action) ? action : 'unknown'
}

function verbatim(payload: string): string {
  return payload
}
