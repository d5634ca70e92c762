import type { Kysely } from 'kysely'
import type { BooksReader } from '../../api/operations/ports.ts'
import type { DayClosing } from '../../billing/daily-close.ts'
import type { EpochMs } from '../../core/clock.ts'
import type { ControlDatabase } from './tables.ts'

/** The books: what was billed, for good. */
export interface Books extends BooksReader {
  /** Records closed days; a day that is already closed stays as it is. */
  record(days: readonly DayClosing[], closedMs: EpochMs): Promise<void>
  /** End of the last closed day of each resource. */
  closedUntil(): Promise<ReadonlyMap<string, EpochMs>>
}

/** Keeps the books in the control store. */
export function createBooks(db: Kysely<ControlDatabase>): Books {
  return {
    async closedDays(resourceId, interval) {
      const rows = await db
        .selectFrom('closed_days')
        .selectAll()
        .where('resource_id', '=', resourceId)
        .where('start_ms', '>=', interval.startMs)
        .where('start_ms', '<', interval.endMs)
        .orderBy('start_ms')
        .execute()
      return rows.map((row) => ({
        startMs: row.start_ms,
        endMs: row.end_ms,
        quantityGb: BigInt(row.quantity_gb),
        charged: row.charged === 1,
      }))
    },
    async record(days, closedMs) {
      await db.transaction().execute(async (trx) => {
        for (const day of days) {
          await trx
            .insertInto('closed_days')
            .values({
              resource_id: day.resourceId,
              start_ms: day.startMs,
              end_ms: day.endMs,
              bytes: day.bytes,
              quantity_gb: day.quantityGb,
              charged: day.charged ? 1 : 0,
              closed_ms: closedMs,
            })
            .onConflict((conflict) => conflict.columns(['resource_id', 'start_ms']).doNothing())
            .execute()
        }
      })
    },
    async closedUntil() {
      const rows = await db
        .selectFrom('closed_days')
        .select((eb) => ['resource_id', eb.fn.max('end_ms').as('until_ms')])
        .groupBy('resource_id')
        .execute()
      return new Map(rows.map((row) => [row.resource_id, row.until_ms]))
    },
  }
}
