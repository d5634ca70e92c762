import { assert } from '../core/errors.ts'
import type { Interval } from '../core/period.ts'
import { dayPostings } from './book-postings.ts'
import type { Book, BookFacts, BookStep } from './book-keeping.ts'
import type { Coverage, DayBasis, UsageProof } from './book.ts'
import { type ChargeMode, modeAt } from './charge-modes.ts'
import type { ClosingDeps } from './closing-deps.ts'
import { addressDays, dayBasis } from './day-basis.ts'
import { type DayRecord, formatRecord, toDayRecord } from './day-record.ts'
import { packageEvents } from './package-events.ts'
import { type DayUsage, NO_USAGE, rateDay } from './rate-day.ts'
import { readDays } from './read-days.ts'
import { takeSteps } from './take-steps.ts'

/** What was read of a day while nothing was being loaded. */
export interface MeasuredDay {
  /** Of late usage, before the day was read. */
  readonly lateMark: number
  readonly usage: ReadonlyMap<string, DayUsage>
  readonly proofs: ReadonlyMap<string, UsageProof>
  readonly coverage: ReadonlyMap<string, Coverage>
}

/**
 * Closes one day of books of one meter that all have it next: reads, rates, keeps.
 *
 * Time: `settledMs` is when the day is settled, see `DayBasis`.
 * Errors: `conflict` when another node went on with one of the books; those before are closed.
 */
export async function closeDay(
  books: readonly Book[],
  day: Interval,
  settledMs: number,
  deps: ClosingDeps,
): Promise<void> {
  const [first] = books
  if (first === undefined) return
  const accountIds = books.map(({ accountId }) => accountId)
  const facts = await deps.store.facts(first.meter, accountIds)
  const histories = await deps.modes.histories(first.meter)
  const bases = new Map<string, DayBasis>()
  for (const book of books) {
    const history = histories.get(book.accountId) ?? []
    const own = { facts: factsOf(facts, book), history }
    bases.set(book.accountId, await basisFor(book, own, { day, settledMs }, deps))
  }
  const measured = await measureDay([...bases.values()], deps)
  deps.onStep('close.read.after')
  const steps = books.map((book): BookStep => {
    const basis = bases.get(book.accountId)
    assert(basis !== undefined, `no basis for ${book.accountId}`)
    return toStep(book, basis, factsOf(facts, book), measured)
  })
  await takeSteps(steps, 'close.day', deps)
}

/** Puts together by what a book's day is billed. Errors: an assertion without a mode. */
export async function basisFor(
  book: Book,
  { facts, history }: { readonly facts: BookFacts; readonly history: readonly ChargeMode[] },
  { day, settledMs }: Pick<DayBasis, 'day' | 'settledMs'>,
  { modes }: { readonly modes: Pick<ClosingDeps['modes'], 'pack'> },
): Promise<DayBasis> {
  const mode = modeAt(history, day.startMs)
  assert(mode !== undefined, `the book of ${book.accountId} for ${book.meter} has no charge mode`)
  return dayBasis(book, facts, { mode, pack: await modes.pack(mode.packHash) }, day, settledMs)
}

/** Finds an account's facts. Errors: an assertion, since books are begun from the catalog. */
export function factsOf(
  facts: ReadonlyMap<string, BookFacts>,
  { accountId }: Pick<Book, 'accountId'>,
): BookFacts {
  const found = facts.get(accountId)
  assert(found !== undefined, `the catalog has no account ${accountId}`)
  return found
}

/** Reads a day from the rollups, which are compared with the usage first. */
async function measureDay(
  bases: readonly DayBasis[],
  { store, usage, coverage, between }: ClosingDeps,
): Promise<MeasuredDay> {
  const [first] = bases
  assert(first !== undefined, 'a day of no books is not read')
  const { meter, day } = first
  const accountIds = bases.map(({ accountId }) => accountId)
  return await between(async () => {
    const lateMark = await store.lateMark(meter)
    const throughBatch = await usage.lastBatch(meter)
    const scope = { meter, accountIds, throughBatch, ...day }
    return {
      lateMark,
      usage: await readDays(bases, usage, null),
      proofs: await usage.proofs(scope),
      coverage: await coverage({ meter, accountIds, interval: day, throughBatch }),
    }
  })
}

function toStep(
  book: Book,
  basis: DayBasis,
  facts: BookFacts,
  { lateMark, usage, proofs, coverage }: MeasuredDay,
): BookStep {
  const { accountId } = book
  const measured = usage.get(accountId) ?? NO_USAGE
  const addresses = addressDays(basis, facts, measured)
  const record = toDayRecord(basis, rateDay(basis, measured), {
    ...eventsOf(basis, facts),
    addresses: addresses.map(({ resourceId, bytes }) => ({ resourceId, bytes })),
    proof: proofs.get(accountId) ?? null,
    coverage: coverage.get(accountId) ?? null,
  })
  return {
    book,
    record: { kind: 'day', record },
    text: formatRecord(record, book.hash),
    state: record.closing,
    closedUntilMs: basis.day.endMs,
    billedUntilMs: book.billedUntilMs,
    postings: dayPostings(record),
    addresses,
    lateMark,
  }
}

function eventsOf(
  { day, settledMs, opening, zone, pack }: DayBasis,
  { packages }: BookFacts,
): Pick<DayRecord, 'packageLines' | 'expired'> {
  const settled = { dayStartMs: day.startMs, settledMs }
  return packageEvents(packages, opening, settled, { zone, currency: pack.currency })
}
