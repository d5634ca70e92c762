import { formatPairs } from '../../src/api/form-text.ts'
import type { JsonValue } from '../../src/api/json-text.ts'
import type { RawCall } from '../../src/api/raw-call.ts'
import { flatten, sign } from '../../src/api/ucloud/signature.ts'

/** Parameters of a call. */
export type Input = Readonly<Record<string, JsonValue>>

/** What is unusual about a call. */
export interface How {
  readonly key?: readonly [publicKey: string, privateKey: string]
  readonly host?: string
  readonly encoding?: 'form' | 'query' | 'json' | 'go' | 'nested'
  readonly headers?: Readonly<Record<string, string>>
}

/** A POST to `/` with what is given. */
export function raw(parts: Partial<RawCall>): RawCall {
  return {
    method: 'POST',
    path: '/',
    query: '',
    headers: {},
    body: Buffer.alloc(0),
    hosts: ['127.0.0.1:8080'],
    ...parts,
  }
}

/** A call as one of the clients would encode and sign it. */
export function signedCall(action: string, input: Input, how: How = {}): RawCall {
  const { key = ['pk-a', 'sk-a'], encoding = 'form', host = '127.0.0.1:8080' } = how
  const common = { hosts: [host], headers: how.headers ?? {} }
  const sent = { Action: action, ...input, PublicKey: key[0] }
  const flat = flatten(sent)
  const signed = formatPairs([...flat, ['Signature', sign(flat, key[1])]])
  switch (encoding) {
    case 'query':
      return raw({ ...common, method: 'GET', query: signed })
    case 'form':
      return raw({ ...common, body: Buffer.from(signed) })
    case 'go':
      return raw({ ...common, query: `Action=${action}`, body: Buffer.from(signed) })
    case 'json': {
      const body = { ...sent, Signature: sign(flat, key[1]) }
      return raw({ ...common, body: Buffer.from(JSON.stringify(body)) })
    }
    case 'nested': {
      const body = { ...sent, Signature: sign(new Map(Object.entries(sent)), key[1]) }
      return raw({ ...common, body: Buffer.from(JSON.stringify(body)) })
    }
  }
}
