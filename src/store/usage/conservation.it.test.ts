import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createWorldStore,
  frameMeta,
  NOW_MS,
  startPipeline,
  toBody,
  waitForOutcome,
  WORLD,
} from '../../../test/support/pipeline.ts'
import { METERS } from '../../meters/meter.ts'
import type { Granularity } from '../../meters/query.ts'
import { auditUsage } from './audit.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import { createUsageReader } from './reader.ts'
import type { UsageStore } from './usage-store.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
// Whole days of Shanghai around every record, so that every granularity covers the same time.
const RANGE = { startMs: Date.UTC(2026, 10, 15, 16), endMs: Date.UTC(2026, 10, 20, 16) }
const DOMAINS = ['a.example.com', 'b.example.com', 'other.example.net']
const OWNERS: Readonly<Record<string, readonly [account: string, project: string]>> = {
  'a.example.com': ['acc-1', 'org-1'],
  'b.example.com': ['acc-1', 'org-2'],
  'other.example.net': ['acc-2', 'org-9'],
}

interface Usage {
  readonly resource: string
  readonly minute: number
  readonly bytesOut: number
  readonly requests: number
  readonly province: string
  readonly isp: string
  readonly area: string
}

const usage: fc.Arbitrary<Usage> = fc.record({
  resource: fc.constantFrom(...DOMAINS),
  minute: fc.integer({ min: 0, max: (4 * DAY_MS) / MINUTE_MS }),
  bytesOut: fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 50 })),
  requests: fc.nat(5),
  province: fc.constantFrom('beijing', 'shanghai', 'guangdong', 'others'),
  isp: fc.constantFrom('dianxin', 'liantong', 'others'),
  area: fc.constantFrom('cn', 'abroad'),
})

function lineOf(record: Usage, index: number): string {
  const time = NOW_MS - record.minute * MINUTE_MS
  return JSON.stringify({ ...record, minute: undefined, id: `r${index}`, time })
}

/** What a sender and the machine may do: an order with repeats, cuts, and restarts between. */
interface History {
  /** Index into the records, taken modulo their number. */
  readonly sent: readonly number[]
  readonly frameLines: number
  readonly restartEvery: number
  readonly clockOffsetsMs: readonly number[]
}

const history: fc.Arbitrary<History> = fc.record({
  sent: fc.array(fc.nat(), { maxLength: 150 }),
  frameLines: fc.integer({ min: 1, max: 60 }),
  restartEvery: fc.integer({ min: 1, max: 5 }),
  // Within the five minutes that a record may lie in the future.
  clockOffsetsMs: fc.array(fc.integer({ min: -200_000, max: 3_600_000 }), { minLength: 1 }),
})

let directory: string
let engine: Engine
let store: UsageStore
let run = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-sums-'))
  engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 2,
    requestTimeoutMs: 30_000,
  })
  store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
  await store.open()
})

