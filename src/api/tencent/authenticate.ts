/**
 * Which signature scheme a request uses, its common parameters, and whether it is genuine.
 *
 * Source: tencent.md §1.1 (telling schemes apart), §1.5 (common parameters), §1.6 (order of
 * checks).
 */
import type { EpochMs } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { parsePairs } from '../form-text.ts'
import { identify } from '../identify.ts'
import type { JsonValue } from '../json-text.ts'
import type { Caller, OperationDeps } from '../operations/caller.ts'
import type { RawCall } from '../raw-call.ts'
import { type Authorization, parseAuthorization, verifyTc3 } from './signature-tc3.ts'
import { type FlatParameters, verifyV1 } from './signature-v1.ts'

/** How far a request's clock may be from ours, both ends allowed. */
const SKEW_SECONDS_MAX = 300
/** Largest body of a v1 request. */
const V1_BODY_BYTES_MAX = 1 << 20

/** Names of a v1 request that are not parameters of the action. */
const COMMON_NAMES: ReadonlySet<string> = new Set([
  'Action',
  'Version',
  'Region',
  'Timestamp',
  'Nonce',
  'SecretId',
  'Signature',
  'SignatureMethod',
  'Token',
  'Language',
  'RequestClient',
])

/** Common parameters as sent; absent ones are undefined. */
export interface CommonParameters {
  readonly scheme: 'tc3' | 'v1'
  readonly action: string | undefined
  readonly version: string | undefined
  readonly timestamp: string | undefined
  readonly token: string | undefined
  readonly language: string | undefined
  /** Decoded parameters of a v1 request; empty for TC3. */
  readonly flat: FlatParameters
}

/** Reads the common parameters without checking anything. */
export function readCommon(call: RawCall): CommonParameters {
  const { headers } = call
  const isTc3 = headers['authorization'] !== undefined || headers['x-tc-action'] !== undefined
  if (isTc3) {
    return {
      scheme: 'tc3',
      action: given(headers['x-tc-action']),
      version: given(headers['x-tc-version']),
      timestamp: given(headers['x-tc-timestamp']),
      token: given(headers['x-tc-token']),
      language: given(headers['x-tc-language']),
      flat: new Map(),
    }
  }
  const flat = new Map(parsePairs(v1Text(call)).map(([name, value]) => [name, value ?? '']))
  return {
    scheme: 'v1',
    action: given(flat.get('Action')),
    version: given(flat.get('Version')),
    timestamp: given(flat.get('Timestamp')),
    token: given(flat.get('Token')),
    language: given(flat.get('Language')),
    flat,
  }
}

/** Tells whether a v1 request is larger than that scheme allows; it is then not read at all. */
export function isOverV1Limit(call: RawCall): boolean {
  return call.body.length > V1_BODY_BYTES_MAX
}

function v1Text(call: RawCall): string {
  if (call.method === 'GET') return call.query
  return isOverV1Limit(call) ? '' : Buffer.from(call.body).toString('utf8')
}

/** What a v1 request sent for its action. */
export function actionParameters(flat: FlatParameters): ReadonlyMap<string, JsonValue> {
  return new Map([...flat].filter(([name]) => !COMMON_NAMES.has(name)))
}

/**
 * Proves who sent the request.
 *
 * Errors, in order: `parameter_missing` (Timestamp first), `signature_malformed`, `key_unknown`,
 * `token_unknown`, `signature_expired`, `signature_mismatch`.
 */
export async function authenticate(
  call: RawCall,
  common: CommonParameters,
  deps: OperationDeps,
): Promise<Caller> {
  demand('Timestamp', common.timestamp)
  demand('Action', common.action)
  demand('Version', common.version)
  const authorization = common.scheme === 'tc3' ? tc3Authorization(call) : undefined
  const publicKey = authorization?.secretId ?? demand('SecretId', common.flat.get('SecretId'))
  if (common.scheme === 'v1') {
    demand('Nonce', common.flat.get('Nonce'))
    demand('Signature', common.flat.get('Signature'))
  }
  const { caller, secret } = await identify({ publicKey, dialect: 'tencent', call }, deps)
  // Weir issues no temporary credentials, so no token that is sent can exist.
  if (common.token !== undefined) throw new AppError('token_unknown', 'Weir issues no tokens.')
  checkClock(common.timestamp ?? '', deps.clock.nowMs())
  if (!isGenuine(call, common, authorization, secret)) {
    throw new AppError('signature_mismatch', 'The signature is wrong.')
  }
  return caller
}

function demand(name: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value
  throw new AppError('parameter_missing', `${name} is required.`, { field: name })
}

function tc3Authorization(call: RawCall): Authorization {
  const text = demand('Authorization', call.headers['authorization'])
  if (text === 'SKIP') {
    throw new AppError('signature_malformed', 'unsigned calls are not allowed.')
  }
  return parseAuthorization(text)
}

function checkClock(timestamp: string, nowMs: EpochMs): void {
  const seconds = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : Number.NaN
  const skewSeconds = Math.abs(Math.floor(nowMs / 1000) - seconds)
  // Written so that a timestamp that is no number is refused too.
  if (!(skewSeconds <= SKEW_SECONDS_MAX)) {
    throw new AppError('signature_expired', `The clocks are ${skewSeconds} s apart.`)
  }
}

function isGenuine(
  call: RawCall,
  common: CommonParameters,
  authorization: Authorization | undefined,
  secret: string,
): boolean {
  if (authorization !== undefined) {
    const seconds = Number(common.timestamp)
    const date = new Date(seconds * 1000).toISOString().slice(0, 10)
    return authorization.date === date && verifyTc3(call, authorization, secret)
  }
  return verifyV1(call, common.flat, secret)
}

/** SDKs write a missing setting as `null` or `undefined`. */
function given(text: string | undefined): string | undefined {
  return text === '' || text === 'null' || text === 'undefined' ? undefined : text
}
