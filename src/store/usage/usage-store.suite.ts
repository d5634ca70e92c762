import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createWorldStore,
  frameMeta,
  NOW_MS,
  startPipeline,
  ELASTIC_IP,
  toBody,
  waitForOutcome,
  WORLD,
  type Pipeline,
  type World,
} from '../../../test/support/pipeline.ts'
import type { LogSpec } from '../../ingest/batch.ts'
import { BILLING_REGIONS } from '../../meters/places.ts'
import { auditUsage } from './audit.ts'
import type { Engine } from './engine.ts'
import { createUsageReader } from './reader.ts'
import { listRejected } from './rejects.ts'
import type { UsageStore } from './usage-store.ts'

const SPEC: LogSpec = {
  format:
    '$host $remote_addr [$time_iso8601] "$request" $status $bytes_sent $upstream_cache_status',
  domain: null,
  clientFrom: 'remote_addr',
  timeZone: null,
}

const LOG = { meter: 'cdn', reading: { kind: 'log', spec: SPEC } } as const

function logLine(host: string, client: string, time: string, bytes: number | string): string {
  return `${host} ${client} [${time}] "GET / HTTP/1.1" 200 ${bytes} HIT`
}

const eip = (id: string | null, bytes: number, more: object = {}): string =>
  JSON.stringify({
    ...(id !== null && { id }),
    time: '2026-11-20T10:00:30Z',
    resource: '192.0.2.1',
    direction: 'out',
    bytes,
    ...more,
  })

/** A list of points of one province. */
function listOf(entry: Readonly<Record<string, unknown>> | undefined, name: string): unknown[] {
  const list = entry?.[name]
  if (!Array.isArray(list)) throw new Error(`no list ${name}`)
  return list
}

