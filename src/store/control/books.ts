import type { Kysely } from 'kysely'
import type { BooksReader } from '../../api/operations/ports.ts'
import type { EpochMs } from '../../core/clock.ts'
import type { MeterName } from '../../meters/meter.ts'
import type { ControlDatabase } from './tables.ts'

/** Reads what the books closed of elastic IPs. */
export function createAddressBooks(db: Kysely<ControlDatabase>): BooksReader {
  return {
    async closedDays(accountId, resourceId, interval) {
      const rows = await db
        .selectFrom('address_days')
        .select(['start_ms', 'end_ms', 'quantity_gb'])
        .where('account_id', '=', accountId)
        .where('resource_id', '=', resourceId)
        .where('start_ms', '>=', interval.startMs)
        .where('start_ms', '<', interval.endMs)
        .orderBy('start_ms')
        .execute()
      return rows.map((row) => ({
        startMs: row.start_ms,
        endMs: row.end_ms,
        quantityGb: BigInt(row.quantity_gb),
      }))
    },
  }
}

/** Tells up to where an account's book is closed; null: it is not begun, or no day of it is. */
export async function readClosedUntil(
  db: Kysely<ControlDatabase>,
  accountId: string,
  meter: MeterName,
): Promise<EpochMs | null> {
  const row = await db
    .selectFrom('books')
    .select(['start_ms', 'closed_until_ms'])
    .where('meter', '=', meter)
    .where('account_id', '=', accountId)
    .executeTakeFirst()
  return row === undefined || row.closed_until_ms === row.start_ms ? null : row.closed_until_ms
}
