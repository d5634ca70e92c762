import { chunksOf } from '../../core/chunks.ts'
import type { Kysely, Selectable, Transaction } from 'kysely'
import type {
  Book,
  BookRecord,
  BookStep,
  BookStore,
  KeptRecord,
} from '../../billing/book-keeping.ts'
import type { Bill, StoredBill } from '../../billing/bill.ts'
import type { BookKey, BookState } from '../../billing/book.ts'
import type { AdjustmentRecord, DayRecord } from '../../billing/day-record.ts'
import type { Clock, EpochMs } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Interval } from '../../core/period.ts'
import type { MeterName } from '../../meters/meter.ts'
import { listBills } from './bill-list.ts'
import { readFacts, readOrigins, type TermsOf } from './book-facts.ts'
import { readKeptMonths } from './kept-months.ts'
import { readLateMark, refuseOvertaken, setLateMark } from './late-marks.ts'
import type { BookRecordRow, BookRow } from './books-tables.ts'
import type { Ledger } from './ledger.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>
type Trx = Transaction<ControlDatabase>

/** How records and states are read from their text, and packages from the catalog. */
export interface BookFormat {
  readonly parseDay: (content: string) => DayRecord
  readonly parseAdjustment: (content: string) => AdjustmentRecord
  readonly parseState: (text: string) => BookState
  readonly formatState: (state: BookState) => string
  readonly termsOf: TermsOf
}

/** What keeping books needs beside the database. */
export interface BookStoreDeps {
  readonly ledger: Pick<Ledger, 'postWithin'>
  readonly clock: Clock
  readonly format: BookFormat
}

/** Most rows in one statement: twelve columns of each stay below 32,766 bound values. */
const ROWS_MAX = 1000

/** Keeps books in the control store. */
export function createBookStore(db: Db, { ledger, clock, format }: BookStoreDeps): BookStore {
  const toBook = (row: Selectable<BookRow>): Book => ({
    accountId: row.account_id,
    meter: row.meter as MeterName,
    zone: row.zone,
    startMs: row.start_ms,
    closedUntilMs: row.closed_until_ms,
    billedUntilMs: row.billed_until_ms,
    sequence: row.sequence,
    hash: row.hash,
    state: format.parseState(row.state),
  })
  const toDay = (row: Selectable<BookRecordRow>): KeptRecord<DayRecord> =>
    keptOf(row, format.parseDay(row.content))
  const toAdjustment = (row: Selectable<BookRecordRow>): KeptRecord<AdjustmentRecord> =>
    keptOf(row, format.parseAdjustment(row.content))
  return {
    origins: (meter, accountId) => readOrigins(db, meter, clock.nowMs(), accountId),
    begin: (books) => beginBooks(db, books, format),
    progress: (meter) => readProgress(db, meter),
    async books(meter, accountIds) {
      if (accountIds.length === 0) return []
      const rows = await db
        .selectFrom('books')
        .selectAll()
        .where('meter', '=', meter)
        .where('account_id', 'in', accountIds)
        .orderBy('account_id')
        .execute()
      return rows.map(toBook)
    },
    facts: (meter, accountIds) => readFacts(db, meter, accountIds, format.termsOf),
    take: (steps) =>
      db.transaction().execute((trx) => takeSteps(trx, steps, { ledger, clock, format })),
    async dayRecords(key, interval) {
      const rows = await selectRecords(db, key, 'day', interval).orderBy('start_ms').execute()
      return rows.map(toDay)
    },
    async adjustments(key, interval) {
      const found = selectRecords(db, key, 'adjustment', interval)
      const rows = await found.orderBy('sequence').execute()
      return rows.map(toAdjustment)
    },
    async adjustmentsBooked(key, month) {
      const rows = await db
        .selectFrom('book_records')
        .selectAll()
        .where('account_id', '=', key.accountId)
        .where('meter', '=', key.meter)
        .where('kind', '=', 'adjustment')
        .where('month', '=', month)
        .orderBy('sequence')
        .execute()
      return rows.map(toAdjustment)
    },
    keptMonths: (...query) => readKeptMonths(db, query, { toDay, toAdjustment }),
    async bill(id) {
      const match = /^(.+)\.([a-z]+)\.(\d{4}-\d{2})$/.exec(id)
      if (match === null) return undefined
      const [, accountId = '', meter = '', month = ''] = match
      return await readBill(db, { accountId, meter }, month)
    },
    billOf: (key, month) => readBill(db, key, month),
    listBills: (filter, page) => listBills(db, filter, page),
    ledgerHeads: (accountIds) => readLedgerHeads(db, accountIds),
    async ledgerHash(accountId, sequence) {
      const row = await db
        .selectFrom('ledger_postings')
        .select('hash')
        .where('account_id', '=', accountId)
        .where('sequence', '=', sequence)
        .executeTakeFirst()
      return row?.hash
    },
    lateMark: (meter) => readLateMark(db, meter),
    setLateMark: (meter, batches, seen) =>
      db.transaction().execute((trx) => setLateMark(trx, meter, batches, seen)),
  }
}

