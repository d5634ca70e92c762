import type { Kysely } from 'kysely'
import { hashLink } from '../../core/hash-chain.ts'
import type { LedgerFinding } from './ledger-audit.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

const PAGE = 200

/**
 * Walks the chain of every book: each record is what was hashed, and follows from the one before.
 *
 * Limits: books are read while they may go on; records that come after the walk began are left out.
 */
export async function walkBooks(
  db: Db,
): Promise<{ readonly checks: number; readonly findings: readonly LedgerFinding[] }> {
  const books = await db
    .selectFrom('books')
    .select(['account_id', 'meter', 'sequence', 'hash'])
    .orderBy('meter')
    .orderBy('account_id')
    .execute()
  let checks = 0
  const findings: LedgerFinding[] = []
  for (const book of books) {
    const walked = await walkBook(db, book)
    checks += walked.checks
    findings.push(...walked.findings)
  }
  return { checks, findings }
}

async function walkBook(
  db: Db,
  book: { account_id: string; meter: string; sequence: number; hash: string },
): Promise<{ checks: number; findings: LedgerFinding[] }> {
  const name = `book of account ${book.account_id}, ${book.meter}`
  const findings: LedgerFinding[] = []
  let sequence = 0
  let hash = ''
  for (;;) {
    const rows = await db
      .selectFrom('book_records')
      .select(['sequence', 'kind', 'ref', 'content', 'previous_hash', 'hash'])
      .where('account_id', '=', book.account_id)
      .where('meter', '=', book.meter)
      .where('sequence', '>', sequence)
      .where('sequence', '<=', book.sequence)
      .orderBy('sequence')
      .limit(PAGE)
      .execute()
    for (const row of rows) {
      const follows = row.sequence === sequence + 1 && row.previous_hash === hash
      const isIntact = hashLink(row.previous_hash, row.content) === row.hash
      if (!follows || !isIntact) {
        const what = isIntact ? 'follows from the record before' : 'is as it was kept'
        const check = `${name}: record ${row.sequence} (${row.kind} ${row.ref}) ${what}`
        findings.push({ check, expected: BigInt(sequence + 1), actual: -BigInt(row.sequence) })
      }
      sequence = row.sequence
      hash = row.hash
    }
    if (rows.length < PAGE) break
  }
  if (sequence !== book.sequence || hash !== book.hash) {
    findings.push({
      check: `${name}: the last record is the one that was kept last`,
      expected: BigInt(book.sequence),
      // Never equal: the right place with a wrong hash is a finding, too.
      actual: sequence === book.sequence ? -1n : BigInt(sequence),
    })
  }
  return { checks: book.sequence + 1, findings }
}
