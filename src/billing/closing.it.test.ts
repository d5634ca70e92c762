import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import type { MemoryRow } from '../../test/support/memory-usage.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const NOV_1 = Date.UTC(2026, 9, 31, 16)

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
  const writer = world.catalog.as('test')
  await writer.createAccount({ id: 'acc-a1', name: 'A', defaultProjectId: 'org-a1' })
  await writer.createResource({
    id: 'ucdn-a1',
    meter: 'cdn',
    account: 'acc-a1',
    name: 'a.example.com',
  })
})
afterEach(() => world.close())

function moved(batch: number, minuteMs: number, bytes: bigint, more: Partial<MemoryRow> = {}) {
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: 'acc-a1',
    resourceId: 'ucdn-a1',
    projectId: 'org-a1',
    area: 'cn',
    billingRegion: more.area ?? 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes,
    ...more,
  })
}

const KEY = { accountId: 'acc-a1', meter: 'cdn' as const }
const OCTOBER = { startMs: OCT_1, endMs: NOV_1 }

describe('a day', () => {
  test('closes twelve hours after its end, not a millisecond before', async () => {
    moved(1, OCT_1 + HOUR_MS, 10n * GIB)
    world.clock.ms = OCT_1 + DAY_MS + 12 * HOUR_MS - 1
    expect((await world.closing.closeSettled()).days).toBe(0)
    world.clock.ms += 1
    expect((await world.closing.closeSettled()).days).toBe(1)
    const [day] = await world.desk.days(KEY, OCTOBER)
    // 10 GiB and 10 % are 11 GiB, at 0.20 each.
    expect(day?.lines).toMatchObject([
      {
        rule: 'static-cn',
        rawBytes: String(10n * GIB),
        billedBytes: String(11n * GIB),
        amount: '2.20',
      },
    ])
    expect((await world.closing.closeSettled()).days).toBe(0)
  })

  test('draws on packages first, and orders only what they could not take', async () => {
    const writer = world.catalog.as('test')
    await writer.createTrafficPackage({
      id: 'pkg-a1',
      account: 'acc-a1',
      area: 'cn',
      size: String(4n * GIB),
      paid: { amount: '3.5', currency: 'CNY' },
    })
    moved(1, OCT_1 + HOUR_MS, 10n * GIB)
    world.clock.ms = OCT_1 + 2 * DAY_MS
    await world.closing.closeSettled()
    const [day] = await world.desk.days(KEY, OCTOBER)
    expect(day?.draws).toEqual([
      { packageId: 'pkg-a1', bytes: String(4n * GIB) },
      { packageId: null, bytes: String(6n * GIB) },
    ])
    // 6 GiB × 1.1 = 6.6 GiB at 0.20 = 1.32 CNY.
    expect(day?.lines).toMatchObject([{ amount: '1.32' }])
    const balances = await world.ledger.balances('acc-a1')
    const of = (name: string) =>
      balances.find(({ ledgerAccount }) => ledgerAccount === name)?.amount
    expect(of('package:pkg-a1')).toBe(0n)
    expect(of('usage:cdn')).toBe(10n * GIB)
    expect(of('arrears:cdn')).toBe(0n)
    expect(of('receivable')).toBe(4_820_000_000n)
    expect((await world.ledger.audit()).findings).toEqual([])
  })

  test('orders no arrears that a larger package took before the day was settled', async () => {
    moved(1, OCT_1 + HOUR_MS, 10n * GIB)
    world.clock.ms = OCT_1 + DAY_MS + 2 * HOUR_MS
    await world.catalog.as('test').createTrafficPackage({
      id: 'pkg-late',
      account: 'acc-a1',
      area: 'cn',
      size: String(11n * GIB),
    })
    world.clock.ms = OCT_1 + 2 * DAY_MS
    await world.closing.closeSettled()
    const [day] = await world.desk.days(KEY, OCTOBER)
    expect(day?.lines).toEqual([])
    const balances = await world.ledger.balances('acc-a1')
    const of = (name: string) =>
      balances.find(({ ledgerAccount }) => ledgerAccount === name)?.amount
    expect(of('package:pkg-late')).toBe(GIB)
    expect(of('arrears:cdn')).toBe(0n)
  })
})

