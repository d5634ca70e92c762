import { isDeepStrictEqual } from 'node:util'
import type { Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BookStep } from '../../billing/book-keeping.ts'
import type { Posting } from '../../billing/ledger.ts'
import { AppError } from '../../core/errors.ts'
import { DAY_MS } from '../../core/period.ts'
import { billListTests } from './bill-list.suite.ts'
import { walkTests } from './book-audit.suite.ts'
import { factTests, originTests } from './book-facts.suite.ts'
import { recordTests } from './book-records.suite.ts'
import {
  adjustmentStep,
  allBookRows,
  at,
  beginBook,
  billStep,
  type BooksWorld,
  dayStep,
  NOW_MS,
  openBooks,
  readBook,
  takeStep,
} from './book-store-world.suite.ts'
import { migrationTests } from './books-migration.suite.ts'
import type { ControlDatabase } from './tables.ts'

const NOV_1 = at('2026-11-01T00:00')
const NOV_2 = at('2026-11-02T00:00')
const EMPTY = { balances: [], arrears: [], exclusive: [] }

/** The guarantees of the store of books; `newLocation` names an empty database each time. */
export function bookStoreSuite(newLocation: () => Promise<string>): void {
  describe('books', () => {
    let world: BooksWorld
    beforeEach(async () => {
      world = await openBooks(await newLocation())
    })
    afterEach(() => world.store.close())
    originTests(() => world)
    factTests(() => world)
    beginTests(() => world)
    takeTests(() => world)
    conflictTests(() => world)
    crashTests(() => world)
    lateMarkTests(() => world)
    recordTests(() => world)
    billListTests(() => world)
    walkTests(() => world)
  })
  migrationTests(newLocation)
}

function charge(accountId: string, key: string, amount = 5n): Posting {
  return {
    key,
    accountId,
    atMs: NOV_1,
    unit: { currency: 'CNY' },
    description: 'day-charge',
    legs: [
      { ledgerAccount: 'receivable', amount },
      { ledgerAccount: 'revenue', amount: -amount },
    ],
  }
}

function addressDay(resourceId: string, bytes: bigint, startMs = NOV_1) {
  return { resourceId, startMs, endMs: startMs + DAY_MS, bytes, quantityGb: bytes >> 30n }
}

function beginTests(world: () => BooksWorld): void {
  const key = { accountId: 'acc-a', meter: 'cdn' as const }
  test('a book begins empty, with nothing closed or billed', async () => {
    const { books } = world()
    expect(await beginBook(books, NOV_1)).toEqual({
      ...key,
      zone: 'Asia/Shanghai',
      startMs: NOV_1,
      closedUntilMs: NOV_1,
      billedUntilMs: NOV_1,
      sequence: 0,
      hash: '',
      state: EMPTY,
    })
    expect(await books.books('cdn', [])).toEqual([])
    expect(await books.books('cdn', ['acc-z'])).toEqual([])
    expect(await books.books('eip', ['acc-a'])).toEqual([])
  })
  test('one that is begun again stays as it is, whether it would begin later or the same', async () => {
    const { books, store } = world()
    await beginBook(books, NOV_1)
    const before = await allBookRows(store.db)
    await beginBook(books, NOV_1)
    await beginBook(books, NOV_2)
    expect(await allBookRows(store.db)).toEqual(before)
  })
  test('one of which nothing is closed may still begin earlier', async () => {
    const { books } = world()
    await beginBook(books, NOV_2)
    expect(await beginBook(books, NOV_1)).toMatchObject({
      startMs: NOV_1,
      closedUntilMs: NOV_1,
      billedUntilMs: NOV_1,
    })
  })
  test('one of which a day is closed never begins anew', async () => {
    const { books, store } = world()
    await takeStep(books, dayStep(await beginBook(books, NOV_2)))
    const before = await allBookRows(store.db)
    await beginBook(books, NOV_1)
    expect(await allBookRows(store.db)).toEqual(before)
  })
  test('of two begins at once, the earlier start stands, whichever comes last', async () => {
    const { books } = world()
    const starts = Array.from({ length: 12 }, (_, index) => NOV_1 + ((index * 5) % 12) * DAY_MS)
    await Promise.all(starts.map((startMs) => beginBook(books, startMs)))
    expect(await readBook(books, key)).toMatchObject({ startMs: NOV_1, closedUntilMs: NOV_1 })
  })
  test('of a begin and a step at once, the book either begins earlier or is closed', async () => {
    const { books } = world()
    for (let round = 0; round < 40; round += 1) {
      const accountId = `acc-${round}`
      const book = await beginBook(books, NOV_2, { accountId })
      const begins = async () => {
        for (let tick = 0; tick < round % 8; tick += 1) await books.lateMark('cdn')
        return await beginBook(books, NOV_1, { accountId })
      }
      const [taken] = await Promise.allSettled([books.take([dayStep(book)]), begins()])
      const { startMs, closedUntilMs, sequence } = await readBook(books, book)
      expect([startMs, closedUntilMs, sequence]).toEqual(
        taken.status === 'fulfilled' ? [NOV_2, NOV_2 + DAY_MS, 1] : [NOV_1, NOV_1, 0],
      )
    }
  })
  test('more books than one statement holds are begun, each of its meter, and listed', async () => {
    const { books } = world()
    const ids = Array.from({ length: 2100 }, (_, index) => `acc-${10_000 + index}`)
    const begun = { meter: 'cdn', zone: 'Europe/Berlin', startMs: NOV_1 } as const
    await books.begin(ids.map((accountId) => ({ ...begun, accountId })))
    await books.begin([{ ...begun, accountId: 'acc-10001', meter: 'eip' }])
    const progress = await books.progress('cdn')
    expect(progress.map(({ accountId }) => accountId)).toEqual(ids)
    expect(progress[7]).toEqual({
      ...begun,
      accountId: 'acc-10007',
      closedUntilMs: NOV_1,
      billedUntilMs: NOV_1,
    })
    expect(await books.progress('eip')).toHaveLength(1)
    expect(await books.progress('mna')).toEqual([])
    const wanted = ['acc-12000', 'acc-10003', 'acc-9']
    const found = await books.books('cdn', wanted)
    expect(found.map(({ accountId }) => accountId)).toEqual(['acc-10003', 'acc-12000'])
    await books.begin([])
  })
}

