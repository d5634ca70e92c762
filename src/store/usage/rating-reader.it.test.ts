import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createRandom } from '../../../test/support/crash-load.ts'
import {
  createWorldStore,
  NOW_MS,
  startPipeline,
  WORLD,
  type Pipeline,
} from '../../../test/support/pipeline.ts'
import { DAY_MS, FIVE_MINUTES_MS, floorTo, HOUR_MS, MINUTE_MS } from '../../core/period.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import { createRatingReader } from './rating-reader.ts'

interface Moved {
  readonly meter: 'cdn' | 'eip' | 'mna'
  readonly atMs: number
  readonly resource: string
  readonly project: string
  readonly area: string
  readonly province: string
  readonly kind: string
  readonly out: bigint
  readonly in: bigint
}

const START = NOW_MS - 3 * DAY_MS
const END = NOW_MS - HOUR_MS
const DOMAINS = [
  ['a.example.com', 'ucdn-a', 'org-1', 'static'],
  ['b.example.com', 'ucdn-b', 'org-2', 'dynamic'],
] as const
const PLACES = [
  ['cn', 'beijing'],
  ['cn', 'guangdong'],
  ['abroad', 'others'],
] as const

let directory: string
let engine: Engine
let pipeline: Pipeline
const moved: Moved[] = []

/** Random usage of every meter, and the records that report it. */
function generate(): Record<Moved['meter'], string[]> {
  const random = createRandom(11)
  const pick = <T>(list: readonly T[]): T => {
    const picked = list[Math.floor(random() * list.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }
  const records: Record<Moved['meter'], string[]> = { cdn: [], eip: [], mna: [] }
  for (let index = 0; index < 600; index += 1) {
    const atMs = START - HOUR_MS + Math.floor(random() * (END - START + 2 * HOUR_MS))
    const time = new Date(Math.min(atMs, NOW_MS)).toISOString()
    const bytes = Math.floor(random() * 1e9)
    const [name, resource, project, kind] = pick(DOMAINS)
    const [area, province] = pick(PLACES)
    const base = { atMs: Date.parse(time), area: 'cn', province: '', kind: 'static' }
    records.cdn.push(
      JSON.stringify({ time, resource: name, area, province, bytesOut: bytes, bytesIn: index }),
    )
    const both = { out: BigInt(bytes), in: BigInt(index) }
    moved.push({ ...base, meter: 'cdn', resource, project, kind, area, province, ...both })
    const isOut = random() < 0.5
    const one = isOut ? { out: BigInt(bytes), in: 0n } : { out: 0n, in: BigInt(bytes) }
    const owner = { project: 'org-1', ...base, ...one }
    const direction = isOut ? 'out' : 'in'
    records.eip.push(JSON.stringify({ time, resource: '192.0.2.1', direction, bytes }))
    moved.push({ ...owner, meter: 'eip', resource: 'eip-1' })
    records.mna.push(
      JSON.stringify({
        time,
        resource: 'truck-7',
        direction: isOut ? 'up' : 'down',
        accessRegion: 'AP',
        bytes,
      }),
    )
    moved.push({ ...owner, meter: 'mna', resource: 'mna-1' })
  }
  return records
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-rating-'))
  engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 2,
    requestTimeoutMs: 30_000,
  })
  const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
  await store.open()
  pipeline = await startPipeline(directory, store)
  const records = generate()
  for (const meter of ['cdn', 'eip', 'mna'] as const) {
    const lines = records[meter]
    const { accepted } = await pipeline.load({ meter }, lines)
    if (accepted !== lines.length) throw new Error(`${accepted} of ${lines.length} were accepted`)
  }
})

afterAll(async () => {
  await pipeline.stop()
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

const within = (meter: string): Moved[] =>
  moved.filter((entry) => entry.meter === meter && entry.atMs >= START && entry.atMs < END)

/** Adds values up by key; zero sums are left out. */
function sumBy<T>(list: readonly T[], key: (item: T) => string, value: (item: T) => bigint) {
  const sums = new Map<string, bigint>()
  for (const item of list) sums.set(key(item), (sums.get(key(item)) ?? 0n) + value(item))
  return [...sums].filter(([, sum]) => sum !== 0n).sort(([a], [b]) => (a < b ? -1 : 1))
}

describe.each(['cdn', 'eip', 'mna'] as const)('volumes of %s', (meter) => {
  test.each([
    ['on five minutes', '5min', [START, START + DAY_MS, START + DAY_MS + 7 * FIVE_MINUTES_MS]],
    [
      'on any minute',
      'minute',
      [START, START + DAY_MS + 7 * MINUTE_MS, START + 2 * DAY_MS + MINUTE_MS],
    ],
  ] as const)('cut %s are what was reported, in each piece', async (_, grain, cutsMs) => {
    const byProvince = meter === 'cdn'
    const query = { accountId: 'acc-1', meter, cutsMs, endMs: END, grain, byProvince }
    const usage = await createRatingReader(engine).trafficUsage(query)
    const cutOf = (atMs: number) => cutsMs.filter((cut) => cut <= atMs).at(-1)
    const expected = (['in', 'out'] as const).flatMap((direction) =>
      sumBy(
        within(meter),
        (e) => [cutOf(e.atMs), e.resource, e.project, e.area, e.province, e.kind, direction].join(),
        (e) => e[direction],
      ),
    )
    const found = usage.map((u): [string, bigint] => [
      [u.startMs, u.resourceId, u.projectId, u.area, u.province, u.kind, u.direction].join(),
      u.bytes,
    ])
    expect(new Map(found)).toEqual(new Map(expected))
    expect(found.length).toBe(expected.length)
    const others = await createRatingReader(engine).trafficUsage({ ...query, accountId: 'acc-2' })
    expect(others).toEqual([])
  })
})

describe.each(['account', 'project', 'resource'] as const)('slots per %s', (member) => {
  test('are what was reported in each five minutes, with their highest minute', async () => {
    const memberOf = (entry: Moved): string => (member === 'account' ? 'acc-1' : entry[member])
    const scoped = within('cdn').filter(({ area, kind }) => area === 'cn' && kind === 'static')
    const found = await createRatingReader(engine).slotUsage({
      accountId: 'acc-1',
      meter: 'cdn',
      member,
      startMs: START,
      endMs: END,
      areas: ['cn'],
      kinds: ['static'],
      provinces: ['beijing', 'guangdong'],
      samples: true,
    })
    const slots = found.flatMap(({ memberId, slots: list }) =>
      list.map((slot) => ({ key: `${memberId},${slot.startMs}`, ...slot })),
    )
    const slotKey = (entry: Moved): string =>
      `${memberOf(entry)},${floorTo(entry.atMs, FIVE_MINUTES_MS)}`
    expect(
      sumBy(
        slots,
        ({ key }) => key,
        ({ outBytes }) => outBytes,
      ),
    ).toEqual(sumBy(scoped, slotKey, ({ out }) => out))
    const minutes = new Map(
      sumBy(
        scoped,
        (entry) => `${slotKey(entry)},${floorTo(entry.atMs, MINUTE_MS)}`,
        ({ out }) => out,
      ),
    )
    for (const { key, outSampleBpsMax } of slots) {
      const own = [...minutes].filter(([minute]) => minute.startsWith(`${key},`))
      const highest = own.reduce((top, [, bytes]) => (bytes > top ? bytes : top), 0n)
      expect(outSampleBpsMax).toBe((highest * 8n) / 60n)
    }
  })
})
