// The server as it ships (compose.ts and compose-server.ts, embedded engine, SQLite) as a process
// of its own, which ends itself with SIGKILL at a named step.
// usage: node crash-server.js <directory> [<step> <n-th time>]; prints its port, then serves.
import type { FastifyInstance } from 'fastify'
import { composeServer } from '../../src/compose-server.ts'
import { openCore, type Core } from '../../src/compose.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Step } from '../../src/ingest/steps.ts'
import type { Engine } from '../../src/store/usage/engine.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { clearUnfinished, prepareWorld } from './crash-world.ts'
import { NOW } from './pipeline.ts'

const [directory = '', killStep = '', killCount = '1'] = process.argv.slice(2)
const reached = new Map<Step, number>()

function onStep(step: Step): void {
  const count = (reached.get(step) ?? 0) + 1
  reached.set(step, count)
  if (step === killStep && count === Number(killCount)) process.kill(process.pid, 'SIGKILL')
}

const config = loadConfig({
  environment: {},
  flags: {
    data: { directory },
    server: { port: 0, bodyBytesMax: '8MiB', inFlightBytesMax: '64MiB' },
    usageStore: { queryConnections: 2 },
    ingest: {
      // Small segments and batches, so that their change and removal happens under load, too.
      journal: { bytesMax: '64MiB', segmentBytes: '64KiB' },
      batch: { bytesMax: '1MiB', linesMax: 5000, framesMax: 200 },
      retry: '10ms',
    },
  },
})

function addTestRoutes(server: FastifyInstance, core: Core): void {
  server.get('/pending', () => core.journal.pending().length)
  server.get('/report', async () => ({
    eip: await sums(core.engine, 'usage_eip', 'u.bytes'),
    cdn: await sums(core.engine, 'usage_cdn', 'u.bytes_out'),
    totals: await core.registry.totals(),
    audit: await audit(core),
  }))
}

async function audit(core: Core): Promise<object> {
  const { checks, findings } = await core.audit()
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

await clearUnfinished(directory)
const telemetry = {
  log: createLog({ level: 'error' }),
  metrics: createMetrics({ version: 'test' }),
}
const opened = await openCore(config, telemetry, { clock: NOW, onStep })
await prepareWorld(opened, directory)
const http = composeServer(config, opened, telemetry, onStep)
addTestRoutes(http.app, opened)
await opened.loader.start()
await opened.coverage.keeper.start()
await http.start()
process.stdout.write(`${new URL(http.url()).port}\n`)
