import type { BookBalance } from '../../billing/balance.ts'
import type { BillDesk } from '../../billing/bill-desk.ts'
import type { BookKey, DayState } from '../../billing/book.ts'
import { totalsByCurrency } from '../../billing/charge-line.ts'
import { monthName } from '../../billing/period-names.ts'
import { parseInput } from '../../catalog/input.ts'
import type { Clock } from '../../core/clock.ts'
import { formatMoney } from '../../core/money.ts'
import { type Interval, localDays } from '../../core/period.ts'
import { parsePeriod } from '../../core/period-text.ts'
import { BookQuery, type PayerFinder } from './book-query.ts'
import { MonthName } from './list-bills.ts'

/** The query of `GET /v1/books/days`. */
const DaysRequest = BookQuery.extend({ month: MonthName.optional() })

/** What listing days needs. */
export interface ListDaysDeps {
  readonly desk: Pick<BillDesk, 'days'>
  readonly balance: (key: BookKey) => Promise<Pick<BookBalance, 'closedUntilMs'>>
  readonly payer: PayerFinder
  readonly clock: Clock
}

/**
 * Lists the days of a month that have begun and where each stands: open, settling, closed,
 * adjusted.
 *
 * Shape: `{account, meter, month, zone, items}`, ascending; a day that is not closed has no amount.
 * Time: days of the account's zone; the current month unless another is named.
 * Errors: `parameter_invalid`; `not_found` for an unknown account, or one without such a book.
 */
export async function listDays(query: unknown, deps: ListDaysDeps): Promise<object> {
  const { account, meter, month: asked } = parseInput(DaysRequest, query)
  const { id: accountId, zone } = await deps.payer(account)
  const key = { accountId, meter }
  const nowMs = deps.clock.nowMs()
  const month = asked ?? monthName(nowMs, zone)
  const whole = parsePeriod(month, zone, 'month')
  const begun = { startMs: whole.startMs, endMs: Math.min(whole.endMs, nowMs) }
  const { closedUntilMs } = await deps.balance(key)
  const kept = new Map((await deps.desk.days(key, whole)).map((day) => [day.startMs, day]))
  const items = localDays(begun, zone).flatMap((day) => {
    const closed = kept.get(day.startMs)
    // Before its first record a book was not there yet.
    if (closed === undefined && day.startMs < closedUntilMs) return []
    const state: DayState = closed?.state ?? (day.endMs > nowMs ? 'open' : 'settling')
    const amounts = totalsByCurrency(closed?.lines ?? []).map(({ currency, amount }) => ({
      currency,
      amount: formatMoney(amount),
    }))
    return [{ ...toText(day), state, ...(closed && { amounts, hash: closed.hash }) }]
  })
  return { account: accountId, meter, month, zone, items }
}

function toText({ startMs, endMs }: Interval): { start: string; end: string } {
  return { start: new Date(startMs).toISOString(), end: new Date(endMs).toISOString() }
}
