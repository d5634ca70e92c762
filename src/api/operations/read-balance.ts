import { formatInstant } from '../../catalog/versions.ts'
import type { BookBalance } from '../../billing/balance.ts'
import type { BookKey } from '../../billing/book.ts'
import { monthName } from '../../billing/period-names.ts'
import { parseInput } from '../../catalog/input.ts'
import { formatMoney } from '../../core/money.ts'
import { BookQuery, type PayerFinder } from './book-query.ts'
import type { ExactJson } from './try-rules.ts'

/** What reading a balance needs. */
export interface BalanceDeps {
  readonly payer: PayerFinder
  readonly balance: (key: BookKey) => Promise<BookBalance>
}

/**
 * Answers where a book stands now.
 *
 * Units: bytes as integers, money as decimal text.
 * Errors: `parameter_invalid`; `not_found` for an unknown account or one without such a book.
 */
export async function readBalance(query: unknown, deps: BalanceDeps): Promise<ExactJson> {
  const { account, meter } = parseInput(BookQuery, query)
  const { id } = await deps.payer(account)
  return balanceToWire(await deps.balance({ accountId: id, meter }))
}

/** Writes a balance as the native API answers it. */
export function balanceToWire(balance: BookBalance): { [name: string]: ExactJson } {
  const { zone, month } = balance
  return {
    account: balance.accountId,
    meter: balance.meter,
    zone,
    asOf: formatInstant(balance.asOfMs),
    closedUntil: formatInstant(balance.closedUntilMs),
    month: monthName(month.startMs, zone),
    pack: balance.pack,
    packages: balance.packages.map((entry) => ({
      id: entry.package.id,
      areas: entry.package.areas,
      kinds: entry.package.kinds,
      sizeBytes: entry.package.sizeBytes,
      usedBytes: entry.usedBytes,
      leftBytes: entry.leftBytes,
      start: formatInstant(entry.package.startMs),
      end: instantOrNull(entry.endMs),
    })),
    arrearsBytes: balance.arrearsBytes,
    monthToDate: balance.monthToDate.map(({ currency, amount }) => ({
      currency,
      amount: formatMoney(amount),
    })),
  }
}

/** Writes an instant, where there is one. */
export function instantOrNull(instantMs: number | null): string | null {
  return instantMs === null ? null : formatInstant(instantMs)
}
