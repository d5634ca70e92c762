/** The rows of the books, so that two runs can be compared. */
import type { Kysely } from 'kysely'
import { hashContent } from '../../src/rating/pack-hash.ts'
import type { ControlDatabase } from '../../src/store/control/tables.ts'

type Db = Kysely<ControlDatabase>
type Row = Readonly<Record<string, unknown>>

/**
 * All that books keep, whoever's: each row with its table and the hash of what is in it.
 *
 * Shape: ids that are made by chance are in none of it; times are, since the clock is given.
 */
export async function rowsOf(db: Db): Promise<string[]> {
  const accounts = await db.selectFrom('books').select('account_id').orderBy('account_id').execute()
  const marks = await db.selectFrom('late_marks').selectAll().orderBy('meter').execute()
  const rows = marks.map((row) => JSON.stringify(row))
  for (const { account_id: id } of accounts) {
    for (const [table, own] of Object.entries(await readAccount(db, id))) {
      rows.push(...own.map((row) => `${table} ${nameOf(row)} ${hashContent(row)}`).sort())
    }
  }
  return rows
}

/** What names a row to a person. */
function nameOf(row: Row): string {
  const names = ['account_id', 'resource_id', 'sequence', 'kind', 'ref', 'key', 'ledger_account']
  return names.flatMap((name) => (name in row ? [String(row[name])] : [])).join(' ')
}

async function readAccount(db: Db, id: string): Promise<Record<string, readonly Row[]>> {
  return {
    modes: await db
      .selectFrom('charge_modes')
      .select(['account_id', 'meter', 'from_ms', 'requested_ms', 'pack_hash', 'groups', 'actor'])
      .where('account_id', '=', id)
      .execute(),
    books: await db.selectFrom('books').selectAll().where('account_id', '=', id).execute(),
    records: await db.selectFrom('book_records').selectAll().where('account_id', '=', id).execute(),
    days: await db.selectFrom('address_days').selectAll().where('account_id', '=', id).execute(),
    heads: await db.selectFrom('ledger_heads').selectAll().where('account_id', '=', id).execute(),
    posts: await db
      .selectFrom('ledger_postings')
      .selectAll()
      .where('account_id', '=', id)
      .execute(),
    legs: await db.selectFrom('ledger_legs').selectAll().where('account_id', '=', id).execute(),
    sums: await db.selectFrom('ledger_balances').selectAll().where('account_id', '=', id).execute(),
  }
}

/** Postings whose legs do not sum to zero, as `account sequence`. */
export async function findUnbalanced(db: Db): Promise<string[]> {
  const sums = new Map<string, bigint>()
  for (const leg of await db.selectFrom('ledger_legs').selectAll().execute()) {
    const key = `${leg.account_id} ${leg.sequence}`
    sums.set(key, (sums.get(key) ?? 0n) + BigInt(leg.amount))
  }
  if (sums.size === 0) return ['there are no postings']
  return [...sums].filter(([, sum]) => sum !== 0n).map(([key]) => key)
}
