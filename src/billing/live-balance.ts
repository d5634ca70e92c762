import type { EpochMs } from '../core/clock.ts'
import {
  ceilTo,
  FIVE_MINUTES_MS,
  floorTo,
  type Interval,
  localDays,
  MINUTE_MS,
  resetPeriod,
  SECOND_MS,
  wallClockAfter,
  monthOf,
} from '../core/period.ts'
import { createTtlCache } from '../core/ttl-cache.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageBalance } from '../rating/package-burn.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import { endOf } from '../rating/package-validity.ts'
import type { BookBalance, PackageNow } from './balance.ts'
import type { BillLine } from './bill.ts'
import type { Book, BookFacts } from './book-keeping.ts'
import type { BookKey, BookState, DayBasis } from './book.ts'
import { chargeStretches } from './charge-modes.ts'
import { toChargeLine, totalsByCurrency } from './charge-line.ts'
import { basisFor } from './close-days.ts'
import { readMonthRecords, termsStretches } from './close-month.ts'
import { type MonthStretch, rateMonth } from './rate-month.ts'
import type { ClosingConfig, ClosingDeps } from './closing-deps.ts'
import { type CurrentBook, type CurrentBooks, LATE_FRESH_MS } from './current-book.ts'
import { withOpening } from './day-basis.ts'
import { appendDay } from './month-stretches.ts'
import { packageEvents, withEvents } from './package-events.ts'
import { NO_USAGE, type RatedDay, rateDay } from './rate-day.ts'
import { readSpan } from './read-days.ts'

interface BalanceDeps extends Pick<ClosingDeps, 'clock' | 'modes'> {
  readonly currentBooks: CurrentBooks
}

/** What one account's balance is computed from. */
type OwnDeps = Pick<BalanceDeps, 'clock' | 'modes'> & Pick<CurrentBook, 'store' | 'usage'>

/** Usage is accepted up to this far ahead of the clock, so a live figure must look that far. */
const AHEAD_MS = FIVE_MINUTES_MS
/** How far a balance may be behind loaded usage. */
const FRESH_MS = SECOND_MS
const KEPT_MAX = 10_000

/** Where books stand now. */
export interface LiveBalance {
  /**
   * Draws and prices what was used since the last closed day on top of it.
   *
   * Time: at most a second behind loaded usage, also where it came into a day that is closed.
   * Errors: `not_found` for an account that never had a resource of the meter.
   */
  balance(key: BookKey): Promise<BookBalance>
  /**
   * What was drawn from one package so far, computed anew; one that nothing is known of yet is
   * untouched.
   *
   * Errors: `not_found` as `balance`.
   */
  packageBalance(key: BookKey, entry: PrepaidPackage): Promise<PackageBalance>
  /** Forgets what it knows; called after each load and each purchase. */
  forget(): void
}

/** Computes balances and keeps each for a moment. */
export function createLiveBalance(
  config: Pick<ClosingConfig, 'settleMs'>,
  deps: BalanceDeps,
): LiveBalance {
  const limits = { ttlMs: FRESH_MS - LATE_FRESH_MS, entriesMax: KEPT_MAX }
  const cache = createTtlCache<BookBalance>(limits, deps.clock)
  return {
    balance: ({ accountId, meter }) =>
      cache.get(`${meter} ${accountId}`, () => computeBalance({ accountId, meter }, config, deps)),
    packageBalance: async (key, { id, sizeBytes }) => {
      const { book, facts, ...own } = await deps.currentBooks.read(key)
      const all = { ...deps, ...own }
      const { state } = await rateOpenDays(book, facts, deps.clock.nowMs(), config, all)
      const known = state.balances.find(({ packageId }) => packageId === id)
      const untouched = { usedBytes: 0n, remainingBytes: sizeBytes, firstUseMs: null }
      return known ?? { packageId: id, ...untouched }
    },
    forget: () => {
      deps.currentBooks.forget()
      cache.invalidate()
    },
  }
}

/** A day that is not closed, drawn and priced as far as it went. */
interface OpenDay {
  readonly basis: DayBasis
  readonly rated: RatedDay
  readonly lines: readonly BillLine[]
}

async function computeBalance(
  key: BookKey,
  config: Pick<ClosingConfig, 'settleMs'>,
  deps: BalanceDeps,
): Promise<BookBalance> {
  const nowMs = deps.clock.nowMs()
  const { book, facts, ...own } = await deps.currentBooks.read(key)
  const all = { ...deps, ...own }
  const { days, state } = await rateOpenDays(book, facts, nowMs, config, all)
  const month = monthOf(nowMs, book.zone)
  const lines = await linesToDate(book, month, days, nowMs, all)
  const open = days.reduce((sum, { rated }) => sum + orderedBytes(rated), 0n)
  const carried = state.arrears.reduce((sum, { bytes }) => sum + bytes, 0n)
  return {
    ...key,
    zone: book.zone,
    asOfMs: nowMs,
    closedUntilMs: book.closedUntilMs,
    month,
    packages: packagesNow(facts, state, nowMs, book.zone),
    arrearsBytes: open + carried,
    exclusive: exclusiveNow(facts, state, nowMs, book.zone),
    monthToDate: totalsByCurrency(lines),
    pack: await packNameAt(book, nowMs, deps),
  }
}

