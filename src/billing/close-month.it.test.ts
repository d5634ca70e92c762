import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import type { BookStore } from './book-keeping.ts'
import { createClosing } from './closing.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const NOV_1 = Date.UTC(2026, 9, 31, 16)
const DEC_1 = Date.UTC(2026, 10, 30, 16)

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
})
afterEach(() => world.close())

async function createAccount(id: string, createdAt: number): Promise<void> {
  const writer = world.catalog.as('test')
  await writer.createAccount({ id: `acc-${id}`, name: id, defaultProjectId: `org-${id}` })
  const name = `${id}.example.com`
  const domain = { id: `ucdn-${id}`, meter: 'cdn', account: `acc-${id}`, name } as const
  await writer.createResource({ ...domain, createdAt })
}

function moved(batch: number, id: string, minuteMs: number, bytes: bigint): void {
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: `acc-${id}`,
    resourceId: `ucdn-${id}`,
    projectId: `org-${id}`,
    area: 'cn',
    billingRegion: 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes,
  })
}

/** The same store, and how often each of its questions was asked. */
function counted(store: BookStore): { store: BookStore; asked: Map<string, number> } {
  const asked = new Map<string, number>()
  const entries = Object.entries(store).map(([name, ask]: [string, unknown]) => [
    name,
    (...input: unknown[]): unknown => {
      asked.set(name, (asked.get(name) ?? 0) + 1)
      return (ask as (...input: unknown[]) => unknown)(...input)
    },
  ])
  return { store: Object.fromEntries(entries) as BookStore, asked }
}

const PER_BOOK = ['dayRecords', 'adjustments', 'adjustmentsBooked', 'billOf', 'bill'] as const

test('bills of many books take as many questions as that of one, each its own records', async () => {
  const day = (index: number): number => OCT_1 + index * DAY_MS
  // One of them begins within the month, one moves nothing.
  await createAccount('a', OCT_1)
  await createAccount('b', OCT_1)
  moved(1, 'a', day(0) + HOUR_MS, 10n * GIB)
  moved(1, 'b', day(0) + HOUR_MS, 20n * GIB)
  world.clock.ms = day(9)
  await createAccount('c', day(9))
  await createAccount('idle', day(9))
  moved(2, 'c', day(9) + HOUR_MS, 30n * GIB)
  world.clock.ms = NOV_1
  await world.closing.closeSettled()
  // Late for a day of the month itself, which its own bill carries.
  moved(3, 'b', day(0) + 2 * HOUR_MS, 5n * GIB)
  const { store, asked } = counted(world.store)
  const closing = createClosing(world.config, { ...world.deps, store })
  await closing.close({ meter: 'cdn', untilMs: NOV_1 - DAY_MS })
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  asked.clear()
  const { bills } = await closing.closeSettled()
  expect(bills).toEqual(['a', 'b', 'c', 'idle'].map((id) => `acc-${id}.cdn.2026-10`))
  expect([asked.get('keptMonths'), asked.get('ledgerHeads')]).toEqual([1, 1])
  expect(PER_BOOK.map((name) => asked.get(name) ?? 0)).toEqual([0, 0, 0, 0, 0])
  // 11, 27.5 and 33 GiB with headers, at 0.20.
  const totals = []
  for (const id of bills) totals.push((await world.desk.get(id))?.bill.totals[0]?.amount)
  expect(totals).toEqual(['2.20', '5.50', '6.60', undefined])
  world.clock.ms = DEC_1 + 12 * HOUR_MS
  const next = await closing.closeSettled()
  for (const id of [...bills, ...next.bills]) {
    expect((await world.desk.verify(id)).findings).toEqual([])
    const { bill } = (await world.desk.get(id)) ?? {}
    const last = await world.desk.get(id.replace('2026-11', '2026-10'))
    expect(bill?.manifest.previous).toBe(id.endsWith('2026-10') ? null : last?.hash)
  }
})
