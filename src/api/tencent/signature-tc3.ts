/**
 * Tencent Cloud's TC3-HMAC-SHA256 signature.
 *
 * SDKs differ in what they take for the host and the content type, so a request is checked against
 * every text a known SDK would have signed; the key decides which, never the server.
 * Source: tencent.md §1.2 and §1.3, from cloud.tencent.com/document/api/1278/46710 and recorded
 * requests of the SDKs, read 2026-11-21.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { AppError } from '../../core/errors.ts'
import type { RawCall } from '../raw-call.ts'

/** Name of the algorithm, as the Authorization header begins. */
export const TC3 = 'TC3-HMAC-SHA256'

/** The parts of an Authorization header. */
export interface Authorization {
  readonly secretId: string
  /** `YYYY-MM-DD`. */
  readonly date: string
  /** Product in the scope; SDKs that are given an address put a part of it here. */
  readonly service: string
  /** Lower-case names in their order. */
  readonly signedHeaders: readonly string[]
  readonly signature: string
}

/** One reading of what was signed. */
export interface CanonicalParts {
  readonly method: string
  readonly path: string
  /** Raw query of a GET; empty for a POST. */
  readonly query: string
  /** Name and value in the order of `SignedHeaders`. */
  readonly headers: readonly (readonly [string, string])[]
  /** Lower-case hex SHA-256. */
  readonly payloadHash: string
}

const AUTHORIZATION =
  /^TC3-HMAC-SHA256\s+Credential=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})\s*$/
// A service may hold ':' and digits, so the credential is read from both ends.
const CREDENTIAL = /^([^/]+)\/(\d{4}-\d{2}-\d{2})\/(.+)\/tc3_request$/

/**
 * Reads an Authorization header.
 *
 * Errors: `signature_malformed`; its message ends the vendor's own sentence.
 */
export function parseAuthorization(text: string): Authorization {
  const parts = AUTHORIZATION.exec(text)
  if (parts === null) {
    throw malformed('expected `TC3-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.')
  }
  const [, credentialText = '', headersText = '', signature = ''] = parts
  const credential = CREDENTIAL.exec(credentialText)
  if (credential === null) {
    throw malformed('`Credential` is not `SecretId/Date/Service/tc3_request`.')
  }
  const [, secretId = '', date = '', service = ''] = credential
  const signedHeaders = headersText.split(';')
  if (!signedHeaders.includes('content-type') || !signedHeaders.includes('host')) {
    throw malformed('`SignedHeaders` must name `content-type` and `host`.')
  }
  return { secretId, date, service, signedHeaders, signature }
}

/**
 * Tells whether the request was signed with the key; every reading is compared in constant time.
 */
export function verifyTc3(call: RawCall, authorization: Authorization, secretKey: string): boolean {
  const timestamp = call.headers['x-tc-timestamp'] ?? ''
  const key = signingKey(secretKey, authorization.date, authorization.service)
  const given = Buffer.from(authorization.signature, 'hex')
  for (const parts of readingsOf(call, authorization)) {
    const text = stringToSign(canonicalRequest(parts), timestamp, authorization)
    const expected = createHmac('sha256', key).update(text).digest()
    if (expected.length === given.length && timingSafeEqual(expected, given)) return true
  }
  return false
}

/** Signs one reading; returns the hex signature. */
export function signTc3(
  parts: CanonicalParts,
  scope: { readonly timestamp: string; readonly date: string; readonly service: string },
  secretKey: string,
): string {
  const key = signingKey(secretKey, scope.date, scope.service)
  const text = stringToSign(canonicalRequest(parts), scope.timestamp, scope)
  return createHmac('sha256', key).update(text).digest('hex')
}

/** Joins the six parts of a canonical request. */
export function canonicalRequest(parts: CanonicalParts): string {
  const headers = parts.headers.map(([name, value]) => `${name}:${value.trim()}\n`).join('')
  const names = parts.headers.map(([name]) => name).join(';')
  return [parts.method, parts.path, parts.query, headers, names, parts.payloadHash].join('\n')
}

/** Writes the four lines that are signed. */
export function stringToSign(
  canonical: string,
  timestamp: string,
  scope: { readonly date: string; readonly service: string },
): string {
  const scopeText = `${scope.date}/${scope.service}/tc3_request`
  return [TC3, timestamp, scopeText, sha256(canonical)].join('\n')
}

/** Lower-case hex SHA-256. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function signingKey(secretKey: string, date: string, service: string): Buffer {
  const dated = createHmac('sha256', `TC3${secretKey}`).update(date).digest()
  const scoped = createHmac('sha256', dated).update(service).digest()
  return createHmac('sha256', scoped).update('tc3_request').digest()
}

function* readingsOf(call: RawCall, authorization: Authorization): Generator<CanonicalParts> {
  const isGet = call.method === 'GET'
  const isUnsigned = call.headers['x-tc-content-sha256'] === 'UNSIGNED-PAYLOAD'
  const payloadHash = sha256(isUnsigned ? 'UNSIGNED-PAYLOAD' : isGet ? '' : call.body)
  const fixed = { method: call.method, query: isGet ? call.query : '', payloadHash }
  for (const path of new Set(['/', call.path])) {
    for (const headers of headerReadings(call, authorization.signedHeaders)) {
      yield { ...fixed, path, headers }
    }
  }
}

/** At most hosts × 3 content types × 2 spellings of all other values. */
function* headerReadings(
  call: RawCall,
  names: readonly string[],
): Generator<(readonly [string, string])[]> {
  const others = [
    (name: string) => call.headers[name] ?? '',
    (name: string) => (call.headers[name] ?? '').toLowerCase(),
  ]
  for (const host of hostsOf(call)) {
    for (const contentType of contentTypesOf(call)) {
      for (const other of others) {
        yield names.map((name) => {
          if (name === 'host') return [name, host] as const
          return [name, name === 'content-type' ? contentType : other(name)] as const
        })
      }
    }
  }
}

/** Node signs the host without its port, all others with it. */
function hostsOf(call: RawCall): Set<string> {
  return new Set(call.hosts.flatMap((host) => [host, host.replace(/:\d+$/, '')]))
}

/** Old .NET signs a charset that it leaves to its HTTP stack to send. */
function contentTypesOf(call: RawCall): Set<string> {
  const sent = call.headers['content-type'] ?? ''
  const types = [sent, sent.toLowerCase()]
  return new Set(/charset/i.test(sent) ? types : [...types, `${sent}; charset=utf-8`])
}

function malformed(problem: string): AppError {
  return new AppError('signature_malformed', problem)
}