/** The contract of the usage store; every backend passes the same tests. */
export function usageStoreSuite(
  backend: string,
  open: () => Promise<{ engine: Engine; directory: string; close: () => Promise<void> }>,
): void {
  describe(`usage store on ${backend}`, () => {
    let engine: Engine
    let directory: string
    let close: () => Promise<void>
    let store: UsageStore
    let pipeline: Pipeline
    const world: World = { attributions: WORLD, revision: 1 }

    const sum = async (table: string, column: string, where = '1'): Promise<bigint> => {
      const [row] = await engine.rows<{ s: string }>(
        `SELECT sum(t.${column}) AS s FROM ${table} AS t WHERE ${where}`,
      )
      return BigInt(row?.s ?? 0)
    }

    beforeAll(async () => {
      const opened = await open()
      ;({ engine, directory, close } = opened)
      store = createWorldStore(engine, opened.directory, world)
      await store.open()
      await store.open()
      pipeline = await startPipeline(opened.directory, store)
    })

    afterAll(async () => {
      await pipeline.stop()
      await close()
    })

    test('log lines are attributed, placed, counted and rolled up', async () => {
      const outcome = await pipeline.load(LOG, [
        logLine('a.example.com', '1.2.3.4', '2026-11-20T18:00:01+08:00', 1000),
        logLine('A.example.com:443', '1.2.3.9', '2026-11-20T10:00:59Z', 500),
        logLine('a.example.com', '2409:8000::1', '2026-11-20T10:04:00Z', 70),
        logLine('b.example.com', '8.8.8.8', '2026-11-20T10:05:00Z', 9),
        logLine('b.example.com', 'unix:', '2026-11-20T10:05:00Z', 1),
        logLine('nobody.example.com', '8.8.8.8', '2026-11-20T10:05:00Z', 9),
        logLine('a.example.com', '1.2.3.4', '2026-11-20T10:00:00Z', '18446744073709551616'),
        logLine('a.example.com', '1.2.3.4', '2026-10-01T10:00:00Z', 5),
        logLine('a.example.com', '1.2.3.4', '2026-11-20T12:05:01Z', 5),
        'garbage \u0000 line',
      ])
      expect(outcome).toMatchObject({
        lines: 10,
        accepted: 5,
        duplicate: 0,
        rejected: { unknown_resource: 1, bad_bytes: 1, too_old: 1, from_future: 1, unparseable: 1 },
        accounts: ['acc-1'],
        bytes: 1580n,
      })
      const rows = await engine.rows(
        `SELECT toString(t.resource) AS r, toString(t.project) AS p, toString(t.kind) AS k, toString(t.area) AS a,
  toString(t.billing_region) AS z, toString(t.province) AS v, toString(t.isp) AS i, toUnixTimestamp(t.bucket) AS b, sum(t.bytes_out) AS o, sum(t.requests) AS n
FROM cdn_5m AS t GROUP BY r, p, k, a, z, v, i, b ORDER BY r, b, a, v`,
      )
      const at = (minute: number): number => Date.UTC(2026, 10, 20, 10, minute) / 1000
      expect(rows).toEqual([
        {
          r: 'ucdn-a',
          p: 'org-1',
          k: 'static',
          a: 'cn',
          z: 'cn',
          v: 'beijing',
          i: 'dianxin',
          b: at(0),
          o: '1500',
          n: '2',
        },
        {
          r: 'ucdn-a',
          p: 'org-1',
          k: 'static',
          a: 'cn',
          z: 'cn',
          v: 'guangdong',
          i: 'yidong',
          b: at(0),
          o: '70',
          n: '1',
        },
        {
          r: 'ucdn-b',
          p: 'org-2',
          k: 'dynamic',
          a: 'abroad',
          z: 'eu-na',
          v: 'others',
          i: 'others',
          b: at(5),
          o: '9',
          n: '1',
        },
        {
          r: 'ucdn-b',
          p: 'org-2',
          k: 'dynamic',
          a: 'cn',
          z: 'cn',
          v: 'others',
          i: 'others',
          b: at(5),
          o: '1',
          n: '1',
        },
      ])
    })

    test('rejected lines keep their reason, number, culprit and exact text', async () => {
      const lines = await listRejected(
        engine,
        { source: 'test', meter: 'cdn' },
        { limit: 100, after: null },
      )
      expect(lines.map(({ line, reason, detail }) => [line, reason, detail])).toEqual([
        [6, 'unknown_resource', 'nobody.example.com'],
        [7, 'bad_bytes', 'a.example.com'],
        [8, 'too_old', 'a.example.com'],
        [9, 'from_future', 'a.example.com'],
        [10, 'unparseable', expect.any(String)],
      ])
      expect(lines.at(-1)?.raw.toString()).toBe('garbage \u0000 line')
    })

    test('a record sent again, in the same batch or a later one, changes no number', async () => {
      const first = await pipeline.load({ meter: 'eip' }, [
        eip('x1', 100),
        eip('x2', 10),
        eip('x1', 100),
        eip(null, 1),
        eip(null, 1),
      ])
      expect(first).toMatchObject({ lines: 5, accepted: 4, duplicate: 1, bytes: 112n })
      const again = await pipeline.load({ meter: 'eip' }, [eip('x1', 999), eip('x3', 1000)])
      expect(again).toMatchObject({ lines: 2, accepted: 1, duplicate: 1, bytes: 1000n })
      expect(await sum('usage_eip', 'bytes')).toBe(1112n)
      expect(await sum('eip_5m', 'bytes')).toBe(1112n)
    })

    test('the same id from another source is another record', async () => {
      const outcome = await pipeline.load({ meter: 'eip', source: 'second' }, [eip('x1', 7)])
      expect(outcome).toMatchObject({ accepted: 1, duplicate: 0 })
    })

    test('a source bound to an account cannot report for another', async () => {
      const outcome = await pipeline.load({ meter: 'eip', source: 'third', onlyAccount: 'acc-2' }, [
        eip('y', 7),
      ])
      expect(outcome).toMatchObject({ accepted: 0, rejected: { unknown_resource: 1 } })
    })

    test('a region says its area, an area its region, an address both, and none may contradict', async () => {
      const record = (resource: string, place: object): string =>
        JSON.stringify({ time: NOW_MS, resource, bytesOut: 1, ...place })
      const outcome = await pipeline.load({ meter: 'cdn', source: 'regions' }, [
        ...[...BILLING_REGIONS, null, ''].map((billingRegion) =>
          record('other.example.net', { billingRegion }),
        ),
        record('other.example.net', { area: 'abroad' }),
        record('other.example.net', { area: 'abroad', billingRegion: 'latam' }),
        record('other.example.net', { area: 'cn', billingRegion: 'cn' }),
        record('other.example.net', { client: '8.8.8.8', billingRegion: 'latam' }),
        record('other.example.net', { area: 'cn', billingRegion: 'latam' }),
        record('other.example.net', { area: 'abroad', billingRegion: 'cn' }),
        record('other.example.net', { billingRegion: 'apac9' }),
      ])
      expect(outcome).toMatchObject({ accepted: 14, rejected: { bad_field: 3 } })
      const rows = await engine.rows<{ place: string; bytes: string }>(
        `SELECT concat(t.area, ' ', t.billing_region, ' ', t.province) AS place, sum(t.bytes_out) AS bytes
FROM cdn_5m AS t WHERE t.account = 'acc-2' GROUP BY place ORDER BY place`,
      )
      expect(Object.fromEntries(rows.map(({ place, bytes }) => [place, bytes]))).toEqual({
        'abroad abroad others': '2',
        'abroad apac1 others': '1',
        'abroad apac2 others': '1',
        'abroad apac3 others': '1',
        'abroad eu-na others': '2',
        'abroad latam others': '2',
        'abroad me-africa others': '1',
        'cn cn others': '4',
      })
    })

    test('gateway records take their type from the catalog unless they say it', async () => {
      const record = { time: 1795168800, resource: 'truck-7', direction: 'up', accessRegion: 'MC' }
      await pipeline.load({ meter: 'mna' }, [
        JSON.stringify({ ...record, bytes: 5 }),
        JSON.stringify({ ...record, gatewayType: 0, bytes: 3, resource: 'mna-1' }),
      ])
      expect(await sum('mna_5m', 'bytes', "t.gateway_type = '1'")).toBe(5n)
      expect(await sum('mna_5m', 'bytes', "t.gateway_type = '0'")).toBe(3n)
    })

    test('many small frames load as one batch and keep separate outcomes', async () => {
      const seqs = await Promise.all(
        [3, 1, 2].map((count) =>
          pipeline.load(
            { meter: 'eip', source: `many-${count}` },
            Array.from({ length: count }, (_, index) =>
              index === 2 ? eip(null, 1, { resource: 'unknown' }) : eip(`${count}-${index}`, 1),
            ),
          ),
        ),
      )
      expect(seqs.map(({ lines, accepted, rejected }) => [lines, accepted, rejected])).toEqual([
        [3, 2, { unknown_resource: 1 }],
        [1, 1, {}],
        [2, 2, {}],
      ])
    })

    test('as many frames as a batch may hold, each from its own source, keep their outcomes', async () => {
      const count = 1000
      const seqs = await Promise.all(
        Array.from({ length: count }, (_, index) =>
          pipeline.journal.append(
            {
              ...emptyMeta(),
              meter: 'eip',
              source: `crowd-${index}`,
              receivedMs: NOW_MS - index,
              lines: index % 7 === 0 ? 0 : 1,
              oversize: index % 7 === 0 ? [{ offset: 0, length: 2 << 20, head: 'x' }] : [],
            },
            Buffer.from(index % 7 === 0 ? '' : `${eip('same', 2)}\n`),
          ),
        ),
      )
      await until(() => seqs.every((seq) => pipeline.outcomes.has(seq)))
      const got = seqs.map((seq) => pipeline.outcomes.get(seq))
      expect(got.filter((outcome) => outcome?.accepted === 1 && outcome.bytes === 2n)).toHaveLength(
        count - Math.ceil(count / 7),
      )
      expect(got.filter((outcome) => outcome?.rejected.line_too_long === 1)).toHaveLength(
        Math.ceil(count / 7),
      )
    })

    test('a registration is seen by the next batch, from its own minute on', async () => {
      world.attributions = [
        ...WORLD,
        {
          ...ELASTIC_IP,
          name: '192.0.2.9',
          resourceId: 'eip-9',
          fromMs: Date.UTC(2026, 10, 20, 10, 0),
          toMs: Date.UTC(2026, 10, 20, 10, 2),
        },
      ]
      world.revision += 1
      const at = (time: string): string => eip(null, 1, { resource: '192.0.2.9', time })
      const outcome = await pipeline.load({ meter: 'eip' }, [
        at('2026-11-20T09:59:59Z'),
        at('2026-11-20T10:00:00Z'),
        at('2026-11-20T10:01:59Z'),
        at('2026-11-20T10:02:00Z'),
      ])
      expect(outcome).toMatchObject({ accepted: 2, rejected: { unknown_resource: 2 } })
    })

    test('rolling a batch twice, or discarding and inserting it again, changes no number', async () => {
      const before = await sum('eip_5m', 'bytes')
      const seq = await pipeline.journal.append(
        { ...emptyMeta(), meter: 'eip', lines: 1 },
        Buffer.from(`${eip('again', 50)}\n`),
      )
      const frame = pipeline.journal.frame(seq)
      await until(() => pipeline.outcomes.has(seq))
      expect(frame).toBeDefined()
      if (frame === undefined) return
      const batch = {
        id: seq,
        attempt: 2,
        meter: 'eip',
        reading: frame.reading,
        frames: [frame],
      } as const
      await store.roll(batch, () => undefined)
      await store.roll(batch, () => undefined)
      expect(await sum('eip_5m', 'bytes')).toBe(before + 50n)
      await store.discard(batch)
      expect(await sum('usage_eip', 'bytes', `t.batch = ${seq}`)).toBe(0n)
    })

    test('answers queries: sums, peaks over members, percentiles with their moment', async () => {
      const reader = createUsageReader(engine)
      const points = await reader.query({
        meter: 'cdn',
        accountId: 'acc-1',
        startMs: Date.UTC(2026, 10, 20, 10, 0),
        endMs: Date.UTC(2026, 10, 20, 11, 0),
        granularity: 'hour',
        zone: 'Asia/Shanghai',
        filters: {},
        groupBy: [],
        measures: ['bytes', 'requests', 'peak_bps', 'p95_bps'],
        dense: true,
      })
      expect(points).toEqual([
        {
          startMs: Date.UTC(2026, 10, 20, 10, 0),
          group: {},
          bytes: 1580n,
          requests: 5n,
          peakBps: (1570n * 8n) / 300n,
          p95Bps: (1570n * 8n) / 300n,
          p95AtMs: Date.UTC(2026, 10, 20, 10, 0),
        },
      ])
    })

    test('shapes the per-province series itself, dense, with provinces that were asked for', async () => {
      const reader = createUsageReader(engine)
      const text = await reader.provinceSeriesJson({
        accountId: 'acc-1',
        projectIds: ['org-1', 'org-2'],
        resourceIds: [],
        provinces: ['beijing', 'xizang'],
        isp: null,
        startMs: Date.UTC(2026, 10, 20, 10, 0),
        endMs: Date.UTC(2026, 10, 20, 10, 10),
        granularity: '5min',
        zone: 'Asia/Shanghai',
        listNames: ['BandwidthTrafficList'],
      })
      const start = Date.UTC(2026, 10, 20, 10, 0) / 1000
      expect(JSON.parse(text)).toEqual([
        {
          Province: 'beijing',
          BandwidthTrafficList: [
            { Time: start, CdnBandwidth: (1500 * 8) / 300 / 1e6, Traffic: 1500 },
            { Time: start + 300, CdnBandwidth: 0, Traffic: 0 },
          ],
        },
        {
          Province: 'xizang',
          BandwidthTrafficList: [
            { Time: start, CdnBandwidth: 0, Traffic: 0 },
            { Time: start + 300, CdnBandwidth: 0, Traffic: 0 },
          ],
        },
      ])
    })

    test('a batch that was parsed ahead is parsed again when owners change meanwhile', async () => {
      const files = join(directory, 'ahead.lines')
      await writeFile(files, `${eip(null, 40)}\n`)
      const batchOf = (id: number) => ({
        id,
        attempt: 1,
        meter: 'eip' as const,
        reading: { kind: 'records' } as const,
        frames: [
          {
            ...frameMeta({ meter: 'eip' }, 1),
            seq: id,
            body: { path: files, offset: 0, length: eip(null, 40).length + 1 },
          },
        ],
      })
      const lines = [{ path: files, firstPosition: 0 }]
      const [first, second] = [batchOf(1), batchOf(2)]
      await store.synchronise()
      await store.stage(first, lines)
      await store.stageAhead(second, lines)
      await store.insert(first, lines, () => undefined)
      await store.roll(first, () => undefined)
      const moved = WORLD.map((owner) => ({ ...owner, accountId: 'acc-moved' }))
      Object.assign(world, { attributions: moved, revision: world.revision + 1 })
      try {
        // Owners have changed: nothing is parsed ahead of the batch that takes that up.
        await store.stageAhead(second, lines)
        await store.synchronise()
        await store.stage(second, lines)
        const [outcome] = await store.insert(second, lines, () => undefined)
        await store.roll(second, () => undefined)
        expect(outcome).toMatchObject({ accepted: 1, accounts: ['acc-moved'] })
      } finally {
        Object.assign(world, { attributions: WORLD, revision: world.revision + 1 })
        await store.synchronise()
      }
      await expect(store.insert(batchOf(3), lines, () => undefined)).rejects.toThrow('staged')
    })

    test.each([
      ['5min', 3, 8],
      ['minute', 0.5, 2],
      ['hour', 24, 60],
      ['day', 20, 40],
    ] as const)(
      'small and large series of %s granularity agree, whoever shapes them',
      async (granularity, smallDays, largeDays) => {
        const reader = createUsageReader(engine)
        const endMs = Date.UTC(2026, 10, 20, 16, 0)
        const ask = async (days: number, provinces: readonly string[], names: string[]) =>
          JSON.parse(
            await reader.provinceSeriesJson({
              accountId: 'acc-1',
              projectIds: ['org-1', 'org-2'],
              resourceIds: [],
              provinces,
              isp: null,
              startMs: endMs - days * 86_400_000,
              endMs,
              granularity,
              zone: 'Asia/Shanghai',
              listNames: names,
            }),
          ) as { Province: string; [name: string]: unknown }[]
        const small = await ask(smallDays, ['xizang', 'beijing'], ['A', 'B'])
        const every = ['beijing', 'xizang', ...Array.from({ length: 60 }, (_, i) => `p${i}`)]
        const large = await ask(largeDays, every, ['A', 'B'])
        const counted = JSON.stringify(small).match(/"Traffic":[1-9]/g)
        expect(counted?.length).toBeGreaterThan(0)
        const tails = large
          .filter(({ Province }) => Province === 'beijing' || Province === 'xizang')
          .map((entry) => {
            const length = listOf(small[0], 'A').length
            const tail = (name: string) => listOf(entry, name).slice(-length)
            return { Province: entry.Province, A: tail('A'), B: tail('B') }
          })
        expect(small).toEqual(tails)
      },
    )

    test('empty lines of a body count in the numbers of the others, and as nothing else', async () => {
      const source = 'blanks'
      const stranger = eip(null, 1, { resource: '192.0.2.99' })
      const small = ['', '', stranger, '', eip(null, 7), stranger, '']
      // A file of its own in the journal.
      const large = [
        '',
        stranger,
        ...Array.from({ length: 4000 }, () => eip(null, 1)),
        '',
        stranger,
      ]
      const append = async (lines: readonly string[]): Promise<number> => {
        const records = lines.filter((line) => line !== '').length
        const meta = frameMeta({ meter: 'eip', source }, records)
        const blankLines = lines.length - records
        return await pipeline.journal.append({ ...meta, blankLines }, toBody(lines))
      }
      // Several, so that one batch holds more than one of them.
      const sent = [small, small, small, large, small, large, small]
      const seqs = await Promise.all(sent.map(append))
      for (const [index, seq] of seqs.entries()) {
        const isSmall = sent[index] === small
        expect(await waitForOutcome(pipeline.outcomes, seq)).toMatchObject({
          lines: isSmall ? 3 : 4002,
          accepted: isSmall ? 1 : 4000,
          duplicate: 0,
          rejected: { unknown_resource: 2 },
          bytes: isSmall ? 7n : 4000n,
        })
      }
      const rejected = await listRejected(engine, { source }, { limit: 1000, after: null })
      expect(rejected.map(({ frame, line }) => [frame, line])).toEqual(
        seqs.flatMap((seq, index) =>
          (sent[index] === small ? [3, 6] : [2, 4004]).map((line) => [seq, line]),
        ),
      )
      expect(new Set(rejected.map(({ raw }) => raw.toString()))).toEqual(new Set([stranger]))
    })

    test('a record from the future moves once into the usage when its time has come', async () => {
      const source = 'ahead'
      const future = eip('ahead-1', 11, { time: new Date(NOW_MS + 3_600_000).toISOString() })
      const first = await pipeline.load({ meter: 'eip', source }, [future])
      expect(first.rejected).toEqual({ from_future: 1 })
      const replay = async (replayedMs: number) => {
        const rejected = await listRejected(engine, { source }, { limit: 10, after: null })
        const replays = rejected.map(({ batch, frame, line }) => ({ batch, frame, line }))
        return await pipeline.load({ meter: 'eip', source, replays, replayedMs }, [future])
      }
      expect((await replay(NOW_MS + 3_200_000)).rejected).toEqual({ from_future: 1 })
      // Five minutes that clocks may differ, as for any record.
      expect(await replay(NOW_MS + 3_300_000)).toMatchObject({ accepted: 1, rejected: {} })
      expect(await listRejected(engine, { source }, { limit: 10, after: null })).toEqual([])
      expect(await sum('usage_eip', 'bytes', `t.source = '${source}'`)).toBe(11n)
    })

    test('the audit finds a rollup that differs by one byte', async () => {
      expect(
        (await auditUsage(engine, [])).findings.filter((f) => f.check.startsWith('cdn')),
      ).toEqual([])
      await engine.command(
        `INSERT INTO cdn_account_1m (account, kind, area, bucket, project, bytes_out) VALUES ('acc-1', 'static', 'cn', '2026-11-20 10:00:00', 'org-1', 1)`,
      )
      const { findings } = await auditUsage(engine, [])
      expect(findings.filter((f) => f.check.startsWith('cdn'))).toEqual([
        {
          check: 'cdn_account_1m.bytes_out on 2026-11-20 (UTC) equals usage_cdn',
          expected: 1594n,
          actual: 1595n,
        },
      ])
    })
  })
}

function emptyMeta(): Omit<Parameters<Pipeline['journal']['append']>[0], 'meter' | 'lines'> {
  return {
    source: 'test',
    reading: { kind: 'records' },
    receivedMs: NOW_MS,
    onlyAccount: null,
    file: null,
    oversize: [],
    idempotencyKey: null,
    replays: [],
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000 && !condition(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