async function readLedgerHeads(
  db: Db,
  accountIds: readonly string[],
): ReturnType<BookStore['ledgerHeads']> {
  if (accountIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('ledger_heads')
    .select(['account_id', 'sequence', 'hash'])
    .where('account_id', 'in', accountIds)
    .execute()
  return new Map(rows.map(({ account_id: id, ...head }) => [id, head]))
}

async function beginBooks(
  db: Db,
  books: Parameters<BookStore['begin']>[0],
  { formatState }: BookFormat,
): Promise<void> {
  const state = formatState({ balances: [], arrears: [], exclusive: [] })
  const known = await readStarts(db, books)
  const rows = books
    .filter(({ meter, accountId, startMs }) => {
      const book = known.get(`${meter} ${accountId}`)
      // One of which nothing is closed yet begins with what the catalog has learnt of since.
      return book === undefined || (book.sequence === 0 && startMs < book.start_ms)
    })
    .map(({ accountId, meter, zone, startMs }): BookRow => ({
      account_id: accountId,
      meter,
      zone,
      start_ms: startMs,
      closed_until_ms: startMs,
      billed_until_ms: startMs,
      sequence: 0,
      hash: '',
      state,
    }))
  await insertAll(rows, (some) =>
    db
      .insertInto('books')
      .values(some)
      .onConflict((conflict) =>
        conflict
          .columns(['meter', 'account_id'])
          .doUpdateSet((is) => ({
            start_ms: is.ref('excluded.start_ms'),
            closed_until_ms: is.ref('excluded.closed_until_ms'),
            billed_until_ms: is.ref('excluded.billed_until_ms'),
          }))
          .where('books.sequence', '=', 0)
          .whereRef('excluded.start_ms', '<', 'books.start_ms'),
      )
      .execute(),
  )
}

/** Reads where the books begin that there are of these; of many, all there are. */
async function readStarts(db: Db, books: readonly BookKey[]) {
  const ids = [...new Set(books.map(({ accountId }) => accountId))]
  const meters = [...new Set(books.map(({ meter }) => meter))]
  if (ids.length === 0) return new Map<string, never>()
  const rows = await db
    .selectFrom('books')
    .select(['meter', 'account_id', 'start_ms', 'sequence'])
    .where('meter', 'in', meters)
    .$if(ids.length <= ROWS_MAX, (query) => query.where('account_id', 'in', ids))
    .execute()
  return new Map(rows.map((row) => [`${row.meter} ${row.account_id}`, row]))
}

async function readProgress(
  db: Db,
  meter: MeterName,
): Promise<Awaited<ReturnType<BookStore['progress']>>> {
  const rows = await db
    .selectFrom('books')
    .select(['account_id', 'zone', 'start_ms', 'closed_until_ms', 'billed_until_ms'])
    .where('meter', '=', meter)
    .orderBy('account_id')
    .execute()
  return rows.map((row) => ({
    accountId: row.account_id,
    meter,
    zone: row.zone,
    startMs: row.start_ms,
    closedUntilMs: row.closed_until_ms,
    billedUntilMs: row.billed_until_ms,
  }))
}

async function takeSteps(trx: Trx, steps: readonly BookStep[], deps: BookStoreDeps): Promise<void> {
  const nowMs = deps.clock.nowMs()
  await refuseOvertaken(trx, steps)
  await moveBooks(trx, steps, deps.format)
  await insertAll(
    steps.map((step) => toRecordRow(step, nowMs)),
    (rows) => trx.insertInto('book_records').values(rows).execute(),
  )
  const addresses = steps.flatMap(({ book, addresses: days }) =>
    days.map((day) => ({
      account_id: book.accountId,
      resource_id: day.resourceId,
      start_ms: day.startMs,
      end_ms: day.endMs,
      bytes: day.bytes,
      quantity_gb: day.quantityGb,
    })),
  )
  // A day that was closed before there were books stays as it was.
  await insertAll(addresses, (rows) =>
    trx
      .insertInto('address_days')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['account_id', 'resource_id', 'start_ms']).doNothing(),
      )
      .execute(),
  )
  await deps.ledger.postWithin(
    trx,
    steps.flatMap(({ postings }) => postings),
  )
}