function takeTests(world: () => BooksWorld): void {
  test('a step moves its book on and writes record, addresses and postings', async () => {
    const { books, store, ledger } = world()
    const book = await beginBook(books, NOV_1, { meter: 'eip' })
    const state = {
      balances: [
        { packageId: 'p', usedBytes: 2n ** 70n, remainingBytes: 1n, firstUseMs: NOV_1 + 60_000 },
      ],
      arrears: [],
      exclusive: [{ packageId: 'x', periodStartMs: NOV_1, usedBytes: 2n ** 53n + 1n }],
    }
    const step = dayStep(book, {
      state,
      postings: [charge('acc-a', 'eip:day:2026-11-01:charge')],
      addresses: [addressDay('eip-1', 2n ** 62n)],
    })
    expect(await takeStep(books, step)).toEqual({
      ...book,
      closedUntilMs: NOV_2,
      sequence: 1,
      hash: step.text.hash,
      state,
    })
    const [kept] = await books.dayRecords(book, { startMs: NOV_1, endMs: NOV_2 })
    expect(kept).toMatchObject({ sequence: 1, ...step.text, previous: '' })
    expect(await store.db.selectFrom('address_days').selectAll().execute()).toEqual([
      {
        account_id: 'acc-a',
        resource_id: 'eip-1',
        start_ms: NOV_1,
        end_ms: NOV_2,
        bytes: 2n ** 62n,
        quantity_gb: 2 ** 32,
      },
    ])
    const [entry] = await ledger.entries('acc-a', { limit: 9 })
    const heads = await books.ledgerHeads(['acc-a', 'acc-b'])
    expect(heads.get('acc-a')).toEqual({ sequence: 1, hash: entry?.hash })
    expect(await books.ledgerHash('acc-a', 1)).toBe(entry?.hash)
    expect(await books.ledgerHash('acc-a', 2)).toBeUndefined()
    expect(await books.ledgerHash('acc-b', 1)).toBeUndefined()
    expect(heads.has('acc-b')).toBe(false)
  })
  test('days, adjustments and bills of a book follow each other in one chain', async () => {
    const { books, store } = world()
    let book = await beginBook(books, at('2026-10-31T00:00'))
    book = await takeStep(books, dayStep(book))
    book = await takeStep(books, adjustmentStep(book, book.startMs, 7))
    const step = billStep(book)
    expect(await takeStep(books, step)).toMatchObject({
      closedUntilMs: NOV_1,
      billedUntilMs: NOV_1,
      sequence: 3,
      hash: step.text.hash,
    })
    const rows = await store.db
      .selectFrom('book_records')
      .select(['sequence', 'kind', 'ref', 'month', 'closed_ms'])
      .orderBy('sequence')
      .execute()
    const told = { month: '2026-10', closed_ms: NOW_MS }
    expect(rows).toEqual([
      { sequence: 1, kind: 'day', ref: '2026-10-31', ...told },
      { sequence: 2, kind: 'adjustment', ref: 'acc-a.cdn.2026-10-31.7', ...told },
      { sequence: 3, kind: 'bill', ref: '2026-10', ...told },
    ])
  })
  test('steps of more books than one statement holds are taken as one', async () => {
    const { books } = world()
    const ids = Array.from({ length: 1200 }, (_, index) => `acc-${10_000 + index}`)
    const start = { meter: 'cdn', zone: 'Asia/Shanghai', startMs: NOV_1 } as const
    await books.begin(ids.map((accountId) => ({ ...start, accountId })))
    const steps = (await books.books('cdn', ids)).map((book) =>
      dayStep(book, { postings: [charge(book.accountId, 'cdn:day:2026-11-01:charge')] }),
    )
    await books.take(steps)
    const progress = await books.progress('cdn')
    expect(progress.filter(({ closedUntilMs }) => closedUntilMs === NOV_2)).toHaveLength(1200)
    const head = (await books.ledgerHeads(['acc-11199'])).get('acc-11199')
    expect(head).toMatchObject({ sequence: 1 })
    await books.take([])
  })
  test('a day of an address that was closed before there were books stays as it was', async () => {
    const { books, store } = world()
    const old = {
      account_id: 'acc-a',
      resource_id: 'eip-1',
      start_ms: NOV_1,
      end_ms: NOV_2,
      bytes: 7n,
      quantity_gb: 0n,
    }
    await store.db.insertInto('address_days').values(old).execute()
    const book = await beginBook(books, NOV_1, { meter: 'eip' })
    const addresses = [addressDay('eip-1', 1n << 40n), addressDay('eip-2', 9n)]
    await takeStep(books, dayStep(book, { addresses }))
    const rows = store.db.selectFrom('address_days').selectAll().orderBy('resource_id')
    expect((await rows.execute()).map(({ resource_id, bytes }) => [resource_id, bytes])).toEqual([
      ['eip-1', 7],
      ['eip-2', 9],
    ])
  })
}

