import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCoverageApi } from './api/native/coverage.ts'
import type { CoverageAnswer } from './api/operations/ask-coverage.ts'
import { type CoverageParts, openCoverage } from './compose-coverage.ts'
import { type Component, type Core, openCore } from './compose.ts'
import type { Config } from './config/config.ts'
import { loadConfig } from './config/load.ts'
import { HOUR_MS, MINUTE_MS } from './core/period.ts'
import { createLogSink } from './ingest/log-sink.ts'
import { createTailer } from './sources/access-log/tail.ts'
import { createUsageHttp } from './sources/usage-http/listen.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

const T = Date.UTC(2026, 10, 20, 2, 0)
const directory = mkdtempSync(join(tmpdir(), 'weir-coverage-'))
const clock = {
  ms: T,
  nowMs() {
    return this.ms
  },
}
const log = createLog({ level: 'silent' })
const metrics = createMetrics({ version: '1' })

let config: Config
let core: Core
let coverage: CoverageParts
let server: FastifyInstance
let running: Component[]

beforeAll(async () => {
  config = loadConfig({
    environment: {},
    flags: {
      data: { directory },
      sources: [
        { type: 'access-log', name: 'edge', paths: [join(directory, 'logs', 'access.log')] },
        { type: 'access-log', name: 'now-and-then', paths: ['/nowhere'], expects: 'sporadic' },
      ],
    },
  })
  mkdirSync(join(directory, 'logs'))
  core = await openCore(config, { log, metrics }, { clock })
  await core.loader.start()
})

afterAll(async () => {
  await core.loader.stop()
  await core.close()
  rmSync(directory, { recursive: true })
})

beforeEach(async () => {
  const { control, catalog, engine } = core
  coverage = openCoverage({ config, clock, control, catalog, engine, log, metrics })
  server = Fastify()
  await server.register(
    createUsageHttp(
      { bodyBytesMax: 4096, inFlightBytesMax: 4096, waitMsMax: 10_000 },
      {
        ingest: core.ingest,
        refused: async () => [],
        sourceOfToken: (token) => control.reader.sourceOfToken(token),
        onAcked: () => undefined,
        coverage: coverage.reported,
      },
    ),
  )
  const { reader } = coverage
  const accountOf = (ref: string) => coverage.accountOf(ref)
  await server.register(createCoverageApi({ clock, reader, accountOf }))
  running = []
  await start(coverage.keeper)
})

afterEach(async () => {
  for (const component of running.toReversed()) await component.stop()
  await server.close()
})

async function start(component: Component): Promise<void> {
  await component.start()
  running.push(component)
}

/** Looks at what is expected, as every five minutes. */
async function watch(): Promise<void> {
  await coverage.watch.start()
  await coverage.watch.stop()
}

async function ask(query: Record<string, string> = {}): Promise<CoverageAnswer> {
  const answer = await server.inject({ url: '/v1/coverage', query })
  expect(answer.statusCode).toBe(200)
  return answer.json()
}

async function sourceOf(name: string) {
  return (await ask({ source: name, day: '2026-11-20' })).sources[0]
}

async function missingOf(name: string): Promise<string | undefined> {
  const { text } = await metrics.expose()
  return new RegExp(`weir_source_slots_missing\\{source="${name}"\\} (\\d+)`).exec(text)?.[1]
}

