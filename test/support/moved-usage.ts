import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MeterName } from '../../src/meters/meter.ts'
import type { Engine } from '../../src/store/usage/engine.ts'
import { openEngine } from '../../src/store/usage/open.ts'
import type { Attribution } from '../../src/store/usage/reference.ts'
import { createRandom } from './crash-load.ts'
import { createWorldStore, NOW_MS, startPipeline } from './pipeline.ts'

const HOUR_MS = 3_600_000

/** Three local days in New York; the second has 25 hours, as clocks go back in it. */
export const MOVED_ZONE = 'America/New_York'
export const MOVED_START = Date.parse('2026-10-31T00:00:00-04:00')
export const MOVED_END = Date.parse('2026-11-03T00:00:00-05:00')
export const MOVED_ACCOUNTS = ['acc-1', 'acc-2', 'acc-3'] as const
export const MOVED_METERS = ['cdn', 'eip', 'mna'] as const

/** When the last domain of the world passes from one account to another: within an hour. */
const PASSED_MS = Date.parse('2026-11-01T13:17:00Z')

/** One record as it was reported: what the books must find again. */
export interface Moved {
  readonly meter: MeterName
  /** Position of the load it came with, from 0. */
  readonly load: number
  readonly atMs: number
  readonly account: string
  readonly project: string
  readonly resource: string
  readonly area: string
  readonly region: string
  readonly province: string
  readonly kind: string
  readonly out: bigint
  readonly in: bigint
}

function owned(
  meter: MeterName,
  name: string,
  [accountId, projectId]: readonly [string, string],
  more: Partial<Attribution> = {},
): Attribution {
  return {
    meter,
    name,
    resourceId: `${meter}-${name}`,
    accountId,
    projectId,
    kind: 'static',
    gatewayType: 0,
    region: 'cn-bj2',
    fromMs: NOW_MS - 40 * 24 * HOUR_MS,
    toMs: null,
    ...more,
  }
}

const OWNERS: readonly Attribution[] = [
  owned('cdn', 'a', ['acc-1', 'org-1']),
  owned('cdn', 'b', ['acc-1', 'org-2'], { kind: 'dynamic' }),
  owned('cdn', 'c', ['acc-2', 'org-3']),
  owned('cdn', 'd', ['acc-1', 'org-2'], { toMs: PASSED_MS }),
  owned('cdn', 'd', ['acc-3', 'org-4'], { fromMs: PASSED_MS }),
  owned('eip', 'e', ['acc-1', 'org-1']),
  owned('eip', 'f', ['acc-2', 'org-3']),
  owned('mna', 'g', ['acc-1', 'org-1']),
  owned('mna', 'h', ['acc-3', 'org-4'], { gatewayType: 1 }),
]

/** Loads of which the second brings usage as old as the first, and their records per meter. */
export const MOVED_LOADS = 3
const RECORDS = 300

type Pick = <T>(list: readonly T[]) => T

function picker(random: () => number): Pick {
  return (list) => {
    const picked = list[Math.floor(random() * list.length)]
    if (picked === undefined) throw new Error('nothing to pick from')
    return picked
  }
}

function ownerOf(meter: MeterName, name: string, atMs: number): Attribution {
  const owner = OWNERS.find(
    (each) =>
      each.meter === meter &&
      each.name === name &&
      each.fromMs <= atMs &&
      atMs < (each.toMs ?? 1e15),
  )
  if (owner === undefined) throw new Error(`nobody owns ${name}`)
  return owner
}

