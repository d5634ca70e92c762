import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createWorldStore,
  startPipeline,
  WORLD,
  type Pipeline,
} from '../../../test/support/pipeline.ts'
import { METERS } from '../../meters/meter.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import type { Attribution } from './reference.ts'
import { repairRange } from './rollup-repair.ts'

const HOUR_MS = Date.UTC(2026, 10, 18, 7)
const DAY = { start: Date.UTC(2026, 10, 18) / 1000, end: Date.UTC(2026, 10, 19) / 1000 }
const [A, ...OTHERS] = WORLD as [Attribution, ...Attribution[]]

/** Of `a.example.com` in these minutes of the hour. */
function owned(projectId: string, from: number | null, to: number | null): Attribution {
  return {
    ...A,
    projectId,
    ...(from !== null && { fromMs: HOUR_MS + from * 60_000 }),
    toMs: to === null ? null : HOUR_MS + to * 60_000,
  }
}

let directory: string
let engine: Engine
let pipeline: Pipeline

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-roll-'))
  engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 2,
    requestTimeoutMs: 30_000,
  })
  // The project changes within a slot of five minutes, and comes back under a new version.
  const attributions = [owned('org-1', null, 2), owned('org-3', 2, 3), owned('org-1', 3, null)]
  const world = { attributions: [...attributions, ...OTHERS], revision: 1 }
  const store = createWorldStore(engine, directory, world)
  await store.open()
  pipeline = await startPipeline(directory, store)
})

afterAll(async () => {
  await pipeline.stop()
  await engine.close()
  await rm(directory, { recursive: true })
})

test('a log is rolled up to what its usage says, also where owners change within a slot', async () => {
  const clients = ['1.2.3.4', '60.1.1.1', '8.8.8.8', '2409::1', '10.0.0.1', '-']
  const hosts = ['a.example.com', 'b.example.com', 'other.example.net', 'nobody.example.com']
  const lines = Array.from({ length: 480 }, (_, n) => {
    const minute = String((n * 11) % 12).padStart(2, '0')
    return `${hosts[(n * 7) % 5] ?? hosts[0]} ${clients[n % 6]} [2026-11-18T07:${minute}:30Z] ${n + 1}`
  })
  const spec = {
    format: '$host $remote_addr [$time_iso8601] $bytes_sent',
    domain: null,
    clientFrom: 'remote_addr',
    timeZone: null,
  } as const
  const known = lines.filter((line) => !line.startsWith('nobody'))
  const outcome = await pipeline.load({ meter: 'cdn', reading: { kind: 'log', spec } }, lines)
  expect(outcome).toMatchObject({
    lines: 480,
    accepted: known.length,
    rejected: { unknown_resource: 480 - known.length },
    bytes: known.reduce((sum, line) => sum + BigInt(line.split(' ').at(-1) ?? 0), 0n),
  })
  expect(outcome.accounts.toSorted()).toEqual(['acc-1', 'acc-2'])
  const projects = await engine.rows(
    `SELECT toString(t.project) AS project, count() > 0 AS used FROM cdn_5m AS t
WHERE t.resource = 'ucdn-a' GROUP BY project ORDER BY project`,
  )
  expect(projects).toEqual([
    { project: 'org-1', used: 1 },
    { project: 'org-3', used: 1 },
  ])
  expect(await repairRange(engine, METERS.cdn, DAY)).toEqual([])
})
