import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createWorldStore,
  type Pipeline,
  startPipeline,
  WORLD,
} from '../../../test/support/pipeline.ts'
import type { BooksMembers } from '../../billing/books-usage.ts'
import type { UsageQuery } from '../../meters/query.ts'
import { auditUsage } from './audit.ts'
import { createBooksReader } from './books-reader.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import { createUsageReader } from './reader.ts'
import { renderExport } from './usage-export.ts'

const OLD = new URL('testdata/before-billing-regions.sql', import.meta.url)
const HOUR = { startMs: Date.UTC(2026, 10, 20, 10), endMs: Date.UTC(2026, 10, 20, 11) }

async function openAt(directory: string): Promise<Engine> {
  const location = join(directory, 'usage')
  return openEngine({ location, cluster: null, queryConnections: 2, requestTimeoutMs: 30_000 })
}

async function execute(engine: Engine, path: URL): Promise<void> {
  const statements = (await readFile(path, 'utf8')).split(';\n')
  for (const sql of statements.filter((text) => text.trim() !== '')) await engine.command(sql)
}

const at = (minute: number): string => new Date(HOUR.startMs + minute * 60_000).toISOString()

describe('a store of the release before billing regions', () => {
  let directory: string
  let engine: Engine
  let pipeline: Pipeline
  let hashBefore: string

  const bytesBy = async (groupBy: string[], more: Partial<UsageQuery> = {}) => {
    const points = await createUsageReader(engine).query({
      meter: 'cdn',
      accountId: 'acc-1',
      ...HOUR,
      granularity: 'total',
      zone: 'Asia/Shanghai',
      filters: {},
      groupBy,
      measures: ['bytes'],
      dense: false,
      ...more,
    })
    return points.map(({ group, bytes }) => [...Object.values(group), bytes])
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weir-converge-'))
    engine = await openAt(directory)
    await execute(engine, OLD)
    // As that release proved what it closed.
    const [row] = await engine.rows<{ hash: string }>(
      `SELECT lower(leftPad(hex(sum(cityHash64(batch, frame, source, rid, rid_check, minute, account,
  project, resource, kind, area, province, isp, protocol, ip_version, status, cache, bytes_out,
  bytes_in, requests, hit_bytes, hit_requests, origin_bytes, origin_requests, geo_version))), 16, '0')) AS hash
FROM usage_cdn`,
    )
    hashBefore = row?.hash ?? ''
    const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
    await store.open()
    await store.open()
    pipeline = await startPipeline(directory, store)
  })

  afterAll(async () => {
    await pipeline.stop()
    await engine.close()
    await rm(directory, { recursive: true, force: true })
  })

  test('sorts by billing regions from now on, after all that it sorted by', async () => {
    const rows = await engine.rows<{ name: string; key: string }>(
      `SELECT t.name AS name, t.sorting_key AS key FROM system.tables AS t
WHERE t.database = currentDatabase() AND t.name LIKE '%cdn%5m' OR t.name = 'cdn_account_1m' ORDER BY name`,
    )
    expect(Object.fromEntries(rows.map(({ name, key }) => [name, key]))).toEqual({
      cdn_5m: 'resource, bucket, province, isp, area, kind, project, account, billing_region',
      cdn_account_1m: 'account, kind, area, bucket, project, billing_region',
      cdn_project_5m: 'account, project, bucket, province, isp, area, kind, billing_region',
      cdn_resource_5m: 'resource, bucket, area, kind, project, account',
    })
  })

  test('closed days are proved by the hash that they were closed with', async () => {
    const query = { meter: 'cdn', accountIds: ['acc-1'], ...HOUR, throughBatch: 901 } as const
    const proof = (await createBooksReader(engine).proofs(query)).get('acc-1')
    expect(proof).toMatchObject({ rows: 3, hash: hashBefore })
  })

  test('what is old is in the region of its area, what is new in its own', async () => {
    const record = (minute: number, bytesOut: number, place: object): string =>
      JSON.stringify({ time: at(minute), resource: 'a.example.com', bytesOut, ...place })
    const outcome = await pipeline.load({ meter: 'cdn' }, [
      record(1, 1, { billingRegion: 'apac1' }),
      record(1, 2, { area: 'abroad' }),
      record(1, 3, { area: 'cn' }),
      // Its place is not read from the codes that the other release had left.
      record(2, 4, { client: '8.8.8.8' }),
    ])
    expect(outcome.accepted).toBe(4)
    const regions = [
      ['abroad', 320_002n],
      ['apac1', 1n],
      ['cn', 1003n],
      ['eu-na', 4n],
    ] as const
    for (const granularity of ['total', 'minute', '5min'] as const) {
      const sums = new Map<unknown, bigint>()
      for (const [region, bytes] of await bytesBy(['billing_region'], { granularity })) {
        sums.set(region, (sums.get(region) ?? 0n) + BigInt(bytes ?? 0))
      }
      expect(sums).toEqual(new Map(regions))
    }
    expect(await bytesBy(['billing_region', 'resource'])).toEqual(
      regions.map(([region, bytes]) => [region, 'ucdn-a', bytes]),
    )
    const filters = { billing_region: ['abroad', 'eu-na'] }
    expect(await bytesBy([], { filters })).toEqual([[320_006n]])
    expect(await bytesBy(['area'])).toEqual([
      ['abroad', 320_007n],
      ['cn', 1003n],
    ])
    const { sql, parameters } = renderExport({
      meter: 'cdn',
      accountId: 'acc-1',
      stretches: [{ ...HOUR, throughBatch: null }],
    })
    const exported = await engine.rows<{ billing_region: string }>(sql, parameters)
    expect(exported.map((row) => row.billing_region).sort()).toEqual(
      ['abroad', 'abroad', 'abroad', 'apac1', 'cn', 'cn', 'eu-na'].sort(),
    )
  })

  test.each([
    ['rollups', null],
    ['usage up to a batch', Number.MAX_SAFE_INTEGER],
  ])('books read both from %s, apart where they ask for it', async (_, throughBatch) => {
    const scope = { meter: 'cdn', accountIds: ['acc-1'], throughBatch } as const
    const cuts = { cutsMs: [HOUR.startMs], endMs: HOUR.endMs, grain: '5min' } as const
    const sums = async (byRegion: boolean) => {
      const query = { ...scope, ...cuts, byProvince: false, byRegion }
      const found = (await createBooksReader(engine).traffic(query)).get('acc-1') ?? []
      return found
        .filter(({ direction }) => direction === 'out')
        .map(({ area, billingRegion, bytes }) => [area, billingRegion, bytes])
    }
    expect(await sums(true)).toEqual([
      ['abroad', 'abroad', 320_002n],
      ['abroad', 'apac1', 1n],
      ['abroad', 'eu-na', 4n],
      ['cn', 'cn', 1003n],
    ])
    expect(await sums(false)).toEqual([
      ['abroad', 'abroad', 320_007n],
      ['cn', 'cn', 1003n],
    ])
    const members = { ...scope, ...HOUR, member: 'account', samples: false } as const
    const slots = async (areas: NonNullable<BooksMembers['areas']>) => {
      const found = await createBooksReader(engine).slots({ ...members, areas })
      const ranked = await createBooksReader(engine).rankedSlots({
        ...scope,
        ...HOUR,
        member: 'resource',
        areas,
        direction: 'out',
        dropped: 0,
      })
      return [
        found.get('acc-1')?.[0]?.slots.map(({ outBytes }) => outBytes),
        ranked.get('acc-1')?.map(({ bytes }) => bytes),
      ]
    }
    expect(await slots(['abroad'])).toEqual([[320_007n], [320_007n]])
    expect(await slots(['apac1', 'eu-na'])).toEqual([[5n], [5n]])
    expect(await slots(['apac1', 'cn'])).toEqual([[1004n], [1004n]])
    expect(await slots(['abroad-other'])).toEqual([[320_002n], [320_002n]])
    expect(await slots(['abroad-other', 'cn'])).toEqual([[321_005n], [321_005n]])
    expect(await slots(['abroad', 'apac1'])).toEqual([[320_007n], [320_007n]])
  })

  test('rollups are those of the usage, and are when they are made anew', async () => {
    const reader = createBooksReader(engine)
    expect((await auditUsage(engine, [])).findings).toEqual([])
    expect(await reader.repair('cdn', HOUR)).toEqual([])
    await engine.command("DELETE FROM cdn_5m WHERE province = 'xianggang'")
    await engine.command("DELETE FROM cdn_account_1m WHERE billing_region = 'apac1'")
    expect(await reader.repair('cdn', HOUR)).toEqual(['cdn_account_1m', 'cdn_5m'])
    expect((await auditUsage(engine, [])).findings).toEqual([])
    expect(await reader.repair('cdn', HOUR)).toEqual([])
    for (const table of ['cdn_account_1m', 'cdn_5m']) {
      expect(
        await engine.rows(`SELECT 1 AS found FROM ${table} AS t WHERE t.billing_region = ''`),
      ).toEqual([])
    }
  })
})

