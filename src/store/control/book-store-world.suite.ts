import { formatInstant } from '../../catalog/versions.ts'
import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { AdjustmentBillLine, Bill } from '../../billing/bill.ts'
import type { Book, BookStep, BookStore } from '../../billing/book-keeping.ts'
import type { BookKey } from '../../billing/book.ts'
import {
  type AdjustmentRecord,
  type DayRecord,
  formatRecord,
  formatState,
  parseAdjustment,
  parseDay,
  parseState,
} from '../../billing/day-record.ts'
import { dayName, monthName } from '../../billing/period-names.ts'
import { ledgerRules } from '../../billing/ledger-rules.ts'
import { createCatalog } from '../../catalog/catalog.ts'
import { addDays, monthStart } from '../../core/period.ts'
import { termsOf } from '../../rating/package-terms.ts'
import { createBookStore } from './book-store.ts'
import { openControlStore } from './control-store.ts'
import { createLedger } from './ledger.ts'
import { createMasterKeys } from './master-key.ts'
import type { ControlDatabase } from './tables.ts'

/** 2026-11-21 16:30:15 in Shanghai. */
export const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
const MASTER_KEYS = createMasterKeys([randomBytes(32).toString('base64')])
const NO_HASH = '0'.repeat(16)

/** An instant of Shanghai, such as `2026-11-01T00:00`. */
export const at = (text: string): number => Date.parse(`${text}:00+08:00`)

/** Opens a control store and the books in it, as one node does. */
export async function openBooks(location: string) {
  const clock = {
    ms: NOW_MS,
    nowMs() {
      return this.ms
    },
  }
  const store = await openControlStore(location, { clock, masterKeys: MASTER_KEYS })
  const catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  const ledger = createLedger(store.db, { rules: ledgerRules, clock })
  const format = { parseDay, parseAdjustment, parseState, formatState, termsOf }
  const openOn = (db: Kysely<ControlDatabase>) =>
    createBookStore(db, { ledger: createLedger(db, { rules: ledgerRules, clock }), clock, format })
  return {
    clock,
    location,
    store,
    catalog,
    writer: catalog.as('test'),
    ledger,
    openOn,
    books: openOn(store.db),
  }
}

export type BooksWorld = Awaited<ReturnType<typeof openBooks>>

/** Begins a book at the start of a Shanghai day. */
export async function beginBook(
  books: BookStore,
  startMs: number,
  key: Partial<BookKey> = {},
): Promise<Book> {
  const begun = { accountId: 'acc-a', meter: 'cdn' as const, ...key }
  await books.begin([{ ...begun, zone: 'Asia/Shanghai', startMs }])
  return readBook(books, begun)
}

/** Reads a book that is there. */
export async function readBook(books: BookStore, { accountId, meter }: BookKey): Promise<Book> {
  const [book] = await books.books(meter, [accountId])
  if (book === undefined) throw new Error(`there is no book of ${accountId} for ${meter}`)
  return book
}

function keptOf({ accountId, meter, zone, state }: Book, startMs: number) {
  const endMs = addDays(startMs, 1, zone)
  return {
    format: 1,
    accountId,
    meter,
    zone,
    date: dayName(startMs, zone),
    start: formatInstant(startMs),
    end: formatInstant(endMs),
    settled: formatInstant(endMs),
    pack: { name: 'test', version: '1', hash: NO_HASH },
    groups: {},
    packages: [],
    exclusive: [],
    unbilled: [],
    opening: state,
    draws: [],
    absorptions: [],
    covered: [],
    orders: [],
    remainder: [],
    closing: state,
  } as const
}

/** Makes the step that closes a book's next day. */
export function dayStep(book: Book, more: Partial<BookStep> = {}): BookStep {
  const record: DayRecord = {
    ...keptOf(book, book.closedUntilMs),
    kind: 'day',
    lines: [],
    packageLines: [],
    expired: [],
    addresses: [],
    proof: null,
    coverage: null,
  }
  return {
    book,
    record: { kind: 'day', record },
    text: formatRecord(record, book.hash),
    state: book.state,
    closedUntilMs: Date.parse(record.end),
    billedUntilMs: book.billedUntilMs,
    postings: [],
    addresses: [],
    lateMark: 0,
    ...more,
  }
}

/** Makes the step that adjusts a closed day by usage up to a batch. */
export function adjustmentStep(book: Book, startMs: number, throughBatch: number): BookStep {
  const kept = keptOf(book, startMs)
  const proof = { throughBatch, firstBatch: 1, batches: 1, rows: 1, hash: NO_HASH, geoVersions: [] }
  const lines: AdjustmentBillLine[] = []
  const record: AdjustmentRecord = {
    ...kept,
    kind: 'adjustment',
    id: `${book.accountId}.${book.meter}.${kept.date}.${throughBatch}`,
    bookedMonth: monthName(book.billedUntilMs, book.zone),
    lines,
    dayLines: [],
    monthLines: null,
    proofBefore: null,
    proof,
  }
  return {
    ...dayStep(book),
    record: { kind: 'adjustment', record },
    text: formatRecord(record, book.hash),
    closedUntilMs: book.closedUntilMs,
    lateMark: null,
  }
}

/** Makes the step that writes the bill of a book's next month. */
export function billStep(book: Book, amount = '1.00'): BookStep {
  const { accountId, meter, zone } = book
  const startMs = monthStart(book.billedUntilMs, zone)
  const endMs = monthStart(addDays(startMs, 31, zone), zone)
  const month = monthName(startMs, zone)
  const bill = {
    format: 1,
    id: `${accountId}.${meter}.${month}`,
    account: { id: accountId, name: accountId, number: 1 },
    meter,
    month,
    start: formatInstant(book.startMs),
    end: formatInstant(endMs),
    zone,
    totals: [{ currency: 'CNY', amount }],
    lines: [],
    draws: [],
    manifest: { days: [], adjustments: [] },
  } as unknown as Bill
  const text = formatRecord(bill, book.hash)
  const { id, totals } = bill
  const summary = { id, accountId, meter, month, totals, lines: 0, hash: text.hash, closedMs: 7 }
  return {
    ...dayStep(book),
    record: { kind: 'bill', record: bill, summary },
    text,
    closedUntilMs: book.closedUntilMs,
    billedUntilMs: endMs,
    lateMark: null,
  }
}

/** Takes one step and reads where the book stands then. */
export async function takeStep(books: BookStore, step: BookStep): Promise<Book> {
  await books.take([step])
  return readBook(books, step.book)
}

/** Everything that taking steps writes. */
export async function allBookRows(db: Kysely<ControlDatabase>): Promise<readonly unknown[]> {
  return Promise.all([
    db.selectFrom('books').selectAll().orderBy('meter').orderBy('account_id').execute(),
    db.selectFrom('book_records').selectAll().orderBy('account_id').orderBy('sequence').execute(),
    db.selectFrom('address_days').selectAll().orderBy('resource_id').orderBy('start_ms').execute(),
    db.selectFrom('late_marks').selectAll().orderBy('meter').execute(),
    db.selectFrom('ledger_heads').selectAll().orderBy('account_id').execute(),
    db.selectFrom('ledger_postings').selectAll().orderBy('key').execute(),
    db.selectFrom('ledger_legs').selectAll().orderBy('sequence').orderBy('amount').execute(),
    db.selectFrom('ledger_balances').selectAll().orderBy('ledger_account').execute(),
  ])
}
