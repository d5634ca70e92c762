import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startClickHouse } from '../../../test/support/clickhouse.ts'
import {
  createWorldStore,
  NOW_MS,
  startPipeline,
  WORLD,
  type Pipeline,
} from '../../../test/support/pipeline.ts'
import type { UsageExportQuery } from '../../api/operations/export-usage.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../core/period.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import { createUsageExporter, exportColumns } from './usage-export.ts'

const SETTINGS = { cluster: null, queryConnections: 2, requestTimeoutMs: 30_000 }
const START = NOW_MS - 3 * DAY_MS

describe.each([
  [
    'the embedded engine',
    async (path: string) => ({ location: path, stop: async () => undefined }),
  ],
  [
    'a ClickHouse URL',
    async (path: string) => {
      const front = await startClickHouse(path)
      return { location: front.url, stop: () => front.stop() }
    },
  ],
] as const)('usage exported from %s', (_, start) => {
  let directory: string
  let engine: Engine
  let pipeline: Pipeline
  let stop: () => Promise<void>

  const record = (atMs: number, resource: string, bytes: number) =>
    JSON.stringify({
      time: new Date(atMs).toISOString(),
      resource,
      area: 'cn',
      province: 'beijing',
      bytesOut: bytes,
      bytesIn: 1,
    })

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weir-export-'))
    const { location, stop: end } = await start(join(directory, 'usage'))
    stop = end
    engine = await openEngine({ location, ...SETTINGS })
    const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
    await store.open()
    pipeline = await startPipeline(directory, store)
    await pipeline.load({ meter: 'cdn' }, [
      record(START - MINUTE_MS, 'a.example.com', 1),
      record(START, 'a.example.com', 10),
      record(START + DAY_MS, 'b.example.com', 100),
      record(START + DAY_MS, 'other.example.net', 7),
      record(START + 2 * DAY_MS, 'a.example.com', 1000),
    ])
    await pipeline.load({ meter: 'cdn' }, [record(START + HOUR_MS, 'a.example.com', 10_000)])
  })

  afterAll(async () => {
    await pipeline.stop()
    await engine.close()
    await stop()
    await rm(directory, { recursive: true, force: true })
  })

  async function readBack(query: UsageExportQuery): Promise<Record<string, unknown>[]> {
    const spool = join(directory, 'spool')
    const bytes = await buffer(await createUsageExporter(engine, spool)(query))
    expect(bytes.subarray(0, 4).toString()).toBe('PAR1')
    expect(bytes.subarray(-4).toString()).toBe('PAR1')
    expect(await readdir(spool)).toEqual([])
    const path = join(directory, `read-${Math.random()}.parquet`)
    await writeFile(path, bytes)
    return engine.rows(
      `SELECT * FROM file('${path}', 'Parquet') ORDER BY minute, resource, bytes_out`,
    )
  }

  const all = { meter: 'cdn' as const, accountId: 'acc-1' }

  async function batches(): Promise<number[]> {
    const rows = await engine.rows<{ batch: string }>(
      'SELECT DISTINCT u.batch AS batch FROM usage_cdn AS u ORDER BY u.batch',
    )
    return rows.map(({ batch }) => Number(batch))
  }

  const bytesOf = (rows: readonly Record<string, unknown>[]) =>
    rows.map((row) => Number(row['bytes_out']))

  test('is every row of the account in the time, and reads back to what is stored', async () => {
    const stretch = { startMs: START, endMs: START + 2 * DAY_MS, throughBatch: null }
    const rows = await readBack({ ...all, stretches: [stretch] })
    expect(bytesOf(rows)).toEqual([10, 10_000, 100])
    expect(Object.keys(rows[0] ?? {})).toEqual(exportColumns('cdn').map(({ name }) => name))
    expect(rows[0]).toMatchObject({
      minute: '2026-11-17 12:00:00.000',
      account: 'acc-1',
      resource: 'ucdn-a',
      province: 'beijing',
      source: 'test',
    })
    const [sum] = await engine.rows<{ sum: string }>(
      `SELECT sum(u.bytes_out) AS sum FROM usage_cdn AS u WHERE u.account = 'acc-1'
AND u.minute >= toDateTime(${START / 1000}) AND u.minute < toDateTime(${START / 1000 + 2 * 86_400})`,
    )
    expect(bytesOf(rows).reduce((total, bytes) => total + bytes, 0)).toBe(Number(sum?.sum))
  })

  test('of closed days is what each of them was closed with, and nothing between them', async () => {
    const [first = 0, second = 0] = await batches()
    const day = (index: number, throughBatch: number) => ({
      startMs: START + index * DAY_MS,
      endMs: START + (index + 1) * DAY_MS,
      throughBatch,
    })
    const early = await readBack({ ...all, stretches: [day(0, first), day(1, first)] })
    expect(bytesOf(early)).toEqual([10, 100])
    const late = await readBack({ ...all, stretches: [day(0, second), day(2, first)] })
    expect(bytesOf(late)).toEqual([10, 10_000, 1000])
    const none = await readBack({ ...all, stretches: [day(0, 0)] })
    expect(none).toEqual([])
  })

  test('has a timestamp, texts and integers as their types', async () => {
    const stretch = { startMs: START, endMs: START + DAY_MS, throughBatch: null }
    for (const meter of ['cdn', 'eip', 'mna'] as const) {
      const spool = join(directory, 'spool')
      const query = { meter, accountId: 'acc-1', stretches: [stretch] }
      const bytes = await buffer(await createUsageExporter(engine, spool)(query))
      const path = join(directory, `types-${meter}.parquet`)
      await writeFile(path, bytes)
      const found = await engine.rows<{ name: string; type: string }>(
        `DESCRIBE TABLE file('${path}', 'Parquet')`,
      )
      const plain = (type: string) => type.replace(/^Nullable\((.*)\)$/, '$1')
      const engineType = { timestamp: "DateTime64(3, 'UTC')", string: 'String' } as const
      expect(found.map(({ name, type }) => [name, plain(type)])).toEqual(
        exportColumns(meter).map(({ name, type }) => [
          name,
          type === 'timestamp' || type === 'string'
            ? engineType[type]
            : type.replace('uint', 'UInt'),
        ]),
      )
    }
  })

  test('leaves no file behind when the engine refuses or the reader goes away', async () => {
    const spool = join(directory, 'spool')
    const broken = { ...engine, writeParquet: async () => Promise.reject(new Error('refused')) }
    const stretch = { startMs: START, endMs: START + DAY_MS, throughBatch: null }
    const query = { ...all, stretches: [stretch] }
    await expect(createUsageExporter(broken, spool)(query)).rejects.toThrow('refused')
    const stream = await createUsageExporter(engine, spool)(query)
    stream.destroy()
    expect(await readdir(spool)).toEqual([])
  })
})