describe('a table of another shape', () => {
  const cases = [
    [
      'a column of another type',
      'CREATE TABLE mna_5m (resource Int64, bytes UInt64) ENGINE = SummingMergeTree ORDER BY resource',
      /mna_5m .*has the column resource as Int64, not as LowCardinality\(String\)/,
    ],
    [
      'rows sorted otherwise',
      "CREATE TABLE eip_5m (bucket DateTime('UTC'), resource LowCardinality(String), bytes UInt64) ENGINE = SummingMergeTree ORDER BY (bucket, resource)",
      /eip_5m .*sorts by \(bucket, resource\), not by \(resource, /,
    ],
  ] as const

  test.each(cases)('%s: the store says so, and alters nothing', async (_, other, message) => {
    const directory = await mkdtemp(join(tmpdir(), 'weir-converge-'))
    const engine = await openAt(directory)
    try {
      await execute(engine, OLD)
      await engine.command(other)
      const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
      await expect(store.open()).rejects.toMatchObject({ code: 'config_invalid', message })
      const rows = await engine.rows(
        `SELECT c.name AS name FROM system.columns AS c
WHERE c.database = currentDatabase() AND c.table = 'usage_cdn' AND c.name = 'billing_region'`,
      )
      expect(rows).toEqual([])
    } finally {
      await engine.close()
      await rm(directory, { recursive: true, force: true })
    }
  })
})
