import { type Kysely, sql } from 'kysely'
import { beforeEach, describe, expect, test } from 'vitest'
import { walkBooks } from './book-audit.ts'
import {
  adjustmentStep,
  at,
  beginBook,
  billStep,
  type BooksWorld,
  dayStep,
  readBook,
  takeStep,
} from './book-store-world.suite.ts'
import type { BookRecordRow, BookRow } from './books-tables.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

const OCT_30 = at('2026-10-30T00:00')
const NOV_1 = at('2026-11-01T00:00')
const FALSE_HASH = 'f'.repeat(64)

/** Five records in each of two books: two days, an adjustment, a bill, a day. */
async function fillBooks({ books }: BooksWorld): Promise<void> {
  for (const accountId of ['acc-a', 'acc-b']) {
    let book = await beginBook(books, OCT_30, { accountId })
    book = await takeStep(books, dayStep(book))
    book = await takeStep(books, dayStep(book))
    book = await takeStep(books, adjustmentStep(book, OCT_30, 5))
    book = await takeStep(books, billStep(book))
    await takeStep(books, dayStep(book))
  }
}

const change = (db: Db, sequence: number, row: Partial<BookRecordRow>) =>
  db
    .updateTable('book_records')
    .set(row)
    .where('account_id', '=', 'acc-a')
    .where('sequence', '=', sequence)
    .execute()
const changeBook = (db: Db, row: Partial<BookRow>) =>
  db.updateTable('books').set(row).where('account_id', '=', 'acc-a').execute()
const remove = (db: Db, sequence: number) =>
  db
    .deleteFrom('book_records')
    .where('account_id', '=', 'acc-a')
    .where('sequence', '=', sequence)
    .execute()

async function swap(db: Db, one: number, other: number): Promise<void> {
  const away = 99
  for (const [from, to] of [
    [one, away],
    [other, one],
    [away, other],
  ] as const) {
    await change(db, from, { sequence: to })
  }
}

const BOOK = 'book of account acc-a, cdn'
const TAMPERINGS: [string, (db: Db) => Promise<unknown>, RegExp][] = [
  ['a changed record', (db) => change(db, 2, { content: '{}' }), /record 2 .*is as it was kept/],
  ['a changed hash', (db) => change(db, 2, { hash: FALSE_HASH }), /record 2 .*is as it was kept/],
  [
    'a changed hash of the record before',
    (db) => change(db, 3, { previous_hash: FALSE_HASH }),
    /record 3 .*is as it was kept/,
  ],
  ['a first record that is gone', (db) => remove(db, 1), /record 2 .*follows from/],
  ['one of the middle that is gone', (db) => remove(db, 3), /record 4 .*follows from/],
  ['a last record that is gone', (db) => remove(db, 5), /last record is the one/],
  ['two records in each other’s place', (db) => swap(db, 1, 2), /record 1 .*follows from/],
  [
    'a gap in the numbers',
    async (db) => {
      await change(db, 5, { sequence: 9 })
      await changeBook(db, { sequence: 9 })
    },
    /record 9 .*follows from/,
  ],
  ['a record of another kind', (db) => change(db, 3, { kind: 'note' }), /record 3 .*is filed/],
  ['a day under another date', (db) => change(db, 2, { ref: '2026-10-29' }), /record 2 .*is filed/],
  ['a day at another time', (db) => change(db, 2, { start_ms: OCT_30 + 1 }), /record 2 .*is filed/],
  [
    'an adjustment of another bill',
    (db) => change(db, 3, { month: '2026-12' }),
    /record 3 .*filed/,
  ],
  ['a bill of another month', (db) => change(db, 4, { month: '2026-12' }), /record 4 .*is filed/],
  [
    'a bill that lists show in another way',
    (db) =>
      sql`update book_records set summary = replace(summary, '1.00', '2.00')
      where account_id = 'acc-a'`.execute(db),
    /record 4 .*is filed/,
  ],
  [
    'a bill that lists do not show',
    (db) => change(db, 4, { summary: null }),
    /record 4 .*is filed/,
  ],
  [
    'a book with another state',
    (db) => changeBook(db, { state: '{"arrears":[],"balances":[],"exclusive":[{}]}' }),
    /stands where its records leave it/,
  ],
  [
    'a book whose last day is open again',
    (db) => changeBook(db, { closed_until_ms: NOV_1 }),
    /stands where its records leave it/,
  ],
  [
    'a book whose last month has no bill',
    (db) => changeBook(db, { billed_until_ms: OCT_30 }),
    /stands where its records leave it/,
  ],
  [
    'records without their book',
    (db) => db.deleteFrom('books').where('account_id', '=', 'acc-a').execute(),
    /records have a book/,
  ],
  ['a head that is set back', (db) => changeBook(db, { sequence: 4 }), /last record is the one/],
  ['a head with another hash', (db) => changeBook(db, { hash: FALSE_HASH }), /last record is/],
]

/** Walks of the chains of books. */
export function walkTests(world: () => BooksWorld): void {
  describe('an audit of books', () => {
    beforeEach(() => fillBooks(world()))

    test('finds nothing where nobody changed anything', async () => {
      const { store, books } = world()
      expect(await walkBooks(store.db)).toEqual({ checks: 12, findings: [] })
      await beginBook(books, OCT_30, { accountId: 'acc-c' })
      expect(await walkBooks(store.db)).toEqual({ checks: 13, findings: [] })
    })
    test.each(TAMPERINGS)('finds %s, in that book alone', async (_what, tamper, finding) => {
      const { store } = world()
      await tamper(store.db)
      const { findings } = await walkBooks(store.db)
      expect(findings.map(({ check }) => check).join('\n')).toMatch(finding)
      for (const { check, expected, actual } of findings) {
        expect(check.startsWith(BOOK)).toBe(true)
        expect(expected).not.toBe(actual)
      }
    })
    test('finds a state that somebody changed between two records', async () => {
      const { store, books } = world()
      const balances = [{ packageId: 'p', usedBytes: 5n, remainingBytes: 1n, firstUseMs: OCT_30 }]
      const book = await readBook(books, { accountId: 'acc-a', meter: 'cdn' })
      await takeStep(books, dayStep({ ...book, state: { ...book.state, balances } }))
      const { findings } = await walkBooks(store.db)
      expect(findings.map(({ check }) => check)).toEqual([
        `${BOOK}: record 6 (day 2026-11-02) begins where the record before left the book`,
      ])
    })
    test('walks a chain that is longer than one page of it', async () => {
      const { store, books } = world()
      let book = await beginBook(books, OCT_30, { accountId: 'acc-l' })
      for (let day = 0; day < 401; day += 1) book = await takeStep(books, dayStep(book))
      expect(await walkBooks(store.db)).toEqual({ checks: 12 + 402, findings: [] })
      const own = store.db.updateTable('book_records').where('account_id', '=', 'acc-l')
      await own.set({ content: '{}' }).where('sequence', '=', 200).execute()
      await own.set({ content: '{}' }).where('sequence', '=', 401).execute()
      expect((await walkBooks(store.db)).findings).toHaveLength(2)
    })
  })
}