afterAll(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

const TABLES = ['usage_cdn', ...METERS.cdn.rollups.map(({ table }) => table)]

/** Sends the records as the history says, every one at least once, into empty tables. */
async function load(records: readonly Usage[], how: History): Promise<void> {
  for (const table of TABLES) await engine.command(`TRUNCATE TABLE ${table}`)
  const order = [...how.sent.map((index) => index % records.length), ...records.keys()]
  const frames: string[][] = []
  for (let at = 0; at < order.length; at += how.frameLines) {
    const part = order.slice(at, at + how.frameLines)
    frames.push(
      part.flatMap((index) => {
        const record = records[index]
        return record === undefined ? [] : [lineOf(record, index)]
      }),
    )
  }
  const work = join(directory, `work-${(run += 1)}`)
  for (let first = 0; first < frames.length; first += how.restartEvery) {
    const offset = how.clockOffsetsMs[first % how.clockOffsetsMs.length] ?? 0
    const clock = { nowMs: () => NOW_MS + offset }
    const pipeline = await startPipeline(work, store, { clock })
    const group = frames.slice(first, first + how.restartEvery)
    const seqs = await Promise.all(
      group.map((lines) => {
        const receivedMs = clock.nowMs()
        const meta = frameMeta({ meter: 'cdn', source: `s${run}`, receivedMs }, lines.length)
        return pipeline.journal.append(meta, toBody(lines))
      }),
    )
    // The last group waits to be loaded, the others are stopped in the middle.
    if (first + how.restartEvery >= frames.length) {
      for (const seq of seqs) await waitForOutcome(pipeline.outcomes, seq)
    }
    await pipeline.stop()
  }
}

/** A table without what may differ: which batch and frame brought a row. */
async function contents(table: string): Promise<unknown> {
  const time = table === 'usage_cdn' ? 'minute' : 'bucket'
  const rollup = METERS.cdn.rollups.find((candidate) => candidate.table === table)
  const dimensions = rollup?.orderBy ?? [
    'resource',
    'minute',
    'project',
    'account',
    'province',
    'isp',
    'area',
    'kind',
  ]
  const names = dimensions.map((name) =>
    name === time ? `toUnixTimestamp(t.${time}) AS at` : `toString(t.${name}) AS g_${name}`,
  )
  const sums = METERS.cdn.quantities.map(({ name }) => `sum(t.${name}) AS s_${name}`)
  return await engine.rows(
    `SELECT ${[...names, ...sums].join(', ')} FROM ${table} AS t GROUP BY ALL ORDER BY ALL`,
  )
}

const sumOf = (records: readonly Usage[], pick: (record: Usage) => boolean): bigint =>
  records.filter(pick).reduce((sum, { bytesOut }) => sum + BigInt(bytesOut), 0n)

async function checkSums(records: readonly Usage[]): Promise<void> {
  const reader = createUsageReader(engine)
  const sum = async (
    accountId: string,
    granularity: Granularity,
    more: { groupBy?: string[]; filters?: Record<string, string[]>; projectIds?: string[] } = {},
  ): Promise<{ total: bigint; groups: Map<string, bigint> }> => {
    const points = await reader.query({
      meter: 'cdn',
      accountId,
      ...RANGE,
      granularity,
      zone: 'Asia/Shanghai',
      filters: {},
      groupBy: [],
      measures: ['bytes'],
      dense: false,
      ...more,
    })
    const groups = new Map<string, bigint>()
    for (const { group, bytes = 0n } of points) {
      const key = Object.values(group).join(' ')
      groups.set(key, (groups.get(key) ?? 0n) + bytes)
    }
    return { total: points.reduce((all, { bytes = 0n }) => all + bytes, 0n), groups }
  }
  for (const account of ['acc-1', 'acc-2']) {
    const expected = sumOf(records, ({ resource }) => OWNERS[resource]?.[0] === account)
    for (const granularity of ['minute', '5min', 'hour', 'day', 'total'] as const) {
      expect([granularity, (await sum(account, granularity)).total]).toEqual([
        granularity,
        expected,
      ])
      const byProject = await sum(account, granularity, { groupBy: ['project'] })
      const byResource = await sum(account, granularity, { groupBy: ['resource'] })
      expect(byProject.total).toBe(expected)
      expect(byResource.total).toBe(expected)
    }
    const byProject = await sum(account, 'day', { groupBy: ['project'] })
    for (const [project, bytes] of byProject.groups) {
      const inside = await sum(account, 'hour', { groupBy: ['resource'], projectIds: [project] })
      expect(inside.total).toBe(bytes)
      expect(bytes).toBe(sumOf(records, ({ resource }) => OWNERS[resource]?.[1] === project))
      for (const [resource, domainBytes] of inside.groups) {
        const filters = { resource: [resource] }
        const places = await sum(account, '5min', { filters, groupBy: ['province', 'isp'] })
        expect(places.total).toBe(domainBytes)
      }
    }
  }
}

describe('whatever order, repeats, cuts and restarts usage comes with', () => {
  test('tables are the same, and every level sums up to the next', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(usage, { minLength: 1, maxLength: 80 }),
        history,
        history,
        async (records, one, other) => {
          await load(records, one)
          const first = await Promise.all(TABLES.map(contents))
          await checkSums(records)
          await load(records, other)
          expect(await Promise.all(TABLES.map(contents))).toEqual(first)
          expect((await auditUsage(engine, [])).findings).toEqual([])
        },
      ),
      { numRuns: 6, endOnFailure: true },
    )
  }, 120_000)
})

describe('a clock that jumps', () => {
  test('changes no number; what then seems to come from the future is kept with that reason', async () => {
    for (const table of TABLES) await engine.command(`TRUNCATE TABLE ${table}`)
    const clock = { ms: NOW_MS, nowMs: () => clock.ms }
    const work = join(directory, 'jump')
    const record = { resource: 'a.example.com', minute: 1, bytesOut: 7, requests: 1 }
    const place = { province: 'beijing', isp: 'dianxin', area: 'cn' }
    let lines = 0
    const seqs: number[] = []
    const seen: unknown[] = []
    for (const jump of [0, 7_200_000, -10_800_000, 40 * DAY_MS, -40 * DAY_MS]) {
      clock.ms += jump
      for (const isRestart of [false, true]) {
        const pipeline = await startPipeline(work, store, { clock })
        const receivedMs = clock.nowMs()
        const meta = frameMeta({ meter: 'cdn', source: 'jump', receivedMs }, 2)
        const again = lineOf({ ...record, ...place }, 0)
        const fresh = lineOf({ ...record, ...place }, (lines += 1))
        const seq = await pipeline.journal.append(meta, toBody([again, fresh]))
        const { accepted, duplicate, rejected } = await waitForOutcome(pipeline.outcomes, seq)
        seqs.push(seq)
        seen.push([isRestart, accepted, duplicate, rejected])
        await pipeline.stop()
      }
    }
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
    const taken = [1, 1, {}]
    expect(seen).toEqual([
      [false, 2, 0, {}],
      [true, ...taken],
      [false, ...taken],
      [true, ...taken],
      [false, 0, 0, { from_future: 2 }],
      [true, 0, 0, { from_future: 2 }],
      [false, 0, 0, { too_old: 2 }],
      [true, 0, 0, { too_old: 2 }],
      [false, 0, 0, { from_future: 2 }],
      [true, 0, 0, { from_future: 2 }],
    ])
    const [row] = await engine.rows('SELECT sum(t.bytes_out) AS bytes FROM cdn_5m AS t')
    expect(row).toEqual({ bytes: String(7 * 5) })
    expect((await auditUsage(engine, [])).findings).toEqual([])
  })
})
