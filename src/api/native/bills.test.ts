import { describe, expect, test } from 'vitest'
import {
  BANDWIDTH_BILL,
  BILLS,
  CDN_BILL,
  CUSTOMER,
  EIP_BILL,
  fakeBillDesk,
  octoberDay,
  proofThrough,
} from '../../../test/support/bills.ts'
import { billsServer, NOW_MS, TOKEN } from '../../../test/support/bills-server.ts'

const DAYS = [1, 2, 4].map((day) => ({
  accountId: CUSTOMER.id,
  meter: 'cdn' as const,
  startMs: Date.parse(octoberDay(day).start),
  endMs: Date.parse(octoberDay(day).end),
  state: 'closed' as const,
  hash: `hash-${day}`,
  packName: 'ucloud-cdn',
  lines: [],
  draws: [],
  proof: proofThrough(day * 10),
  coverage: null,
}))

function open(desk = fakeBillDesk(BILLS, DAYS)) {
  const { app, exported } = billsServer(desk, {
    1: {
      bill: CDN_BILL.bill.id,
      number: 1,
      zone: 'Asia/Shanghai',
      explanation: {
        type: 'package',
        line: {
          type: 'package',
          event: 'purchase',
          packageId: 'pkg-1',
          sizeBytes: '1',
          time: '2026-10-01T00:00:00.000Z',
          amount: '1.00',
          currency: 'CNY',
        },
        steps: ['one step'],
        agrees: true,
      },
    },
  })
  const call = async (method: 'GET' | 'POST', url: string, payload?: object) => {
    const headers = { authorization: `Bearer ${TOKEN}` }
    return await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
  }
  return { app, exported, desk, call }
}

test('nobody without an admin token sees a bill', async () => {
  const { app } = open()
  for (const url of ['/v1/bills', `/v1/bills/${CDN_BILL.bill.id}`, '/v1/usage/export']) {
    expect((await app.inject({ url })).statusCode).toBe(401)
  }
})

describe('bills', () => {
  test('are listed page by page, the newest month first', async () => {
    const { call } = open()
    const first = (await call('GET', '/v1/bills?limit=4')).json<{
      items: { id: string; account: string; closedAt: string }[]
      nextCursor: string
    }>()
    expect(first.items).toHaveLength(4)
    expect(first.items[0]).toMatchObject({
      id: CDN_BILL.bill.id,
      account: 'acc-example',
      closedAt: '2026-11-01T04:00:00.000Z',
    })
    const rest = (await call('GET', `/v1/bills?limit=4&cursor=${first.nextCursor}`)).json<{
      items: { id: string }[]
      nextCursor: null
    }>()
    expect(rest.items.map(({ id }) => id)).toEqual(['acc-mixed.cdn.2026-10', EIP_BILL.bill.id])
    expect(rest.nextCursor).toBeNull()
  })

  test('are filtered by account, meter and month', async () => {
    const { call } = open()
    const url = `/v1/bills?account=${encodeURIComponent(CUSTOMER.name)}&meter=eip&month=2026-10`
    const { items } = (await call('GET', url)).json<{ items: { id: string }[] }>()
    expect(items.map(({ id }) => id)).toEqual([BANDWIDTH_BILL.bill.id])
    expect((await call('GET', '/v1/bills?account=nobody')).statusCode).toBe(404)
    const wrong = await call('GET', '/v1/bills?month=2026-13')
    expect(wrong.statusCode).toBe(400)
    expect(wrong.json()).toMatchObject({ error: { field: 'month' } })
  })

  test('are read as they are stored, with their days', async () => {
    const { call } = open()
    const found = (await call('GET', `/v1/bills/${CDN_BILL.bill.id}`)).json<object>()
    expect(found).toEqual({
      bill: JSON.parse(JSON.stringify(CDN_BILL.bill)) as object,
      hash: CDN_BILL.hash,
      closedAt: '2026-11-01T04:00:00.000Z',
    })
    const days = (await call('GET', `/v1/bills/${CDN_BILL.bill.id}/days`)).json<{
      items: object[]
    }>()
    expect(days.items[0]).toMatchObject({
      account: CUSTOMER.id,
      ...octoberDay(1),
      pack: 'ucloud-cdn',
      hash: 'hash-1',
    })
    expect(days.items).toHaveLength(3)
  })

  test('are verified, explained and closed', async () => {
    const { call, desk } = open()
    const verified = await call('POST', `/v1/bills/${CDN_BILL.bill.id}/verify`)
    expect(verified.json()).toEqual({ id: CDN_BILL.bill.id, checks: 34, findings: [] })
    const path = `/v1/bills/${CDN_BILL.bill.id}/lines`
    expect((await call('GET', `${path}/1/explanation`)).json()).toMatchObject({
      number: 1,
      explanation: { agrees: true },
    })
    expect((await call('GET', `${path}/7/explanation`)).statusCode).toBe(404)
    expect((await call('GET', `${path}/zero/explanation`)).statusCode).toBe(400)
    await call('POST', '/v1/books/close', {
      account: CUSTOMER.id,
      meter: 'cdn',
      until: '2026-11-01T00:00:00+08:00',
    })
    await call('POST', '/v1/books/close', {})
    expect(desk.closed).toEqual([
      { accountId: CUSTOMER.id, meter: 'cdn', untilMs: Date.UTC(2026, 9, 31, 16) },
      { untilMs: NOW_MS },
    ])
    expect((await call('POST', '/v1/books/close', { month: 1 })).statusCode).toBe(400)
  })

  test('that are not there are named', async () => {
    const { call } = open()
    for (const rest of ['', '/days', '/export']) {
      const answer = await call('GET', `/v1/bills/nothing.cdn.2026-10${rest}`)
      expect(answer.statusCode).toBe(404)
      expect(answer.json<{ error: { message: string } }>().error.message).toContain(
        'weir bill list',
      )
    }
  })
})

