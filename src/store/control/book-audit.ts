import type { Kysely, Selectable } from 'kysely'
import type { BillSummary } from '../../billing/bill.ts'
import { hashLink } from '../../core/hash-chain.ts'
import type { BookRecordRow, BookRow } from './books-tables.ts'
import type { LedgerFinding } from './ledger-audit.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

const PAGE = 200

/**
 * Walks the chain of every book: each record is what was hashed, follows from the one before, is
 * filed under what it says, and begins where the one before left the book; and the book stands
 * where its records leave it.
 *
 * Limits: books are read while they may go on; records that come after the walk began are left out.
 */
export async function walkBooks(
  db: Db,
): Promise<{ readonly checks: number; readonly findings: readonly LedgerFinding[] }> {
  const books = await db
    .selectFrom('books')
    .selectAll()
    .orderBy('meter')
    .orderBy('account_id')
    .execute()
  let checks = 0
  const findings: LedgerFinding[] = await findOrphans(db)
  for (const book of books) {
    const walked = await walkBook(db, book)
    checks += walked.checks
    findings.push(...walked.findings)
  }
  return { checks, findings }
}

/** Finds records whose book is gone. */
async function findOrphans(db: Db): Promise<LedgerFinding[]> {
  const rows = await db
    .selectFrom('book_records as r')
    .leftJoin('books as b', (join) =>
      join.onRef('b.meter', '=', 'r.meter').onRef('b.account_id', '=', 'r.account_id'),
    )
    .where('b.account_id', 'is', null)
    .select((is) => ['r.account_id', 'r.meter', is.fn.countAll<number>().as('records')])
    .groupBy(['r.account_id', 'r.meter'])
    .orderBy('r.account_id')
    .orderBy('r.meter')
    .execute()
  return rows.map(({ account_id, meter, records }) => ({
    check: `book of account ${account_id}, ${meter}: records have a book`,
    expected: 0n,
    actual: BigInt(records),
  }))
}

type Row = Pick<
  Selectable<BookRecordRow>,
  | 'sequence'
  | 'kind'
  | 'ref'
  | 'start_ms'
  | 'month'
  | 'content'
  | 'summary'
  | 'previous_hash'
  | 'hash'
>

/** Where records leave a book; null is not known, since a record is damaged. */
interface Walk {
  sequence: number
  hash: string
  state: string | null
  closedUntilMs: number | null
  billedUntilMs: number | null
}

async function walkBook(
  db: Db,
  book: Selectable<BookRow>,
): Promise<{ checks: number; findings: LedgerFinding[] }> {
  const name = `book of account ${book.account_id}, ${book.meter}`
  const findings: LedgerFinding[] = []
  const walk: Walk = {
    sequence: 0,
    hash: '',
    state: JSON.stringify({ arrears: [], balances: [], exclusive: [] }),
    closedUntilMs: book.start_ms,
    billedUntilMs: book.start_ms,
  }
  for (;;) {
    const rows = await readPage(db, book, walk.sequence)
    for (const row of rows) {
      const what = walkRecord(row, walk)
      if (what === null) continue
      const check = `${name}: record ${row.sequence} (${row.kind} ${row.ref}) ${what}`
      findings.push({ check, expected: BigInt(row.sequence), actual: -BigInt(row.sequence) })
    }
    if (rows.length < PAGE) break
  }
  const { sequence } = walk
  if (sequence !== book.sequence || walk.hash !== book.hash) {
    findings.push({
      check: `${name}: the last record is the one that was kept last`,
      expected: BigInt(book.sequence),
      // Never equal: the right place with a wrong hash is a finding, too.
      actual: sequence === book.sequence ? -1n : BigInt(sequence),
    })
  } else if (!standsWhere(walk, book)) {
    const check = `${name}: it stands where its records leave it`
    findings.push({ check, expected: BigInt(sequence), actual: -1n })
  }
  return { checks: book.sequence + 1, findings }
}

async function readPage(db: Db, book: Selectable<BookRow>, after: number): Promise<Row[]> {
  return await db
    .selectFrom('book_records')
    .selectAll()
    .where('account_id', '=', book.account_id)
    .where('meter', '=', book.meter)
    .where('sequence', '>', after)
    .where('sequence', '<=', book.sequence)
    .orderBy('sequence')
    .limit(PAGE)
    .execute()
}

/** Takes one record on the walk; what is not so about it. */
function walkRecord(row: Row, walk: Walk): string | null {
  const follows = row.sequence === walk.sequence + 1 && row.previous_hash === walk.hash
  const isIntact = hashLink(row.previous_hash, row.content) === row.hash
  walk.sequence = row.sequence
  walk.hash = row.hash
  if (!isIntact) {
    walk.state = walk.closedUntilMs = walk.billedUntilMs = null
    return 'is as it was kept'
  }
  const record = JSON.parse(row.content) as Content
  const before = walk.state
  const endMs = Date.parse(record.end)
  if (row.kind === 'day') walk.closedUntilMs = endMs
  if (row.kind === 'bill') walk.billedUntilMs = endMs
  if (record.closing !== undefined) walk.state = JSON.stringify(record.closing)
  if (!follows) return 'follows from the record before'
  if (!isFiled(row, record)) return 'is filed under what it says'
  const continues = record.opening === undefined || JSON.stringify(record.opening) === before
  return continues || before === null ? null : 'begins where the record before left the book'
}

/** What of the text of a record tells its place; days and adjustments have a state, bills none. */
interface Content {
  readonly kind?: string
  readonly id?: string
  readonly date?: string
  readonly month?: string
  readonly bookedMonth?: string
  readonly start: string
  readonly end: string
  readonly opening?: unknown
  readonly closing?: unknown
  readonly totals?: BillSummary['totals']
  readonly lines: readonly unknown[]
}

function isFiled(row: Row, record: Content): boolean {
  const { kind = 'bill', id, date, month, bookedMonth, start, totals, lines } = record
  const [ref, ofMonth] = {
    day: [date, date?.slice(0, 7)],
    adjustment: [id, bookedMonth],
    bill: [month, month],
  }[kind] ?? ['', '']
  const isPlaced = row.kind === kind && row.ref === ref && row.month === ofMonth
  if (!isPlaced || row.start_ms !== Date.parse(start)) return false
  if (kind !== 'bill') return row.summary === null
  const { hash } = row
  const shown = JSON.parse(row.summary ?? '{}') as Partial<BillSummary>
  const told = [shown.id, shown.month, sumsOf(shown.totals), shown.lines, shown.hash]
  return JSON.stringify(told) === JSON.stringify([id, month, sumsOf(totals), lines.length, hash])
}

/** Texts, since the two are not written with their fields in the same order. */
function sumsOf(totals: BillSummary['totals'] = []): string[] {
  return totals.map(({ currency, amount }) => `${amount} ${currency}`)
}

function standsWhere(walk: Walk, book: Selectable<BookRow>): boolean {
  return (
    (walk.closedUntilMs ?? book.closed_until_ms) === book.closed_until_ms &&
    (walk.billedUntilMs ?? book.billed_until_ms) === book.billed_until_ms &&
    (walk.state ?? book.state) === book.state
  )
}
