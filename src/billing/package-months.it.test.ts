import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import { formatMoney } from '../core/money.ts'
import { readPosition } from './book-position.ts'
import { createClosing } from './closing.ts'
import type { ClosingStep } from './closing-deps.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_31 = Date.UTC(2026, 9, 30, 16)
const NOV_1 = OCT_31 + DAY_MS
const DEC_1 = Date.UTC(2026, 10, 30, 16)
/** The last day of October settles at noon. */
const MORNING = NOV_1 + 9 * HOUR_MS
const NOON = NOV_1 + 12 * HOUR_MS
const AFTERNOON = NOV_1 + 15 * HOUR_MS
const NOON_AFTER = NOON + DAY_MS

const KEY = { accountId: 'acc-a1', meter: 'cdn' as const }
const OCTOBER = 'acc-a1.cdn.2026-10'
const NOVEMBER = 'acc-a1.cdn.2026-11'

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_31)
  const writer = world.catalog.as('test')
  await writer.createAccount({ id: 'acc-a1', name: 'A', defaultProjectId: 'org-a1' })
  const name = 'a.example.com'
  await writer.createResource({ id: 'ucdn-a1', meter: 'cdn', account: 'acc-a1', name })
})
afterEach(() => world.close())

function moved(batch: number, minuteMs: number, bytes: bigint): void {
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: 'acc-a1',
    resourceId: 'ucdn-a1',
    projectId: 'org-a1',
    area: 'cn',
    billingRegion: 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes,
  })
}

/** A package of 20 GiB for 7 CNY, bought then. */
async function buy(atMs: number, more: { startAt?: number; purchasedAt?: number } = {}) {
  world.clock.ms = atMs
  return await world.catalog.as('test').createTrafficPackage({
    id: 'pkg-a1',
    account: 'acc-a1',
    area: 'cn',
    size: String(20n * GIB),
    paid: { amount: '7', currency: 'CNY' },
    ...more,
  })
}

async function giveBack(atMs: number): Promise<void> {
  world.clock.ms = atMs
  const entry = await world.catalog.rows.trafficPackages.get('pkg-a1')
  if (entry === undefined) throw new Error('nothing was bought')
  await world.catalog.as('test').refundTrafficPackage(entry, 7_000_000_000n)
}

async function closeAt(atMs: number): Promise<void> {
  world.clock.ms = atMs
  expect((await world.closing.closeSettled()).failed).toEqual([])
}

/** Package lines and total of a bill; it verifies byte for byte. */
async function billed(id: string): Promise<readonly string[]> {
  const stored = await world.desk.get(id)
  if (stored === undefined) return ['no bill']
  expect((await world.desk.verify(id)).findings).toEqual([])
  const lines = stored.bill.lines.flatMap((line) => (line.type === 'package' ? [line] : []))
  return [
    ...lines.map(({ event, packageId, amount }) => `${event} ${packageId} ${amount}`),
    ...stored.bill.totals.map(({ amount }) => `total ${amount}`),
  ]
}

async function holds(name: string): Promise<bigint | undefined> {
  const balances = await world.ledger.balances('acc-a1')
  return balances.find(({ ledgerAccount }) => ledgerAccount === name)?.amount
}

