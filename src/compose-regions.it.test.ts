import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signedCall } from '../test/support/ucloud-calls.ts'
import { explainBillLine } from './billing/explain-line.ts'
import { composeServer } from './compose-server.ts'
import { openCore } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { DAY_MS, HOUR_MS } from './core/period.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

/** Midnight of 1 October 2026 in Shanghai. */
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const KEY = { accountId: 'acc-regions', meter: 'cdn' as const }
const BILL = 'acc-regions.cdn.2026-10'
const GIB = 2 ** 30
const JAPAN = { client: '210.130.1.1' }
const GERMANY = { client: '193.99.144.80' }
const BRAZIL = { billingRegion: 'latam' }
const SOMEWHERE = { area: 'abroad' }

const directory = mkdtempSync(join(tmpdir(), 'weir-regions-'))
const config = loadConfig({ environment: {}, flags: { data: { directory } } })
const telemetry = { log: createLog({ level: 'silent' }), metrics: createMetrics({ version: '1' }) }
const clock = { ms: OCT_1, nowMs: () => clock.ms }
const core = await openCore(config, telemetry, { clock })
const { app } = composeServer(config, core, telemetry)
const { desk, live } = core.bookkeeping
const writer = core.catalog.as('test')
let token = ''
let key: readonly [publicKey: string, privateKey: string] = ['', '']

/** Sends so many GiB, an hour apart, and waits until they are loaded. */
async function send(
  dayMs: number,
  usage: readonly (readonly [place: object, gib: number])[],
): Promise<void> {
  const records = usage.map(([place, gib], hour) => ({
    time: new Date(dayMs + (8 + hour) * HOUR_MS).toISOString(),
    resource: 'regions.example.com',
    bytesOut: gib * GIB,
    ...place,
  }))
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/usage/cdn?wait=loaded',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload: JSON.stringify(records),
  })
  expect(answer.json()).toMatchObject({ state: 'loaded', accepted: records.length })
}

async function buy(
  id: string,
  area: 'abroad' | 'apac1' | 'eu-na' | 'latam',
  gib: number,
  days: number,
) {
  const endAt = OCT_1 + days * DAY_MS
  const size = `${gib}GiB`
  await writer.createTrafficPackage({
    id,
    account: KEY.accountId,
    area,
    size,
    startAt: clock.ms,
    endAt,
  })
}

/** What the vendor's call answers of an area: total, used and left in GB of 1024^3 bytes. */
async function askTraffic(): Promise<unknown> {
  const { body } = signedCall('GetUcdnTrafficV2', {}, { key })
  const answer = await app.inject({ method: 'POST', url: '/', payload: body })
  return answer.json<{ TrafficSet: unknown }>().TrafficSet
}

/** What packages gave on a day, in GiB, and what is left of it to be paid for. */
async function closedDay(startMs: number) {
  const [day] = await desk.days(KEY, { startMs, endMs: startMs + DAY_MS })
  return {
    draws: day?.draws.map(({ packageId, bytes }) => `${packageId} ${Number(bytes) / GIB}`),
    lines: day?.lines.map((line) => `${line.rule} ${line.amount}`),
  }
}

beforeAll(async () => {
  await writer.createAccount({
    id: KEY.accountId,
    name: 'Regions',
    defaultProjectId: 'org-regions',
  })
  const domain = { meter: 'cdn', account: KEY.accountId, name: 'regions.example.com' } as const
  await writer.createResource(domain)
  token = (await writer.createSource({ name: 'edge', meters: ['cdn'] })).token
  const made = await writer.createKey({ account: KEY.accountId, name: 'mine' })
  key = [made.key.publicKey, made.secret]
  await core.loader.start()
})

afterAll(async () => {
  await app.close()
  await core.loader.stop()
  await core.close()
  rmSync(directory, { recursive: true })
})

