import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import type { BookStore } from './book-keeping.ts'
import { readPosition } from './book-position.ts'
import { type Closing, createClosing } from './closing.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const OCT_2 = OCT_1 + DAY_MS
const NOV_1 = Date.UTC(2026, 9, 31, 16)
const KEY = { accountId: 'acc-1', meter: 'cdn' as const }

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
  for (const number of [1, 2]) await createAccount(number)
})
afterEach(() => world.close())

async function createAccount(number: number, createdAt = OCT_1): Promise<void> {
  const writer = world.catalog.as('test')
  const account = `acc-${number}`
  await writer.createAccount({ id: account, name: account, defaultProjectId: `org-${number}` })
  await createDomain(number, `ucdn-${number}`, createdAt)
}

async function createDomain(number: number, id: string, createdAt: number): Promise<void> {
  const domain = { meter: 'cdn', account: `acc-${number}`, name: `${id}.example.com` } as const
  await world.catalog.as('test').createResource({ ...domain, id, createdAt })
}

function moved(batch: number, minuteMs: number, gib = 1n, number = 1): void {
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: `acc-${number}`,
    resourceId: `ucdn-${number}`,
    projectId: `org-${number}`,
    area: 'cn',
    billingRegion: 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes: gib * GIB,
  })
}

/** A store on which the work is done right before, or after, one call of one function. */
function interrupted(
  name: keyof BookStore,
  when: 'before' | 'after',
  call: number,
  work: () => Promise<unknown>,
): BookStore {
  let count = 0
  const original = world.store[name] as (...input: unknown[]) => Promise<unknown>
  const wrapped = async (...input: unknown[]): Promise<unknown> => {
    count += 1
    const isNow = count === call
    if (isNow && when === 'before') await work()
    const answer = await original(...input)
    if (isNow && when === 'after') await work()
    return answer
  }
  return { ...world.store, [name]: wrapped }
}

/** Another node that closes over the same books. */
function openNode(store = world.store): Closing {
  return createClosing(world.config, { ...world.deps, store })
}

async function usedBy(accountId: string): Promise<bigint | undefined> {
  const balances = await world.ledger.balances(accountId)
  return balances.find(({ ledgerAccount }) => ledgerAccount === 'usage:cdn')?.amount
}

async function refsOf(accountId: string): Promise<string[]> {
  const rows = world.control.db.selectFrom('book_records').select('ref').orderBy('sequence')
  return (await rows.where('account_id', '=', accountId).execute()).map(({ ref }) => ref)
}

test('a day that another node closes after it was found due is not closed again', async () => {
  moved(1, OCT_1 + HOUR_MS)
  await world.closing.closeSettled()
  world.clock.ms = OCT_2 + DAY_MS + 12 * HOUR_MS
  const other = () => openNode().close({ accountId: 'acc-1', meter: 'cdn', untilMs: OCT_2 })
  const node = openNode(interrupted('books', 'before', 1, other))
  // Both days of one account are closed by the other node, since both have settled.
  expect(await node.closeSettled()).toMatchObject({ days: 2 })
  for (const accountId of ['acc-1', 'acc-2']) {
    expect(await refsOf(accountId)).toEqual(['2026-10-01', '2026-10-02'])
  }
  expect(await usedBy('acc-1')).toBe(GIB)
})

test('a month that another node bills after it was found due is not billed again', async () => {
  moved(1, OCT_1 + HOUR_MS)
  await world.closing.closeSettled()
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  // Books are read for each of 31 days, then for the month.
  const other = () => openNode().close({ accountId: 'acc-1', meter: 'cdn', untilMs: NOV_1 })
  const node = openNode(interrupted('books', 'before', 32, other))
  expect(await node.closeSettled()).toMatchObject({ days: 62, bills: ['acc-2.cdn.2026-10'] })
  const bills = await world.desk.list({}, { limit: 9, cursor: null })
  expect(bills.items.map(({ id }) => id)).toEqual(['acc-1.cdn.2026-10', 'acc-2.cdn.2026-10'])
  expect((await world.desk.verify('acc-1.cdn.2026-10')).findings).toEqual([])
})

test('a day that goes on while it is being computed is a conflict, and the next run goes on', async () => {
  moved(1, OCT_1 + HOUR_MS)
  world.clock.ms = OCT_2 + 12 * HOUR_MS
  const node = openNode(interrupted('take', 'before', 1, () => openNode().closeSettled()))
  await expect(node.closeSettled()).rejects.toMatchObject({ code: 'conflict' })
  expect(await node.closeSettled()).toMatchObject({ days: 0, adjustments: 0 })
  expect(await usedBy('acc-1')).toBe(GIB)
})

