import { createHash } from 'node:crypto'
import type { Json } from './built-weir.ts'

/** The two halves of a key pair. */
export interface KeyPair {
  readonly publicKey: string
  readonly secret: string
}

/** How clients send: GET, the Go SDK's form, the JS SDK's flat JSON, the Go SDK's nested JSON. */
export const ENCODINGS = ['query', 'form', 'flat', 'nested'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** A parameter before it is encoded. */
export type Value = string | number | boolean | readonly Value[]
export type Parameters = Readonly<Record<string, Value>>

/**
 * Signs and sends a call, by the published rule alone: nothing of this is Weir's own code.
 *
 * Source: https://docs.ucloud.cn/api/summary/signature: SHA-1 over name and value of every
 * parameter in the order of the names, and the private key.
 */
export async function callUcloud(
  url: string,
  { publicKey, secret }: KeyPair,
  parameters: Parameters,
  encoding: Encoding = 'form',
): Promise<Json> {
  const sent = { ...parameters, PublicKey: publicKey }
  const signed: Parameters = encoding === 'nested' ? sent : Object.fromEntries(flatten(sent))
  const body: Parameters = { ...signed, Signature: sha1(`${joined(signed)}${secret}`) }
  const form = new URLSearchParams(
    Object.entries(body).map(([name, value]): [string, string] => [name, String(value)]),
  )
  const response = await fetch(...requestOf(url, encoding, body, form))
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
  return (await response.json()) as Json
}

function requestOf(
  url: string,
  encoding: Encoding,
  body: Parameters,
  form: URLSearchParams,
): [string, RequestInit] {
  switch (encoding) {
    case 'query':
      return [`${url}/?${form}`, {}]
    case 'form':
      return [`${url}/?Action=${String(body['Action'])}`, { method: 'POST', body: form }]
    case 'flat':
    case 'nested': {
      const headers = { 'content-type': 'application/json' }
      return [`${url}/`, { method: 'POST', headers, body: JSON.stringify(body) }]
    }
  }
}

/** `Name: [a, b]` becomes `Name.0: a, Name.1: b`. */
function flatten(parameters: Parameters): [string, Value][] {
  return Object.entries(parameters).flatMap(([name, value]): [string, Value][] =>
    isList(value) ? value.map((item, index) => [`${name}.${index}`, item]) : [[name, value]],
  )
}

function joined(parameters: Parameters): string {
  return Object.keys(parameters)
    .sort()
    .map((name) => `${name}${textOf(parameters[name] ?? '')}`)
    .join('')
}

function textOf(value: Value): string {
  return isList(value) ? value.map(textOf).join('') : String(value)
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

function sha1(text: string): string {
  return createHash('sha1').update(text, 'utf8').digest('hex')
}
