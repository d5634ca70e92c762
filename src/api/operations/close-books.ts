import { z } from 'zod'
import type { BillDesk, CloseReport } from '../../billing/bill-desk.ts'
import { parseInput } from '../../catalog/input.ts'
import type { Clock } from '../../core/clock.ts'
import { METER_NAMES } from '../../meters/meter.ts'
import type { PayerFinder } from './book-query.ts'
import { Instant } from './instant.ts'

/** The body of `POST /v1/books/close`. */
const CloseBody = z.strictObject({
  account: z.string().min(1).optional(),
  meter: z.enum(METER_NAMES).optional(),
  until: Instant.optional(),
})

/** What closing needs. */
export interface CloseBooksDeps {
  readonly desk: Pick<BillDesk, 'close'>
  readonly payer: PayerFinder
  readonly clock: Clock
}

/**
 * Closes days and months that end by `until`, without waiting for their settling time.
 *
 * Time: absent, `until` is now; days end at local midnights of each account.
 * Errors: `parameter_invalid` for a time in the future; `not_found` for an unknown account.
 */
export async function closeBooks(body: unknown, deps: CloseBooksDeps): Promise<CloseReport> {
  const { account, meter, until } = parseInput(CloseBody, body ?? {})
  return await deps.desk.close({
    ...(account !== undefined && { accountId: (await deps.payer(account)).id }),
    ...(meter !== undefined && { meter }),
    untilMs: until ?? deps.clock.nowMs(),
  })
}
