/**
 * One call of the Tencent dialect, from raw request to answer.
 *
 * Order of checks: method → size → common parameters → Authorization → SecretId → token → clock →
 * signature → version → action → rate limit → JSON → types → unknown → missing → values → business.
 * Source: tencent.md §1.6 "Recommended order", §2 (sizes, content types).
 */
import { AppError, toAppError } from '../../core/errors.ts'
import { parsePairs } from '../form-text.ts'
import type { Fields, JsonValue } from '../json-text.ts'
import type { Caller, OperationDeps } from '../operations/caller.ts'
import type { Answer, RawCall } from '../raw-call.ts'
import type { TencentAction } from './action.ts'
import { SERVICE, TENCENT_ACTIONS, VERSION } from './actions.ts'
import {
  actionParameters,
  authenticate,
  type CommonParameters,
  isOverV1Limit,
  readCommon,
} from './authenticate.ts'
import { errorBody, headersOf, successBody } from './envelope.ts'
import { parseLanguage } from './messages.ts'
import type { Sent } from './parameters.ts'
import type { RateLimiter } from './rate-limit.ts'

/** Longest query of a GET. */
const QUERY_BYTES_MAX = 32 * 1024
/** Largest body of a TC3 POST. */
export const BODY_BYTES_MAX = 10 * 1024 * 1024
/** Longest name that is echoed in a message. */
const NAME_LENGTH_MAX = 64

/** What the Tencent dialect works with. */
export interface TencentDeps extends OperationDeps {
  readonly limiter: RateLimiter
}

interface Progress {
  caller?: Caller
  sent?: Sent
}

/** Answers one call; failures become the vendor's envelope, never an exception. */
export async function answerTencent(
  call: RawCall,
  callId: string,
  deps: TencentDeps,
): Promise<Answer> {
  const common = readCommon(call)
  const progress: Progress = {}
  try {
    const fields = await run(call, common, progress, deps)
    const body = successBody(fields, callId)
    const log = { ...logOf(common, progress, callId), outcome: 'ok' as const }
    return { body, headers: headersOf(call.headers['x-tc-traceid']), log }
  } catch (thrown) {
    return failed(toAppError(thrown), { call, callId, common, progress, nowMs: deps.clock.nowMs() })
  }
}

/** Answers a request that failed before it could be read. */
export function refuseTencent(
  call: RawCall,
  callId: string,
  error: AppError,
  nowMs: number,
): Answer {
  return failed(error, { call, callId, common: readCommon(call), progress: {}, nowMs })
}

function failed(
  error: AppError,
  at: {
    readonly call: RawCall
    readonly callId: string
    readonly common: CommonParameters
    readonly progress: Progress
    readonly nowMs: number
  },
): Answer {
  const { call, callId, common, progress } = at
  const body = errorBody(error, {
    language: parseLanguage(common.language),
    action: (common.action ?? '').slice(0, NAME_LENGTH_MAX),
    version: (common.version ?? '').slice(0, NAME_LENGTH_MAX),
    service: SERVICE,
    callId,
    nowMs: at.nowMs,
    value: textOf(progress.sent?.values.get(error.field ?? '')),
  })
  const reason = { outcome: error.code, reason: error.message, cause: error.cause }
  const log = { ...logOf(common, progress, callId), ...reason }
  return { body, headers: headersOf(call.headers['x-tc-traceid']), log }
}

function logOf(common: CommonParameters, progress: Progress, callId: string) {
  return {
    dialect: 'tencent' as const,
    callId,
    action: (common.action ?? '').slice(0, NAME_LENGTH_MAX),
    accountId: progress.caller?.account.id,
  }
}

async function run(
  call: RawCall,
  common: CommonParameters,
  progress: Progress,
  deps: TencentDeps,
): Promise<Fields> {
  checkSize(call, common.scheme)
  const caller = await authenticate(call, common, deps)
  progress.caller = caller
  const action = findAction(common)
  deps.limiter.count(caller.account.id, action.name, deps.clock.nowMs())
  const sent = readSent(call, common)
  progress.sent = sent
  return action.run(sent, { caller, deps })
}

function checkSize(call: RawCall, scheme: CommonParameters['scheme']): void {
  if (call.method !== 'GET' && call.method !== 'POST') {
    throw new AppError('method_unsupported', 'Only GET and POST requests are supported.')
  }
  if (call.method === 'GET' && call.query.length > QUERY_BYTES_MAX) {
    throw new AppError('too_large', 'The request is larger than 32 KB; use POST.')
  }
  if (scheme === 'v1' && isOverV1Limit(call)) {
    throw new AppError('signature_mismatch', 'The v1 body is over 1 MB.', { field: 'size' })
  }
  if (call.body.length > BODY_BYTES_MAX) {
    throw new AppError('too_large', 'The request is larger than 10 MB.')
  }
}

function findAction({ version, action: name }: CommonParameters): TencentAction {
  if (version !== VERSION) {
    throw new AppError('version_unknown', `There is no version ${version}.`, { field: 'Version' })
  }
  const action = TENCENT_ACTIONS.get(name ?? '')
  if (action !== undefined) return action
  throw new AppError('action_unknown', `There is no action ${name}.`, { field: 'Action' })
}

/** Reads what the action was sent; only what the signature covered is looked at. */
function readSent(call: RawCall, common: CommonParameters): Sent {
  if (common.scheme === 'v1') {
    return { encoding: 'text', values: actionParameters(common.flat) }
  }
  if (call.method === 'GET') return { encoding: 'text', values: queryParameters(call.query) }
  const contentType = call.headers['content-type'] ?? ''
  if (!/^application\/json\b/i.test(contentType)) {
    throw new AppError('media_type_unsupported', 'Send the parameters as application/json.')
  }
  return { encoding: 'json', values: jsonParameters(call.body) }
}

function queryParameters(query: string): ReadonlyMap<string, JsonValue> {
  const values = new Map<string, JsonValue>()
  for (const [name, value] of parsePairs(query)) {
    if (value === undefined) {
      throw new AppError('body_malformed', 'Url key and value should be splited by `=`.')
    }
    values.set(name, value)
  }
  return values
}

function jsonParameters(body: Uint8Array): ReadonlyMap<string, JsonValue> {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'))
  } catch (error) {
    throw notJson(error)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notJson()
  return new Map(Object.entries(value as Readonly<Record<string, JsonValue>>))
}

function notJson(cause?: unknown): AppError {
  return new AppError(
    'body_malformed',
    'The request content is not valid JSON, as content-type=application/json demands.',
    { field: 'json', cause },
  )
}

function textOf(value: JsonValue | undefined): string {
  if (value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.slice(0, NAME_LENGTH_MAX)
}
