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
  ...[meter, interval, batches]: Parameters<Late>
): ReturnType<Late> {
  const rows = await engine.rows<{ account: string; start: number }>(renderLate(meter), {
    after: batches.after,
    through: batches.through,
    start: interval.startMs / 1000,
    end: interval.endMs / 1000,
  })
  return rows.map(({ account, start }) => ({ accountId: account, startMs: start * 1000 }))
}

/** Renders the question; its parameters are `after`, `through`, `start` and `end`. */
export function renderLate(meter: Parameters<Late>[0]): string {
  return `SELECT t.account AS account, toUnixTimestamp(toStartOfFifteenMinutes(t.minute)) AS start
FROM usage_${meter} AS t
WHERE t.batch > {after:UInt64} AND t.batch <= {through:UInt64}
  AND t.minute >= {start:DateTime} AND t.minute < {end:DateTime}
GROUP BY account, start ORDER BY account, start`
}
