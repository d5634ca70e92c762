import { gzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sendFailure } from '../../api/native-errors.ts'
import type { Source } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import { createUsageHttp, type LoadedUsage, type UsageHttpDeps } from './listen.ts'

const GOOD = '{"time":"2026-11-20T10:00:00Z","resource":"eip-1","direction":"out","bytes":1}'

function source(name: string, more: Partial<Source> = {}): Source {
  const id = `src-${name}`
  const rest = { accountId: null, expects: 'continuous', active: true, createdMs: 0 } as const
  return { id, name, meters: ['eip'], ...rest, ...more }
}

const SOURCES: Readonly<Record<string, Source>> = {
  edge: source('edge'),
  bound: source('bound', { accountId: 'acc-1' }),
  other: source('other', { meters: ['cdn', 'eip', 'mna'] }),
}

const NOW_MS = Date.UTC(2026, 10, 20, 10, 0, 30)

const OUTCOME = { lines: 5, accepted: 2, duplicate: 1, rejected: { unknown_resource: 2 } }

/** Everything the routes did, and how the fake journal and store answer. */
interface Fake {
  readonly requests: Parameters<UsageHttpDeps['ingest']['acceptUsage']>[0][]
  readonly loaded: Map<number, LoadedUsage>
  readonly waiting: Map<number, string>
  failure: AppError | null
  isRepeat: boolean
  acked: number
  /** What was said of coverage. */
  readonly noted: object[]
  release: Promise<void>
}

let fake: Fake
let server: FastifyInstance

beforeEach(async () => {
  fake = {
    requests: [],
    loaded: new Map(),
    waiting: new Map(),
    failure: null,
    isRepeat: false,
    acked: 0,
    noted: [],
    release: Promise.resolve(),
  }
  server = Fastify({ bodyLimit: 4096 })
  server.setErrorHandler((error, request, reply) => sendFailure(error, request, reply))
  await server.register(
    createUsageHttp(
      { bodyBytesMax: 4096, inFlightBytesMax: 6000, waitMsMax: 50 },
      {
        ingest: {
          async acceptUsage(request) {
            await fake.release
            if (fake.failure !== null) throw fake.failure
            fake.requests.push(request)
            return { seq: 7, isRepeat: fake.isRepeat }
          },
          loaded: async (seq) => fake.loaded.get(seq),
          async state(seq) {
            const frame = fake.loaded.get(seq)
            if (frame !== undefined) return { state: 'loaded', frame }
            return fake.waiting.has(seq) ? { state: 'accepted' } : undefined
          },
          sourceOf: (seq) => fake.waiting.get(seq),
        },
        refused: async (seq, limit) =>
          [3, 5].slice(0, limit).map((line) => ({ line, reason: `unknown_resource of ${seq}` })),
        sourceOfToken: async (token) => SOURCES[token],
        onAcked: () => (fake.acked += 1),
        coverage: {
          clock: { nowMs: () => NOW_MS },
          beat: (name, span) => void fake.noted.push({ name, ...span }),
          through: async (name, throughMs) => void fake.noted.push({ name, throughMs }),
          number: async (request) => void fake.noted.push(request),
        },
      },
    ),
  )
})

afterEach(() => server.close())

async function send(options: InjectOptions = {}, token: string | null = 'edge') {
  return await server.inject({
    method: 'POST',
    url: '/v1/usage/eip',
    payload: GOOD,
    ...options,
    headers: {
      'content-type': 'application/x-ndjson',
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...options.headers,
    },
  })
}