test('requests with numbers beat, a number left out is a gap until it comes, and the account has it', async () => {
  const writer = core.catalog.as('test')
  const account = await writer.createAccount({ name: 'acme' })
  await writer.createResource({
    meter: 'eip',
    account: 'acme',
    name: '192.0.2.1',
    createdAt: T - HOUR_MS,
  })
  const { token } = await writer.createSource({ name: 'fw', meters: ['eip'] })
  await watch()
  const send = async (sequence: number, atMs: number, url = '/v1/usage/eip?wait=loaded') => {
    clock.ms = atMs
    const time = new Date(atMs).toISOString()
    const record = { time, resource: '192.0.2.1', direction: 'out', bytes: 1 }
    const answer = await server.inject({
      method: 'POST',
      url,
      headers: {
        authorization: `Bearer ${token}`,
        'weir-sequence': String(sequence),
        'content-type': 'application/json',
      },
      payload: url.startsWith('/v1/usage') ? JSON.stringify([record]) : '{}',
    })
    expect(answer.statusCode).toBe(200)
  }
  // One request per slot, of which the third is a mere heartbeat and the fourth gets lost.
  await send(1, T + MINUTE_MS)
  await send(2, T + 6 * MINUTE_MS)
  await send(3, T + 11 * MINUTE_MS, '/v1/heartbeat')
  await send(5, T + 21 * MINUTE_MS)
  await coverage.keeper.stop()
  clock.ms = T + 28 * MINUTE_MS
  // 02:00 to 02:25 are known; from 02:10 to 02:25 something is missing.
  expect(await sourceOf('fw')).toMatchObject({
    expectedSlots: 5,
    receivedSlots: 2,
    gaps: [{ start: '2026-11-20T02:10:00.000Z', end: '2026-11-20T02:25:00.000Z', slots: 3 }],
  })
  await watch()
  expect(await missingOf('fw')).toBe('3')
  await send(4, T + 29 * MINUTE_MS)
  await coverage.keeper.stop()
  clock.ms = T + 38 * MINUTE_MS
  // All numbers are there; nothing was heard of it in the slot of 02:15, and of 02:30 on.
  expect(await sourceOf('fw')).toMatchObject({
    expectedSlots: 7,
    receivedSlots: 5,
    gaps: [{ start: '2026-11-20T02:15:00.000Z' }, { start: '2026-11-20T02:30:00.000Z' }],
  })
  // What was known before the number came is still what was known then.
  const day = { startMs: T, endMs: T + 25 * MINUTE_MS }
  const throughBatch = await core.booksUsage.lastBatch('eip')
  const query = { meter: 'eip', accountIds: [account.id, 'nobody'], interval: day, throughBatch }
  const then = await coverage.reader.coverage({
    ...query,
    meter: 'eip',
    asOfMs: T + 28 * MINUTE_MS,
  })
  expect([...then]).toMatchObject([[account.id, { expectedSlots: 5, receivedSlots: 2 }]])
  const now = await coverage.reader.coverage({ ...query, meter: 'eip', asOfMs: clock.ms })
  expect(now.get(account.id)).toMatchObject({ expectedSlots: 5, receivedSlots: 4 })
  expect((await ask({ account: 'acme', zone: 'UTC' })).sources.map(({ source }) => source)).toEqual(
    ['fw'],
  )
  await writer.revokeSource('fw')
  clock.ms = T + 41 * MINUTE_MS
  await watch()
  clock.ms = T + 20 * HOUR_MS
  expect((await sourceOf('fw'))?.expectedSlots).toBe(8)
})

test('a log that is followed is complete while it is idle, and not while nobody follows it', async () => {
  const path = config.sources[0]?.paths[0] ?? ''
  writeFileSync(
    path,
    '192.0.2.7 - - [20/Nov/2026:02:00:30 +0000] "GET / HTTP/1.1" 200 10 "-" "-"\n',
  )
  const follow = async (): Promise<Component> => {
    const tailer = createTailer(
      {
        name: 'edge',
        paths: [path],
        spec: {
          format: 'combined',
          domain: 'a.example',
          clientFrom: 'remote_addr',
          timeZone: null,
        },
        pollIntervalMs: 10,
        stateDirectory: join(directory, 'tail'),
      },
      {
        sink: createLogSink(core.ingest),
        clock,
        log: { info: () => undefined, warn: () => undefined },
        report: coverage.reportOf('edge'),
      },
    )
    await tailer.start()
    await sleep(300)
    return tailer
  }
  const begin = T + 24 * HOUR_MS
  const received = async (): Promise<string> => {
    await coverage.keeper.stop()
    const answer = await ask({ source: 'edge', day: '2026-11-21', zone: 'UTC' })
    return `${answer.receivedSlots} of ${answer.expectedSlots}`
  }
  clock.ms = begin
  await watch()
  const tailer = await follow()
  for (let slot = 1; slot <= 4; slot += 1) {
    clock.ms = begin + slot * 5 * MINUTE_MS
    await sleep(80)
    // As every ten seconds.
    await coverage.keeper.stop()
  }
  clock.ms = begin + 23 * MINUTE_MS
  expect(await received()).toBe('4 of 4')
  await tailer.stop()
  // An hour without anybody who reads: not known …
  clock.ms = begin + 83 * MINUTE_MS
  expect(await received()).toBe('5 of 16')
  // … until the file is read on, and turns out to have nothing more.
  const again = await follow()
  await again.stop()
  await coverage.keeper.stop()
  clock.ms += 5 * MINUTE_MS
  expect(await received()).toBe('17 of 17')
})

test('what is not configured any more is retired, and what is sporadic never due', async () => {
  expect(await sourceOf('now-and-then')).toBeUndefined()
  const other = { ...config, sources: [] }
  const { control, catalog, engine } = core
  clock.ms = T + 30 * HOUR_MS
  const parts = openCoverage({ config: other, clock, control, catalog, engine, log, metrics })
  await parts.watch.start()
  await parts.watch.stop()
  clock.ms = T + 60 * HOUR_MS
  // 22 November: nothing any more; 21 November: from its first slot until 08:00, six hours.
  expect((await ask({ source: 'edge', day: '2026-11-22', zone: 'UTC' })).expectedSlots).toBe(0)
  expect((await ask({ source: 'edge', day: '2026-11-21', zone: 'UTC' })).expectedSlots).toBe(72)
})