test('a region is paid for by its own package first, and all others by the unified one', async () => {
  await buy('pkg-abroad', 'abroad', 10, 300)
  await buy('pkg-apac1', 'apac1', 5, 200)
  await buy('pkg-latam', 'latam', 50, 100)
  clock.ms = OCT_1 + DAY_MS
  // Japan's 7 take the region's 5 and 2 of the unified 10; nobody knows where the 4 moved; of
  // Germany's 6 there are 4 left. Latin America's 50 end first, and pay for its 1 alone.
  await send(OCT_1, [
    [JAPAN, 7],
    [SOMEWHERE, 4],
    [BRAZIL, 1],
    [GERMANY, 6],
  ])
  const answered = [
    { Areacode: 'cn', TrafficTotal: 0, TrafficUsed: 0, TrafficLeft: 0 },
    { Areacode: 'abroad', TrafficTotal: 65, TrafficUsed: 16, TrafficLeft: 49 },
  ]
  expect(await askTraffic()).toMatchObject(answered)
  clock.ms = OCT_1 + 2 * DAY_MS
  await desk.close({ ...KEY, untilMs: OCT_1 + DAY_MS })
  // 2 GiB of Germany's and 10 % for headers at 0.45: 0.99.
  expect(await closedDay(OCT_1)).toEqual({
    draws: ['pkg-abroad 10', 'pkg-apac1 5', 'pkg-latam 1', 'null 2'],
    lines: ['static-abroad 0.99'],
  })
  live.forget()
  expect(await askTraffic()).toMatchObject(answered)
})

test('what a region owes is taken by a package for it, until its day is settled', async () => {
  const day = OCT_1 + DAY_MS
  await send(day, [
    [GERMANY, 3],
    [SOMEWHERE, 1],
  ])
  // At ten on the next day, two hours before it settles.
  clock.ms = day + DAY_MS + 10 * HOUR_MS
  await buy('pkg-eu-na', 'eu-na', 4, 200)
  clock.ms = day + 2 * DAY_MS
  await desk.close({ ...KEY, untilMs: day + DAY_MS })
  // Germany's 3 are absorbed; the 1 that nobody knows where is 1.1 GiB at 0.45.
  expect(await closedDay(day)).toEqual({
    draws: ['pkg-eu-na 3', 'null 4'],
    lines: ['static-abroad 0.495'],
  })
})

test('the bill of the month is computed again from the usage, region by region', async () => {
  clock.ms = OCT_1 + 33 * DAY_MS
  // Too late for its day: the region's package has nothing left, and 1.1 GiB are billed at 0.45.
  await send(OCT_1, [[JAPAN, 1]])
  const report = await desk.close({ ...KEY, untilMs: OCT_1 + 31 * DAY_MS })
  expect(report).toMatchObject({ adjustments: 1, bills: [BILL] })
  const stored = await desk.get(BILL)
  const amounts = stored?.bill.lines.map((line) => `${line.type} ${line.amount}`)
  const charges = amounts?.filter((text) => text !== 'package 0.00')
  expect(charges).toEqual(['traffic 0.99', 'traffic 0.495', 'adjustment 0.495'])
  expect((await desk.verify(BILL)).findings).toEqual([])
  const { store } = core.bookkeeping
  const deps = { store, usage: core.booksUsage, modes: core.charges.desk }
  for (const [index, line] of (stored?.bill.lines ?? []).entries()) {
    const { explanation } = await explainBillLine(BILL, index + 1, deps)
    expect([line.type, explanation.agrees]).toEqual([line.type, true])
  }
  expect((await core.audit()).findings).toEqual([])
})

const BY_PART = `name: parts
version: 1
description: Prices for a region, and for what no region is known of.
currency: CNY
meters: [cdn]
rules:
  - { type: traffic, name: japan, scope: { areas: [apac1] }, period: day, price: "0.5" }
  - { type: traffic, name: elsewhere, scope: { areas: [abroad-other] }, period: day, price: "0.7" }
  - { type: bandwidth, name: peak, mode: daily-peak, scope: { areas: [abroad-other] }, unit: Mibps, price: "0.01" }
`

test('what no region is known of has its own price, by volume and by bandwidth', async () => {
  const { packs, desk: modes } = core.charges
  await packs.add({ file: 'parts.yaml', text: BY_PART }, 'test')
  await modes.switch({ ...KEY, account: KEY.accountId, pack: 'parts', groups: {}, actor: 'test' })
  const day = OCT_1 + 35 * DAY_MS
  clock.ms = day + DAY_MS
  await send(day, [
    [SOMEWHERE, 75],
    [JAPAN, 150],
    [GERMANY, 300],
  ])
  clock.ms = day + 2 * DAY_MS
  await desk.close({ ...KEY, untilMs: day + DAY_MS })
  // 150 GiB at 0.5 and 75 at 0.7; of the latter 75 × 8192 Mibit in 300 s are 2048 Mibps at 0.01.
  // Germany has no price, so that not even its package is drawn on.
  expect(await closedDay(day)).toEqual({
    draws: ['null 225'],
    lines: ['japan 75.00', 'elsewhere 52.50', 'peak 20.48'],
  })
})