/** Random usage: few values, so that slots are equal, and every now and then nothing. */
function moveAtRandom(meter: MeterName, load: number, random: () => number) {
  const pick = picker(random)
  // Usage also moves right before and after the days that are looked at.
  const span = MOVED_END - MOVED_START + 4 * HOUR_MS
  const atMs = MOVED_START - 2 * HOUR_MS + Math.floor(random() * span)
  const names = OWNERS.filter((each) => each.meter === meter).map(({ name }) => name)
  const name = pick(names)
  const { accountId, projectId, resourceId, kind } = ownerOf(meter, name, atMs)
  const bytes = pick([0, 1, 7, 7, 40, 1e9, 3e9])
  const [area, province, region] = pick([
    ['cn', 'beijing', 'cn'],
    ['cn', 'guangdong', 'cn'],
    ['abroad', 'others', 'abroad'],
    ['abroad', 'others', 'eu-na'],
    ['abroad', 'xianggang', 'apac1'],
  ] as const)
  const isCdn = meter === 'cdn'
  const isOut = isCdn || random() < 0.6
  const bytesIn = isCdn ? pick([0, 0, 5, 2e9]) : isOut ? 0 : bytes
  const moved: Moved = {
    meter,
    load,
    atMs,
    account: accountId,
    project: projectId,
    resource: resourceId,
    area: isCdn ? area : 'cn',
    region: isCdn ? region : 'cn',
    province: isCdn ? province : '',
    kind: isCdn ? kind : 'static',
    out: isOut ? BigInt(bytes) : 0n,
    in: BigInt(bytesIn),
  }
  return { moved, record: recordOf(moved, name, pick) }
}

function recordOf(moved: Moved, name: string, pick: Pick): string {
  const { meter, atMs, area, region, province } = moved
  const base = { time: new Date(atMs).toISOString(), resource: name }
  const isOut = moved.in === 0n
  const bytes = Number(moved.out + moved.in)
  switch (meter) {
    case 'cdn': {
      const labels = { isp: pick(['yidong', 'dianxin']), status: pick([200, 404]), cache: 'HIT' }
      const [bytesOut, bytesIn] = [Number(moved.out), Number(moved.in)]
      const others = { hitBytes: 1, originBytes: 2, originRequests: 1, hitRequests: 1 }
      // Either says the other where that is all there is to say.
      const place = region === area ? { area } : { billingRegion: region }
      const sent = { ...base, ...labels, ...others, ...place, province, bytesOut, bytesIn }
      return JSON.stringify({ ...sent, protocol: pick(['http', 'quic']) })
    }
    case 'eip':
      return JSON.stringify({ ...base, direction: isOut ? 'out' : 'in', bytes, packets: 3 })
    case 'mna': {
      const accessRegion = pick(['AP', 'EU'])
      return JSON.stringify({ ...base, direction: isOut ? 'up' : 'down', accessRegion, bytes })
    }
    default:
      throw new Error(`${String(meter)} is no meter`)
  }
}

/** An engine that holds random usage of several accounts, loaded in several batches. */
export interface MovedWorld {
  readonly engine: Engine
  readonly moved: readonly Moved[]
  /** Batch of a load of a meter. */
  batchOf(meter: MeterName, load: number): number
  close(): Promise<void>
}

/** Opens the embedded engine in a directory of its own and loads random usage. */
export async function openMovedWorld(seed: number): Promise<MovedWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'weir-moved-'))
  const engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 2,
    requestTimeoutMs: 30_000,
  })
  const store = createWorldStore(engine, directory, { attributions: OWNERS, revision: 1 })
  await store.open()
  const pipeline = await startPipeline(directory, store)
  const random = createRandom(seed)
  const moved: Moved[] = []
  const batches = new Map<string, number>()
  for (let load = 0; load < MOVED_LOADS; load += 1) {
    for (const meter of MOVED_METERS) {
      const made = Array.from({ length: RECORDS }, () => moveAtRandom(meter, load, random))
      const lines = made.map(({ record }) => record)
      const { seq, accepted } = await pipeline.load({ meter }, lines)
      if (accepted !== RECORDS) throw new Error(`${accepted} of ${RECORDS} were accepted`)
      batches.set(`${meter} ${load}`, seq)
      moved.push(...made.map((each) => each.moved))
    }
  }
  return {
    engine,
    moved,
    batchOf: (meter, load) => batches.get(`${meter} ${load}`) ?? 0,
    async close() {
      await pipeline.stop()
      await engine.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
