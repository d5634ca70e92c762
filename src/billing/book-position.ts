import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import { type Interval, localDays, monthOf } from '../core/period.ts'
import type { BillLine } from './bill.ts'
import type { Book, BookFacts } from './book-keeping.ts'
import type { BookKey, BookState, DayBasis } from './book.ts'
import { type ChargeModes, modeAt } from './charge-modes.ts'
import { readMonthRecords, termsStretches } from './close-month.ts'
import type { CurrentBook } from './current-book.ts'
import { dayBasis } from './day-basis.ts'
import type { MonthPlan } from './month-cost.ts'
import { packageEvents } from './package-events.ts'

/** Where the running month of a book stands, and how it would go on. */
export interface BookPosition extends MonthPlan {
  readonly book: Book
  /** Lines of the month that no further usage changes. */
  readonly fixed: readonly BillLine[]
  /** By what the days from now on are billed, unless somebody switches. */
  readonly current: DayBasis
}

/** What a position is read from. */
export interface PositionDeps {
  readonly currentBook: (key: BookKey) => Promise<Pick<CurrentBook, 'book' | 'facts' | 'store'>>
  readonly modes: Pick<ChargeModes, 'history' | 'pack'>
}

/**
 * Reads where the month of an instant stands, late usage that waits for its adjustment included.
 *
 * Time: days that are not closed are billed by the mode in force on them, days to come by the one
 * in force now: a switch that is asked for already is left out.
 * Errors: `not_found` when the account has no book of the meter.
 */
export async function readPosition(
  key: BookKey,
  nowMs: EpochMs,
  { currentBook, modes }: PositionDeps,
): Promise<BookPosition> {
  const { book, facts, store } = await currentBook(key)
  const month = monthOf(nowMs, book.zone)
  const records = await readMonthRecords(book, month, store)
  const basisOf = await createBasisOf(book, facts, nowMs, modes)
  const days = localDays({ startMs: book.closedUntilMs, endMs: month.endMs }, book.zone)
  const current = basisOf(dayOf(days, nowMs), book.state)
  return {
    book,
    month,
    days,
    basisOf,
    opening: book.state,
    closed: await termsStretches(records, (hash) => modes.pack(hash)),
    fixed: [
      ...records.days.flatMap(({ record }) => [...record.packageLines, ...record.lines]),
      ...records.booked.flatMap(({ record }) => record.lines),
      ...boughtSince(book, facts, current, { month, nowMs }),
    ],
    current,
  }
}

function dayOf(days: readonly Interval[], nowMs: EpochMs): Interval {
  const day = days.find(({ startMs, endMs }) => startMs <= nowMs && nowMs < endMs)
  assert(day !== undefined, 'the day that is now is not closed')
  return day
}

async function createBasisOf(
  book: Book,
  facts: BookFacts,
  nowMs: EpochMs,
  modes: PositionDeps['modes'],
): Promise<(day: Interval, opening: BookState) => DayBasis> {
  const history = await modes.history(book.accountId, book.meter)
  const packs = new Map<string, DayBasis['pack']>()
  for (const { packHash } of history) {
    if (!packs.has(packHash)) packs.set(packHash, await modes.pack(packHash))
  }
  return (day, state) => {
    const mode = modeAt(history, Math.min(day.startMs, nowMs))
    const pack = packs.get(mode?.packHash ?? '')
    assert(mode && pack, `the book of ${book.accountId} for ${book.meter} has no charge mode`)
    // Nobody buys anything in days to come, and what is bought already is in play when it begins.
    const settledMs = Math.max(day.endMs, nowMs)
    return dayBasis({ ...book, state }, facts, { mode, pack }, day, settledMs)
  }
}

/** What was bought or given back since the last closed day, as far as this month's bill has it. */
function boughtSince(
  { state, closedUntilMs }: Book,
  facts: BookFacts,
  { zone, pack }: DayBasis,
  { month, nowMs }: { readonly month: Interval; readonly nowMs: EpochMs },
): readonly BillLine[] {
  const settled = { dayStartMs: month.startMs, settledMs: nowMs }
  const terms = { zone, currency: pack.currency }
  const { packageLines } = packageEvents(facts.packages, state, settled, terms)
  // Days of the month before that are still open take what happened in their time.
  const isForOpenMonth = closedUntilMs < month.startMs
  return packageLines.filter(({ time }) => !isForOpenMonth || Date.parse(time) >= month.startMs)
}