describe('a month', () => {
  test('has a bill once its last day is closed, which verifies and never changes', async () => {
    for (let day = 0; day < 31; day += 1) moved(day + 1, OCT_1 + day * DAY_MS, 10n * GIB)
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    const report = await world.closing.closeSettled()
    expect(report).toMatchObject({ days: 31, bills: ['acc-a1.cdn.2026-10'], adjustments: 0 })
    const stored = await world.desk.get('acc-a1.cdn.2026-10')
    // 31 days of 11 GiB at 0.20.
    expect(stored?.bill.totals).toEqual([{ currency: 'CNY', amount: '68.20' }])
    expect(stored?.bill.manifest.days).toHaveLength(31)
    const verified = await world.desk.verify('acc-a1.cdn.2026-10')
    expect(verified.findings).toEqual([])
    expect(verified.checks).toBeGreaterThan(31 * 4)
    expect(await world.closing.closeSettled()).toMatchObject({ days: 0, bills: [], adjustments: 0 })
    expect(await world.desk.get('acc-a1.cdn.2026-10')).toEqual(stored)
  })

  test('late usage is an adjustment of the next bill, and both bills verify', async () => {
    moved(1, OCT_1 + HOUR_MS, 10n * GIB)
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    await world.closing.closeSettled()
    const before = await world.desk.get('acc-a1.cdn.2026-10')
    moved(7, OCT_1 + 2 * HOUR_MS, 5n * GIB)
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 0 })
    expect(await world.desk.get('acc-a1.cdn.2026-10')).toEqual(before)
    expect((await world.desk.verify('acc-a1.cdn.2026-10')).findings).toEqual([])
    world.clock.ms = NOV_1 + 31 * DAY_MS + MINUTE_MS
    await world.closing.closeSettled()
    const november = await world.desk.get('acc-a1.cdn.2026-11')
    // 5 GiB × 1.1 = 5.5 GiB at 0.20.
    expect(november?.bill.totals).toEqual([{ currency: 'CNY', amount: '1.10' }])
    expect(november?.bill.lines).toMatchObject([
      { type: 'adjustment', of: 'day', before: { amount: '2.20' }, after: { amount: '3.30' } },
    ])
    expect((await world.desk.verify('acc-a1.cdn.2026-11')).findings).toEqual([])
    const [day] = await world.desk.days(KEY, OCTOBER)
    expect(day?.state).toBe('adjusted')
  })

  test('is ranked again when late usage moves its percentile, with both samples', async () => {
    const pack = await world.charges.packs.find('generic-95')
    expect(pack.pack.rules[0]).toMatchObject({ mode: 'monthly-95' })
    const writer = world.catalog.as('test')
    await writer.createAccount({ id: 'acc-b1', name: 'B', defaultProjectId: 'org-b1' })
    const choice = { meter: 'cdn', pack: 'generic-95', groups: {}, actor: 'test' } as const
    // Before there is anything to bill, so that all of October is billed by it.
    await world.charges.desk.switch({ ...choice, account: 'acc-b1' })
    await writer.createResource({
      id: 'ucdn-b1',
      meter: 'cdn',
      account: 'acc-b1',
      name: 'b.example.com',
    })
    const own = { accountId: 'acc-b1', projectId: 'org-b1', resourceId: 'ucdn-b1' }
    // 446 of 8,928 slots are dropped: the highest 447 slots are alike, all others idle.
    for (let slot = 0; slot < 447; slot += 1) {
      moved(1, OCT_1 + slot * 5 * MINUTE_MS, 15_000_000_000n, own)
    }
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    await world.closing.closeSettled()
    const october = await world.desk.get('acc-b1.cdn.2026-10')
    const lineOf = october?.bill.lines.find(({ type }) => type === 'bandwidth')
    // 15 GB in 300 s are 400 Mbps; the commitment of 100 Mbps at 0.50, 300 above it at 0.60.
    expect(lineOf).toMatchObject({ bps: '400000000', slots: 8928, dropped: 446, amount: '230.00' })
    // One slot more is as busy: the percentile is still 400 Mbps. One is busier: 446 are above.
    moved(5, OCT_1 + 500 * 5 * MINUTE_MS, 15_000_000_000n, own)
    await world.closing.closeSettled()
    for (let slot = 0; slot < 447; slot += 1) {
      moved(6, OCT_1 + slot * 5 * MINUTE_MS, 3_750_000_000n, own)
    }
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 2 })
    world.clock.ms = NOV_1 + 30 * DAY_MS + 12 * HOUR_MS
    await world.closing.closeSettled()
    const november = await world.desk.get('acc-b1.cdn.2026-11')
    const moves = november?.bill.lines.filter(({ type }) => type === 'adjustment')
    // 500 Mbps: 50 for the commitment and 400 × 0.60 = 240; 60 more than the 230 before.
    expect(moves).toMatchObject([
      { of: 'month', before: { bps: '400000000' }, after: { bps: '500000000' }, amount: '60.00' },
    ])
    expect((await world.desk.verify('acc-b1.cdn.2026-10')).findings).toEqual([])
    expect((await world.desk.verify('acc-b1.cdn.2026-11')).findings).toEqual([])
  })
})

