import type { BooksUsage, RankedUsage, UsageOrigin } from '../../billing/books-usage.ts'
import { assert } from '../../core/errors.ts'
import { METERS, type MeterName } from '../../meters/meter.ts'
import { readSlots } from './books-slots.ts'
import { readTraffic } from './books-traffic.ts'
import type { Engine } from './engine.ts'
import { readLate, readLateAccounts } from './late-usage.ts'
import { readRanked } from './ranked-slots.ts'
import { ALIGN_SECONDS, repairRange } from './rollup-repair.ts'
import { readBatches } from './usage-batches.ts'
import { readProofs } from './usage-proof.ts'

/**
 * Answers what the books ask of the measured usage, summed and ranked by the engine.
 *
 * Limits: each question looks through the rollup of all accounts, since tables are sorted by
 * resource: many accounts belong into one question, up to some thousand.
 */
export function createBooksReader(engine: Engine): BooksUsage & RankedUsage & UsageOrigin {
  return {
    lastBatch: (meter) => lastBatch(engine, meter),
    traffic: (query) => readTraffic(engine, query),
    slots: (query) => readSlots(engine, query),
    rankedSlots: (query) => readRanked(engine, query),
    proofs: (query) => readProofs(engine, query),
    batches: (query) => readBatches(engine, query),
    late: (meter, interval, batches, whose) => readLate(engine, meter, interval, batches, whose),
    lateAccounts: (meter, interval, after) => readLateAccounts(engine, meter, interval, after),
    async repair(meter, { startMs, endMs }) {
      const range = { start: startMs / 1000, end: endMs / 1000 }
      const isAligned = range.start % ALIGN_SECONDS === 0 && range.end % ALIGN_SECONDS === 0
      assert(isAligned, 'rollups are compared over whole buckets')
      return await repairRange(engine, METERS[meter], range)
    },
  }
}

async function lastBatch(engine: Engine, meter: MeterName): Promise<number> {
  const [row] = await engine.rows<{ batch: string }>(
    `SELECT max(t.batch) AS batch FROM usage_${meter} AS t`,
  )
  return Number(row?.batch ?? 0)
}
