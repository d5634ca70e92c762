import type { Kysely } from 'kysely'
import type { BillFilter } from '../../billing/bill-desk.ts'
import type { BillSummary } from '../../billing/bill.ts'
import type { Page, PageRequest } from '../../catalog/ports.ts'
import { AppError } from '../../core/errors.ts'
import type { ControlDatabase } from './tables.ts'

/** Lists bills, the newest month first, then by account and meter. */
export async function listBills(
  db: Kysely<ControlDatabase>,
  { accountId, meter, month }: BillFilter,
  { limit, cursor }: PageRequest,
): Promise<Page<BillSummary>> {
  let query = db.selectFrom('book_records').select('summary').where('kind', '=', 'bill')
  if (accountId !== undefined) query = query.where('account_id', '=', accountId)
  if (meter !== undefined) query = query.where('meter', '=', meter)
  if (month !== undefined) query = query.where('month', '=', month)
  if (cursor !== null) {
    const [lastMonth, lastAccount, lastMeter] = parseCursor(cursor)
    query = query.where((is) =>
      is.or([
        is('month', '<', lastMonth),
        is.and([is('month', '=', lastMonth), is('account_id', '>', lastAccount)]),
        is.and([
          is('month', '=', lastMonth),
          is('account_id', '=', lastAccount),
          is('meter', '>', lastMeter),
        ]),
      ]),
    )
  }
  const rows = await query
    .orderBy('month', 'desc')
    .orderBy('account_id')
    .orderBy('meter')
    .limit(limit + 1)
    .execute()
  const items = rows
    .slice(0, limit)
    .flatMap(({ summary }) => (summary === null ? [] : [JSON.parse(summary) as BillSummary]))
  const last = items.at(-1)
  const more = rows.length > limit && last !== undefined
  return { items, nextCursor: more ? formatCursor(last) : null }
}

function formatCursor({ month, accountId, meter }: BillSummary): string {
  return Buffer.from(JSON.stringify([month, accountId, meter])).toString('base64url')
}

function parseCursor(cursor: string): readonly [string, string, string] {
  const text = Buffer.from(cursor, 'base64url').toString()
  const match = /^\["(\d{4}-\d{2})","([\w.-]{1,100})","([a-z]{1,20})"\]$/.exec(text)
  if (match === null || Buffer.from(text).toString('base64url') !== cursor) {
    throw new AppError(
      'parameter_invalid',
      'cursor is not one that this server gave out; start without a cursor.',
      { field: 'cursor' },
    )
  }
  return [match[1] ?? '', match[2] ?? '', match[3] ?? '']
}