describe('exports', () => {
  test.each([
    ['json', 'application/json; charset=utf-8', '.json', '{\n  "bill": {'],
    ['csv', 'text/csv; charset=utf-8', '.csv', 'bill,account,'],
    ['focus-csv', 'text/csv; charset=utf-8', '.focus.csv', 'BillingAccountId,'],
    ['focus-json', 'application/json; charset=utf-8', '.focus.json', '[{"BillingAccountId":'],
    ['pdf', 'application/pdf', '.pdf', '%PDF-'],
  ])('as %s have their type, name and content', async (format, type, suffix, start) => {
    const { call } = open()
    const { id } = EIP_BILL.bill
    const answer = await call('GET', `/v1/bills/${id}/export?format=${format}`)
    expect(answer.headers['content-type']).toBe(type)
    expect(answer.headers['content-disposition']).toBe(`attachment; filename="${id}${suffix}"`)
    expect(answer.rawPayload.toString('latin1').slice(0, start.length)).toBe(start)
  })

  test('know from the rules of the bill which members are resources', async () => {
    const { call } = open()
    const url = `/v1/bills/${EIP_BILL.bill.id}/export?format=focus-json`
    const [row] = (await call('GET', url)).json<object[]>()
    expect(row).toMatchObject({ ResourceId: 'eip-4f9k2mq8', ProviderName: 'Example Cloud' })
  })

  test('in another format are refused', async () => {
    const { call } = open()
    const answer = await call('GET', `/v1/bills/${EIP_BILL.bill.id}/export?format=xlsx`)
    expect(answer.statusCode).toBe(400)
  })
})

describe('usage', () => {
  const url = (start: string, end: string, more = '') =>
    `/v1/usage/export?meter=cdn&account=acc-example&start=${start}&end=${end}${more}`
  const [first, , third] = [1, 2, 3].map(octoberDay)
  const start = first?.start ?? ''
  const end = third?.end ?? ''

  test('is exported for closed days, each through the batch that it was closed with', async () => {
    const { call, exported } = open()
    const answer = await call('GET', url(start, end))
    expect(answer.headers).toMatchObject({
      'content-type': 'application/vnd.apache.parquet',
      'content-disposition': 'attachment; filename="acc-example.cdn.2026-09-30.parquet"',
      'x-weir-start': octoberDay(1).start,
      'x-weir-end': octoberDay(2).end,
      'x-weir-closed-days': '2',
    })
    expect(answer.payload).toBe('PAR1PAR1')
    const stretch = (day: number) => ({
      startMs: Date.parse(octoberDay(day).start),
      endMs: Date.parse(octoberDay(day).end),
      throughBatch: day * 10,
    })
    expect(exported).toEqual([
      { meter: 'cdn', accountId: CUSTOMER.id, stretches: [stretch(1), stretch(2)] },
    ])
  })

  test('of open days is exported only when it is asked for', async () => {
    const { call, exported } = open()
    const { start: from, end: to } = octoberDay(20)
    const refused = await call('GET', url(from, to))
    expect(refused.statusCode).toBe(404)
    expect(refused.json<{ error: { message: string } }>().error.message).toContain('open=true')
    const answer = await call('GET', url(from, to, '&open=true'))
    expect(answer.headers['x-weir-closed-days']).toBeUndefined()
    expect(exported).toMatchObject([{ stretches: [{ throughBatch: null }] }])
  })

  test.each([
    ['backwards', end, start],
    ['longer than a year', '2024-01-01T00:00:00Z', '2026-01-01T00:00:00Z'],
    ['within a minute', '2026-10-01T00:00:30Z', '2026-10-02T00:00:00Z'],
  ])('is not exported for a time that is %s', async (_, from, to) => {
    expect((await open().call('GET', url(from, to))).statusCode).toBe(400)
  })
})