describe('sending usage', () => {
  test('answers 202 with the batch once it is accepted', async () => {
    const answer = await send({ payload: `${GOOD}\n${GOOD}` })
    expect(answer.statusCode).toBe(202)
    expect(answer.json()).toEqual({ batch: '7', state: 'accepted', lines: 2, repeated: false })
    expect(fake.requests).toMatchObject([
      { source: 'edge', meter: 'eip', onlyAccount: null, lines: 2, idempotencyKey: null },
    ])
    expect(fake.acked).toBe(1)
  })

  test('hands on empty lines, so that refused ones keep their numbers', async () => {
    const answer = await send({ payload: `\n${GOOD}\n \n\n${GOOD}` })
    expect(answer.json()).toMatchObject({ lines: 2 })
    expect(fake.requests).toMatchObject([{ lines: 2, blankLines: 3 }])
  })

  test('hands on the source, its account and the key', async () => {
    await send({ headers: { 'idempotency-key': 'k' } }, 'bound')
    expect(fake.requests).toMatchObject([
      { source: 'bound', onlyAccount: 'acc-1', idempotencyKey: 'k' },
    ])
  })

  test('with ?wait=loaded answers what became of it, refused lines by number', async () => {
    fake.loaded.set(7, { source: 'edge', outcome: OUTCOME })
    const answer = await send({ url: '/v1/usage/eip?wait=loaded' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({
      batch: '7',
      state: 'loaded',
      lines: 5,
      accepted: 2,
      duplicate: 1,
      rejectedTotal: 2,
      rejectedByReason: { unknown_resource: 2 },
      rejected: [
        { line: 3, reason: 'unknown_resource of 7' },
        { line: 5, reason: 'unknown_resource of 7' },
      ],
    })
  })

  test('with ?wait=loaded answers 202 when the store takes too long', async () => {
    expect((await send({ url: '/v1/usage/eip?wait=loaded' })).statusCode).toBe(202)
  })

  test('a repeated request brought nothing new: all its lines are duplicates', async () => {
    fake.isRepeat = true
    expect((await send()).json()).toMatchObject({ repeated: true })
    fake.loaded.set(7, { source: 'edge', outcome: OUTCOME })
    expect((await send({ url: '/v1/usage/eip?wait=loaded' })).json()).toMatchObject({
      accepted: 0,
      duplicate: 3,
    })
  })
})

describe('is refused', () => {
  test.each([
    ['without a token', {}, null, 401, 'signature_missing'],
    ['with an unknown token', {}, 'nobody', 401, 'token_unknown'],
    ['for a meter that is none', { url: '/v1/usage/dns' }, 'edge', 404, 'not_found'],
    ['for a meter the source may not report', { url: '/v1/usage/cdn' }, 'edge', 403, 'forbidden'],
    ['malformed', { payload: `${GOOD}\n{` }, 'edge', 400, 'body_malformed'],
    ['empty', { payload: '' }, 'edge', 400, 'body_malformed'],
    [
      'as cut gzip',
      { payload: gzipSync(GOOD).subarray(0, 30), headers: { 'content-encoding': 'gzip' } },
      'edge',
      400,
      'body_malformed',
    ],
    ['as XML', { headers: { 'content-type': 'text/xml' } }, 'edge', 415, 'media_type_unsupported'],
    ['with an empty key', { headers: { 'idempotency-key': '' } }, 'edge', 400, 'parameter_invalid'],
    [
      'with a key of 256 characters',
      { headers: { 'idempotency-key': 'x'.repeat(256) } },
      'edge',
      400,
      'parameter_invalid',
    ],
    [
      'as a bomb',
      { payload: gzipSync(Buffer.alloc(1 << 20)), headers: { 'content-encoding': 'gzip' } },
      'edge',
      413,
      'too_large',
    ],
    ['too long', { payload: 'x'.repeat(4097) }, 'edge', 413, 'too_large'],
  ] as const)('%s', async (_, options, token, status, code) => {
    const answer = await send(options, token)
    expect(answer.statusCode).toBe(status)
    expect(JSON.stringify(answer.json())).toContain(code)
    expect(fake.requests).toEqual([])
    expect(fake.acked).toBe(0)
  })

  test('before its body is read when the token is unknown', async () => {
    const answer = await send({ payload: 'x'.repeat(100_000) }, 'nobody')
    expect(answer.statusCode).toBe(401)
  })

  test('with 503 and Retry-After when the journal is full', async () => {
    fake.failure = new AppError('overloaded', 'Full.', { retryAfterSeconds: 5 })
    const answer = await send()
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '5'])
    expect(fake.acked).toBe(0)
  })

  test('with 429 and Retry-After when too much is in memory, counted decompressed', async () => {
    let release = (): void => undefined
    fake.release = new Promise((resolve) => (release = resolve))
    const payload = gzipSync(`${GOOD}\n`.repeat(45))
    const options = { payload, headers: { 'content-encoding': 'gzip' } }
    expect(payload.length).toBeLessThan(200)
    const first = send(options)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const second = await send(options)
    expect([second.statusCode, second.headers['retry-after']]).toEqual([429, '1'])
    release()
    expect((await first).statusCode).toBe(202)
    // What was reserved is free again.
    expect((await send(options)).statusCode).toBe(202)
  })
})

