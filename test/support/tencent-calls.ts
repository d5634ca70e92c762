import { tencentRequest } from '../../src/api/client.ts'
import { formatPairs } from '../../src/api/form-text.ts'
import type { JsonValue } from '../../src/api/json-text.ts'
import type { RawCall } from '../../src/api/raw-call.ts'
import { sha256, signTc3 } from '../../src/api/tencent/signature-tc3.ts'
import { signV1 } from '../../src/api/tencent/signature-v1.ts'
import { NOW_MS } from './world.ts'

/** Parameters of a call. */
export type Input = Readonly<Record<string, JsonValue>>

const HOST = '127.0.0.1:8080'
/** Seconds of an hour. */
export const HOUR_S = 3600
/** 2026-11-21 14:00 in Shanghai. */
export const BEGIN_S = Date.UTC(2026, 10, 21, 6) / 1000
/** A valid question. */
export const RANGE = {
  BeginTime: BEGIN_S,
  EndTime: BEGIN_S + HOUR_S,
  Type: 3,
  TimeGranularity: 1,
  GatewayType: 0,
}
/** The action that most calls are about. */
export const ACTION = 'GetFlowStatisticByRegion'

/** What is unusual about a call. */
export interface How {
  readonly key?: readonly [string, string]
  readonly action?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly nowMs?: number
}

/** A TC3 POST; `headers` are added after signing. */
export function tc3(parameters: Input, how: How = {}): RawCall {
  const { key = ['pk-a', 'sk-a'], action = ACTION, nowMs = NOW_MS } = how
  const [publicKey, privateKey] = key
  const url = `http://${HOST}/`
  const signed = tencentRequest({ url, action, parameters, publicKey, privateKey }, nowMs)
  return {
    method: 'POST',
    path: '/',
    query: '',
    headers: { host: HOST, ...signed.headers, ...how.headers },
    body: Buffer.from(signed.body),
    hosts: [HOST],
  }
}

/** A v1 call. */
export function v1(
  parameters: Readonly<Record<string, string>>,
  method = 'POST',
  secret = 'sk-a',
): RawCall {
  const flat = new Map(
    Object.entries({
      Action: ACTION,
      Version: '2021-01-19',
      Timestamp: String(NOW_MS / 1000),
      Nonce: '5561133905230270336',
      SecretId: 'pk-a',
      SignatureMethod: 'HmacSHA256',
      Region: '',
      ...parameters,
    }),
  )
  flat.set('Signature', signV1({ method, host: HOST, path: '/' }, flat, secret))
  const text = formatPairs([...flat])
  return {
    method,
    path: '/',
    query: method === 'GET' ? text : '',
    headers: { host: HOST },
    body: Buffer.from(method === 'GET' ? '' : text),
    hosts: [HOST],
  }
}

/** The call without one of its headers. */
export function without(call: RawCall, header: string): RawCall {
  return { ...call, headers: { ...call.headers, [header]: undefined } }
}

/** A TC3 call over any text: a POST with the body, or a GET with the query. */
export function signedText(
  body: string,
  headers: Readonly<Record<string, string>> = {},
  query?: string,
): RawCall {
  const method = query === undefined ? 'POST' : 'GET'
  const scope = { timestamp: String(NOW_MS / 1000), date: '2026-11-21', service: 'mna' }
  const payload = headers['x-tc-content-sha256'] ?? body
  const signature = signTc3(
    {
      method,
      path: '/',
      query: query ?? '',
      headers: [
        ['content-type', 'application/json'],
        ['host', HOST],
      ],
      payloadHash: sha256(payload),
    },
    scope,
    'sk-a',
  )
  const call = tc3({})
  const authorization = (call.headers['authorization'] ?? '').replace(/[0-9a-f]{64}$/, signature)
  return {
    ...call,
    method,
    query: query ?? '',
    headers: { ...call.headers, ...headers, authorization },
    body: Buffer.from(body),
  }
}
