import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FrameMeta, FrameOutcome } from '../../src/ingest/batch.ts'
import { auditUsage } from '../../src/store/usage/audit.ts'
import type { Engine } from '../../src/store/usage/engine.ts'
import { openEngine } from '../../src/store/usage/open.ts'
import { startClickHouse, type ClickHouseFront, type FaultRule } from '../support/clickhouse.ts'
import { createRandom } from '../support/crash-load.ts'
import {
  createWorldStore,
  NOW_MS,
  startPipeline,
  toBody,
  frameMeta,
  waitForOutcome,
  WORLD,
  type Pipeline,
  type PipelineOptions,
} from '../support/pipeline.ts'

let directory: string
let front: ClickHouseFront
let engine: Engine
let pipeline: Pipeline
let errors: object[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-faults-'))
  front = await startClickHouse(join(directory, 'usage'))
  errors = []
})

afterEach(async () => {
  await front.faults({})
  await pipeline.stop()
  await engine.close()
  await front.stop()
  await rm(directory, { recursive: true, force: true })
})

async function open(options: PipelineOptions = {}): Promise<void> {
  engine = await openEngine({
    location: front.url,
    cluster: null,
    queryConnections: 2,
    requestTimeoutMs: 30_000,
  })
  const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
  await store.open()
  pipeline = await startPipeline(directory, store, {
    onError: (details) => errors.push(details),
    ...options,
  })
}

// Records without ids: nothing but the pipeline keeps them from counting twice.
const records = (count: number, bytes: number): string[] =>
  Array.from({ length: count }, (_, index) => {
    const resource = index % 5 === 4 ? 'nobody' : '192.0.2.1'
    const time = new Date(NOW_MS - (index % 3) * 86_400_000).toISOString()
    return JSON.stringify({ time, resource, direction: 'out', bytes })
  })

async function totals(): Promise<{ rows: number; bytes: bigint; rejected: number }> {
  const [row] = await engine.rows<{ rows: string; bytes: string }>(
    'SELECT count() AS rows, sum(u.bytes) AS bytes FROM usage_eip AS u',
  )
  const [kept] = await engine.rows<{ rows: string }>('SELECT count() AS rows FROM rejected AS r')
  return {
    rows: Number(row?.rows),
    bytes: BigInt(row?.bytes ?? 0),
    rejected: Number(kept?.rows),
  }
}

const TEN = { lines: 10, accepted: 8, duplicate: 0, rejected: { unknown_resource: 2 } }

async function loadTen(): Promise<FrameOutcome> {
  return await pipeline.load({ meter: 'eip' }, records(10, 7))
}

const STATEMENTS = [
  ['emptying the stage', 'TRUNCATE TABLE stage_eip'],
  ['staging', 'INSERT INTO stage_eip'],
  ['inserting usage', 'INSERT INTO usage_eip'],
  ['inserting what is rejected', 'INSERT INTO rejected'],
  ['counting', 'SELECT u.frame AS frame'],
  ['rolling up', 'INSERT INTO eip_5m'],
] as const

describe('a ClickHouse server that fails in the middle of a load', () => {
  const modes: readonly FaultRule['mode'][] = [
    'drop',
    'lose',
    'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)',
  ]
  test.each(STATEMENTS)(
    'counts every record once when %s fails, executed or not',
    async (_, match) => {
      await open()
      await loadTen()
      for (const [index, mode] of modes.entries()) {
        await front.faults({ rules: [{ match, mode, count: 2 }] })
        expect(await loadTen()).toMatchObject(TEN)
        expect(errors.length).toBe(2 * (index + 1))
      }
      expect(await totals()).toEqual({ rows: 32, bytes: 224n, rejected: 8 })
      expect((await auditUsage(engine, [])).findings).toEqual([])
    },
  )

  test('counts every record once when what an attempt left behind cannot be removed at first', async () => {
    await open()
    await front.faults({
      rules: [
        { match: 'INSERT INTO usage_eip', mode: 'lose' },
        { match: 'DELETE FROM usage_eip', mode: 'lose' },
        { match: 'INSERT INTO rejected', mode: 'lose' },
        { match: 'DELETE FROM rejected', mode: 'drop' },
      ],
    })
    expect(await loadTen()).toMatchObject(TEN)
    expect(await totals()).toEqual({ rows: 8, bytes: 56n, rejected: 2 })
    expect((await auditUsage(engine, [])).findings).toEqual([])
  })

  test.each(STATEMENTS.filter(([, match]) => match.startsWith('INSERT')))(
    'counts every record once when %s goes on after its connection broke',
    async (_, match) => {
      await open()
      await front.faults({ rules: [{ match, mode: 'linger' }] })
      expect(await loadTen()).toMatchObject(TEN)
      await expect.poll(async () => (await front.faults({})).running, { timeout: 10_000 }).toBe(0)
      expect(errors).not.toEqual([])
      expect(await totals()).toEqual({ rows: 8, bytes: 56n, rejected: 2 })
      expect((await auditUsage(engine, [])).findings).toEqual([])
    },
  )

  test('counts every record once through a long run of failures of every kind', async () => {
    await open()
    const random = createRandom(7)
    const integer = (below: number): number => Math.floor(random() * below)
    for (let index = 0; index < 30; index += 1) {
      const rules = Array.from({ length: integer(4) }, () => ({
        match: STATEMENTS[integer(STATEMENTS.length)]?.[1] ?? '',
        mode: modes[integer(modes.length)] ?? 'drop',
        after: integer(2),
      }))
      await front.faults({ rules, drop: random() < 0.3 ? 1 : 0 })
      expect(await loadTen()).toMatchObject(TEN)
    }
    await front.faults({})
    expect(errors.length).toBeGreaterThan(20)
    expect(await totals()).toEqual({ rows: 240, bytes: 1680n, rejected: 60 })
    expect((await auditUsage(engine, [])).findings).toEqual([])
  })

  test('makes the journal fill and refuse; what was accepted is there when it is back', async () => {
    await open({ bytesMax: 8000 })
    await loadTen()
    await front.faults({ drop: 1_000_000 })
    const meta: FrameMeta = frameMeta({ meter: 'eip' }, 10)
    const accepted: number[] = []
    const send = async (): Promise<void> => {
      accepted.push(await pipeline.journal.append(meta, toBody(records(10, 7))))
    }
    await expect(
      (async () => {
        for (let index = 0; index < 100; index += 1) await send()
      })(),
    ).rejects.toMatchObject({ code: 'overloaded', retryAfterSeconds: 5 })
    expect(accepted.length).toBeGreaterThan(5)
    await expect.poll(() => pipeline.loader.healthy).toBe(false)
    await front.faults({})
    for (const seq of accepted) {
      expect(await waitForOutcome(pipeline.outcomes, seq)).toMatchObject(TEN)
    }
    await send()
    const frames = accepted.length + 1
    await waitForOutcome(pipeline.outcomes, accepted.at(-1) ?? 0)
    expect(await totals()).toEqual({
      rows: 8 * frames,
      bytes: 56n * BigInt(frames),
      rejected: 2 * frames,
    })
    expect((await auditUsage(engine, [])).findings).toEqual([])
  })
})
