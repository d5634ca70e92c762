import { formatInstant } from '../catalog/versions.ts'
import type { Interval } from '../core/period.ts'
import type { AdjustmentBillLine } from './bill.ts'
import type { BookKey } from './book.ts'
import type { UsageOrigin } from './books-usage.ts'
import type { AdjustmentRecord } from './day-record.ts'
import type { ExplainedCause } from './explanation.ts'
import { intervalOf } from './period-names.ts'

/** So many batches are named; a source that sends a little often may bring thousands. */
const NAMED_MAX = 100

/**
 * Finds the late usage that made a line of an adjustment.
 *
 * An adjustment is made for one day, and one look for late usage adjusts several days through the
 * same batch: what a line by volume of a month lacked before is what that day alone brought. A
 * bandwidth is ranked over all slots through that batch, whichever day they are of, so the first
 * adjustment that ranks the month again is made by all that came meanwhile.
 *
 * Shape: `beforeBatch` is what a line by bandwidth knew when it was billed last.
 */
export async function findCause(
  { accountId, meter }: BookKey,
  line: AdjustmentBillLine,
  record: AdjustmentRecord,
  beforeBatch: number,
  usage: UsageOrigin,
): Promise<ExplainedCause> {
  const isRanked = (line.after ?? line.before)?.type === 'bandwidth'
  const interval: Interval = intervalOf(isRanked ? line : record)
  const { numbers, count } = await usage.batches({
    meter,
    accountId,
    ...interval,
    afterBatch: isRanked ? beforeBatch : (record.proofBefore?.throughBatch ?? 0),
    throughBatch: record.proof.throughBatch,
    namedMax: NAMED_MAX,
  })
  return {
    start: formatInstant(interval.startMs),
    end: formatInstant(interval.endMs),
    batches: numbers,
    batchCount: count,
  }
}

/** Names batches in a line: `batch 7`, or `batches 7, 8 and 3 more`. */
export function nameBatches({ batches, batchCount }: ExplainedCause): string {
  if (batchCount === 0) return 'no batch that is left'
  const more = batchCount - batches.length
  const names = batches.join(', ')
  return `${batchCount === 1 ? 'batch' : 'batches'} ${names}${more > 0 ? ` and ${more} more` : ''}`
}
