import type { BooksUsage } from '../../billing/books-usage.ts'
import type { Engine } from './engine.ts'

type Late = BooksUsage['late']

/**
 * Lists where usage of some batches moved; see `BooksUsage.late`.
 *
 * The batches are bound as they are stored, so that the table's index of batches leaves out what
 * was loaded before them without reading it.
 */
export async function readLate(
  engine: Engine,
  ...[meter, interval, batches, whose]: Parameters<Late>
): ReturnType<Late> {
  const rows = await engine.rows<{ account: string; start: number; newest: string }>(
    renderLate(meter, whose),
    {
      after: batches.after,
      through: batches.through,
      start: interval.startMs / 1000,
      end: interval.endMs / 1000,
      ...(whose !== undefined && { accounts: whose.accountIds }),
      ...(whose?.resourceIds !== undefined && { resources: whose.resourceIds }),
    },
  )
  return rows.map(({ account, start, newest }) => ({
    accountId: account,
    startMs: start * 1000,
    batch: Number(newest),
  }))
}

/**
 * Renders the question; its parameters are `after`, `through`, `start` and `end`, and `accounts`
 * and `resources` where they are given.
 */
export function renderLate(meter: Parameters<Late>[0], whose?: Parameters<Late>[3]): string {
  const scope = [
    ...(whose === undefined ? [] : ['t.account IN {accounts:Array(String)}']),
    ...(whose?.resourceIds === undefined ? [] : ['t.resource IN {resources:Array(String)}']),
  ]
  return `SELECT t.account AS account, toUnixTimestamp(toStartOfFifteenMinutes(t.minute)) AS start,
  max(t.batch) AS newest
FROM usage_${meter} AS t
WHERE t.batch > {after:UInt64} AND t.batch <= {through:UInt64}
  AND t.minute >= {start:DateTime} AND t.minute < {end:DateTime}${scope
    .map((each) => `\n  AND ${each}`)
    .join('')}
GROUP BY account, start ORDER BY account, start`
}

/** Accounts that are named; where there are more, each is asked for by itself. */
const ACCOUNTS_MAX = 1000

/** Lists whose usage moved; see `BooksUsage.lateAccounts`. */
export async function readLateAccounts(
  engine: Engine,
  ...[meter, interval, after]: Parameters<BooksUsage['lateAccounts']>
): ReturnType<BooksUsage['lateAccounts']> {
  const rows = await engine.rows<{ account: string }>(
    `SELECT DISTINCT t.account AS account FROM usage_${meter} AS t
WHERE t.batch > {after:UInt64}
  AND t.minute >= {start:DateTime} AND t.minute < {end:DateTime}
LIMIT ${ACCOUNTS_MAX + 1}`,
    { after, start: interval.startMs / 1000, end: interval.endMs / 1000 },
  )
  return rows.length > ACCOUNTS_MAX ? null : new Set(rows.map(({ account }) => account))
}
