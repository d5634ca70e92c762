import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyPluginAsync } from 'fastify'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import type { ReadinessCheck } from './health.ts'
import { createServer, type HttpServer } from './server.ts'

const CONFIG = {
  host: '127.0.0.1',
  port: 0,
  bodyBytesMax: 1000,
  requestTimeoutMs: 5000,
  stopTimeoutMs: 300,
  trustProxy: [],
}

const servers: HttpServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
})

function create(
  options: { plugins?: FastifyPluginAsync[]; checks?: ReadinessCheck[]; port?: number } = {},
) {
  const lines: string[] = []
  const metrics = createMetrics({ version: '1' })
  const log = pino({ level: 'debug' }, { write: (line) => lines.push(line) })
  const { plugins = [], checks = [], port = 0 } = options
  const server = createServer({ ...CONFIG, port }, { log, metrics, plugins, checks })
  servers.push(server)
  return { server, lines, metrics }
}

/** A gate that a request waits at until it is opened. */
function gate() {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

const failing: FastifyPluginAsync = async (app) => {
  app.get('/busy', () => {
    throw new AppError('overloaded', 'The journal is full.', { retryAfterSeconds: 3 })
  })
  app.get('/field', () => {
    throw new AppError('parameter_invalid', 'No.', { field: 'size', cause: new Error('secret') })
  })
  app.get('/bug', () => {
    throw new TypeError('password=hunter2')
  })
  app.post('/json', async (request) => request.body)
}

test('an AppError becomes its status, code, field and Retry-After', async () => {
  const { app } = create({ plugins: [failing] }).server
  const busy = await app.inject('/busy')
  expect(busy.statusCode).toBe(503)
  expect(busy.headers['retry-after']).toBe('3')
  expect(busy.json()).toEqual({ error: { code: 'overloaded', message: 'The journal is full.' } })
  const field = await app.inject('/field')
  expect(field.statusCode).toBe(400)
  expect(field.json()).toEqual({
    error: { code: 'parameter_invalid', message: 'No.', field: 'size' },
  })
})

test('a bug of ours tells the caller nothing and the log everything', async () => {
  const { server, lines } = create({ plugins: [failing] })
  const answer = await server.app.inject('/bug')
  expect(answer.statusCode).toBe(500)
  expect(answer.body).not.toContain('hunter2')
  const id = answer.headers['x-request-id']
  const line = lines.map((text) => JSON.parse(text)).find((each) => each.msg === 'request failed')
  expect(line).toMatchObject({ reqId: id, err: { message: 'password=hunter2' } })
})

test.each([
  ['{"a":', 400, 'body_malformed'],
  [JSON.stringify({ a: 'x'.repeat(2000) }), 413, 'too_large'],
])('the body %.10s… is refused with %d %s', async (payload, status, code) => {
  const { app } = create({ plugins: [failing] }).server
  const headers = { 'content-type': 'application/json' }
  const answer = await app.inject({ method: 'POST', url: '/json', headers, payload })
  expect([answer.statusCode, answer.json().error.code]).toEqual([status, code])
})

test('an unknown path is named', async () => {
  const answer = await create().server.app.inject('/nowhere?secret=1')
  expect(answer.statusCode).toBe(404)
  expect(answer.json().error.message).toBe('There is no GET /nowhere here.')
})

test('readiness names what is missing, health does not care', async () => {
  let isUp = false
  const check = async (): Promise<void> => {
    if (!isUp) throw new AppError('overloaded', 'journal: the disk is full')
  }
  const { server } = create({ checks: [{ name: 'journal', check }] })
  expect((await server.app.inject('/readyz')).json().status).toBe('starting')
  await server.start()
  const unready = await fetch(`${server.url()}/readyz`)
  expect(unready.status).toBe(503)
  expect(await unready.json()).toEqual({
    status: 'unready',
    checks: { journal: 'journal: the disk is full' },
  })
  expect((await fetch(`${server.url()}/healthz`)).status).toBe(200)
  isUp = true
  expect((await fetch(`${server.url()}/readyz`)).status).toBe(200)
})

test('a check that hangs counts as failed', async () => {
  const { server } = create({
    checks: [{ name: 'store', check: () => new Promise(() => undefined) }],
  })
  await server.start()
  const answer = await fetch(`${server.url()}/readyz`)
  expect(await answer.json()).toMatchObject({ checks: { store: 'no answer within 2000 ms' } })
})

test('requests are counted by route, not by path', async () => {
  const { server, metrics } = create({ plugins: [failing] })
  await server.app.inject('/busy')
  await server.app.inject('/nowhere/1')
  await server.app.inject('/nowhere/2')
  const { text } = await metrics.expose()
  expect(text).toContain('{api="native",action="GET /busy",outcome="503"} 1')
  expect(text).toContain('{api="native",action="unknown",outcome="404"} 2')
  expect((await server.app.inject('/metrics')).body).toContain('weir_build_info')
})

test('a port that is taken is explained', async () => {
  const first = create().server
  await first.start()
  const second = create({ port: Number(new URL(first.url()).port) }).server
  await expect(second.start()).rejects.toThrow(/is taken by another program.*--port/)
})

test('stopping lets a request under way finish, waits for nothing else, refuses new ones', async () => {
  const { open, opened } = gate()
  const arrived = gate()
  const slow: FastifyPluginAsync = async (app) => {
    app.get('/slow', async () => {
      arrived.open()
      await opened
      return 'done'
    })
  }
  const { server, lines } = create({ plugins: [slow] })
  await server.start()
  const answer = fetch(`${server.url()}/slow`)
  await arrived.opened
  const stopped = server.stop()
  await sleep(50)
  open()
  expect(await (await answer).text()).toBe('done')
  await stopped
  // Its connection is kept alive by the client, and idle from then on.
  expect(lines.join('')).not.toContain('cutting off')
  await expect(fetch(`${server.url()}/healthz`)).rejects.toThrow('fetch failed')
})

test('stopping does not wait forever for a request that never ends', async () => {
  const arrived = gate()
  const endless: FastifyPluginAsync = async (app) => {
    app.get('/endless', () => {
      arrived.open()
      return new Promise(() => undefined)
    })
  }
  const { server } = create({ plugins: [endless] })
  await server.start()
  const socket = connect(Number(new URL(server.url()).port), '127.0.0.1')
  const closed = new Promise((resolve) => {
    socket.on('close', resolve)
    socket.on('error', resolve)
  })
  socket.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n')
  await arrived.opened
  await server.stop()
  await closed
  expect(socket.destroyed).toBe(true)
})