function conflictTests(world: () => BooksWorld): void {
  /** Tries to take steps that cannot be taken; what the conflict says, and what was written. */
  async function refusalOf(steps: readonly BookStep[]) {
    const { books, store } = world()
    const before = await allBookRows(store.db)
    const error: unknown = await books.take(steps).catch((reason: unknown) => reason)
    const isUntouched = isDeepStrictEqual(await allBookRows(store.db), before)
    const isConflict = error instanceof AppError && error.code === 'conflict'
    return { says: isConflict ? error.message : `no conflict: ${String(error)}`, isUntouched }
  }
  const WENT_ON = { says: expect.stringContaining('went on'), isUntouched: true }
  async function threeBooks() {
    const { books } = world()
    for (const accountId of ['acc-a', 'acc-b', 'acc-c']) {
      await beginBook(books, NOV_1, { accountId })
    }
    return await books.books('cdn', ['acc-a', 'acc-b', 'acc-c'])
  }

  test('the same day is never closed twice', async () => {
    const { books } = world()
    const step = dayStep(await beginBook(books, NOV_1))
    await books.take([step])
    expect(await refusalOf([step])).toEqual(WENT_ON)
  })
  test('of several books one of which went on, none moves', async () => {
    const { books } = world()
    const [a, b, c] = await threeBooks()
    if (a === undefined || b === undefined || c === undefined) throw new Error('no books')
    await books.take([dayStep(b)])
    const steps = [a, b, c].map((book) =>
      dayStep(book, { postings: [charge(book.accountId, 'k')] }),
    )
    expect(await refusalOf(steps)).toEqual(WENT_ON)
  })
  test('one book cannot take two steps at once', async () => {
    const { books, store } = world()
    const book = await beginBook(books, NOV_1)
    const before = await allBookRows(store.db)
    await expect(books.take([dayStep(book), adjustmentStep(book, NOV_1, 1)])).rejects.toThrow(
      // PostgreSQL says it itself.
      /went on|second time/,
    )
    expect(await allBookRows(store.db)).toEqual(before)
  })
  test('a book that began earlier meanwhile does not take a step from its former start', async () => {
    const { books } = world()
    const book = await beginBook(books, NOV_2)
    await beginBook(books, NOV_1)
    expect(await refusalOf([dayStep(book)])).toEqual(WENT_ON)
    expect(await readBook(books, book)).toMatchObject({ closedUntilMs: NOV_1 })
  })
  test('a posting that the ledger refuses keeps the day open', async () => {
    const [a, b] = await threeBooks()
    if (a === undefined || b === undefined) throw new Error('no books')
    const draw: Posting = {
      ...charge('acc-b', 'k'),
      unit: 'bytes',
      legs: [
        { ledgerAccount: 'package:p', amount: -5n },
        { ledgerAccount: 'usage:cdn', amount: 5n },
      ],
    }
    const postings = [charge('acc-a', 'k')]
    expect(await refusalOf([dayStep(a, { postings }), dayStep(b, { postings: [draw] })])).toEqual({
      says: expect.stringContaining('5 bytes are missing'),
      isUntouched: true,
    })
  })
  test('of many that take the same step at once, one succeeds', async () => {
    const { books } = world()
    const read = await threeBooks()
    const takes = Array.from({ length: 8 }, () =>
      books.take(
        read.map((book) => dayStep(book, { postings: [charge(book.accountId, 'cdn:day:1')] })),
      ),
    )
    const results = await Promise.allSettled(takes)
    const failed = results.flatMap((result) => (result.status === 'rejected' ? [result] : []))
    expect(failed).toHaveLength(7)
    for (const { reason } of failed) expect(reason).toMatchObject({ code: 'conflict' })
    const progress = await books.progress('cdn')
    expect(progress.map(({ closedUntilMs }) => closedUntilMs)).toEqual([NOV_2, NOV_2, NOV_2])
    expect((await books.ledgerHeads(['acc-c'])).get('acc-c')).toMatchObject({ sequence: 1 })
  })
}