describe('asking for a batch', () => {
  const ask = async (id: string, token: string) =>
    await server.inject({ url: `/v1/batches/${id}`, headers: { authorization: `Bearer ${token}` } })

  test('answers where it is on its way', async () => {
    fake.waiting.set(7, 'edge')
    expect((await ask('7', 'edge')).json()).toEqual({ batch: '7', state: 'accepted' })
    fake.loaded.set(7, { source: 'edge', outcome: OUTCOME })
    expect((await ask('7', 'edge')).json()).toMatchObject({ state: 'loaded', accepted: 2 })
  })

  test("another source's batch is as unknown as one that never was", async () => {
    fake.waiting.set(7, 'edge')
    fake.loaded.set(8, { source: 'edge', outcome: OUTCOME })
    const shape = async (id: string, token: string): Promise<unknown> => {
      const answer = await ask(id, token)
      return [answer.statusCode, answer.body.replaceAll(id, 'ID')]
    }
    const never = await shape('9', 'other')
    expect(never).toMatchObject([404, expect.stringContaining('not_found')])
    for (const id of ['7', '8', 'x', '99999999999999999', '-1']) {
      expect(await shape(id, 'other')).toEqual(never)
    }
  })

  test('needs a token', async () => {
    expect((await ask('7', 'nobody')).statusCode).toBe(401)
  })
})

describe('what is noted of a source', () => {
  const beat = { name: 'edge', startMs: NOW_MS, endMs: NOW_MS }

  test('every accepted request is a heartbeat, with its number if it has one', async () => {
    await send()
    await send({ headers: { 'weir-sequence': '7' } })
    expect(fake.noted).toEqual([beat, { source: 'edge', number: 7, receivedMs: NOW_MS }, beat])
  })

  test('a request that is refused is neither noted nor counted', async () => {
    const headers = { 'weir-sequence': '7' }
    expect((await send({ payload: 'x', headers })).statusCode).toBe(400)
    expect((await send({ headers }, null)).statusCode).toBe(401)
    fake.failure = new AppError('overloaded', 'full')
    expect((await send({ headers })).statusCode).toBe(503)
    expect(fake.noted).toEqual([])
  })

  test.each(['-1', '1.5', 'x', '', '9007199254740992'])(
    'a number %j is refused before anything is taken in',
    async (number) => {
      const answer = await send({ headers: { 'weir-sequence': number } })
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toMatchObject({ error: { field: 'Weir-Sequence' } })
      expect(fake.requests).toEqual([])
    },
  )

  async function heartbeat(payload: string, headers = {}) {
    return await send({ url: '/v1/heartbeat', payload, headers })
  }

  test('a heartbeat without a body is one of the present slot', async () => {
    const answer = await heartbeat('', { 'weir-sequence': '8' })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ source: 'edge', state: 'noted' })
    expect(fake.noted).toEqual([{ source: 'edge', number: 8, receivedMs: NOW_MS }, beat])
  })

  test('a heartbeat with through says that all until then was sent, and no more', async () => {
    expect((await heartbeat('{"through":"2026-11-20T17:55:00+08:00"}')).statusCode).toBe(200)
    // A clock that is a minute fast means now.
    expect((await heartbeat('{"through":"2026-11-20T10:01:30Z"}')).statusCode).toBe(200)
    expect(fake.noted).toEqual([
      { name: 'edge', throughMs: Date.UTC(2026, 10, 20, 9, 55) },
      { name: 'edge', throughMs: NOW_MS },
    ])
  })

  test.each([
    ['{"through":"2026-11-20T11:00:00Z"}', 'parameter_invalid'],
    ['{"through":"2026-11-20T10:00:00"}', 'parameter_invalid'],
    ['{"until":"2026-11-20T10:00:00Z"}', 'parameter_invalid'],
    ['{', 'body_malformed'],
  ])('a heartbeat %s is refused as %s', async (payload, code) => {
    const answer = await heartbeat(payload)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ error: { code } })
    expect(fake.noted).toEqual([])
  })

  test('a heartbeat needs a token', async () => {
    expect((await send({ url: '/v1/heartbeat', payload: '' }, 'nobody')).statusCode).toBe(401)
  })
})
