/**
 * A book as it would be if late usage were looked for now. Adjustments are written every few
 * minutes and not at once, since a bill has lines for each: what is loaded in between waits, and
 * whoever asks where the book stands must not wait with it.
 */
import { AppError } from '../core/errors.ts'
import { addDays, dayStart, type Interval } from '../core/period.ts'
import { createTtlCache } from '../core/ttl-cache.ts'
import { lateWindow } from './adjust-late.ts'
import type { Book, BookFacts, BookStore, KeptRecord } from './book-keeping.ts'
import type { BookKey } from './book.ts'
import type { BooksUsage, RankedUsage } from './books-usage.ts'
import { factsOf } from './close-days.ts'
import { NOTHING_MEASURED } from './close-month.ts'
import type { ClosingConfig, ClosingDeps } from './closing-deps.ts'
import type { AdjustmentRecord } from './day-record.ts'
import { readKeptDay } from './kept-day.ts'
import { makeAdjustment } from './make-adjustment.ts'
import { narrowUsage } from './narrow-usage.ts'
import { monthName } from './period-names.ts'
import { NO_USAGE } from './rate-day.ts'
import { readDays } from './read-days.ts'

/** The records of a book that its month is read from. */
export type MonthStore = Pick<BookStore, 'dayRecords' | 'adjustments' | 'adjustmentsBooked'>

/** A book, its account's facts, and its records; late usage that waits is in all of them. */
export interface CurrentBook {
  readonly book: Book
  readonly facts: BookFacts
  /** Its records as they were when the book was read, and the adjustments that are to come. */
  readonly store: MonthStore
  /** The measured usage, narrowed to what was ever the account's. */
  readonly usage: BooksUsage & RankedUsage
}

/** Reads books as they would be. */
export interface CurrentBooks {
  /**
   * Reads a book.
   *
   * Time: late usage is in it 200 ms after it was loaded, in any process.
   * Errors: `not_found` for an account that never had a resource of the meter.
   */
  read(key: BookKey): Promise<CurrentBook>
  /** Forgets of whom late usage waits; called after each load. */
  forget(): void
}

/** How long it is remembered of whom late usage waits. */
export const LATE_FRESH_MS = 200
/** Meters × ends of closed days, of which there are few: books of a zone are closed together. */
const KEPT_MAX = 1000

type Config = Pick<ClosingConfig, 'settleMs' | 'lateMs'>
type Deps = Pick<ClosingDeps, 'clock' | 'store' | 'usage' | 'modes'> & {
  /** Begins a book that is not begun yet, if the catalog calls for it. */
  readonly begin: (key: BookKey) => Promise<void>
}

/**
 * Makes the part that reads books with all usage that is loaded, late usage priced and drawn as it
 * will be when its adjustment is written.
 *
 * Shape: nothing is written. What was booked meanwhile, here or by another node, is in it once: a
 * day's last record says up to which batch it was rated.
 * Limits: where no usage waits, one question to the engine every 200 ms for all accounts; otherwise
 * each late day is read twice from the usage itself, as for its adjustment.
 */
export function createCurrentBooks(config: Config, deps: Deps): CurrentBooks {
  const limits = { ttlMs: LATE_FRESH_MS, entriesMax: KEPT_MAX }
  const waiting = createTtlCache<ReadonlySet<string> | null>(limits, deps.clock)
  const isWaiting = async (book: Book, after: number): Promise<boolean> => {
    const { meter, accountId, closedUntilMs } = book
    const accounts = await waiting.get(`${meter} ${closedUntilMs} ${after}`, () =>
      deps.usage.lateAccounts(meter, closedTime(book, config, deps), after),
    )
    return accounts?.has(accountId) ?? true
  }
  return {
    read: async (key) => {
      // Before the book: what is booked in between would be in neither of them otherwise.
      const after = await deps.store.lateMark(key.meter)
      const book = await bookOf(key, deps)
      const [hasLate, facts] = await Promise.all([
        isWaiting(book, after),
        deps.store.facts(key.meter, [key.accountId]).then((found) => factsOf(found, book)),
      ])
      const own = { ...deps, usage: narrowUsage(deps.usage, facts) }
      const read = hasLate ? await readLate(book, after, config, own) : { book, late: [] }
      return await adjustInMind({ ...read, facts }, config, own)
    },
    forget: () => waiting.invalidate(),
  }
}

async function bookOf(key: BookKey, { store, begin }: Deps): Promise<Book> {
  const [known] = await store.books(key.meter, [key.accountId])
  if (known !== undefined) return known
  await begin(key)
  const [begun] = await store.books(key.meter, [key.accountId])
  if (begun !== undefined) return begun
  const message = `Account ${key.accountId} has no book for ${key.meter}: it never had a resource of it.`
  throw new AppError('not_found', message, { field: 'account' })
}

