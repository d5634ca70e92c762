import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { BillDesk } from '../../billing/bill-desk.ts'
import { parseInput } from '../../catalog/input.ts'
import type { MeterName } from '../../catalog/model.ts'
import type { EpochMs } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { DAY_MS, type Interval, MINUTE_MS } from '../../core/period.ts'
import { METER_NAMES } from '../../meters/meter.ts'
import type { PayerFinder } from './book-query.ts'
import { Instant } from './instant.ts'

const PERIOD_MS_MAX = 367 * DAY_MS

/** The query of `GET /v1/usage/export`. */
const ExportRequest = z.strictObject({
  account: z.string().min(1),
  meter: z.enum(METER_NAMES),
  start: Instant,
  end: Instant,
  open: z.stringbool().default(false),
})

/** A stretch of time, and up to which batch its usage is meant; null: all that is loaded. */
export interface ExportedStretch extends Interval {
  readonly throughBatch: number | null
}

/** Which usage to write. */
export interface UsageExportQuery {
  readonly meter: MeterName
  readonly accountId: string
  /** Ascending, without overlaps; whole minutes. */
  readonly stretches: readonly ExportedStretch[]
}

/** Writes usage as a Parquet file and hands out its bytes. */
export type UsageExporter = (query: UsageExportQuery) => Promise<Readable>

/** What exporting needs. */
export interface ExportUsageDeps {
  readonly desk: Pick<BillDesk, 'days'>
  readonly payer: PayerFinder
  readonly exportUsage: UsageExporter
}

/** A Parquet file, and the time whose usage is in it. */
export interface ExportedUsage {
  readonly name: string
  readonly content: Readable
  readonly startMs: EpochMs
  readonly endMs: EpochMs
  /** Closed days that are in it; null: it was not asked whether days are closed. */
  readonly closedDays: number | null
}

/**
 * Exports the measured usage of closed days as it was when each was closed: what came later is left
 * out, so that the file has the usage that bills were made of. With `open`, everything that is
 * loaded is exported instead.
 *
 * Time: `[start, end)`, whole minutes; closed days that begin inside, as a whole.
 * Errors: `not_found` when no day of the time is closed, or for an unknown account;
 * `parameter_invalid` for a time that ends before it starts or is longer than 367 days.
 */
export async function exportUsage(query: unknown, deps: ExportUsageDeps): Promise<ExportedUsage> {
  const { account, meter, start, end, open } = parseInput(ExportRequest, query)
  checkPeriod(start, end)
  const { id: accountId } = await deps.payer(account)
  const stretches: readonly ExportedStretch[] = open
    ? [{ startMs: start, endMs: end, throughBatch: null }]
    : await closedStretches({ accountId, meter }, { startMs: start, endMs: end }, deps.desk)
  const [first, last] = [stretches[0], stretches.at(-1)]
  if (first === undefined || last === undefined) {
    throw new AppError(
      'not_found',
      `No day of ${account} is closed for ${meter} in this time. Days close by themselves when ` +
        'they have settled, or at once by weir bill close. With open=true (--open) everything is ' +
        'exported that is loaded so far.',
    )
  }
  const content = await deps.exportUsage({ meter, accountId, stretches })
  const day = new Date(first.startMs).toISOString().slice(0, 10)
  return {
    name: `${accountId}.${meter}.${day}.parquet`,
    content,
    startMs: first.startMs,
    endMs: last.endMs,
    closedDays: open ? null : stretches.length,
  }
}

function checkPeriod(start: EpochMs, end: EpochMs): void {
  if (end <= start || end - start > PERIOD_MS_MAX) {
    const message = 'end must be after start, by at most 367 days.'
    throw new AppError('parameter_invalid', message, { field: 'end' })
  }
  if (start % MINUTE_MS !== 0 || end % MINUTE_MS !== 0) {
    const message = 'start and end must be whole minutes.'
    throw new AppError('parameter_invalid', message, { field: 'start' })
  }
}

async function closedStretches(
  key: { readonly accountId: string; readonly meter: MeterName },
  interval: Interval,
  desk: Pick<BillDesk, 'days'>,
): Promise<ExportedStretch[]> {
  const days = await desk.days(key, interval)
  return days.map(({ startMs, endMs, proof }) => ({
    startMs,
    endMs,
    throughBatch: proof.throughBatch,
  }))
}
