/** Drives the product through a simulated year: its catalog, its usage, its clock, its crashes. */
import { createClosing } from '../../src/billing/closing.ts'
import type { ClosingStep } from '../../src/billing/closing-deps.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import { floorTo, HOUR_MS } from '../../src/core/period.ts'
import { type BooksHarness, openBooksHarness } from '../support/books-harness.ts'
import type { MemoryRow } from '../support/memory-usage.ts'
import type { SimBook } from './books-world.ts'
import { type TakenUsage, takenUsage } from './slow-usage.ts'
import type { Crashes } from './year-crashes.ts'
import { type Happening, happeningsOf } from './year-events.ts'
import { YEAR_PACK_TEXTS } from './year-packs.ts'

/** How a year is lived through. */
export interface YearOptions {
  /** Where closing crashes; absent: nowhere. */
  readonly crashes?: Crashes
  /** What is looked at in between. */
  readonly probes?: readonly Happening[]
}

interface Arrival extends TakenUsage {
  readonly book: SimBook
}

/**
 * Lives through a year of all books at once and leaves the product as it is at the end.
 *
 * Shape: usage is loaded in batches, of an hour of arrival each and never across a run of closing.
 * After a crash closing begins anew, at the same instant.
 */
export async function liveYear(
  books: readonly SimBook[],
  { crashes, probes = [] }: YearOptions = {},
): Promise<BooksHarness> {
  const [first] = books
  if (first === undefined) throw new Error('there is a first book')
  const steps = new Set(first.steps.map(({ atMs }) => atMs))
  const happenings = [
    ...books.flatMap(happeningsOf),
    ...probes,
    ...[...steps].map((atMs): Happening => ({ atMs, run: (world) => close(world, crashes) })),
  ].sort((a, b) => a.atMs - b.atMs)
  const world = await openBooksHarness(happenings[0]?.atMs ?? 0)
  for (const text of YEAR_PACK_TEXTS) {
    await world.charges.packs.add({ file: 'sim.yaml', text: text.trim() }, 'year')
  }
  const loader = createLoader(books, world.rows)
  for (const { atMs, run } of happenings) {
    loader.load(atMs)
    world.clock.ms = atMs
    world.live.forget()
    await run(world)
    if (steps.has(atMs)) loader.cut()
  }
  return world
}

/** Closes what has settled, again and again until nothing crashes. */
async function close(world: BooksHarness, crashes: Crashes | undefined): Promise<void> {
  if (crashes === undefined) return void (await world.closing.closeSettled())
  for (;;) {
    const { config, deps, openStore, control } = world
    const store = openStore(crashes.failing(control.db))
    const onStep = (step: ClosingStep): void => crashes.onStep(step)
    try {
      return void (await createClosing(config, { ...deps, store, onStep }).closeSettled())
    } catch (error) {
      if (!crashes.isCrash(error)) throw error
    }
  }
}

/** Makes what appends all usage that has been taken in by an instant. */
function createLoader(books: readonly SimBook[], rows: MemoryRow[]) {
  const arrivals = books
    .flatMap((book) => takenUsage(book).map((usage): Arrival => ({ ...usage, book })))
    .sort((a, b) => a.takenMs - b.takenMs)
  let [next, batch, hourMs] = [0, 0, 0]
  return {
    load(atMs: EpochMs): void {
      for (; ; next += 1) {
        const arrival = arrivals[next]
        if (arrival === undefined || arrival.takenMs > atMs) return
        const { book, takenMs, startMs, ...usage } = arrival
        if (floorTo(takenMs, HOUR_MS) !== hourMs) batch += 1
        hourMs = floorTo(takenMs, HOUR_MS)
        const { accountId, meter } = book
        rows.push({ batch, meter, accountId, minuteMs: startMs, ...usage })
      }
    },
    /** What comes next is in another batch. */
    cut(): void {
      hourMs = 0
    },
  }
}
