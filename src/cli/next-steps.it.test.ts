import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Core, openCore } from '../compose.ts'
import { composeServer } from '../compose-server.ts'
import { saveAdminToken } from '../config/admin-token-file.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { bootstrapExample, type BootstrapPorts, type NewExample } from '../example/bootstrap.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { nextStepsOf } from './next-steps.ts'

const run = promisify(execFile)
const SMALL = { lines: 20_000 }
const log = pino({ level: 'error' })
const metrics = createMetrics({ version: 'test' })

interface Answer {
  readonly TrafficSet: readonly { readonly TrafficUsed: number }[]
  readonly BandwidthSet: readonly {
    readonly BandwidthTrafficList: readonly { readonly CdnBandwidth: number }[]
  }[]
  readonly TotalOut: number
  readonly Response: { readonly TotalValue: number }
  readonly EIPExclusiveInfo: { readonly TotalSize: number; readonly AvailableSize: number }
  readonly rows: readonly { readonly bytes: number; readonly p95_bps: number }[]
  readonly accepted: number
}

/** What must be above zero in each answer, in the order of the printed lines. */
const FIGURES: readonly ((answer: Answer) => number[])[] = [
  ({ TrafficSet }) => TrafficSet.map(({ TrafficUsed }) => TrafficUsed),
  ({ BandwidthSet: [first] }) => [
    Math.max(...(first?.BandwidthTrafficList ?? []).map(({ CdnBandwidth }) => CdnBandwidth)),
  ],
  ({ TotalOut }) => [TotalOut],
  ({ Response }) => [Response.TotalValue],
  ({ EIPExclusiveInfo: { TotalSize, AvailableSize } }) => [TotalSize - AvailableSize],
  ({ rows }) => rows.flatMap(({ bytes, p95_bps: rate }) => [bytes, rate]),
  ({ accepted }) => [accepted],
]

let directory: string
let config: Config
let core: Core
let example: NewExample | undefined

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-example-'))
  config = loadConfig({
    environment: {},
    flags: { server: { port: 0 }, data: { directory: join(directory, 'data') } },
  })
  core = await openCore(config, { log, metrics })
  const admin = await core.catalog.ensureAdminToken()
  saveAdminToken(config.data.directory, admin?.token ?? '')
  await core.loader.start()
})

afterAll(async () => {
  await core.loader.stop()
  await core.close()
  await rm(directory, { recursive: true, force: true })
})

/** Ports of a server that dies when this many calls of the ingest have been made. */
function dyingPorts(callsMax: number): BootstrapPorts {
  let calls = 0
  const count = <A extends unknown[], T>(call: (...rest: A) => Promise<T>) => {
    return async (...rest: A): Promise<T> => {
      calls += 1
      if (calls > callsMax) throw new Error('the process died')
      return await call(...rest)
    }
  }
  const { catalog, ingest } = core
  return {
    catalog,
    ingest: {
      files: (headHash) => ingest.files(headHash),
      acceptLog: count((chunk) => ingest.acceptLog(chunk)),
      acceptUsage: count((request) => ingest.acceptUsage(request)),
      loaded: count((seq, timeoutMs) => ingest.loaded(seq, timeoutMs)),
    },
  }
}

test('an example that was interrupted anywhere is completed, and nothing of it counts twice', async () => {
  const dying = { createTrafficPackage: () => Promise.reject(new Error('the process died')) }
  const catalog = {
    rows: core.catalog.rows,
    as: (actor: string) => ({ ...core.catalog.as(actor), ...dying }),
  }
  await expect(bootstrapExample({ ...core, catalog }, core.clock, SMALL)).rejects.toThrow('died')
  for (const callsMax of [0, 1, 2, 3]) {
    await expect(bootstrapExample(dyingPorts(callsMax), core.clock, SMALL)).rejects.toThrow(
      'the process died',
    )
  }
  example = await bootstrapExample(core, core.clock, SMALL)
  expect(example).toMatchObject({
    account: { id: 'acc-example' },
    lines: 20_000 + 864 * 18,
    rejected: 0,
  })
  expect(await bootstrapExample(core, core.clock, SMALL)).toBeUndefined()
  const totals = await core.registry.totals()
  expect(Object.fromEntries(totals.map(({ source, accepted }) => [source, accepted]))).toEqual({
    'example-access-log': 20_000,
    'example-eip': 864 * 6,
    'example-mna': 864 * 12,
  })
  const audit = await core.audit()
  expect(audit.findings).toEqual([])
})

test('every printed curl line answers figures of the example', async () => {
  const server = composeServer(config, core, { log, metrics })
  await server.start()
  try {
    // The tokens of the interrupted example are gone; its line is tried with another one.
    const { token } = await core.catalog.as('test').createSource({ name: 'mine', meters: ['eip'] })
    const made = { ...(example as NewExample), tokens: { eip: token } }
    const text = await nextStepsOf(core, config, server.url(), made)
    const lines = text
      .replaceAll('\\\n', '')
      .split('\n')
      .filter((line) => line.startsWith('  curl'))
    expect(lines).toHaveLength(7)
    for (const [index, line] of lines.entries()) {
      const { stdout } = await run('sh', ['-c', line])
      const figures = FIGURES[index]?.(JSON.parse(stdout) as Answer) ?? []
      expect(figures, `${line}\n${stdout}`).not.toEqual([])
      expect(Math.min(...figures), `${line}\n${stdout}`).toBeGreaterThan(0)
    }
  } finally {
    await server.stop()
  }
})

test('later starts do not tell the secret again, and a revoked example is not made anew', async () => {
  const again = await nextStepsOf(core, config, 'http://127.0.0.1:1')
  expect(again).toContain(example?.publicKey)
  expect(again).not.toContain(example?.secret)
  await core.catalog.as('test').revokeKey(example?.publicKey ?? '')
  const afterwards = await nextStepsOf(core, config, 'http://127.0.0.1:1')
  expect(afterwards).toBe('Weir is ready at http://127.0.0.1:1/\n')
  expect(await bootstrapExample(core, core.clock, SMALL)).toBeUndefined()
})
