import type { Transaction } from 'kysely'
import type { EpochMs } from '../../core/clock.ts'
import { newId } from '../../core/ids.ts'
import type { NumberedRequest } from '../../ingest/coverage-log.ts'
import type { SourceGapRow } from './coverage-tables.ts'
import type { ControlDatabase } from './tables.ts'

type Trx = Transaction<ControlDatabase>

/**
 * Remembers the numbers of requests; numbers that were left out become gaps, and those that arrive
 * later fill them.
 */
export async function recordNumbers(
  trx: Trx,
  numbers: readonly NumberedRequest[],
  nowMs: EpochMs,
): Promise<void> {
  // By number: what came together in the wrong order leaves no gap. By source first: whoever
  // records several locks them in the same order.
  const sorted = [...numbers].sort((a, b) =>
    a.source === b.source ? a.number - b.number : a.source < b.source ? -1 : 1,
  )
  for (const request of sorted) await recordNumber(trx, request, nowMs)
}

async function recordNumber(trx: Trx, request: NumberedRequest, nowMs: EpochMs): Promise<void> {
  const { source, number, receivedMs } = request
  // Setting it to itself keeps others from reading it until this is done.
  const mark = await trx
    .insertInto('source_marks')
    .values({ source })
    .onConflict((conflict) => conflict.column('source').doUpdateSet({ source }))
    .returning(['last_number', 'last_number_ms'])
    .executeTakeFirstOrThrow()
  const last = mark.last_number
  if (last !== null && number <= last) {
    await fillGap(trx, source, number, nowMs)
    return
  }
  if (last !== null && number > last + 1) {
    const lastMs = mark.last_number_ms ?? receivedMs
    await insertGap(trx, {
      source,
      start_ms: Math.min(lastMs, receivedMs),
      end_ms: Math.max(lastMs, receivedMs),
      first_number: last + 1,
      last_number: number - 1,
      recorded_ms: nowMs,
    })
  }
  await trx
    .updateTable('source_marks')
    .set({ last_number: number, last_number_ms: receivedMs })
    .where('source', '=', source)
    .execute()
}

/** Closes the gap that the number was missing from, and opens what is left of it. */
async function fillGap(trx: Trx, source: string, number: number, nowMs: EpochMs): Promise<void> {
  const gap = await trx
    .selectFrom('source_gaps')
    .selectAll()
    .where('source', '=', source)
    .where('filled_ms', 'is', null)
    .where('first_number', '<=', number)
    .where('last_number', '>=', number)
    .executeTakeFirst()
  // Known already: a repetition.
  if (gap === undefined) return
  await trx.updateTable('source_gaps').set({ filled_ms: nowMs }).where('id', '=', gap.id).execute()
  const { first_number: first, last_number: last, start_ms, end_ms } = gap
  const rest = { source, start_ms, end_ms, recorded_ms: nowMs }
  if (first !== null && first < number) {
    await insertGap(trx, { ...rest, first_number: first, last_number: number - 1 })
  }
  if (last !== null && last > number) {
    await insertGap(trx, { ...rest, first_number: number + 1, last_number: last })
  }
}

async function insertGap(
  trx: Trx,
  gap: Omit<SourceGapRow, 'id' | 'file' | 'filled_ms'>,
): Promise<void> {
  await trx
    .insertInto('source_gaps')
    .values({ ...gap, id: newId('gap', 16), file: null, filled_ms: null })
    .execute()
}
