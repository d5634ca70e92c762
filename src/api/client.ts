/** Signed requests as the vendors' clients send them, for `weir call` and for tests. */
import type { EpochMs } from '../core/clock.ts'
import { formatPairs } from './form-text.ts'
import type { JsonValue } from './json-text.ts'
import { SERVICE, TENCENT_ACTIONS, VERSION } from './tencent/actions.ts'
import { sha256, signTc3, TC3 } from './tencent/signature-tc3.ts'
import { UCLOUD_ACTIONS } from './ucloud/actions.ts'
import { flatten, sign } from './ucloud/signature.ts'

/** A vendor dialect by name. */
export type Dialect = 'ucloud' | 'tencent'

/** What to ask and as whom. */
export interface CallRequest {
  /** Endpoint, `http://host:port/`. */
  readonly url: string
  readonly action: string
  readonly parameters: Readonly<Record<string, JsonValue>>
  readonly publicKey: string
  readonly privateKey: string
}

/** A signed HTTP request, ready to be sent. */
export interface SignedRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Body of a POST. */
  readonly body: string
}

/** A parameter that an action declares, for help texts. */
export interface DeclaredParameter {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly doc: string
}

/** An action of either dialect. */
export interface DeclaredAction {
  readonly name: string
  readonly dialect: Dialect
  readonly summary: string
  readonly source: string
  readonly parameters: readonly DeclaredParameter[]
}

/** Lists every action of both dialects, UCloud first, in the order of the documentation. */
export function declaredActions(): DeclaredAction[] {
  const tables = [
    ['ucloud', UCLOUD_ACTIONS],
    ['tencent', TENCENT_ACTIONS],
  ] as const
  return tables.flatMap(([dialect, actions]) =>
    [...actions.values()].map(({ name, summary, source, parameters }) => ({
      name,
      dialect,
      summary,
      source,
      parameters: Object.entries(parameters).map(([parameterName, parameter]) => ({
        name: parameterName,
        type: parameter.type,
        required: parameter.required,
        doc: parameter.doc,
      })),
    })),
  )
}

/**
 * Reads parameters' texts by their declared types: a JSON request must carry integers, true and
 * false as such, and `Key.0`, `Key.1` as one list.
 *
 * Shape: text that does not fit its type stays text, so that the server can say what is wrong.
 */
export function typedParameters(
  action: string,
  texts: Readonly<Record<string, string>>,
): Record<string, JsonValue> {
  const declared = TENCENT_ACTIONS.get(action)?.parameters ?? {}
  const values: Record<string, JsonValue> = {}
  const lists: Record<string, string[]> = {}
  for (const [name, text] of Object.entries(texts)) {
    const [, listName = ''] = /^(.+)\.\d+$/.exec(name) ?? []
    if (declared[listName]?.type !== 'Array of String') {
      values[name] = typedValue(declared[name]?.type, text)
    } else (lists[listName] ??= []).push(text)
  }
  return { ...values, ...lists }
}

function typedValue(type: string | undefined, text: string): JsonValue {
  if (type === 'Integer' && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (type === 'Boolean' && /^(?:true|false)$/.test(text)) return text === 'true'
  return text
}

/** Signs a call in the UCloud dialect: a form POST. */
export function ucloudRequest(call: CallRequest): SignedRequest {
  const { action, parameters, publicKey, privateKey } = call
  const flat = flatten({ Action: action, ...parameters, PublicKey: publicKey })
  flat.set('Signature', sign(flat, privateKey))
  return {
    url: call.url,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: formatPairs([...flat]),
  }
}

/** Signs a call in the Tencent dialect: TC3 over a JSON POST, valid for five minutes. */
export function tencentRequest(call: CallRequest, nowMs: EpochMs): SignedRequest {
  const { action, parameters, publicKey, privateKey } = call
  const body = JSON.stringify(parameters)
  const timestamp = String(Math.floor(nowMs / 1000))
  const scope = { timestamp, date: new Date(nowMs).toISOString().slice(0, 10), service: SERVICE }
  const contentType = 'application/json'
  const signature = signTc3(
    {
      method: 'POST',
      path: '/',
      query: '',
      headers: [
        ['content-type', contentType],
        ['host', new URL(call.url).host],
      ],
      payloadHash: sha256(body),
    },
    scope,
    privateKey,
  )
  const credential = `${publicKey}/${scope.date}/${SERVICE}/tc3_request`
  return {
    url: call.url,
    headers: {
      'content-type': contentType,
      'x-tc-action': action,
      'x-tc-version': VERSION,
      'x-tc-timestamp': timestamp,
      authorization: `${TC3} Credential=${credential}, SignedHeaders=content-type;host, Signature=${signature}`,
    },
    body,
  }
}
