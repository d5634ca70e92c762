import type { Kysely, Selectable } from 'kysely'
import type { BookStore, KeptMonth } from '../../billing/book-keeping.ts'
import type { BookRecordRow } from './books-tables.ts'
import type { ControlDatabase } from './tables.ts'

/** How rows of records are read. */
export interface RecordReader {
  readonly toDay: (row: Selectable<BookRecordRow>) => KeptMonth['days'][number]
  readonly toAdjustment: (row: Selectable<BookRecordRow>) => KeptMonth['adjustments'][number]
}

/** Reads what is kept of a month of many books; see `BookStore.keptMonths`. */
export async function readKeptMonths(
  db: Kysely<ControlDatabase>,
  [meter, accountIds, { interval, month, before }]: Parameters<BookStore['keptMonths']>,
  { toDay, toAdjustment }: RecordReader,
): Promise<ReadonlyMap<string, KeptMonth>> {
  const months = new Map<string, Opened<KeptMonth>>()
  if (accountIds.length === 0) return months
  const of = (accountId: string): Opened<KeptMonth> => {
    const known = months.get(accountId)
    if (known !== undefined) return known
    const opened = { days: [], adjustments: [], booked: [], previous: null }
    months.set(accountId, opened)
    return opened
  }
  const records = () =>
    db
      .selectFrom('book_records')
      .selectAll()
      .where('meter', '=', meter)
      .where('account_id', 'in', accountIds)
  const inMonth = records()
    .where('kind', 'in', ['day', 'adjustment'])
    .where('start_ms', '>=', interval.startMs)
    .where('start_ms', '<', interval.endMs)
  // Days are closed in order: by sequence they ascend, too.
  for (const row of await inMonth.orderBy('account_id').orderBy('sequence').execute()) {
    const { days, adjustments } = of(row.account_id)
    if (row.kind === 'day') days.push(toDay(row))
    else adjustments.push(toAdjustment(row))
  }
  const booked = records().where('kind', '=', 'adjustment').where('month', '=', month)
  for (const row of await booked.orderBy('account_id').orderBy('sequence').execute()) {
    of(row.account_id).booked.push(toAdjustment(row))
  }
  const bills = records().where('kind', '=', 'bill').where('ref', '=', before)
  for (const row of await bills.clearSelect().select(['account_id', 'hash']).execute()) {
    of(row.account_id).previous = row.hash
  }
  return months
}

/** The same with lists that can still grow. */
type Opened<T> = {
  -readonly [K in keyof T]: T[K] extends readonly (infer Item)[] ? Item[] : T[K]
}
