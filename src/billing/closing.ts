import { chunksOf } from '../core/chunks.ts'
import type { MeterName } from '../catalog/model.ts'
import { AppError } from '../core/errors.ts'
import {
  addDays,
  dayStart,
  floorTo,
  type Interval,
  MINUTE_MS,
  wallClockAfter,
  monthOf,
} from '../core/period.ts'
import { METER_NAMES } from '../meters/meter.ts'
import { adjustLate } from './adjust-late.ts'
import type { CloseReport, CloseRequest } from './bill-desk.ts'
import type { Book } from './book-keeping.ts'
import type { BookKey } from './book.ts'
import { closeDay } from './close-days.ts'
import { closeMonth, compareBooks } from './close-month.ts'
import type { ClosingConfig, ClosingDeps } from './closing-deps.ts'
import { groupBy } from './read-days.ts'
import { isOfOneBook, setAsideFailures } from './set-aside.ts'

/** Books whose day is read at once: no load starts meanwhile, so it must not take long. */
const BOOKS_MAX = 2000
/** Books whose months are held at once: each has the records of all its days in memory. */
const MONTH_BOOKS_MAX = 200

type Progress = Pick<
  Book,
  'accountId' | 'meter' | 'zone' | 'startMs' | 'closedUntilMs' | 'billedUntilMs'
>

interface OpenDay extends Interval {
  readonly progress: Progress
  readonly settledMs: number
}

/** What is to be closed: a wish, or what has settled by now. */
interface Due {
  readonly accountId: string | null
  readonly meters: readonly MeterName[]
  /** Days that end by then are due; null: those that have settled. */
  readonly untilMs: number | null
}

/** Closes days and months. */
export interface Closing {
  /** Begins an account's book of a meter if the catalog calls for one. */
  begin(key: BookKey): Promise<void>
  /** Closes all that has settled. */
  closeSettled(): Promise<CloseReport>
  /** Closes what ends by an instant. Errors: `parameter_invalid` for the future. */
  close(request: CloseRequest): Promise<CloseReport>
}

/**
 * Makes the part that closes books: late usage first, then days, then months.
 *
 * Shape: runs one after the other, however often it is asked for; what is closed stays as it is.
 */
export function createClosing(config: ClosingConfig, deps: ClosingDeps): Closing {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work)
    last = turn.catch(() => undefined)
    return await turn
  }
  return {
    begin: ({ meter, accountId }) => beginBooks(meter, deps, accountId),
    closeSettled: () =>
      inTurn(() => run({ accountId: null, meters: METER_NAMES, untilMs: null }, config, deps)),
    close: ({ accountId = null, meter, untilMs }) => {
      if (untilMs > deps.clock.nowMs()) {
        const message = 'until must not be in the future: usage may still move there.'
        throw new AppError('parameter_invalid', message, { field: 'until' })
      }
      const meters = meter === undefined ? METER_NAMES : [meter]
      return inTurn(() => run({ accountId, meters, untilMs }, config, deps))
    },
  }
}

interface Tally {
  days: number
  adjustments: number
  readonly bills: string[]
  readonly rebuilt: string[]
  readonly failed: CloseReport['failed'][number][]
}

async function run(due: Due, config: ClosingConfig, deps: ClosingDeps): Promise<CloseReport> {
  const tally: Tally = { days: 0, adjustments: 0, bills: [], rebuilt: [], failed: [] }
  for (const meter of due.meters) {
    await beginBooks(meter, deps)
    await lookForLate(meter, config, deps, tally)
    await closeMeter(meter, due, config, deps, tally)
  }
  return tally
}

async function lookForLate(
  meter: MeterName,
  config: ClosingConfig,
  deps: ClosingDeps,
  tally: Tally,
): Promise<void> {
  try {
    tally.adjustments += await adjustLate(meter, config, deps)
  } catch (error) {
    if (!isOfOneBook(error)) throw error
    // Late usage is looked for again next time; days need not wait for it.
    setAside({ accountId: '', meter }, error, deps, tally)
  }
}

function setAside(key: BookKey, error: Error, { onFailed }: ClosingDeps, { failed }: Tally): void {
  failed.push({ ...key, reason: error.message })
  onFailed(key, error)
}

/** Begins the books of a meter that the catalog calls for: of all accounts, or of one. */
async function beginBooks(
  meter: MeterName,
  { store, modes, onStep }: ClosingDeps,
  accountId?: string,
): Promise<void> {
  const origins = await store.origins(meter, accountId)
  const starts = origins.map(({ firstMs, ...origin }) => ({
    ...origin,
    startMs: dayStart(firstMs, origin.zone),
  }))
  await store.begin(starts)
  await modes.ensure(starts.map(({ startMs, ...key }) => ({ ...key, fromMs: startMs })))
  onStep('close.begin.after')
}

