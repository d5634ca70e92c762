import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createWorldStore,
  NOW_MS,
  startPipeline,
  WORLD,
  type Pipeline,
} from '../../../test/support/pipeline.ts'
import type { Batch } from '../../ingest/batch.ts'
import { auditUsage } from './audit.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import type { UsageStore } from './usage-store.ts'

let directory: string
let engine: Engine
let store: UsageStore
let pipeline: Pipeline

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-repair-'))
  engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 1,
    requestTimeoutMs: 30_000,
  })
  store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
  await store.open()
  pipeline = await startPipeline(directory, store)
})

afterAll(async () => {
  await pipeline.stop()
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

const record = (daysAgo: number, bytesOut: number): string =>
  JSON.stringify({
    time: NOW_MS - daysAgo * 86_400_000 - 60_000,
    resource: 'a.example.com',
    bytesOut,
    area: daysAgo % 2 === 0 ? 'cn' : 'abroad',
  })

async function sum(table: string, where = '1'): Promise<string> {
  const [row] = await engine.rows<{ bytes: string }>(
    `SELECT sum(t.bytes_out) AS bytes FROM ${table} AS t WHERE ${where}`,
  )
  return row?.bytes ?? ''
}

describe('rolling a batch again', () => {
  test.each([
    ['lost', `DELETE FROM cdn_5m WHERE bucket >= '2026-11-19 00:00:00'`],
    [
      'doubled',
      `INSERT INTO cdn_project_5m (account, project, bucket, area, bytes_out)
       VALUES ('acc-1', 'org-1', '2026-11-18 12:00:00', 'cn', 5)`,
    ],
  ])('restores rollup rows that were %s, and touches no other time', async (_, damage) => {
    // Older usage of another batch, which must stay as it is.
    await pipeline.load({ meter: 'cdn' }, [record(10, 1)])
    const { seq } = await pipeline.load(
      { meter: 'cdn' },
      [0, 1, 2].map((day) => record(day, 100)),
    )
    const reading = { kind: 'records' } as const
    const batch: Batch = { id: seq, attempt: 1, meter: 'cdn', reading, frames: [] }
    const truth = await sum('usage_cdn')
    await engine.command(damage)
    expect((await auditUsage(engine, [])).findings).not.toEqual([])
    await store.roll(batch, () => undefined)
    expect((await auditUsage(engine, [])).findings).toEqual([])
    await store.roll(batch, () => undefined)
    for (const table of ['cdn_account_1m', 'cdn_resource_5m', 'cdn_project_5m', 'cdn_5m']) {
      expect(await sum(table)).toBe(truth)
    }
  })
})
