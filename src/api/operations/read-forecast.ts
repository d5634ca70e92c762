import { formatInstant } from '../../catalog/versions.ts'
import type { BookKey } from '../../billing/book.ts'
import type { BookForecast } from '../../billing/forecast-book.ts'
import { HISTORY_DAYS_MIN } from '../../billing/forecast-days.ts'
import type { RunsOut } from '../../billing/forecast-packages.ts'
import { parseInput } from '../../catalog/input.ts'
import { formatMoney } from '../../core/money.ts'
import { BookQuery, type PayerFinder } from './book-query.ts'
import { balanceToWire, instantOrNull } from './read-balance.ts'
import type { ExactJson } from './try-rules.ts'

/** What foretelling needs. */
export interface ReadForecastDeps {
  readonly payer: PayerFinder
  readonly forecast: (key: BookKey) => Promise<BookForecast>
}

/**
 * Answers how a book is expected to go on: what runs out when, and what the month will come to.
 *
 * Shape: the balance, and `forecast`, which is null with a `reason` where too little is known.
 * Four of five futures lie between `earliest` and `latest`, and between `low` and `high`.
 * Units: bytes as integers, money as decimal text.
 * Errors: `parameter_invalid`; `not_found` for an unknown account or one without such a book.
 */
export async function readForecast(query: unknown, deps: ReadForecastDeps): Promise<ExactJson> {
  const { account, meter } = parseInput(BookQuery, query)
  const { id } = await deps.payer(account)
  const { balance, historyDays, outlook } = await deps.forecast({ accountId: id, meter })
  const head = { ...balanceToWire(balance), historyDays }
  if (outlook === null) {
    const reason =
      `A forecast needs ${HISTORY_DAYS_MIN} whole days since the first usage; ` +
      `there are ${historyDays}.`
    return { ...head, forecast: null, reason }
  }
  return {
    ...head,
    forecast: {
      until: formatInstant(outlook.untilMs),
      packages: outlook.packages.map((entry) => ({
        id: entry.package.id,
        leftBytes: entry.leftBytes,
        end: instantOrNull(entry.endMs),
        ...runsOutToWire(entry),
        unusedBytes: entry.unusedBytes,
      })),
      pools: outlook.pools.map((pool) => ({
        area: pool.area,
        kind: pool.kind,
        leftBytes: pool.leftBytes,
        ...runsOutToWire(pool),
      })),
      monthEnd: outlook.monthEnd.map(({ currency, expected, low, high }) => ({
        currency,
        expected: formatMoney(expected),
        low: formatMoney(low),
        high: formatMoney(high),
      })),
    },
    reason: null,
  }
}

function runsOutToWire({ expectedMs, earliestMs, latestMs }: RunsOut) {
  return {
    runsOut: instantOrNull(expectedMs),
    earliest: instantOrNull(earliestMs),
    latest: instantOrNull(latestMs),
  }
}
