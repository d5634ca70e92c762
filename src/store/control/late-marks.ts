import type { Kysely, Transaction } from 'kysely'
import type { BookStep, BookStore } from '../../billing/book-keeping.ts'
import { AppError } from '../../core/errors.ts'
import type { MeterName } from '../../meters/meter.ts'
import type { ControlDatabase } from './tables.ts'

type Trx = Transaction<ControlDatabase>

/** Reads up to which batch late usage of a meter was looked for; 0: never. */
export async function readLateMark(db: Kysely<ControlDatabase>, meter: MeterName): Promise<number> {
  const row = await db
    .selectFrom('late_marks')
    .select('batch')
    .where('meter', '=', meter)
    .executeTakeFirst()
  return row?.batch ?? 0
}

/**
 * Moves the mark on from where it was read, unless a day was closed that was open then.
 *
 * Together with `refuseOvertaken`: whichever of two nodes commits first, the other one notices.
 */
export async function setLateMark(
  trx: Trx,
  meter: MeterName,
  { after, through: batch }: Parameters<BookStore['setLateMark']>[1],
  seen: Parameters<BookStore['setLateMark']>[2],
): Promise<void> {
  if ((await lockMark(trx, meter)) !== after) return
  const known = new Map(seen.map(({ accountId, closedUntilMs }) => [accountId, closedUntilMs]))
  const books = await trx
    .selectFrom('books')
    .select(['account_id', 'start_ms', 'closed_until_ms'])
    .where('meter', '=', meter)
    .execute()
  const wentOn = books.some(
    (book) => book.closed_until_ms > (known.get(book.account_id) ?? book.start_ms),
  )
  if (wentOn) return
  await trx.updateTable('late_marks').set({ batch }).where('meter', '=', meter).execute()
}

/**
 * Refuses days that were measured before late usage was looked for: whoever looked took them for
 * open, so what was loaded in between would be missed for good.
 *
 * Errors: `conflict`.
 */
export async function refuseOvertaken(trx: Trx, steps: readonly BookStep[]): Promise<void> {
  const days = steps.filter(({ lateMark }) => lateMark !== null)
  // In order, so that two nodes never wait for each other in a circle.
  for (const meter of [...new Set(days.map(({ book }) => book.meter))].sort()) {
    const mark = await lockMark(trx, meter)
    const isOvertaken = days.some(({ book, lateMark }) => book.meter === meter && lateMark !== mark)
    if (!isOvertaken) continue
    const message = 'Late usage was looked for while a day was being computed; close again.'
    throw new AppError('conflict', message)
  }
}

/** Reads a meter's mark, which nobody else reads so until the transaction ends. */
async function lockMark(trx: Trx, meter: MeterName): Promise<number> {
  // An update that changes nothing locks in both databases.
  const row = await trx
    .insertInto('late_marks')
    .values({ meter, batch: 0 })
    .onConflict((conflict) =>
      conflict.column('meter').doUpdateSet((is) => ({ batch: is.ref('late_marks.batch') })),
    )
    .returning('batch')
    .executeTakeFirstOrThrow()
  return row.batch
}