/** An account that is billed by a pack of its own from the first day on. */
async function openWith(text: string): Promise<Partial<MemoryRow>> {
  const writer = world.catalog.as('test')
  await world.charges.packs.add({ file: 'own.yaml', text }, 'test')
  await writer.createAccount({ id: 'acc-c1', name: 'C', defaultProjectId: 'org-c1' })
  const wish = { account: 'acc-c1', meter: 'cdn', pack: 'own', groups: {}, actor: 'test' } as const
  await world.charges.desk.switch(wish)
  const name = 'c.example.com'
  await writer.createResource({ id: 'ucdn-c1', meter: 'cdn', account: 'acc-c1', name })
  return { accountId: 'acc-c1', projectId: 'org-c1', resourceId: 'ucdn-c1' }
}

const OWN = `name: own
version: 1
description: One for a GiB.
currency: CNY
rules: [{ type: traffic, name: out, period: day, price: "1" }]
`

async function heldBy(accountId: string, name: string): Promise<bigint | undefined> {
  const balances = await world.ledger.balances(accountId)
  return balances.find(({ ledgerAccount }) => ledgerAccount === name)?.amount
}

describe('a package', () => {
  test('for several areas pays for what moves first, not for what is read first', async () => {
    await world.catalog.as('test').createTrafficPackage({
      id: 'pkg-a1',
      account: 'acc-a1',
      areas: null,
      size: String(GIB),
    })
    moved(1, OCT_1 + HOUR_MS, GIB)
    moved(1, OCT_1 + 2 * HOUR_MS, GIB, { area: 'abroad', province: 'others' })
    world.clock.ms = OCT_1 + 2 * DAY_MS
    await world.closing.closeSettled()
    const [day] = await world.desk.days(KEY, OCTOBER)
    expect(day?.lines).toMatchObject([{ rule: 'static-abroad', rawBytes: String(GIB) }])
  })

  test('that was given back before its first day was closed is billed once, and back once', async () => {
    const writer = world.catalog.as('test')
    // On the morning of the second, which settles the first at noon; back in the afternoon.
    world.clock.ms = OCT_1 + DAY_MS + 8 * HOUR_MS
    const bought = await writer.createTrafficPackage({
      id: 'pkg-a1',
      account: 'acc-a1',
      area: 'cn',
      size: String(GIB),
      startAt: OCT_1 + 9 * DAY_MS,
      paid: { amount: '7', currency: 'CNY' },
    })
    world.clock.ms += 5 * HOUR_MS
    await writer.refundTrafficPackage(bought, 7_000_000_000n)
    world.clock.ms = OCT_1 + 4 * DAY_MS
    await world.closing.closeSettled()
    const days = await world.store.dayRecords(KEY, OCTOBER)
    const lines = days.flatMap(({ record }) => record.packageLines)
    expect(lines.map(({ event, amount }) => [event, amount])).toEqual([
      ['purchase', '7.00'],
      ['refund', '-7.00'],
    ])
    expect(await heldBy('acc-a1', 'receivable')).toBe(0n)
  })
})

test('the balance of a month ends with it, though usage ahead of the clock is in sight', async () => {
  moved(1, NOV_1 + MINUTE_MS, 10n * GIB)
  world.clock.ms = NOV_1 - 2 * MINUTE_MS
  expect((await world.live.balance(KEY)).monthToDate).toEqual([])
  world.clock.ms = NOV_1 + 2 * MINUTE_MS
  // 10 GiB and 10 % at 0.20.
  expect((await world.live.balance(KEY)).monthToDate).toEqual([
    { currency: 'CNY', amount: 2_200_000_000n },
  ])
})