test('usage that another node closed its day without, while it was looked for, is found', async () => {
  moved(1, OCT_1 + HOUR_MS)
  await world.closing.closeSettled()
  world.clock.ms = OCT_2 + 12 * HOUR_MS
  // Measured before batch 2, kept after somebody had found batch 2 in a day that was still open.
  const take: BookStore['take'] = async (steps) => {
    moved(2, OCT_1 + 2 * HOUR_MS)
    const setLateMark: BookStore['setLateMark'] = async (...mark) => {
      await world.store.take(steps)
      await world.store.setLateMark(...mark)
    }
    const looking = openNode({ ...world.store, setLateMark })
    await looking.close({ accountId: 'acc-2', meter: 'cdn', untilMs: OCT_2 })
  }
  await openNode({ ...world.store, take }).close({
    accountId: 'acc-1',
    meter: 'cdn',
    untilMs: OCT_2,
  })
  expect(await refsOf('acc-1')).toEqual(['2026-10-01'])
  expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
  expect(await usedBy('acc-1')).toBe(2n * GIB)
})

test('usage that is looked for while another node closes its day without it is not missed', async () => {
  moved(1, OCT_1 + HOUR_MS)
  world.clock.ms = OCT_2 + 12 * HOUR_MS
  const look = async () => {
    moved(2, OCT_1 + 2 * HOUR_MS)
    await openNode().close({ accountId: 'acc-2', meter: 'cdn', untilMs: OCT_2 })
    expect(await world.store.lateMark('cdn')).toBe(2)
  }
  const only = { accountId: 'acc-1', meter: 'cdn', untilMs: OCT_2 } as const
  const node = openNode(interrupted('take', 'before', 1, look))
  await expect(node.close(only)).rejects.toMatchObject({ code: 'conflict' })
  await node.close(only)
  await world.closing.closeSettled()
  expect(await usedBy('acc-1')).toBe(2n * GIB)
})

test('a day that another node adjusted by later batches is not adjusted back', async () => {
  moved(1, OCT_1 + HOUR_MS)
  world.clock.ms = OCT_2 + 12 * HOUR_MS
  await world.closing.closeSettled()
  moved(2, OCT_1 + 2 * HOUR_MS)
  const other = async () => {
    moved(3, OCT_1 + 3 * HOUR_MS)
    expect(await openNode().closeSettled()).toMatchObject({ adjustments: 1 })
  }
  const node = openNode(interrupted('books', 'before', 1, other))
  expect(await node.closeSettled()).toMatchObject({ adjustments: 0 })
  expect(await world.store.lateMark('cdn')).toBe(3)
  expect(await usedBy('acc-1')).toBe(3n * GIB)
})

test('a book that begins earlier while late usage is looked for bills each day once', async () => {
  world.clock.ms = OCT_1 + 3 * DAY_MS
  await createAccount(3, world.clock.ms)
  await world.closing.closeSettled()
  moved(1, OCT_2 + HOUR_MS, 5n, 3)
  // Somebody reads its balance, which begins the book that the catalog calls for.
  const earlier = async () => {
    await createDomain(3, 'ucdn-3b', OCT_1)
    await world.closing.begin({ accountId: 'acc-3', meter: 'cdn' })
  }
  await openNode(interrupted('books', 'before', 1, earlier)).closeSettled()
  world.clock.ms = OCT_1 + 6 * DAY_MS
  await world.closing.closeSettled()
  expect(await usedBy('acc-3')).toBe(5n * GIB)
  expect((await refsOf('acc-3')).filter((ref) => ref.includes('10-02'))).toEqual(['2026-10-02'])
})

test('a balance that is read while a day is closed counts the day once', async () => {
  moved(1, OCT_1 + HOUR_MS, 10n)
  world.clock.ms = OCT_2 + 12 * HOUR_MS
  const calm = await world.live.balance(KEY)
  // 10 GiB × 1.1 at 0.20.
  expect(calm.monthToDate).toEqual([{ currency: 'CNY', amount: 2_200_000_000n }])
  const store = interrupted('dayRecords', 'before', 1, () => world.closing.closeSettled())
  const { live } = world.openLive(store)
  expect(await live.balance(KEY)).toEqual(calm)
  expect(await refsOf('acc-1')).toEqual(['2026-10-01'])
  expect((await live.balance(KEY)).monthToDate).toEqual(calm.monthToDate)
})

test('a forecast that is made while a day is closed counts the day once', async () => {
  moved(1, OCT_1 + HOUR_MS, 10n)
  world.clock.ms = OCT_2 + 12 * HOUR_MS
  await world.closing.begin(KEY)
  const store = interrupted('dayRecords', 'before', 1, () => world.closing.closeSettled())
  const { currentBook } = world.openLive(store)
  const read = () => readPosition(KEY, world.clock.ms, { currentBook, modes: world.deps.modes })
  const during = await read()
  expect([during.days[0]?.startMs, during.fixed, during.closed]).toEqual([OCT_1, [], []])
  const after = await read()
  expect([after.days[0]?.startMs, after.fixed.length]).toEqual([OCT_2, 1])
})
