// The whole way in (HTTP, journal, loader, embedded engine, SQLite registry) as a process of its
// own, which ends itself with SIGKILL at a named step.
// usage: node crash-server.js <directory> [<step> <n-th time>]; prints its port, then serves.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { ERRORS, toAppError } from '../../src/core/errors.ts'
import { createIngest, type Ingest, type LogChunk } from '../../src/ingest/ingest.ts'
import { Journal } from '../../src/ingest/journal.ts'
import { Loader } from '../../src/ingest/loader.ts'
import type { IngestRegistry } from '../../src/ingest/registry.ts'
import { createReplay } from '../../src/ingest/replay.ts'
import type { Step } from '../../src/ingest/steps.ts'
import { createUsageHttp } from '../../src/sources/usage-http/listen.ts'
import { openControlStore } from '../../src/store/control/control-store.ts'
import { createIngestRegistry } from '../../src/store/control/ingest-registry.ts'
import { createMasterKeys } from '../../src/store/control/master-key.ts'
import { auditUsage } from '../../src/store/usage/audit.ts'
import type { Engine } from '../../src/store/usage/engine.ts'
import { openEngine } from '../../src/store/usage/open.ts'
import { listRejected, refusedLines } from '../../src/store/usage/rejects.ts'
import { createWorldStore, ELASTIC_IP, NOW, NOW_MS, WORLD, type World } from './pipeline.ts'

const MIB = 1 << 20
const [directory = '', killStep = '', killCount = '1'] = process.argv.slice(2)
const reached = new Map<Step, number>()

function onStep(step: Step): void {
  const count = (reached.get(step) ?? 0) + 1
  reached.set(step, count)
  if (step === killStep && count === Number(killCount)) process.kill(process.pid, 'SIGKILL')
}

const log = {
  info: () => undefined,
  warn: () => undefined,
  error: (details: object, message: string) => console.error(message, details),
}

await mkdir(directory, { recursive: true })
const control = await openControlStore(join(directory, 'control.db'), {
  clock: NOW,
  masterKeys: createMasterKeys([Buffer.alloc(32, 7).toString('base64')]),
})
const registry = createIngestRegistry(control.db, NOW)
const engine = await openEngine({
  location: join(directory, 'usage'),
  cluster: null,
  queryConnections: 2,
  requestTimeoutMs: 30_000,
})
const worldFile = join(directory, 'late-address')
const world = readWorld()
const store = createWorldStore(engine, directory, world)
await store.open()
const journal = new Journal(
  // Small segments, so that their change and removal happens under load, too.
  { directory: join(directory, 'journal'), bytesMax: 64 * MIB, segmentBytes: 64 << 10 },
  { clock: NOW, onStep, log },
)
await journal.open()
const ingest = createIngest({ journal, registry, clock: NOW, onStep })
const loader = new Loader(
  {
    directory: join(directory, 'journal'),
    batchBytesMax: MIB,
    batchLinesMax: 5000,
    batchFramesMax: 200,
    retryMs: 10,
  },
  {
    journal,
    store,
    checkpointer: registry,
    clock: NOW,
    onStep,
    log,
    onLoaded: (_batch, outcomes) => ingest.onLoaded(outcomes),
  },
)
const replay = createReplay({
  ingest,
  lastFrame: () => journal.lastSeq,
  waiting: () => journal.replaysWaiting(),
  onlyAccount: async () => null,
  list: (filter, page) => listRejected(engine, filter, page),
})

/** The address that is registered late is known once its file exists. */
function readWorld(): World {
  const late = existsSync(worldFile) ? readFileSync(worldFile, 'utf8') : null
  if (late === null) return { attributions: WORLD, revision: 1 }
  const registered = { ...ELASTIC_IP, name: late, resourceId: 'eip-late' }
  return { attributions: [...WORLD, registered], revision: 2 }
}

function addTestRoutes(server: FastifyInstance, way: Ingest, books: IngestRegistry): void {
  server.post<{ Querystring: { meta: string } }>('/log', async (request) => {
    const chunk = JSON.parse(request.query.meta) as Omit<LogChunk, 'body'>
    return await way.acceptLog({ ...chunk, body: request.body as Buffer })
  })
  server.get<{ Querystring: { head: string } }>('/files', (request) =>
    way.files(request.query.head),
  )
  server.post('/register', async (request) => {
    await writeFile(worldFile, request.body as Buffer)
    Object.assign(world, readWorld())
    return {}
  })
  server.post('/replay', () => replay({ source: 'keys', detail: '192.0.2.200' }))
  server.get('/pending', () => journal.pending().length)
  server.get('/report', async () => ({
    eip: await sums(engine, 'usage_eip', 'u.bytes'),
    cdn: await sums(engine, 'usage_cdn', 'u.bytes_out'),
    totals: await books.totals(),
    audit: await audit(engine, books),
  }))
}

async function audit(from: Engine, books: IngestRegistry): Promise<object> {
  const { checks, findings } = await auditUsage(from, await books.totals())
  return { checks, findings: findings.map((found) => `${found.check}: ${found.actual}`) }
}

/** Rows, distinct ids and bytes of each source in a table of usage. */
async function sums(from: Engine, table: string, bytes: string): Promise<unknown> {
  return await from.rows(
    `SELECT toString(u.source) AS source, toString(u.resource) AS resource, count() AS n,
  uniqExact((u.rid, u.rid_check)) AS ids, sum(${bytes}) AS bytes
FROM ${table} AS u GROUP BY source, resource ORDER BY source, resource`,
  )
}

const server = Fastify({ bodyLimit: 8 * MIB })
server.setErrorHandler((thrown, _request, reply) => {
  const error = toAppError(thrown)
  if (error.code === 'internal') log.error({ err: thrown }, 'request failed')
  return reply.code(ERRORS[error.code].http).send({ code: error.code, message: error.message })
})
await server.register(
  createUsageHttp(
    { bodyBytesMax: 8 * MIB, inFlightBytesMax: 64 * MIB, waitMsMax: 20_000 },
    {
      ingest,
      refused: (seq, limit) => refusedLines(engine, seq, limit),
      // A source's token is its name here.
      sourceOfToken: async (token) => ({
        id: token,
        name: token,
        meters: ['cdn', 'eip', 'mna'],
        accountId: null,
        expects: 'continuous',
        active: true,
        createdMs: NOW_MS,
      }),
      onAcked: () => onStep('ack.after'),
    },
  ),
)
await server.register(async (scope) => {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  addTestRoutes(scope, ingest, registry)
})
await loader.start()
await server.listen({ host: '127.0.0.1', port: 0 })
const address = server.server.address()
process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`)