describe('late usage', () => {
  test('is found also when nothing was closed for longer than usage may be late', async () => {
    moved(1, OCT_1 + HOUR_MS, 10n * GIB)
    world.clock.ms = OCT_1 + 9 * DAY_MS
    await world.closing.closeSettled()
    // Comes 13 days late, which is in time; 50 days later somebody closes again.
    moved(2, OCT_1 + 2 * HOUR_MS, 5n * GIB)
    world.clock.ms = OCT_1 + 63 * DAY_MS
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
  })

  test('is rounded together with what was ordered of its day, not once more', async () => {
    const own = await openWith(`${OWN}packages: { arrears: { quantum: 1GiB, rounding: up } }\n`)
    moved(1, OCT_1 + HOUR_MS, GIB / 2n, own)
    world.clock.ms = OCT_1 + 2 * DAY_MS
    await world.closing.closeSettled()
    // A half is ordered as one; a quarter more is still one; another half makes two of 1 1/4.
    expect(await heldBy('acc-c1', 'receivable')).toBe(1_000_000_000n)
    moved(2, OCT_1 + 2 * HOUR_MS, GIB / 4n, own)
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
    expect(await heldBy('acc-c1', 'receivable')).toBe(1_000_000_000n)
    moved(3, OCT_1 + 3 * HOUR_MS, GIB / 2n, own)
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
    expect(await heldBy('acc-c1', 'receivable')).toBe(2_000_000_000n)
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    await world.closing.closeSettled()
    expect((await world.desk.verify('acc-c1.cdn.2026-10')).findings).toEqual([])
  })

  test('does not bring back a package whose rest was written off', async () => {
    await world.catalog.as('test').createTrafficPackage({
      id: 'pkg-a1',
      account: 'acc-a1',
      area: 'cn',
      size: String(4n * GIB),
      endAt: OCT_1 + 2 * DAY_MS,
    })
    moved(1, OCT_1 + HOUR_MS, GIB)
    world.clock.ms = OCT_1 + 44 * DAY_MS
    await world.closing.closeSettled()
    expect(await heldBy('acc-a1', 'expired')).toBe(3n * GIB)
    // Of a day after its end that is not as long ago.
    moved(2, OCT_1 + 10 * DAY_MS, GIB)
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
    world.clock.ms = OCT_1 + 46 * DAY_MS
    expect(await world.closing.closeSettled()).toMatchObject({ days: 2 })
    expect(await heldBy('acc-a1', 'expired')).toBe(3n * GIB)
    expect(await heldBy('acc-a1', 'package:pkg-a1')).toBe(0n)
  })
})

test('arrears that are carried keep their time of day, and do not grow with the days', async () => {
  const own = await openWith(`${OWN}packages: { arrears: { bill: carry } }\n`)
  for (const day of [0, 1, 2]) {
    moved(1, OCT_1 + day * DAY_MS + 12 * HOUR_MS, 3n * GIB, own)
    moved(1, OCT_1 + day * DAY_MS + 2 * HOUR_MS, 2n * GIB, own)
  }
  world.clock.ms = OCT_1 + 5 * DAY_MS
  await world.closing.closeSettled()
  const [waiting] = await world.store.books('cdn', ['acc-c1'])
  expect(waiting?.state.arrears.map(({ bytes }) => bytes)).toEqual([6n * GIB, 9n * GIB])
  // Nobody knew of its hours when the days were closed.
  await world.catalog.as('test').createTrafficPackage({
    id: 'pkg-c1',
    account: 'acc-c1',
    area: 'cn',
    size: String(20n * GIB),
    windows: ['00:00-08:00'],
  })
  world.clock.ms = OCT_1 + 7 * DAY_MS
  await world.closing.closeSettled()
  expect(await heldBy('acc-c1', 'package:pkg-c1')).toBe(14n * GIB)
  expect(await heldBy('acc-c1', 'arrears:cdn')).toBe(-9n * GIB)
})

test('a book that cannot be closed is set aside and told; all others are closed', async () => {
  const own = await openWith(OWN)
  moved(1, OCT_1 + HOUR_MS, GIB)
  moved(1, OCT_1 + HOUR_MS, GIB, own)
  // Somebody took the key under which the day's charge will be posted.
  await world.ledger.post([
    {
      key: 'cdn:day:2026-10-01:charge:CNY',
      accountId: 'acc-c1',
      atMs: OCT_1,
      unit: { currency: 'CNY' },
      description: 'by-hand',
      legs: [
        { ledgerAccount: 'receivable', amount: 7n },
        { ledgerAccount: 'revenue', amount: -7n },
      ],
    },
  ])
  world.clock.ms = OCT_1 + 3 * DAY_MS
  const report = await world.closing.closeSettled()
  expect(report).toMatchObject({
    days: 2,
    failed: [{ accountId: 'acc-c1', meter: 'cdn', reason: expect.stringContaining('charge:CNY') }],
  })
  expect(await world.desk.days(KEY, OCTOBER)).toHaveLength(2)
  expect(await world.desk.days({ ...KEY, accountId: 'acc-c1' }, OCTOBER)).toEqual([])
})