/** The same database, which fails right after its statement number `last`. */
function failingAfter(db: Kysely<ControlDatabase>, last: number): Kysely<ControlDatabase> {
  let count = 0
  return db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      count += 1
      if (count === last) throw new Error('crash')
      return result
    },
  })
}

function crashTests(world: () => BooksWorld): void {
  test('a crash after any statement of a step leaves nothing, and the step can be taken again', async () => {
    const { books, store, ledger, openOn } = world()
    for (const accountId of ['acc-a', 'acc-b']) await beginBook(books, NOV_1, { accountId })
    const before = await allBookRows(store.db)
    const steps = (await books.books('cdn', ['acc-a', 'acc-b'])).map((book) =>
      dayStep(book, {
        postings: [charge(book.accountId, 'k')],
        addresses: [addressDay('eip-1', 5n)],
      }),
    )
    let crashes = 0
    for (;;) {
      const failing = openOn(failingAfter(store.db, crashes + 1))
      const error = await failing.take(steps).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (error === null) break
      expect(error).toMatchObject({ message: 'crash' })
      expect(await allBookRows(store.db)).toEqual(before)
      crashes += 1
    }
    // Mark, books, records, addresses; heads, keys, balances; postings, legs, balances, heads.
    expect(crashes).toBe(11)
    expect((await books.progress('cdn')).map(({ closedUntilMs }) => closedUntilMs)).toEqual([
      NOV_2,
      NOV_2,
    ])
    expect((await ledger.audit()).findings).toEqual([])
  })
}

function lateMarkTests(world: () => BooksWorld): void {
  const move = (after: number, through: number) =>
    world().books.setLateMark('cdn', { after, through }, [])

  test('the mark of late usage is kept by meter, and 0 before the first', async () => {
    const { books } = world()
    expect(await books.lateMark('cdn')).toBe(0)
    await move(0, 7)
    await books.setLateMark('eip', { after: 0, through: 3 }, [])
    await move(7, 2 ** 40)
    expect(await books.lateMark('cdn')).toBe(2 ** 40)
    expect(await books.lateMark('eip')).toBe(3)
    expect(await books.lateMark('mna')).toBe(0)
  })
  test('a mark that another node moved meanwhile stays', async () => {
    const { books } = world()
    await move(0, 7)
    await move(0, 5)
    await move(5, 9)
    expect(await books.lateMark('cdn')).toBe(7)
  })
  test('a mark stays when a day was closed since it was looked how far days are closed', async () => {
    const { books } = world()
    const seen = [await beginBook(books, NOV_1), await beginBook(books, NOV_1, { meter: 'eip' })]
    await books.take([dayStep(await readBook(books, { accountId: 'acc-a', meter: 'cdn' }))])
    await books.setLateMark('cdn', { after: 0, through: 7 }, seen.slice(0, 1))
    expect(await books.lateMark('cdn')).toBe(0)
    await books.setLateMark('cdn', { after: 0, through: 7 }, [])
    expect(await books.lateMark('cdn')).toBe(0)
    await books.setLateMark('eip', { after: 0, through: 7 }, seen.slice(1))
    expect(await books.lateMark('eip')).toBe(7)
    await books.setLateMark('cdn', { after: 0, through: 7 }, await books.progress('cdn'))
    expect(await books.lateMark('cdn')).toBe(7)
  })
  test('a day that was measured before late usage was looked for is not closed', async () => {
    const { books, store } = world()
    const book = await beginBook(books, NOV_1)
    await beginBook(books, NOV_1, { meter: 'eip' })
    await move(0, 7)
    const before = await allBookRows(store.db)
    await expect(books.take([dayStep(book)])).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('Late usage was looked for'),
    })
    expect(await allBookRows(store.db)).toEqual(before)
    const closed = await takeStep(books, dayStep(book, { lateMark: 7 }))
    // What closes no day was not measured against the mark.
    await takeStep(books, adjustmentStep(closed, NOV_1, 3))
  })
}
