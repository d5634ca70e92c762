import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { composeServer } from './compose-server.ts'
import { openCore } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

/** 2 November 2026, 06:00 in Shanghai: the day before has not settled. */
const NOW_MS = Date.UTC(2026, 10, 1, 22)
const BILL = 'acc-bills.cdn.2026-10'

const directory = mkdtempSync(join(tmpdir(), 'weir-bills-'))
const config = loadConfig({ environment: {}, flags: { data: { directory } } })
const telemetry = { log: createLog({ level: 'silent' }), metrics: createMetrics({ version: '1' }) }
const clock = { ms: Date.UTC(2026, 9, 1), nowMs: () => clock.ms }
const core = await openCore(config, telemetry, { clock })
const { app } = composeServer(config, core, telemetry)
let adminToken = ''
let sourceToken = ''

async function call(method: 'GET' | 'POST', url: string, payload?: object) {
  const answer = await app.inject({
    method,
    url,
    headers: { authorization: `Bearer ${adminToken}` },
    ...(payload !== undefined && { payload }),
  })
  expect([url, answer.statusCode, answer.statusCode === 200 ? '' : answer.payload]).toEqual([
    url,
    200,
    '',
  ])
  return answer
}

async function send(records: readonly object[]): Promise<void> {
  const answer = await app.inject({
    method: 'POST',
    url: '/v1/usage/cdn?wait=loaded',
    headers: { authorization: `Bearer ${sourceToken}`, 'content-type': 'application/json' },
    payload: JSON.stringify(records),
  })
  expect(answer.json()).toMatchObject({ state: 'loaded', accepted: records.length })
}

const record = (time: string, bytesOut: number) => ({
  time,
  resource: 'bills.example.com',
  area: 'cn',
  province: 'beijing',
  bytesOut,
})

beforeAll(async () => {
  const writer = core.catalog.as('test')
  adminToken = (await writer.createAdminToken({ name: 'test' })).token
  await writer.createAccount({ id: 'acc-bills', name: '示例', defaultProjectId: 'org-bills' })
  await writer.createResource({
    id: 'ucdn-bills',
    meter: 'cdn',
    account: 'acc-bills',
    name: 'bills.example.com',
  })
  sourceToken = (await writer.createSource({ name: 'edge', meters: ['cdn'] })).token
  await core.loader.start()
  clock.ms = NOW_MS
  await send([
    record('2026-10-02T10:00:00+08:00', 10_000_000_000),
    record('2026-10-31T23:59:30+08:00', 5_000_000_000),
  ])
})

afterAll(async () => {
  await app.close()
  await core.loader.stop()
  await core.close()
  rmSync(directory, { recursive: true })
})

test('a month is closed, shown, verified, explained and exported by one server', async () => {
  const until = '2026-11-01T00:00:00+08:00'
  const closed = (await call('POST', '/v1/books/close', { account: '示例', until })).json<{
    bills: string[]
  }>()
  expect(closed.bills).toContain(BILL)
  // Too late for the day, which is closed by now.
  await send([record('2026-10-02T10:01:00+08:00', 1_000_000_000)])
  const { items } = (await call('GET', '/v1/bills?account=acc-bills&meter=cdn')).json<{
    items: { id: string; lines: number }[]
  }>()
  expect(items).toMatchObject([{ id: BILL, lines: 2 }])
  const verified = (await call('POST', `/v1/bills/${BILL}/verify`)).json<{ findings: object[] }>()
  expect(verified.findings).toEqual([])
  const explained = (await call('GET', `/v1/bills/${BILL}/lines/1/explanation`)).json<object>()
  expect(explained).toMatchObject({
    zone: 'Asia/Shanghai',
    explanation: {
      agrees: true,
      days: [
        {
          measuredBytes: '10000000000',
          slots: [{ time: '2026-10-02T02:00:00.000Z', bytes: '10000000000' }],
        },
      ],
    },
  })
  for (const format of ['json', 'csv', 'focus-csv', 'focus-json', 'pdf']) {
    const { rawPayload } = await call('GET', `/v1/bills/${BILL}/export?format=${format}`)
    expect(rawPayload.length).toBeGreaterThan(500)
  }
  const csv = (await call('GET', `/v1/bills/${BILL}/export?format=focus-csv`)).payload
  expect(csv).toContain('acc-bills,示例,Account,')
})

test('exported usage adds up to what its closed days were made of', async () => {
  const span = 'start=2026-10-01T00:00:00%2B08:00&end=2026-11-03T00:00:00%2B08:00'
  const url = `/v1/usage/export?meter=cdn&account=acc-bills&${span}`
  const closed = await call('GET', url)
  expect(closed.headers['x-weir-closed-days']).toBe('31')
  const sumOf = async (bytes: Buffer): Promise<string | undefined> => {
    const path = join(directory, `read-${bytes.length}.parquet`)
    writeFileSync(path, bytes)
    const [row] = await core.engine.rows<{ sum: string }>(
      `SELECT sum(bytes_out) AS sum FROM file('${path}', 'Parquet')`,
    )
    return row?.sum
  }
  expect(await sumOf(closed.rawPayload)).toBe('15000000000')
  const { lines } = (await call('GET', `/v1/bills/${BILL}`)).json<{
    bill: { lines: { rawBytes: string }[] }
  }>().bill
  expect(lines.reduce((sum, { rawBytes }) => sum + Number(rawBytes), 0)).toBe(15_000_000_000)
  expect(await sumOf((await call('GET', `${url}&open=true`)).rawPayload)).toBe('16000000000')
})
