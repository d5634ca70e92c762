import { z } from 'zod'
import type { BillDesk } from '../../billing/bill-desk.ts'
import { parseInput } from '../../catalog/input.ts'
import { METER_NAMES } from '../../meters/meter.ts'
import type { PayerFinder } from './book-query.ts'

/** A local month as bills name it. */
export const MonthName = z
  .string()
  .regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'must be a month such as 2026-10')

/** The query of `GET /v1/bills`. */
const ListRequest = z.strictObject({
  account: z.string().min(1).optional(),
  meter: z.enum(METER_NAMES).optional(),
  month: MonthName.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().optional(),
})

/** What listing needs. */
export interface ListBillsDeps {
  readonly desk: Pick<BillDesk, 'list'>
  readonly payer: PayerFinder
}

/**
 * Lists bills, the newest month first, then by account and meter.
 *
 * Shape: `{items, nextCursor}`, as every list.
 * Errors: `parameter_invalid`; `not_found` for an unknown account.
 */
export async function listBills(query: unknown, { desk, payer }: ListBillsDeps): Promise<object> {
  const { account, meter, month, limit, cursor } = parseInput(ListRequest, query)
  const filter = {
    ...(account !== undefined && { accountId: (await payer(account)).id }),
    ...(meter !== undefined && { meter }),
    ...(month !== undefined && { month }),
  }
  const page = await desk.list(filter, { limit, cursor: cursor ?? null })
  return {
    items: page.items.map(({ closedMs, accountId, ...summary }) => ({
      ...summary,
      account: accountId,
      closedAt: new Date(closedMs).toISOString(),
    })),
    nextCursor: page.nextCursor,
  }
}
