/**
 * One call of the UCloud dialect, from raw request to answer.
 *
 * Order of checks: Action sent → signed → key known → signature right → action known → project →
 * parameters missing → parameters wrong → the operation's own.
 * Source: ucloud.md §2 (transport), §3 (order: "Sensible").
 */
import { AppError, toAppError } from '../../core/errors.ts'
import { parsePairs } from '../form-text.ts'
import { type Fields, type JsonValue, quoteNumbers } from '../json-text.ts'
import { type Caller, type OperationDeps, projectOf } from '../operations/caller.ts'
import { identify } from '../identify.ts'
import type { Answer, RawCall } from '../raw-call.ts'
import type { UcloudAction } from './action.ts'
import { UCLOUD_ACTIONS } from './actions.ts'
import { errorBody, headersOf, successBody } from './envelope.ts'
import { readText } from './parameters.ts'
import { findSigned, type Parameters, type ParameterSet } from './signature.ts'

/** Largest body; the biggest real one is a certificate. */
const BODY_BYTES_MAX = 1 << 20
/** Most parameters of one request. */
const PARAMETERS_MAX = 10_000
/** Longest action name that is echoed. */
const ACTION_LENGTH_MAX = 64

interface Progress {
  action: string
  caller?: Caller
}

/** Answers one call; failures become the vendor's envelope, never an exception. */
export async function answerUcloud(
  call: RawCall,
  callId: string,
  deps: OperationDeps,
): Promise<Answer> {
  const progress: Progress = { action: '' }
  const headers = headersOf(callId)
  const log = () => ({
    dialect: 'ucloud' as const,
    callId,
    action: progress.action,
    accountId: progress.caller?.account.id,
  })
  try {
    const fields = await run(call, progress, deps)
    const body = successBody(progress.action, fields)
    return { body, headers, log: { ...log(), outcome: 'ok' } }
  } catch (thrown) {
    const error = toAppError(thrown)
    const body = errorBody(progress.action, error)
    const outcome = { outcome: error.code, reason: error.message, cause: error.cause }
    return { body, headers, log: { ...log(), ...outcome } }
  }
}

/** Answers a request that failed before it could be read. */
export function refuseUcloud(callId: string, error: AppError): Answer {
  const reason = { outcome: error.code, reason: error.message, cause: error.cause }
  const log = { dialect: 'ucloud' as const, callId, action: '', accountId: undefined, ...reason }
  return { body: errorBody('', error), headers: headersOf(callId), log }
}

async function run(call: RawCall, progress: Progress, deps: OperationDeps): Promise<Fields> {
  const readings = readingsOf(call)
  const first = readings[0]?.values ?? new Map<string, JsonValue>()
  const name = readText('Action', first)
  if (name === undefined) throw new AppError('action_missing', 'The request names no Action.')
  progress.action = name.slice(0, ACTION_LENGTH_MAX)
  const { caller, signed } = await authenticate(call, readings, deps)
  progress.caller = caller
  const action = findAction(signed)
  if (action.scope === 'account') return action.run(signed, { caller, deps })
  const project = await projectOf(caller, readText('ProjectId', signed), deps)
  return action.run(signed, { caller, deps, project })
}

async function authenticate(
  call: RawCall,
  readings: readonly ParameterSet[],
  deps: OperationDeps,
): Promise<{ caller: Caller; signed: Parameters }> {
  const sent = readings[0]?.values ?? new Map<string, JsonValue>()
  const signature = readText('Signature', sent)
  const publicKey = readText('PublicKey', sent)
  // Weir issues no bearer or temporary tokens, so none that is sent can exist.
  const isBearer = /^bearer /i.test(call.headers['authorization'] ?? '')
  if (isBearer || readText('SecurityToken', sent) !== undefined) {
    throw new AppError('token_unknown', 'Weir issues no tokens; sign with a key pair.')
  }
  if (signature === undefined || publicKey === undefined) {
    throw new AppError('signature_missing', 'The request lacks Signature or PublicKey.')
  }
  const { caller, secret } = await identify({ publicKey, dialect: 'ucloud', call }, deps)
  const signed = findSigned(readings, signature, secret)
  if (signed === undefined) throw new AppError('signature_mismatch', 'The signature is wrong.')
  return { caller, signed }
}

function findAction(signed: Parameters): UcloudAction {
  const name = readText('Action', signed) ?? ''
  const action = UCLOUD_ACTIONS.get(name)
  if (action !== undefined) return action
  const field = name.slice(0, ACTION_LENGTH_MAX)
  throw new AppError('action_unknown', `There is no action ${field}.`, { field })
}

/**
 * Reads the parameters: query and body merged, the body's winning; then the body alone, which is
 * what was signed when a client's base URL carries a query of its own.
 */
function readingsOf(call: RawCall): ParameterSet[] {
  if (call.method !== 'GET' && call.method !== 'POST') {
    throw new AppError('method_unsupported', 'Use GET or POST.')
  }
  const query = fromPairs(call.query)
  if (call.method === 'GET' || call.body.length === 0) return [{ values: query }]
  const body = bodyReading(call)
  if (query.size === 0) return [body]
  const { asWritten } = body
  const merged = {
    values: new Map([...query, ...body.values]),
    ...(asWritten !== undefined && { asWritten: () => new Map([...query, ...asWritten()]) }),
  }
  return [merged, body]
}

function bodyReading(call: RawCall): ParameterSet {
  if (call.body.length > BODY_BYTES_MAX) {
    throw new AppError('too_large', `The body is larger than ${BODY_BYTES_MAX} bytes.`)
  }
  const text = Buffer.from(call.body).toString('utf8')
  const isJson =
    /json/i.test(call.headers['content-type'] ?? '') || text.trimStart().startsWith('{')
  if (!isJson) return { values: fromPairs(text) }
  return { values: fromJson(text), asWritten: () => fromJson(quoteNumbers(text)) }
}

function fromPairs(text: string): Map<string, JsonValue> {
  const pairs = parsePairs(text)
  checkCount(pairs.length)
  return new Map(pairs.map(([name, value]) => [name, value ?? '']))
}

function fromJson(text: string): Map<string, JsonValue> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new AppError('body_malformed', 'The body is not valid JSON.', { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('body_malformed', 'The body is not a JSON object.')
  }
  const entries = Object.entries(value as Readonly<Record<string, JsonValue>>)
  checkCount(entries.length)
  return new Map(entries)
}

function checkCount(count: number): void {
  if (count > PARAMETERS_MAX) {
    throw new AppError('too_large', `The request has more than ${PARAMETERS_MAX} parameters.`)
  }
}