describe('a package that is bought while the last day of the month before settles', () => {
  test('is on the bill of its own month, and takes the arrears of the one before', async () => {
    moved(1, OCT_31 + HOUR_MS, 10n * GIB)
    await buy(MORNING)
    await closeAt(NOON)
    const october = await world.desk.get(OCTOBER)
    expect(october?.bill.draws).toEqual([
      { packageId: 'pkg-a1', bytes: String(10n * GIB) },
      { packageId: null, bytes: String(10n * GIB) },
    ])
    expect(await billed(OCTOBER)).toEqual([])
    // It holds its bytes from now on; its price waits.
    expect(await holds('package:pkg-a1')).toBe(10n * GIB)
    expect(await holds('receivable')).toBeUndefined()
    moved(2, NOV_1 + 20 * HOUR_MS, 4n * GIB)
    await closeAt(DEC_1 + 12 * HOUR_MS)
    expect(await billed(NOVEMBER)).toEqual(['purchase pkg-a1 7.00', 'total 7.00'])
    expect(await world.desk.get(OCTOBER)).toEqual(october)
    expect(await billed(OCTOBER)).toEqual([])
    expect(await holds('package:pkg-a1')).toBe(6n * GIB)
    expect(await holds('purchased')).toBe(-20n * GIB)
    expect(await holds('receivable')).toBe(7_000_000_000n)
    expect((await world.ledger.audit()).findings).toEqual([])
  })

  test('is on the bill of its own month also when it takes nothing', async () => {
    await buy(MORNING)
    await closeAt(NOON)
    const [waiting] = await world.store.books('cdn', ['acc-a1'])
    expect(waiting?.state.priceDue).toEqual(['pkg-a1'])
    await closeAt(NOON_AFTER)
    const [book] = await world.store.books('cdn', ['acc-a1'])
    expect(Object.keys(book?.state ?? {}).sort()).toEqual(['arrears', 'balances', 'exclusive'])
    await closeAt(DEC_1 + 12 * HOUR_MS)
    expect([await billed(OCTOBER), await billed(NOVEMBER)]).toEqual([
      [],
      ['purchase pkg-a1 7.00', 'total 7.00'],
    ])
  })

  test('may be drawn by late usage before its price is written down, once', async () => {
    moved(1, OCT_31 + HOUR_MS, 10n * GIB)
    await buy(MORNING)
    await closeAt(NOON)
    moved(2, OCT_31 + 2 * HOUR_MS, 5n * GIB)
    await closeAt(AFTERNOON)
    expect(await holds('package:pkg-a1')).toBe(5n * GIB)
    await closeAt(DEC_1 + 12 * HOUR_MS)
    expect(await billed(NOVEMBER)).toEqual(['purchase pkg-a1 7.00', 'total 7.00'])
    expect(await holds('receivable')).toBe(7_000_000_000n)
    expect((await world.ledger.audit()).findings).toEqual([])
  })

  test.each([
    ['before the day is settled', MORNING + HOUR_MS],
    ['after it is settled', AFTERNOON],
  ])('and given back %s leaves nothing on the month before', async (_title, atMs) => {
    await buy(MORNING, { startAt: NOV_1 + 9 * DAY_MS })
    if (atMs > NOON) await closeAt(NOON)
    await giveBack(atMs)
    await closeAt(DEC_1 + 12 * HOUR_MS)
    expect([await billed(OCTOBER), await billed(NOVEMBER)]).toEqual([
      [],
      ['purchase pkg-a1 7.00', 'refund pkg-a1 -7.00', 'total 0.00'],
    ])
    expect(await holds('package:pkg-a1')).toBe(0n)
    expect(await holds('receivable')).toBe(0n)
    expect((await world.ledger.audit()).findings).toEqual([])
  })

  test('is part of what the running month costs, in balance and forecast', async () => {
    moved(1, OCT_31 + HOUR_MS, 10n * GIB)
    await buy(MORNING)
    world.clock.ms += HOUR_MS
    await world.closing.begin(KEY)
    const shown = async () => {
      world.live.forget()
      const { monthToDate, packages } = await world.live.balance(KEY)
      expect(packages.map(({ usedBytes }) => usedBytes)).toEqual([10n * GIB])
      const { fixed } = await readPosition(KEY, world.clock.ms, {
        currentBook: world.currentBook,
        modes: world.deps.modes,
      })
      return [monthToDate.map(({ amount }) => formatMoney(amount)), fixed.map((one) => one.amount)]
    }
    expect(await shown()).toEqual([['7.00'], ['7.00']])
    await closeAt(NOON)
    expect(await shown()).toEqual([['7.00'], ['7.00']])
    await closeAt(NOON_AFTER)
    expect(await shown()).toEqual([['7.00'], ['7.00']])
  })
})

test('a package is given back on the bill of the month in which it is', async () => {
  await buy(OCT_31 + 20 * HOUR_MS, { startAt: NOV_1 + 9 * DAY_MS })
  await giveBack(MORNING)
  world.clock.ms += 1
  const position = { currentBook: world.currentBook, modes: world.deps.modes }
  await world.closing.begin(KEY)
  // The purchase is for October, which is not billed yet.
  const { fixed } = await readPosition(KEY, world.clock.ms, position)
  expect(fixed.map(({ amount }) => amount)).toEqual(['-7.00'])
  await closeAt(DEC_1 + 12 * HOUR_MS)
  expect([await billed(OCTOBER), await billed(NOVEMBER)]).toEqual([
    ['purchase pkg-a1 7.00', 'total 7.00'],
    ['refund pkg-a1 -7.00', 'total -7.00'],
  ])
})

test('a package that the catalog learns of after its month was billed is on the next bill', async () => {
  await closeAt(NOON)
  await buy(AFTERNOON, { purchasedAt: OCT_31 + HOUR_MS })
  await closeAt(DEC_1 + 12 * HOUR_MS)
  expect([await billed(OCTOBER), await billed(NOVEMBER)]).toEqual([
    [],
    ['purchase pkg-a1 7.00', 'total 7.00'],
  ])
})

const STEPS: readonly ClosingStep[] = [
  'close.begin.after',
  'close.repair.after',
  'close.read.after',
  'close.day.before',
  'close.day.after',
  'close.month.read.after',
  'close.month.before',
  'close.month.after',
]

test.each(STEPS)('a crash at each %s, and other nodes, leave one price on one bill', async (at) => {
  moved(1, OCT_31 + HOUR_MS, 10n * GIB)
  await buy(MORNING)
  const crashed = new Set<string>()
  const node = createClosing(world.config, {
    ...world.deps,
    onStep: (step) => {
      if (step !== at || crashed.has(`${world.clock.ms}`)) return
      crashed.add(`${world.clock.ms}`)
      throw new Error('crash')
    },
  })
  for (const atMs of [NOON, NOON_AFTER, DEC_1 + 12 * HOUR_MS]) {
    world.clock.ms = atMs
    await node.closeSettled().catch(() => undefined)
    await Promise.allSettled([node.closeSettled(), world.closing.closeSettled()])
    await closeAt(atMs)
  }
  expect(crashed.size).toBeGreaterThan(0)
  expect([await billed(OCTOBER), await billed(NOVEMBER)]).toEqual([
    [],
    ['purchase pkg-a1 7.00', 'total 7.00'],
  ])
  expect(await holds('receivable')).toBe(7_000_000_000n)
  expect(await holds('purchased')).toBe(-20n * GIB)
  expect((await world.ledger.audit()).findings).toEqual([])
})