/** A closed day into which usage came since late usage was looked for last. */
interface LateDay extends Interval {
  /** The highest batch that it came with. */
  readonly batch: number
}

async function readLate(
  book: Book,
  after: number,
  config: Config,
  deps: Deps,
): Promise<{ readonly book: Book; readonly late: readonly LateDay[] }> {
  const late = await findLate(book, after, config, deps)
  if (late.every(({ startMs }) => startMs >= book.startMs)) return { book, late }
  // The catalog has learnt of an earlier beginning, from when on the book has to have a mode.
  await deps.begin(book)
  const begun = await bookOf(book, deps)
  return { book: begun, late: await findLate(begun, after, config, deps) }
}

async function findLate(book: Book, after: number, config: Config, deps: Deps): Promise<LateDay[]> {
  const { accountId, meter, zone } = book
  // Batches are numbered from one by a journal that is written to the end of time.
  const batches = { after, through: Number.MAX_SAFE_INTEGER }
  const interval = closedTime(book, config, deps)
  const found = await deps.usage.late(meter, interval, batches, { accountIds: [accountId] })
  const days = new Map<number, number>()
  for (const { startMs, batch } of found) {
    const dayMs = dayStart(startMs, zone)
    days.set(dayMs, Math.max(batch, days.get(dayMs) ?? 0))
  }
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([startMs, batch]) => ({ startMs, endMs: addDays(startMs, 1, zone), batch }))
}

/** The time of closed days in which late usage may have moved. */
function closedTime(book: Book, config: Config, { clock }: Deps): Interval {
  return { ...lateWindow([book], config, { clock }), endMs: book.closedUntilMs }
}

/** Adjusts one late day after the other, each from where the one before leaves the book. */
async function adjustInMind(
  read: { readonly book: Book; readonly facts: BookFacts; readonly late: readonly LateDay[] },
  config: Config,
  deps: Deps,
): Promise<CurrentBook> {
  const { facts, late } = read
  const { usage } = deps
  const throughBatch = Math.max(0, ...late.map(({ batch }) => batch))
  const made: KeptRecord<AdjustmentRecord>[] = []
  const store = withMade(deps.store, read.book, made)
  let { book } = read
  for (const { batch, ...day } of late) {
    const kept = await readKeptDay(book, facts, day, config, { ...deps, store })
    const { basis, record, adjustments, proofBefore } = kept
    // Closed or adjusted since late usage was looked for: with all of it.
    if (proofBefore !== null && proofBefore.throughBatch >= batch) continue
    const before =
      proofBefore === null ? null : await readDays([basis], usage, proofBefore.throughBatch)
    const now = await readDays([basis], usage, throughBatch)
    const adjustment = await makeAdjustment(
      {
        basis,
        day: record?.record ?? null,
        earlier: adjustments,
        usage: {
          before: before?.get(book.accountId) ?? NO_USAGE,
          now: now.get(book.accountId) ?? NO_USAGE,
        },
        bookedMonth: monthName(book.billedUntilMs, book.zone),
        proofBefore,
        // Who reads where a book stands does not ask for proofs; only their batch is read.
        proof: { ...NOTHING_MEASURED, throughBatch },
      },
      { startMs: book.startMs, beforeSequence: Number.POSITIVE_INFINITY },
      { ...deps, store },
    )
    const sequence = book.sequence + 1
    made.push({ sequence, record: adjustment, content: '', hash: '', previous: '' })
    book = { ...book, sequence, state: adjustment.closing }
  }
  return { book, facts, store, usage }
}

/**
 * A store in which a book has the adjustments that are to come, and nothing that was written since
 * it was read: that would count twice.
 */
function withMade(
  store: BookStore,
  { sequence }: Book,
  made: readonly KeptRecord<AdjustmentRecord>[],
): BookStore {
  const isKnown = (kept: { readonly sequence: number }): boolean => kept.sequence <= sequence
  const madeWhere = (isMeant: (record: AdjustmentRecord) => boolean) =>
    made.filter(({ record }) => isMeant(record))
  return {
    ...store,
    dayRecords: async (key, interval) => (await store.dayRecords(key, interval)).filter(isKnown),
    adjustments: async (key, interval) => [
      ...(await store.adjustments(key, interval)).filter(isKnown),
      ...madeWhere(({ start }) => isWithin(interval, Date.parse(start))),
    ],
    adjustmentsBooked: async (key, month) => [
      ...(await store.adjustmentsBooked(key, month)).filter(isKnown),
      ...madeWhere(({ bookedMonth }) => bookedMonth === month),
    ],
    billOf: async (key, month) => {
      const bill = await store.billOf(key, month)
      return bill !== undefined && isKnown(bill) ? bill : undefined
    },
  }
}

function isWithin({ startMs, endMs }: Interval, instantMs: number): boolean {
  return startMs <= instantMs && instantMs < endMs
}
