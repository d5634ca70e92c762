import { type Interval, monthOf } from '../core/period.ts'
import { adjustDay } from './adjust-day.ts'
import type { AdjustmentBillLine, Bill, ChargeLine } from './bill.ts'
import type { KeptRecord } from './book-keeping.ts'
import type { DayBasis, UsageProof } from './book.ts'
import { adjustmentLines, toChargeLine } from './charge-line.ts'
import { termsStretches } from './close-month.ts'
import type { ClosingDeps } from './closing-deps.ts'
import { type AdjustmentRecord, type DayRecord, toAdjustmentRecord } from './day-record.ts'
import { monthName } from './period-names.ts'
import { rateMonth } from './rate-month.ts'
import type { DayUsage } from './rate-day.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'

/** A closed day, and the usage that it was closed with and that it has now. */
export interface LateDay {
  /** The day's own terms; where the book stands now. */
  readonly basis: DayBasis
  /** Null: the book began after it. */
  readonly day: DayRecord | null
  /** Adjustments of the day so far, in order. */
  readonly earlier: readonly KeptRecord<AdjustmentRecord>[]
  readonly usage: { readonly before: DayUsage; readonly now: DayUsage }
  readonly bookedMonth: string
  readonly proofBefore: UsageProof | null
  readonly proof: UsageProof
}

/** Which records of the book there were when the adjustment was made. */
export interface BookSoFar {
  /** Start of the book. */
  readonly startMs: number
  /** Records from here on came later. */
  readonly beforeSequence: number
}

type MonthDeps = Pick<ClosingDeps, 'store' | 'usage' | 'modes'>

/**
 * Computes what late usage changes about a closed day, and about its month if that has a bill.
 *
 * Shape: depends on the records before `beforeSequence` only, so that it can be computed again.
 */
export async function makeAdjustment(
  late: LateDay,
  book: BookSoFar,
  deps: MonthDeps,
): Promise<AdjustmentRecord> {
  const { basis, day, earlier, usage } = late
  const remainder = [
    ...(day?.remainder ?? []),
    ...earlier.flatMap(({ record }) => record.remainder),
  ]
  const orders = [...(day?.orders ?? []), ...earlier.flatMap(({ record }) => record.orders)]
  const adjusted = adjustDay(basis, { usage: usage.before, remainder, orders }, usage.now)
  const dayLines = adjusted.lines.map((line) => toChargeLine(line, basis.pack))
  const before = earlier.at(-1)?.record.dayLines ?? day?.lines ?? []
  const month = await adjustMonth(late, book, adjusted.lateRemainder, deps)
  return toAdjustmentRecord(basis, adjusted, {
    bookedMonth: late.bookedMonth,
    lines: [...adjustmentLines('day', before, dayLines), ...month.lines],
    dayLines,
    monthLines: month.now,
    proofBefore: late.proofBefore,
    proof: late.proof,
  })
}

/** Prices a closed month again; one that has no bill yet counts late usage when it is closed. */
async function adjustMonth(
  { basis, proof }: LateDay,
  book: BookSoFar,
  lateRemainder: readonly TrafficUsage[],
  { store, usage, modes }: MonthDeps,
): Promise<{ lines: readonly AdjustmentBillLine[]; now: readonly ChargeLine[] | null }> {
  const { day, zone } = basis
  const month = monthOf(day.startMs, zone)
  const stored = await store.billOf(basis, monthName(day.startMs, zone))
  if (stored === undefined || stored.sequence >= book.beforeSequence)
    return { lines: [], now: null }
  const interval = { startMs: Math.max(month.startMs, book.startMs), endMs: month.endMs }
  const days = await store.dayRecords(basis, interval)
  const adjustments = (await store.adjustments(basis, interval)).filter(
    ({ sequence }) => sequence < book.beforeSequence,
  )
  const before =
    adjustments.findLast(({ record }) => record.monthLines !== null)?.record.monthLines ??
    monthLinesOf(stored.bill, days)
  const stretches = await termsStretches({ month, interval, days, adjustments }, (hash) =>
    modes.pack(hash),
  )
  const late = stretches.map((stretch) =>
    contains(stretch.interval, day.startMs)
      ? { ...stretch, remainder: [...stretch.remainder, ...lateRemainder] }
      : stretch,
  )
  const now = await rateMonth(month, late, usage, proof.throughBatch)
  return { lines: adjustmentLines('month', before, now), now }
}

function contains({ startMs, endMs }: Interval, instantMs: number): boolean {
  return startMs <= instantMs && instantMs < endMs
}

/** Takes the lines that waited for the month's end out of its bill. */
export function monthLinesOf(
  { lines }: Bill,
  days: readonly { readonly record: DayRecord }[],
): ChargeLine[] {
  const ofDays = days.reduce(
    (count, { record }) => count + record.packageLines.length + record.lines.length,
    0,
  )
  return lines
    .slice(ofDays)
    .filter((line): line is ChargeLine => line.type === 'traffic' || line.type === 'bandwidth')
}
