import type { BillDesk } from '../../billing/bill-desk.ts'
import type { StoredBill } from '../../billing/bill.ts'
import { AppError } from '../../core/errors.ts'

/**
 * Finds a bill.
 *
 * Errors: `not_found`.
 */
export async function findBill(desk: Pick<BillDesk, 'get'>, id: string): Promise<StoredBill> {
  const found = await desk.get(id)
  if (found !== undefined) return found
  throw new AppError(
    'not_found',
    `There is no bill ${id}. A bill is written when its month is over and its last day is closed; ` +
      'weir bill list shows those there are, weir bill days where each day stands.',
  )
}

/** Reads a bill as it is stored, with its hash. */
export async function readBill(id: string, desk: Pick<BillDesk, 'get'>): Promise<object> {
  const { bill, hash, closedMs } = await findBill(desk, id)
  return { bill, hash, closedAt: new Date(closedMs).toISOString() }
}

/**
 * Lists the closed days that a bill is made of, ascending.
 *
 * Shape: lines of days are those that were billed; what late usage changed is in later bills.
 */
export async function readBillDays(
  id: string,
  desk: Pick<BillDesk, 'get' | 'days'>,
): Promise<object> {
  const { bill } = await findBill(desk, id)
  const days = await desk.days(
    { accountId: bill.account.id, meter: bill.meter },
    { startMs: Date.parse(bill.start), endMs: Date.parse(bill.end) },
  )
  return {
    items: days.map(({ accountId, startMs, endMs, packName, ...day }) => ({
      account: accountId,
      start: new Date(startMs).toISOString(),
      end: new Date(endMs).toISOString(),
      pack: packName,
      ...day,
    })),
  }
}
