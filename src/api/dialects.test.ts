import { Writable } from 'node:stream'
import Fastify, { type InjectOptions, LogController } from 'fastify'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { fakeDeps } from '../../test/support/fakes.ts'
import { raw, signedCall } from '../../test/support/ucloud-calls.ts'
import { RANGE, tc3, v1 } from '../../test/support/tencent-calls.ts'
import { standardWorld } from '../../test/support/world.ts'
import { newRequestId } from '../core/ids.ts'
import { createDialects, HEADER_BYTES_MAX, isTencent } from './dialects.ts'
import type { AnswerLog, RawCall } from './raw-call.ts'

function setup() {
  const world = standardWorld()
  const lines: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const app = Fastify({
    loggerInstance: pino(stream),
    // Its own request line would hold the query, and with it signatures.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => newRequestId(),
    http: { maxHeaderSize: HEADER_BYTES_MAX },
  })
  const answered: AnswerLog[] = []
  const dialects = createDialects({
    ...fakeDeps(world),
    onAnswer: (log) => answered.push(log),
  })
  void app.register(dialects.plugin)
  const send = async (call: RawCall, extra: Partial<InjectOptions> = {}) => {
    const headers = { ...call.headers, host: call.hosts[0] ?? '' }
    const url = call.query === '' ? call.path : `${call.path}?${call.query}`
    return app.inject({
      method: call.method as 'GET',
      url,
      headers: headers as Record<string, string>,
      ...(call.body.length > 0 && { payload: Buffer.from(call.body) }),
      ...extra,
    })
  }
  return { world, app, dialects, lines, answered, send }
}

test.each<[string, RawCall, 'tencent' | 'ucloud']>([
  ['TC3', tc3(RANGE), 'tencent'],
  ['v1 by form', v1({}), 'tencent'],
  ['v1 by query', v1({}, 'GET'), 'tencent'],
  ['v1 without SecretId', raw({ body: Buffer.from('Action=A&Version=2021-01-19') }), 'tencent'],
  ['an unsigned Tencent call', raw({ headers: { authorization: 'SKIP' } }), 'tencent'],
  ['an action header alone', raw({ headers: { 'x-tc-action': 'A' } }), 'tencent'],
  ['a UCloud form', signedCall('GetRegion', {}), 'ucloud'],
  ['a UCloud query', signedCall('GetRegion', {}, { encoding: 'query' }), 'ucloud'],
  ['UCloud JSON', signedCall('GetRegion', {}, { encoding: 'json' }), 'ucloud'],
  ['a UCloud parameter called Version', signedCall('GetRegion', { Version: '1' }), 'ucloud'],
  ['a bearer token', raw({ headers: { authorization: 'Bearer x' } }), 'ucloud'],
  ['nothing', raw({ method: 'GET' }), 'ucloud'],
])('tells the dialects apart: %s', (_title, call, dialect) => {
  expect(isTencent(call) ? 'tencent' : 'ucloud').toBe(dialect)
})

describe('over HTTP', () => {
  test('UCloud: status 200, JSON without charset, request id, also for errors', async () => {
    const { send } = setup()
    const reply = await send(signedCall('GetRegion', {}))
    expect(reply.statusCode).toBe(200)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(reply.headers['x-ucloud-request-uuid']).toMatch(/^[0-9a-f-]{36}$/)
    expect(reply.json()).toMatchObject({ Action: 'GetRegionResponse', RetCode: 0 })
    const refused = await setup().send(signedCall('GetRegion', {}, { key: ['pk-a', 'x'] }))
    expect(refused.statusCode).toBe(200)
    expect(refused.json()).toMatchObject({ RetCode: 171 })
  })

  test('Tencent: status 200, JSON without charset, trace id, also for errors', async () => {
    const reply = await setup().send(tc3(RANGE, { headers: { 'x-tc-traceid': 'trace-1' } }))
    expect(reply.statusCode).toBe(200)
    expect(reply.headers['content-type']).toBe('application/json')
    expect(reply.headers['x-tc-traceid']).toBe('trace-1')
    expect(reply.json()).toMatchObject({ Response: { NetDetails: [] } })
    const refused = await setup().send(tc3(RANGE, { key: ['pk-a', 'x'] }))
    expect(refused.statusCode).toBe(200)
    expect(refused.json()).toMatchObject({
      Response: { Error: { Code: 'AuthFailure.SignatureFailure' } },
    })
  })

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/octet-stream',
    undefined,
  ])('a UCloud form or JSON body is read whatever its content type says: %s', async (type) => {
    const call = signedCall('GetRegion', {}, { encoding: 'json' })
    const headers = type === undefined ? {} : { 'content-type': type }
    const reply = await setup().send({ ...call, headers })
    expect(reply.json()).toMatchObject({ RetCode: 0 })
  })

  test('an unsupported method is answered in the dialect of its headers', async () => {
    const tencent = await setup().send({ ...tc3(RANGE), method: 'PUT' })
    expect(tencent.statusCode).toBe(200)
    expect(tencent.json()).toMatchObject({ Response: { Error: { Code: 'UnsupportedProtocol' } } })
    const ucloud = await setup().send({ ...signedCall('GetRegion', {}), method: 'DELETE' })
    expect(ucloud.json()).toMatchObject({ RetCode: 230 })
  })

  test('a body over 10 MB is answered in the dialect of its headers', async () => {
    const body = Buffer.alloc(10 * 1024 * 1024 + 1, 'a')
    const tencent = await setup().send({ ...tc3(RANGE), body }, { payload: body })
    expect(tencent.statusCode).toBe(200)
    expect(tencent.json()).toMatchObject({
      Response: { Error: { Code: 'RequestSizeLimitExceeded' } },
    })
    const ucloud = await setup().send(raw({ body }))
    expect(ucloud.json()).toMatchObject({ RetCode: 230 })
  })
})

test('every answer is logged with its call id and outcome, and never a secret', async () => {
  const { send, lines, answered } = setup()
  const reply = await send(signedCall('GetRegion', {}))
  const line = JSON.parse(lines.at(-1) ?? '') as Record<string, unknown>
  expect(line).toMatchObject({
    dialect: 'ucloud',
    action: 'GetRegion',
    accountId: 'acc-a',
    outcome: 'ok',
    reqId: reply.headers['x-ucloud-request-uuid'],
  })
  expect(answered).toHaveLength(1)
  expect(lines.join('')).not.toMatch(/sk-a|Signature/)
})

test('names that strangers make up for an action never reach the metrics', async () => {
  const { send, answered } = setup()
  await send(signedCall('Made-up', {}))
  await send(tc3(RANGE, { action: 'Made-up' }))
  await send(tc3(RANGE))
  expect(answered.map(({ action }) => action)).toEqual([
    'unknown',
    'unknown',
    'GetFlowStatisticByRegion',
  ])
})
