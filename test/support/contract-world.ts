import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Json, WeirServer } from './built-weir.ts'
import type { KeyPair } from './ucloud-signer.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const CHINA_MS = 8 * HOUR_MS
export const GIB = 1024 ** 3
export const MIB = 1024 ** 2

/** Midnight in China of today. */
export const TODAY_MS = Math.floor((Date.now() + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS

/** Unix seconds of a moment, so many days and hours from today's midnight in China. */
export function at(days: number, hours = 0, seconds = 0): number {
  return (TODAY_MS + days * DAY_MS + hours * HOUR_MS) / 1000 + seconds
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString()

const CREATED = { createdAt: iso(at(-5)) }
const PACKAGE = { type: 'traffic', account: 'mine', purchasedAt: iso(at(-5)), endAt: null }
const MINE = { ...CREATED, account: 'mine', project: 'Default' }
const OTHER = { ...CREATED, account: 'other', project: 'Default' }
const PEKING = { region: 'cn-bj2', zone: 'cn-bj2-02' }

/** Two accounts, of which the second has one thing of each kind, too. */
const CATALOG = {
  accounts: [
    {
      id: 'acc-mine',
      name: 'mine',
      number: 56001,
      projects: [
        { id: 'org-mine', name: 'Default', default: true },
        { id: 'org-mine-video', name: 'Video' },
      ],
    },
    {
      id: 'acc-other',
      name: 'other',
      projects: [{ id: 'org-other', name: 'Default', default: true }],
    },
  ],
  resources: [
    { meter: 'cdn', ...MINE, id: 'ucdn-mine', name: 'www.mine.example', kind: 'static' },
    { meter: 'cdn', ...MINE, id: 'ucdn-mine-api', name: 'api.mine.example', kind: 'dynamic' },
    {
      meter: 'cdn',
      ...MINE,
      project: 'Video',
      id: 'ucdn-mine-video',
      name: 'v.mine.example',
      kind: 'static',
    },
    { meter: 'cdn', ...OTHER, id: 'ucdn-other', name: 'www.other.example', kind: 'static' },
    { meter: 'eip', ...MINE, ...PEKING, id: 'eip-mine', name: '203.0.113.1', payMode: 'Traffic' },
    { meter: 'eip', ...MINE, ...PEKING, id: 'eip-flat', name: '203.0.113.2', payMode: 'Bandwidth' },
    { meter: 'eip', ...OTHER, ...PEKING, id: 'eip-other', name: '203.0.113.3', payMode: 'Traffic' },
    { meter: 'mna', ...MINE, id: 'mna-mine', name: 'truck-1', gatewayType: 0 },
    { meter: 'mna', ...MINE, id: 'mna-mine-own', name: 'office', gatewayType: 1 },
    { meter: 'mna', ...OTHER, id: 'mna-other', name: 'truck-1', gatewayType: 0 },
  ],
  packages: [
    { ...PACKAGE, id: 'pkg-cn', area: 'cn', kind: 'static', size: '10 GiB' },
    { ...PACKAGE, id: 'pkg-abroad', area: 'abroad', kind: 'static', size: '4 GiB' },
    { ...PACKAGE, id: 'pkg-dcdn', area: 'cn', kind: 'dynamic', size: '2 GiB' },
    { ...PACKAGE, account: 'other', id: 'pkg-other', area: 'cn', kind: 'static', size: '7 GiB' },
    exclusive('203.0.113.1', '10 GiB'),
    exclusive('203.0.113.3', '1 GiB'),
  ],
}

function exclusive(resource: string, size: string): object {
  return { type: 'exclusive', resource, size, resetPolicy: 'Month', createdAt: iso(at(-3)) }
}

/** The bytes that are one Mbit/s over five minutes. */
export const MBPS_5MIN = 37_500_000

const carried = (minutes: number, isp: string, mbps: number, province = 'shanghai'): object => ({
  time: at(-1, 10, minutes * 60),
  resource: 'ucdn-mine',
  bytesOut: mbps * MBPS_5MIN,
  area: 'cn',
  province,
  isp,
})
const abroad = { area: 'abroad', province: 'others', isp: 'others' }
const inShanghai = { area: 'cn', province: 'shanghai', isp: 'dianxin' }
const sent = (resource: string, days: number, bytes: number, direction = 'out'): object => ({
  time: at(days, days === 0 ? 0 : 10),
  resource,
  direction,
  bytes,
})
const moved = (resource: string, minutes: number, way: string, bytes: number): object => {
  const [accessRegion, direction] = way.split(' ')
  return { time: at(-1, 10, minutes * 60), resource, accessRegion, direction, bytes }
}

/** What each account used; every number of the tests follows from here. */
export const USAGE: Readonly<Record<'mine' | 'other', Readonly<Record<string, object[]>>>> = {
  mine: {
    cdn: [
      carried(0, 'dianxin', 4),
      carried(3, 'liantong', 2),
      carried(5, 'dianxin', 1),
      carried(10, 'yidong', 3, 'beijing'),
      { time: at(-1, 10), resource: 'ucdn-mine', bytesOut: GIB, ...abroad },
      { time: at(-1, 10), resource: 'ucdn-mine-video', bytesOut: MBPS_5MIN, ...inShanghai },
      { time: at(-1, 10), resource: 'ucdn-mine-api', bytesOut: GIB / 2, ...inShanghai },
    ],
    eip: [
      sent('eip-mine', -3, 3584 * MIB),
      sent('eip-mine', -2, 3071 * MIB),
      sent('eip-mine', -1, 512 * MIB),
      sent('eip-mine', 0, 1280 * MIB),
      sent('eip-mine', -2, 50 * GIB, 'in'),
      sent('eip-flat', -2, 9 * GIB),
    ],
    mna: [
      moved('mna-mine', 0, 'MC up', 1000),
      moved('mna-mine', 0, 'MC down', 2000),
      moved('mna-mine', 20, 'AP up', 500),
      moved('mna-mine', 60, 'EU down', 4000),
      moved('mna-mine-own', 0, 'MC up', 7777),
    ],
  },
  other: {
    cdn: [{ time: at(-1, 10), resource: 'ucdn-other', bytesOut: 2 * GIB, ...inShanghai }],
    eip: [sent('eip-other', -1, 5 * GIB)],
    mna: [moved('mna-other', 0, 'MC up', 90_000)],
  },
}

/** What an account signs and sends with. */
export interface Party {
  readonly key: KeyPair
  readonly token: string
}

/** Registers both accounts by the commands that an operator would use. */
export async function registerWorld(server: WeirServer): Promise<{ mine: Party; other: Party }> {
  const file = join(dirname(server.data), 'catalog.yaml')
  await writeFile(file, JSON.stringify(CATALOG))
  await server.json('apply', file, '--json')
  return { mine: await partyOf(server, 'mine'), other: await partyOf(server, 'other') }
}

async function partyOf(server: WeirServer, account: string): Promise<Party> {
  const owned = ['--account', account] as const
  const meters = ['--meters', 'cdn', 'eip', 'mna'] as const
  const key = await server.json<KeyPair>('key', 'create', ...owned)
  const source = ['create', `by-${account}`, ...owned, ...meters]
  const { token } = await server.json<{ token: string }>('source', ...source)
  return { key: { publicKey: key.publicKey, secret: key.secret }, token }
}

/** Sends records and waits until they are loaded; the answer. */
export async function sendUsage(
  url: string,
  token: string,
  meter: string,
  records: readonly object[],
): Promise<Json> {
  const response = await fetch(`${url}/v1/usage/${meter}?wait=loaded`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: records.map((record) => `${JSON.stringify(record)}\n`).join(''),
  })
  return { status: response.status, ...((await response.json()) as Json) }
}