function orderedBytes({ orders }: RatedDay): Bytes {
  return orders.reduce((sum, { arrearsBytes }) => sum + arrearsBytes, 0n)
}

/** Rates the days since the last closed one, each from where the one before left the book. */
async function rateOpenDays(
  book: Book,
  facts: BookFacts,
  nowMs: EpochMs,
  { settleMs }: Pick<ClosingConfig, 'settleMs'>,
  deps: OwnDeps,
): Promise<{ days: OpenDay[]; state: BookState }> {
  const endMs = ceilTo(nowMs + AHEAD_MS, MINUTE_MS)
  const days: OpenDay[] = []
  const own = { facts, history: await deps.modes.history(book.accountId, book.meter) }
  const open = localDays({ startMs: book.closedUntilMs, endMs }, book.zone).map((day) => {
    const settlesMs = wallClockAfter(day.endMs, settleMs, book.zone)
    return { day, settledMs: Math.max(day.endMs, Math.min(settlesMs, endMs)) }
  })
  // Where a server rested for long there are many days: they are read together.
  const bases: DayBasis[] = []
  for (const each of open) bases.push(await basisFor(book, own, each, deps))
  const usages = await readSpan(bases, deps.usage)
  let { state } = book
  for (const [index, terms] of bases.entries()) {
    const { day, settledMs } = terms
    // A package that is bought is there at once, whenever its day will be settled.
    const seenMs = Math.min(settledMs, Math.max(endMs, day.startMs))
    const basis = withOpening(terms, facts, state)
    const usage = usages[index]
    const rated = rateDay(basis, usage ?? NO_USAGE)
    const { currency } = basis.pack
    const events = packageEvents(
      facts.packages,
      state,
      { dayStartMs: day.startMs, settledMs: seenMs },
      { zone: book.zone, currency },
    )
    state = withEvents(rated.closing, events, basis)
    const lines = rated.lines.map((line) => toChargeLine(line, basis.pack))
    days.push({ basis, rated, lines: [...events.packageLines, ...lines] })
  }
  return { days, state }
}

/** Lists what the month's bill would have on it if the month ended now. */
async function linesToDate(
  book: Book,
  month: Interval,
  open: readonly OpenDay[],
  nowMs: EpochMs,
  { store, usage, modes }: OwnDeps,
): Promise<BillLine[]> {
  const records = await readMonthRecords(book, month, store)
  // In its last minutes the next month's first day is open already.
  const ofMonth = open.filter(
    ({ basis: { day } }) => month.startMs <= day.startMs && day.startMs < month.endMs,
  )
  const closed = await termsStretches(records, (hash) => modes.pack(hash))
  const untilMs = Math.min(month.endMs, ceilTo(nowMs + AHEAD_MS, FIVE_MINUTES_MS))
  const joined = ofMonth.reduce<readonly MonthStretch[]>(
    (all, { basis, rated }) =>
      appendDay(all, { terms: basis, interval: basis.day, remainder: rated.remainder }),
    closed,
  )
  const stretches = joined.map((stretch, index, all) => ({
    ...stretch,
    interval: { ...stretch.interval, endMs: Math.min(stretch.interval.endMs, untilMs) },
    inForce:
      index === all.length - 1 ? { ...stretch.interval, endMs: month.endMs } : stretch.interval,
  }))
  return [
    ...records.days.flatMap(({ record }) => [...record.packageLines, ...record.lines]),
    ...ofMonth.flatMap(({ lines }) => lines),
    ...(await rateMonth(month, stretches, usage, null)),
    ...records.booked.flatMap(({ record }) => record.lines),
  ]
}

function packagesNow(
  facts: BookFacts,
  state: BookState,
  nowMs: EpochMs,
  zone: string,
): PackageNow[] {
  const balances = new Map(state.balances.map((balance) => [balance.packageId, balance]))
  return facts.packages
    .filter(({ refunded }) => refunded === null)
    .map(({ terms }): PackageNow => {
      const balance = balances.get(terms.id)
      const usedBytes = balance?.usedBytes ?? 0n
      const endMs = endOf(terms, balance?.firstUseMs ?? null, zone)
      return { package: terms, usedBytes, leftBytes: terms.sizeBytes - usedBytes, endMs }
    })
    .filter(({ endMs }) => endMs === null || endMs > nowMs)
}

function exclusiveNow(
  { exclusive }: BookFacts,
  state: BookState,
  nowMs: EpochMs,
  zone: string,
): BookBalance['exclusive'] {
  const living = exclusive.filter(({ deletedMs }) => deletedMs === undefined)
  return living.map((volume) => {
    const period = resetPeriod(volume.createdMs, volume.resetPolicy, nowMs, zone)
    // Usage is known by the minute: the minute of a reset is in the period that begins in it.
    const startMs = floorTo(period.startMs, MINUTE_MS)
    const use = state.exclusive.find(
      ({ packageId, periodStartMs }) => packageId === volume.id && periodStartMs === startMs,
    )
    return { volume, period, usedBytes: use?.usedBytes ?? 0n }
  })
}

async function packNameAt(book: Book, nowMs: EpochMs, { modes }: BalanceDeps): Promise<string> {
  const history = await modes.history(book.accountId, book.meter)
  const [now] = chargeStretches(history, { startMs: nowMs, endMs: nowMs + 1 })
  return now === undefined ? '' : (await modes.pack(now.mode.packHash)).name
}