async function closeMeter(
  meter: MeterName,
  due: Due,
  config: ClosingConfig,
  deps: ClosingDeps,
  tally: Tally,
): Promise<void> {
  const repaired = new Set<string>()
  for (;;) {
    const progress = (await deps.store.progress(meter))
      .filter(({ accountId }) => due.accountId === null || accountId === due.accountId)
      .filter((book) => !tally.failed.some((each) => compareBooks(each, book) === 0))
      .sort(compareBooks)
    const bills = await closeMonths(progress, repaired, config, deps, tally)
    tally.bills.push(...bills)
    // What was billed may leave the next month due, where no bills were written for long.
    if (bills.length > 0) continue
    const days = progress.flatMap((entry) => openDay(entry, due, config, deps) ?? [])
    if (days.length === 0) return
    const groups = groupBy(days, ({ startMs, endMs }) => `${startMs} ${endMs}`)
    // The earliest first, so that a month is closed as soon as its last day is.
    const [first] = [...groups.values()].sort((a, b) => startOf(a) - startOf(b))
    const [day] = first ?? []
    if (first === undefined || day === undefined) return
    await repair(meter, day, repaired, deps, tally)
    for (const some of chunksOf(first, BOOKS_MAX)) {
      const accountIds = some.map((entry) => entry.progress.accountId)
      const close = async (ids: readonly string[]): Promise<void> => {
        const read = await deps.store.books(meter, ids)
        // Another node may have gone on with some since their progress was read.
        const books = read.filter(({ closedUntilMs }) => closedUntilMs === day.startMs)
        await closeDay(books, { startMs: day.startMs, endMs: day.endMs }, day.settledMs, deps)
        tally.days += books.length
      }
      await setAsideFailures(accountIds, close, (accountId, error) =>
        setAside({ accountId, meter }, error, deps, tally),
      )
    }
  }
}

function startOf(group: readonly Interval[]): number {
  return group[0]?.startMs ?? 0
}

/** Finds the next day of a book if it is due. */
function openDay(
  progress: Progress,
  { untilMs }: Due,
  { settleMs }: ClosingConfig,
  { clock }: ClosingDeps,
): OpenDay | undefined {
  const startMs = progress.closedUntilMs
  const endMs = addDays(startMs, 1, progress.zone)
  const settlesMs = wallClockAfter(endMs, settleMs, progress.zone)
  const nowMs = clock.nowMs()
  if (settlesMs <= nowMs) return { progress, startMs, endMs, settledMs: settlesMs }
  if (untilMs === null || endMs > untilMs) return undefined
  // Asked for before it has settled: packages that began by now still count.
  return { progress, startMs, endMs, settledMs: Math.max(endMs, floorTo(nowMs, MINUTE_MS)) }
}

/** Rollups are caches: before a day is closed for good they must be what the usage says. */
async function repair(
  meter: MeterName,
  day: Interval,
  repaired: Set<string>,
  { usage, between, onRebuilt, onStep }: ClosingDeps,
  tally: Tally,
): Promise<void> {
  const key = `${day.startMs} ${day.endMs}`
  if (repaired.has(key)) return
  repaired.add(key)
  const interval = { startMs: day.startMs, endMs: day.endMs }
  const tables = await between(() => usage.repair(meter, interval))
  onStep('close.repair.after')
  if (tables.length > 0) onRebuilt(tables, interval)
  tally.rebuilt.push(...tables)
}

async function closeMonths(
  progress: readonly Progress[],
  repaired: Set<string>,
  config: ClosingConfig,
  deps: ClosingDeps,
  tally: Tally,
): Promise<string[]> {
  const bills: string[] = []
  const due = progress.flatMap((entry) => {
    const month = monthOf(entry.billedUntilMs, entry.zone)
    return month.endMs <= entry.closedUntilMs ? [{ ...month, entry }] : []
  })
  for (const [, group] of groupBy(due, ({ startMs, endMs }) => `${startMs} ${endMs}`)) {
    const [first] = group
    if (first === undefined) continue
    const { meter } = first.entry
    const month = { startMs: first.startMs, endMs: first.endMs }
    await repair(meter, month, repaired, deps, tally)
    for (const some of chunksOf(group, MONTH_BOOKS_MAX)) {
      const accountIds = some.map(({ entry }) => entry.accountId)
      const close = async (ids: readonly string[]): Promise<void> => {
        const read = await deps.store.books(meter, ids)
        // Another node may have billed some since their progress was read.
        const books = read.filter(
          ({ billedUntilMs, zone }) => monthOf(billedUntilMs, zone).startMs === month.startMs,
        )
        bills.push(...(await closeMonth(books, month, config, deps)))
      }
      await setAsideFailures(accountIds, close, (accountId, error) =>
        setAside({ accountId, meter }, error, deps, tally),
      )
    }
  }
  return bills
}
