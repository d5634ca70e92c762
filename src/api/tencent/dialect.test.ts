import { describe, expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { readRecorded } from '../../../test/support/recorded.ts'
import {
  BEGIN_S,
  RANGE,
  signedText,
  tc3,
  v1,
  without,
} from '../../../test/support/tencent-calls.ts'
import { NOW_MS, standardWorld } from '../../../test/support/world.ts'
import { assert } from '../../core/errors.ts'
import type { RawCall } from '../raw-call.ts'
import { answerTencent } from './dialect.ts'
import { createRateLimiter, REQUESTS_PER_SECOND } from './rate-limit.ts'

function setup(world: FakeWorld = standardWorld()) {
  return { ...fakeDeps(world), limiter: createRateLimiter(REQUESTS_PER_SECOND) }
}

interface Reply {
  readonly RequestId: string
  readonly Error?: { readonly Code: string; readonly Message: string }
}

async function answer(call: RawCall, deps = setup()): Promise<Reply> {
  const { body, headers } = await answerTencent(call, 'call-1', deps)
  expect(headers['content-type']).toBe('application/json')
  const { Response } = JSON.parse(body) as { Response: Reply }
  expect(Response.RequestId).toBe('call-1')
  return Response
}

async function failure(call: RawCall, deps = setup()): Promise<string> {
  const { Error } = await answer(call, deps)
  return Error === undefined ? 'none' : `${Error.Code}: ${Error.Message}`
}

const text = Object.fromEntries(Object.entries(RANGE).map(([name, value]) => [name, String(value)]))
const zh = { headers: { 'x-tc-language': 'zh-CN' } }
const missing = (name: string) =>
  `MissingParameter: The request is missing a required parameter \`${name}\`.`

// In the order in which they are checked; every wording that has been observed.
describe('failures are the vendor’s own', () => {
  test.each<[string, RawCall, string]>([
    [
      'another method',
      { ...tc3(RANGE), method: 'PUT' },
      'UnsupportedProtocol: Only GET and POST requests are supported.',
    ],
    [
      'a GET over 32 KB',
      { ...tc3(RANGE), method: 'GET', query: 'a'.repeat(32 * 1024 + 1) },
      'RequestSizeLimitExceeded: The request is larger than 32 KB; use POST.',
    ],
    [
      'a v1 body over 1 MB',
      { ...v1(text), body: Buffer.alloc((1 << 20) + 1, 'a') },
      'AuthFailure.SignatureFailure: The provided credentials could not be validated because of exceeding request size limit, please use new signature method `TC3-HMAC-SHA256`.',
    ],
    ['nothing at all', { ...v1(text), body: Buffer.alloc(0) }, missing('Timestamp')],
    ['no timestamp', without(tc3(RANGE), 'x-tc-timestamp'), missing('Timestamp')],
    ['no version', without(tc3(RANGE), 'x-tc-version'), missing('Version')],
    ['no action', without(tc3(RANGE), 'x-tc-action'), missing('Action')],
    ['no authorization', without(tc3(RANGE), 'authorization'), missing('Authorization')],
    ['v1 without SecretId', v1({ ...text, SecretId: '' }), missing('SecretId')],
    ['v1 without Nonce', v1({ ...text, Nonce: '' }), missing('Nonce')],
    [
      'an unsigned call',
      tc3(RANGE, { headers: { authorization: 'SKIP' } }),
      'AuthFailure.InvalidAuthorization: The request `Authorization` header does not conform to tencentcloud standards: unsigned calls are not allowed.',
    ],
    [
      'another scheme',
      tc3(RANGE, { headers: { authorization: 'Bearer x' } }),
      'AuthFailure.InvalidAuthorization: The request `Authorization` header does not conform to tencentcloud standards: expected `TC3-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.',
    ],
    [
      'an unknown SecretId',
      tc3(RANGE, { key: ['pk-x', 'x'] }),
      'AuthFailure.SecretIdNotFound: The SecretId is not found, please ensure that your SecretId is correct.',
    ],
    [
      'an unknown SecretId, in Chinese',
      tc3(RANGE, { key: ['pk-x', 'x'], ...zh }),
      'AuthFailure.SecretIdNotFound: SecretId不存在，请输入正确的密钥。',
    ],
    [
      'a revoked key',
      tc3(RANGE, { key: ['pk-revoked', 'sk-revoked'] }),
      'AuthFailure.SecretIdNotFound: The SecretId is not found, please ensure that your SecretId is correct.',
    ],
    [
      'a key of the other dialect',
      tc3(RANGE, { key: ['pk-ucloud', 'sk-ucloud'] }),
      'AuthFailure.SecretIdNotFound: The SecretId is not found, please ensure that your SecretId is correct.',
    ],
    [
      'a token',
      tc3(RANGE, { headers: { 'x-tc-token': 'TOKEN123' } }),
      'AuthFailure.TokenFailure: The token is not found, please ensure that your token is correct.',
    ],
    [
      'a clock 301 s behind',
      tc3(RANGE, { nowMs: NOW_MS - 301_000 }),
      `AuthFailure.SignatureExpire: Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between \`Timestamp\` and the server time ${NOW_MS / 1000}.`,
    ],
    [
      'a clock 301 s ahead',
      tc3(RANGE, { nowMs: NOW_MS + 301_000 }),
      `AuthFailure.SignatureExpire: Signature expired. Please use local time and enable NTP service for time synchronization to avoid a deviation between \`Timestamp\` and the server time ${NOW_MS / 1000}.`,
    ],
    [
      'a wrong secret',
      tc3(RANGE, { key: ['pk-a', 'x'] }),
      'AuthFailure.SignatureFailure: The provided credentials could not be validated. Please check your signature is correct.',
    ],
    [
      'a wrong secret, in Chinese',
      tc3(RANGE, { key: ['pk-a', 'x'], ...zh }),
      'AuthFailure.SignatureFailure: 请求签名验证失败，请检查您的签名计算是否正确。',
    ],
    [
      'v1 with a wrong secret, in Chinese',
      v1({ ...text, Language: 'zh-CN' }, 'POST', 'x'),
      'AuthFailure.SignatureFailure: 请求签名验证失败，请检查您的签名计算是否正确。',
    ],
    [
      'an unknown version',
      tc3(RANGE, { headers: { 'x-tc-version': '2019-07-22' } }),
      'NoSuchVersion: The specified api version=`2019-07-22` does not exist in service=`mna`.',
    ],
    [
      'an unknown action',
      tc3(RANGE, { action: 'CreateQos' }),
      'InvalidAction: The request action=`CreateQos` is invalid or not found in service=`mna` and version=`2021-01-19`.',
    ],
    [
      'a wrong type in JSON',
      tc3({ ...RANGE, Type: '3' }),
      'InvalidParameter: The value type of parameter `Type` is not valid. The parameter type should be `integer`.',
    ],
    [
      'a wrong type, in Chinese',
      tc3({ ...RANGE, AccessRegion: 5 }, zh),
      'InvalidParameter: 参数 `AccessRegion` 取值类型错误。参数类型应为 `string`',
    ],
    [
      'a fraction',
      tc3({ ...RANGE, BeginTime: 1.5 }),
      'InvalidParameter: The value type of parameter `BeginTime` is not valid. The parameter type should be `integer`.',
    ],
    [
      'a word as number in a form',
      v1({ ...text, Type: 'up' }),
      'InvalidParameter: The value type of parameter `Type` is not valid. The parameter type should be `integer`.',
    ],
    [
      'an undeclared field',
      tc3({ ...RANGE, $schema: 'x' }),
      'UnknownParameter: The parameter `$schema` is not recognized.',
    ],
    ['a missing field', tc3({ ...RANGE, GatewayType: null }), missing('GatewayType')],
    [
      'a missing field, in Chinese',
      tc3({ ...RANGE, GatewayType: null }, zh),
      'MissingParameter: 请求缺少必要参数 `GatewayType`。',
    ],
    ['an empty field of a form', v1({ ...text, EndTime: '' }), missing('EndTime')],
    [
      'the example’s Type 0',
      tc3({ ...RANGE, Type: 0 }),
      'InvalidParameterValue: The value `0` specified in the parameter `Type` is not valid',
    ],
    [
      'an unknown access region',
      tc3({ ...RANGE, AccessRegion: 'ap-guangzhou' }),
      'InvalidParameterValue: The value `ap-guangzhou` specified in the parameter `AccessRegion` is not valid',
    ],
    [
      'a range that ends before it begins',
      tc3({ ...RANGE, EndTime: BEGIN_S - 1 }),
      `InvalidParameterValue: The value \`${BEGIN_S - 1}\` specified in the parameter \`EndTime\` is not valid`,
    ],
    [
      'a time in milliseconds',
      tc3({ ...RANGE, BeginTime: BEGIN_S * 1000 }),
      `InvalidParameterValue: The value \`${BEGIN_S * 1000}\` specified in the parameter \`BeginTime\` is not valid`,
    ],
  ])('%s', async (_title, call, expected) => {
    expect(await failure(call)).toBe(expected)
  })

  test('every parameter is required except AccessRegion', async () => {
    for (const name of Object.keys(RANGE)) {
      const { [name as keyof typeof RANGE]: _left, ...rest } = RANGE
      expect(await failure(tc3(rest))).toBe(missing(name))
    }
    expect(await failure(tc3(RANGE))).toBe('none')
  })

  test('a clock 300 s away is still accepted, both ways', async () => {
    expect(await failure(tc3(RANGE, { nowMs: NOW_MS - 300_000 }))).toBe('none')
    expect(await failure(tc3(RANGE, { nowMs: NOW_MS + 300_000 }))).toBe('none')
  })

  test('a scope date that is not the UTC date of the timestamp is refused', async () => {
    const call = tc3(RANGE)
    const authorization = (call.headers['authorization'] ?? '').replace('2026-11-21', '2026-11-22')
    const changed = { ...call, headers: { ...call.headers, authorization } }
    expect(await failure(changed)).toContain('AuthFailure.SignatureFailure')
  })
})

test('v1 GET and POST, empty parameters and big nonces are accepted', async () => {
  expect(await failure(v1(text))).toBe('none')
  expect(await failure(v1(text, 'GET'))).toBe('none')
  expect(await failure(v1({ ...text, AccessRegion: '' }))).toBe('none')
  expect(await failure(v1({ ...text, SignatureMethod: 'HmacSHA1' }))).toBe('none')
})

test('the trace id is echoed, the region ignored, whatever SDKs write for none', async () => {
  const headers = { 'x-tc-traceid': 'trace-1', 'x-tc-region': 'null', 'x-tc-token': 'undefined' }
  const { headers: sent, body } = await answerTencent(tc3(RANGE, { headers }), 'c', setup())
  expect(sent['x-tc-traceid']).toBe('trace-1')
  expect(body).not.toContain('Error')
})

describe('20 requests per second', () => {
  test('the 21st is refused with the running count, in both languages', async () => {
    const deps = setup()
    for (let index = 0; index < 20; index += 1) expect(await failure(tc3(RANGE), deps)).toBe('none')
    expect(await failure(tc3(RANGE), deps)).toBe(
      'RequestLimitExceeded: Your current request times equals to `21` in a second, which exceeds the frequency limit `20` for a second. Please reduce the frequency of calls.',
    )
    expect(await failure(tc3(RANGE, zh), deps)).toBe(
      'RequestLimitExceeded: 您当前每秒请求 `22` 次，超过了每秒频率上限 `20`，请稍后重试。',
    )
    expect(await failure(tc3(RANGE, { key: ['pk-sub', 'sk-sub'] }), deps)).toBe('none')
  })

  test('forged requests do not use up the owner’s limit', async () => {
    const deps = setup()
    for (let index = 0; index < 30; index += 1)
      await failure(tc3(RANGE, { key: ['pk-a', 'x'] }), deps)
    expect(await failure(tc3(RANGE), deps)).toBe('none')
  })
})

// What each recorded request is answered: the signature is right in all of them.
test('recorded requests of the SDKs are answered', async () => {
  const rows = readRecorded(new URL('./testdata/recorded-requests.jsonl', import.meta.url))
  const answers: Record<string, string> = {}
  for (const { label, call, receivedMs, secretId, secretKey } of rows) {
    const world = standardWorld(receivedMs)
    const [key] = world.keys
    assert(key !== undefined, 'the standard world has keys')
    world.keys.push({ ...key, id: 'recorded', publicKey: secretId, secret: secretKey })
    answers[label] = (await failure(call, setup(world))).split(':')[0] ?? ''
  }
  expect(answers).toMatchInlineSnapshot(`
    {
      "node-multipart": "InvalidRequest",
      "node-octet": "InvalidRequest",
      "node-skipsign": "AuthFailure.InvalidAuthorization",
      "node-tc3-get": "none",
      "node-tc3-get-array": "InvalidAction",
      "node-tc3-get-bool": "InvalidAction",
      "node-tc3-post": "none",
      "node-tc3-post-array": "InvalidAction",
      "node-tc3-post-bool": "InvalidAction",
      "node-tc3-post-empty": "InvalidAction",
      "node-tc3-post-region-lang-token": "AuthFailure.TokenFailure",
      "node-v1-get-array": "InvalidAction",
      "node-v1-post-array": "InvalidAction",
      "node-v1sha1-get": "AuthFailure.TokenFailure",
      "node-v1sha1-post": "none",
      "node-v1sha256-get": "none",
      "node-v1sha256-post": "none",
    }
  `)
})

test('a body that is not a JSON object is named, in both languages', async () => {
  const message = 'The request content is not valid JSON, as content-type=application/json demands.'
  for (const body of ['{"BeginTime":', '""', '', '[]', 'null', 'a=1']) {
    expect(await failure(signedText(body))).toBe(`InvalidParameter: ${message}`)
  }
  expect(await failure(signedText('', zh.headers))).toBe(
    'InvalidParameter: 对于指定content-type=application/json协议下，请求内容不是合法的Json格式。',
  )
})

test('a query without equals sign is named', async () => {
  const call = signedText('', { 'x-tc-content-sha256': 'UNSIGNED-PAYLOAD' }, 'BeginTime')
  expect(await failure(call)).toBe('InvalidParameter: Url key and value should be splited by `=`.')
})