async function insertAll<T>(
  rows: readonly T[],
  insert: (some: T[]) => Promise<unknown>,
): Promise<void> {
  for (const some of chunksOf(rows, ROWS_MAX)) await insert(some)
}

/** Moves books on; each only from where it was read, or nothing is moved at all. */
async function moveBooks(
  trx: Trx,
  steps: readonly BookStep[],
  { formatState }: BookFormat,
): Promise<void> {
  const rows = steps.map((step): BookRow => {
    const { book, state, text } = step
    return {
      account_id: book.accountId,
      meter: book.meter,
      zone: book.zone,
      start_ms: book.startMs,
      closed_until_ms: step.closedUntilMs,
      billed_until_ms: step.billedUntilMs,
      sequence: book.sequence + 1,
      hash: text.hash,
      state: formatState(state),
    }
  })
  await insertAll(rows, async (some) => {
    const moved = await trx
      .insertInto('books')
      .values(some)
      .onConflict((conflict) =>
        conflict
          .columns(['meter', 'account_id'])
          .doUpdateSet((is) => ({
            closed_until_ms: is.ref('excluded.closed_until_ms'),
            billed_until_ms: is.ref('excluded.billed_until_ms'),
            sequence: is.ref('excluded.sequence'),
            hash: is.ref('excluded.hash'),
            state: is.ref('excluded.state'),
          }))
          .whereRef('books.sequence', '=', (is) => is(is.ref('excluded.sequence'), '-', is.lit(1)))
          // One of which nothing is closed may have begun earlier meanwhile.
          .whereRef('books.start_ms', '=', 'excluded.start_ms'),
      )
      .returning('account_id')
      .execute()
    if (moved.length === some.length) return
    const message = 'A book went on while a step of it was being computed; close again.'
    throw new AppError('conflict', message)
  })
}

function toRecordRow({ book, record: entry, text }: BookStep, nowMs: EpochMs): BookRecordRow {
  return {
    account_id: book.accountId,
    meter: book.meter,
    sequence: book.sequence + 1,
    kind: entry.kind,
    ...placeOf(entry),
    content: text.content,
    summary: entry.kind === 'bill' ? JSON.stringify(entry.summary) : null,
    previous_hash: book.hash,
    hash: text.hash,
    closed_ms: nowMs,
  }
}

function placeOf({ kind, record }: BookRecord): Pick<BookRecordRow, 'ref' | 'start_ms' | 'month'> {
  const start_ms = Date.parse(record.start)
  switch (kind) {
    case 'day':
      return { ref: record.date, start_ms, month: record.date.slice(0, 7) }
    case 'adjustment':
      return { ref: record.id, start_ms, month: record.bookedMonth }
    case 'bill':
      return { ref: record.month, start_ms, month: record.month }
  }
}

function selectRecords(db: Db, { accountId, meter }: BookKey, kind: string, interval: Interval) {
  return db
    .selectFrom('book_records')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('meter', '=', meter)
    .where('kind', '=', kind)
    .where('start_ms', '>=', interval.startMs)
    .where('start_ms', '<', interval.endMs)
}

function keptOf<T>(row: Selectable<BookRecordRow>, record: T): KeptRecord<T> {
  const { sequence, content, hash, previous_hash: previous } = row
  return { sequence, record, content, hash, previous }
}

async function readBill(
  db: Db,
  { accountId, meter }: { readonly accountId: string; readonly meter: string },
  month: string,
): Promise<(StoredBill & KeptRecord<Bill>) | undefined> {
  const row = await db
    .selectFrom('book_records')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('meter', '=', meter)
    .where('kind', '=', 'bill')
    .where('ref', '=', month)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const bill = JSON.parse(row.content) as Bill
  return { ...keptOf(row, bill), bill, closedMs: row.closed_ms }
}
