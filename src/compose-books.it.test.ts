import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { composeServer } from './compose-server.ts'
import { openCore } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { DAY_MS } from './core/period.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

/** Midnight of 1 October 2026 in Shanghai. */
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const KEY = { accountId: 'acc-books', meter: 'cdn' as const }

const directory = mkdtempSync(join(tmpdir(), 'weir-books-'))
const config = loadConfig({ environment: {}, flags: { data: { directory } } })
const telemetry = { log: createLog({ level: 'silent' }), metrics: createMetrics({ version: '1' }) }
const clock = { ms: OCT_1, nowMs: () => clock.ms }
const core = await openCore(config, telemetry, { clock })
const { app } = composeServer(config, core, telemetry)
const { desk, live } = core.bookkeeping
let token = ''
let adminToken = ''
/** The last two days of October. */
const DAYS_29_30 = { startMs: OCT_1 + 29 * DAY_MS, endMs: OCT_1 + 31 * DAY_MS }

/** Sends so many bytes of some days after the first, and waits until they are loaded. */
async function send(...usage: readonly (readonly [day: number, bytes: number])[]): Promise<void> {
  const records = usage.map(([day, bytesOut]) => ({
    time: new Date(OCT_1 + day * DAY_MS + 3_600_000).toISOString(),
    resource: 'books.example.com',
    area: 'cn',
    province: 'beijing',
    bytesOut,
  }))
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/usage/cdn?wait=loaded',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload: JSON.stringify(records),
  })
  expect(answer.json()).toMatchObject({ state: 'loaded', accepted: records.length })
}

async function rawBytesOf(day: number): Promise<string[]> {
  const startMs = OCT_1 + day * DAY_MS
  const found = await desk.days(KEY, { startMs, endMs: startMs + DAY_MS })
  return found.flatMap(({ lines }) =>
    lines.map((line) => (line.type === 'traffic' ? line.rawBytes : line.bps)),
  )
}

beforeAll(async () => {
  const writer = core.catalog.as('test')
  await writer.createAccount({ id: 'acc-books', name: 'Books', defaultProjectId: 'org-books' })
  await writer.createResource({
    id: 'ucdn-books',
    meter: 'cdn',
    account: 'acc-books',
    name: 'books.example.com',
  })
  token = (await writer.createSource({ name: 'edge', meters: ['cdn'] })).token
  adminToken = (await core.catalog.ensureAdminToken())?.token ?? ''
  await core.loader.start()
  clock.ms = OCT_1 + 20 * DAY_MS
})

afterAll(async () => {
  await app.close()
  await core.loader.stop()
  await core.close()
  rmSync(directory, { recursive: true })
})

test('a rollup that is a byte off is rebuilt before its day is closed', async () => {
  await send([0, 5_000_000], [1, 7_000_000])
  await core.engine.command(
    `INSERT INTO cdn_resource_5m (resource, bucket, area, kind, project, account, bytes_out)
VALUES ('ucdn-books', toDateTime(${OCT_1 / 1000 + 3600}, 'UTC'), 'cn', 'static', 'org-books', 'acc-books', 1)`,
  )
  const report = await desk.close({ ...KEY, untilMs: OCT_1 + DAY_MS })
  expect(report).toMatchObject({ days: 19, rebuilt: ['cdn_resource_5m'] })
  expect(await rawBytesOf(0)).toEqual(['5000000'])
  expect((await core.audit()).findings).toEqual([])
})

test('usage that is loaded while days are closed is in its day or in an adjustment, once', async () => {
  clock.ms = OCT_1 + 30 * DAY_MS
  const loads = Array.from({ length: 12 }, (_, index) => send([index, 1_000_000], [25, 1_000_000]))
  const closes = [desk.close({ untilMs: clock.ms }), desk.close({ untilMs: clock.ms })]
  await Promise.all([...loads, ...closes])
  // What came after the last look is found by the next one.
  await desk.close({ untilMs: clock.ms })
  await desk.close({ untilMs: clock.ms })
  const interval = { startMs: OCT_1, endMs: OCT_1 + 31 * DAY_MS }
  const days = await core.bookkeeping.store.dayRecords(KEY, interval)
  const late = await core.bookkeeping.store.adjustments(KEY, interval)
  const remainders = [...days, ...late].flatMap(({ record }) => record.remainder)
  const billed = remainders.reduce((sum, { bytes }) => sum + bytes, 0n)
  expect(billed).toBe(36_000_000n)
  const balances = await core.ledger.balances('acc-books')
  expect(balances.find(({ ledgerAccount }) => ledgerAccount === 'usage:cdn')?.amount).toBe(billed)
  expect((await core.audit()).findings).toEqual([])
})

test('a balance has what was loaded, at once', async () => {
  clock.ms += 2 * 3_600_000
  const before = await live.balance(KEY)
  await send([30, 10 * 2 ** 30])
  const after = await live.balance(KEY)
  const amount = (balance: typeof before): bigint =>
    balance.monthToDate.reduce((sum, each) => sum + each.amount, 0n)
  // 10 GiB and 10 % for headers at 0.20 a GiB.
  expect(amount(after) - amount(before)).toBe(2_200_000_000n)
})

/** Where the book stands, as it is answered: what is left of packages, and the month to date. */
async function askBalance(): Promise<{ left: number[]; amounts: string[] }> {
  const answer = await app.inject({
    method: 'GET',
    url: '/v1/balance?account=acc-books&meter=cdn',
    headers: { authorization: `Bearer ${adminToken}` },
  })
  expect(answer.statusCode).toBe(200)
  const { packages, monthToDate } = answer.json()
  return {
    left: packages.map(({ leftBytes }: { leftBytes: number }) => leftBytes),
    amounts: monthToDate.map(({ amount }: { amount: string }) => amount),
  }
}

test('usage that came too late for its day is answered once it is loaded, and counts once', async () => {
  await core.catalog.as('test').createTrafficPackage({
    id: 'pkg-late',
    account: 'acc-books',
    area: 'cn',
    size: '25GiB',
    startAt: OCT_1 + 29 * DAY_MS,
  })
  await send([30, 2 ** 30])
  clock.ms = OCT_1 + 32 * DAY_MS
  await desk.close({ untilMs: OCT_1 + 31 * DAY_MS })
  // 11 GiB of the last day are drawn, and October has its bill.
  expect(await askBalance()).toEqual({ left: [14 * 2 ** 30], amounts: [] })
  // Nobody looks for late usage meanwhile: the closer is not started, and the clock stands still.
  await send([30, 5 * 2 ** 30], [29, 10 * 2 ** 30])
  const waiting = await askBalance()
  expect(await core.bookkeeping.store.adjustments(KEY, DAYS_29_30)).toEqual([])
  // The day before was closed without the package: 10 GiB and 10 % for headers, at 0.20.
  expect(waiting).toEqual({ left: [9 * 2 ** 30], amounts: ['2.20'] })
  expect(await desk.close({ untilMs: OCT_1 + 31 * DAY_MS })).toMatchObject({ adjustments: 2 })
  live.forget()
  expect(await askBalance()).toEqual(waiting)
})
