import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readRecorded } from '../../../test/support/recorded.ts'
import { AppError } from '../../core/errors.ts'
import type { RawCall } from '../raw-call.ts'
import { readCommon } from './authenticate.ts'
import {
  canonicalRequest,
  parseAuthorization,
  sha256,
  signTc3,
  stringToSign,
  verifyTc3,
} from './signature-tc3.ts'
import { signV1, sourceText, verifyV1 } from './signature-v1.ts'

const recorded = readRecorded(new URL('./testdata/recorded-requests.jsonl', import.meta.url))
const tc3 = recorded.filter(({ scheme }) => scheme.startsWith('TC3'))
const v1 = recorded.filter(({ scheme }) => scheme.startsWith('Hmac'))

// The vendor's published example key; it opens nothing.
const SECRET_ID = 'AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE'
const SECRET_KEY = 'Gu5t9xGARNpq86cd98joQYCN3EXAMPLE'

describe('published vectors', () => {
  const emptyHash = sha256('')
  const body = String.raw`{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
  const host = ['host', 'cvm.tencentcloudapi.com'] as const
  const get = {
    method: 'GET',
    path: '/',
    query: 'Limit=10&Offset=0',
    headers: [['content-type', 'application/x-www-form-urlencoded'], host],
    payloadHash: emptyHash,
  } as const
  const post = {
    method: 'POST',
    path: '/',
    query: '',
    headers: [['content-type', 'application/json; charset=utf-8'], host],
    payloadHash: sha256(body),
  } as const
  const at2018 = { timestamp: '1539084154', date: '2018-10-09', service: 'cvm' }
  const at2019 = { timestamp: '1551113065', date: '2019-02-25', service: 'cvm' }

  test('the body hash of V2', () => {
    expect(sha256(body)).toBe('35e9c5b0e3ae67532d3c9f17ead6c90222632e5b1ff7f6e89887f1398934f064')
  })

  test.each([
    [
      'V1: TC3 GET',
      get,
      at2018,
      '91c9c192c14460df6c1ffc69e34e6c5e90708de2a6d282cccf957dbf1aa7f3a7',
      '5da7a33f6993f0614b047e5df4582db9e9bf4672ba50567dba16c6ccf174c474',
    ],
    [
      'V2: TC3 POST',
      post,
      at2019,
      '5ffe6a04c0664d6b969fab9a13bdab201d63ee709638e2749d62a09ca18d7031',
      '72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168',
    ],
    [
      'V3: TC3 POST with a signed action in lower case',
      { ...post, headers: [...post.headers, ['x-tc-action', 'describeinstances'] as const] },
      at2019,
      '7019a55be8395899b900fb5564e4200d984910f34794a27cb3fb7d10ff6a1e84',
      '644be983de9a8a3f00db8eadaba61467c3b429e2215758ba897b738ca469fd26',
    ],
  ])('%s', (_title, parts, scope, hash, signature) => {
    expect(sha256(canonicalRequest(parts))).toBe(hash)
    expect(signTc3(parts, scope, SECRET_KEY)).toBe(signature)
  })

  const instances = new Map([
    ['Action', 'DescribeInstances'],
    ['InstanceIds.0', 'ins-09dx96dg'],
    ['Limit', '20'],
    ['Nonce', '11886'],
    ['Offset', '0'],
    ['Region', 'ap-guangzhou'],
    ['SecretId', SECRET_ID],
    ['Timestamp', '1465185768'],
    ['Version', '2017-03-12'],
  ])
  const where = { method: 'GET', host: 'cvm.tencentcloudapi.com', path: '/' }

  test('V4: v1 with SHA-1', () => {
    expect(signV1(where, instances, SECRET_KEY)).toBe('EliP9YW3pW28FpsEdkXt/+WcGeI=')
  })

  test('V5: v1 with SHA-256 of the same text', async () => {
    const { createHmac } = await import('node:crypto')
    const text = sourceText(where, instances)
    expect(createHmac('sha256', SECRET_KEY).update(text).digest('base64')).toBe(
      'bR/zQ3QqOmcEYeRv71IzG/NxfisUDgy9cqRMQC+UB5g=',
    )
  })
})

describe('requests recorded from the SDKs', () => {
  test.each(tc3)('TC3: $label of $sdk', ({ call, canonicalRequest: canonical, ...row }) => {
    const authorization = parseAuthorization(call.headers['authorization'] ?? '')
    expect(authorization.secretId).toBe(row.secretId)
    expect(authorization.signature).toBe(row.signature)
    expect(verifyTc3(call, authorization, row.secretKey)).toBe(true)
    expect(verifyTc3(call, authorization, `${row.secretKey}x`)).toBe(false)
    const timestamp = call.headers['x-tc-timestamp'] ?? ''
    expect(stringToSign(canonical ?? '', timestamp, authorization)).toBe(row.stringToSign)
  })

  test.each(v1)('v1: $label of $sdk', ({ call, ...row }) => {
    const { flat } = readCommon(call)
    expect(flat.get('Signature')).toBe(row.signature)
    const where = { method: call.method, host: call.hosts[0] ?? '', path: '/' }
    expect(sourceText(where, flat)).toBe(row.stringToSign)
    expect(verifyV1(call, flat, row.secretKey)).toBe(true)
    expect(verifyV1(call, flat, `${row.secretKey}x`)).toBe(false)
  })
})

/** A TC3 POST as an SDK with the given habits signs it. */
function signedPost(
  how: {
    host?: string
    signedHost?: string
    contentType?: string
    signedContentType?: string
    headers?: Readonly<Record<string, string>>
    signedHeaders?: Readonly<Record<string, string>>
    path?: string
    signedPath?: string
    body?: string
    payload?: string
    service?: string
  } = {},
): RawCall {
  const { host = 'mna.example.com:8080', contentType = 'application/json', body = '{}' } = how
  const { signedHost = host, signedContentType = contentType, service = 'mna' } = how
  const scope = { timestamp: '1795243719', date: '2026-11-21', service }
  const extra = Object.entries(how.signedHeaders ?? {})
  const signedNames = ['content-type', 'host', ...extra.map(([name]) => name)].join(';')
  const signature = signTc3(
    {
      method: 'POST',
      path: how.signedPath ?? '/',
      query: '',
      headers: [['content-type', signedContentType], ['host', signedHost], ...extra],
      payloadHash: sha256(how.payload ?? body),
    },
    scope,
    SECRET_KEY,
  )
  return {
    method: 'POST',
    path: how.path ?? '/',
    query: '',
    headers: {
      host,
      'content-type': contentType,
      'x-tc-timestamp': scope.timestamp,
      authorization: `TC3-HMAC-SHA256 Credential=${SECRET_ID}/${scope.date}/${service}/tc3_request, SignedHeaders=${signedNames}, Signature=${signature}`,
      ...how.headers,
    },
    body: Buffer.from(body),
    hosts: [host],
  }
}

function isGenuine(call: RawCall, secretKey = SECRET_KEY): boolean {
  return verifyTc3(call, parseAuthorization(call.headers['authorization'] ?? ''), secretKey)
}

// What SDKs do differently when they are pointed at an address of ours.
test.each<[string, RawCall]>([
  ['the host with its port', signedPost()],
  ['the host without its port', signedPost({ signedHost: 'mna.example.com' })],
  ['a service cut from an address', signedPost({ service: 'localhost:18080' })],
  [
    '.NET: a charset that is not sent',
    signedPost({ signedContentType: 'application/json; charset=utf-8' }),
  ],
  [
    'a content type signed in lower case',
    signedPost({ contentType: 'Application/JSON', signedContentType: 'application/json' }),
  ],
  [
    'a further header, its value in lower case',
    signedPost({
      headers: { 'x-tc-action': 'GetFlow' },
      signedHeaders: { 'x-tc-action': 'getflow' },
    }),
  ],
  [
    'a further header as sent',
    signedPost({
      headers: { 'x-tc-action': 'GetFlow' },
      signedHeaders: { 'x-tc-action': 'GetFlow' },
    }),
  ],
  ['Node: a path that is part of the endpoint', signedPost({ path: '/t/', signedPath: '/t/' })],
  ['Go: such a path, not signed', signedPost({ path: '/t/', signedPath: '/' })],
  [
    'an unsigned payload',
    signedPost({
      body: '{"a":1}',
      payload: 'UNSIGNED-PAYLOAD',
      headers: { 'x-tc-content-sha256': 'UNSIGNED-PAYLOAD' },
    }),
  ],
  [
    'a host that a trusted proxy was called by',
    {
      ...signedPost({ signedHost: 'outer.example.com' }),
      hosts: ['outer.example.com', '10.0.0.1:8080'],
    },
  ],
])('accepts %s', (_title, call) => {
  expect(isGenuine(call)).toBe(true)
})

test.each<[string, RawCall]>([
  ['another host', signedPost({ signedHost: 'mna.example.org' })],
  ['another port', signedPost({ signedHost: 'mna.example.com:9090' })],
  ['another content type', signedPost({ signedContentType: 'text/plain' })],
  ['another body', signedPost({ payload: '{"a":1}' })],
  ['another path', signedPost({ path: '/', signedPath: '/other' })],
  ['a signed header that was not sent', signedPost({ signedHeaders: { 'x-tc-action': 'a' } })],
  ['a claimed unsigned payload that was not', signedPost({ payload: 'UNSIGNED-PAYLOAD' })],
])('refuses %s', (_title, call) => {
  expect(isGenuine(call)).toBe(false)
})

test('any change of what was signed is refused', () => {
  const call = signedPost({ body: '{"BeginTime":1711296000}' })
  const bodyLength = call.body.length
  const change = fc.oneof(
    fc
      .record({
        at: fc.nat({ max: bodyLength - 1 }),
        by: fc.integer({ min: 1, max: 255 }),
      })
      .map(({ at, by }) => {
        const body = Buffer.from(call.body)
        body[at] = ((body[at] ?? 0) + by) % 256
        return { ...call, body }
      }),
    fc.integer({ min: 1, max: 1000 }).map((ahead) => ({
      ...call,
      headers: { ...call.headers, 'x-tc-timestamp': String(1_795_243_719 + ahead) },
    })),
    fc.stringMatching(/^[a-z]{1,12}$/).map((host) => ({ ...call, hosts: [`${host}.test`] })),
    fc.stringMatching(/^[a-z]{1,8}\/[a-z]{1,8}$/).map((type) => ({
      ...call,
      headers: { ...call.headers, 'content-type': type },
    })),
    fc.constant({ ...call, method: 'GET' }),
    fc.nat({ max: 63 }).map((at) => ({
      ...call,
      headers: { ...call.headers, authorization: flipSignature(call, at) },
    })),
  )
  fc.assert(
    fc.property(change, (changed) => {
      expect(isGenuine(changed)).toBe(false)
    }),
  )
})

/** Changes one hex digit of the signature. */
function flipSignature(call: RawCall, at: number): string {
  const text = call.headers['authorization'] ?? ''
  const index = text.length - 64 + at
  return text.slice(0, index) + (text[index] === '0' ? '1' : '0') + text.slice(index + 1)
}

const names = fc.stringMatching(/^[A-Z][a-z]{1,6}(\.\d{1,2})?$/)
const flatParameters = fc.dictionary(names, fc.string(), { minKeys: 1, maxKeys: 6 })

test('v1: what is signed verifies, for either digest; any change of a parameter does not', () => {
  fc.assert(
    fc.property(
      flatParameters,
      fc.constantFrom('HmacSHA1', 'HmacSHA256'),
      fc.string({ minLength: 1 }),
      (input, method, more) => {
        const call = { ...signedPost(), method: 'POST' }
        const flat = new Map(Object.entries({ ...input, SignatureMethod: method }))
        const where = { method: 'POST', host: 'mna.example.com:8080', path: '/' }
        const signed = new Map([...flat, ['Signature', signV1(where, flat, SECRET_KEY)]])
        expect(verifyV1(call, signed, SECRET_KEY)).toBe(true)
        expect(verifyV1(call, signed, `${SECRET_KEY}${more}`)).toBe(false)
        expect(verifyV1({ ...call, method: 'GET' }, signed, SECRET_KEY)).toBe(false)
        expect(verifyV1({ ...call, hosts: ['other'] }, signed, SECRET_KEY)).toBe(false)
        const [name = ''] = Object.keys(input)
        const changed = new Map([...signed, [name, `${signed.get(name)}${more}`]])
        expect(verifyV1(call, changed, SECRET_KEY)).toBe(false)
        expect(verifyV1(call, new Map([...signed, ['Zz', more]]), SECRET_KEY)).toBe(false)
      },
    ),
  )
})

test('v1: a client that forgot to encode the plus signs of base64 is understood', () => {
  const row = v1.find(({ signature }) => signature?.includes('+') === true)
  const { flat } = readCommon(row!.call)
  const spaced = new Map([
    ...flat,
    ['Signature', (flat.get('Signature') ?? '').replaceAll('+', ' ')],
  ])
  expect(verifyV1(row!.call, spaced, SECRET_KEY)).toBe(true)
})

describe('a malformed Authorization names what is wrong', () => {
  const signature = 'a'.repeat(64)
  const signed = 'SignedHeaders=content-type;host'
  test.each([
    ['TC3-HMAC-SHA256', 'expected'],
    [
      `TC3-HMAC-SHA256 Credential=a/2026-11-21/mna/tc3_request, ${signed}, Signature=short`,
      'expected',
    ],
    [`TC3-HMAC-SHA256 Credential=a/b, ${signed}, Signature=${signature}`, '`Credential`'],
    [
      `TC3-HMAC-SHA256 Credential=a/21-11-2026/mna/tc3_request, ${signed}, Signature=${signature}`,
      '`Credential`',
    ],
    [
      `TC3-HMAC-SHA256 Credential=a/2026-11-21/mna/tc3_request, SignedHeaders=host, Signature=${signature}`,
      '`SignedHeaders`',
    ],
  ])('%s', (text, problem) => {
    let message = ''
    try {
      parseAuthorization(text)
    } catch (error) {
      if (error instanceof AppError) message = `${error.code} ${error.message}`
    }
    expect(message).toContain('signature_malformed')
    expect(message).toContain(problem)
  })

  test('spaces around the commas are optional', () => {
    const text = `TC3-HMAC-SHA256 Credential=a/2026-11-21/x:1/tc3_request,${signed},Signature=${signature}`
    expect(parseAuthorization(text)).toMatchObject({ secretId: 'a', service: 'x:1' })
  })
})
