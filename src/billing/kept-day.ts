import { type Interval, wallClockAfter } from '../core/period.ts'
import type { Book, BookFacts, BookStore, KeptRecord } from './book-keeping.ts'
import type { DayBasis, UsageProof } from './book.ts'
import type { ChargeModes } from './charge-modes.ts'
import { basisFor } from './close-days.ts'
import type { ClosingConfig } from './closing-deps.ts'
import { type AdjustmentRecord, basisOf, type DayRecord } from './day-record.ts'
import { packagesInPlay } from './package-events.ts'

/** A closed day as its records leave it. */
export interface KeptDay {
  readonly book: Book
  /** The day's own terms, and where the book stands now. */
  readonly basis: DayBasis
  /** Undefined: the book began after it. */
  readonly record: KeptRecord<DayRecord> | undefined
  readonly adjustments: readonly KeptRecord<AdjustmentRecord>[]
  /** What it was last rated from; null: nothing was measured. */
  readonly proofBefore: UsageProof | null
}

/** What a closed day is put together from. */
export interface KeptDayDeps {
  readonly store: Pick<BookStore, 'dayRecords' | 'adjustments'>
  readonly modes: Pick<ChargeModes, 'history' | 'pack'>
}

/** Puts a closed day together, with what is left now of the packages that it had. */
export async function readKeptDay(
  book: Book,
  facts: BookFacts,
  day: Interval,
  { settleMs }: Pick<ClosingConfig, 'settleMs'>,
  { store, modes }: KeptDayDeps,
): Promise<KeptDay> {
  const [record] = await store.dayRecords(book, day)
  const adjustments = await store.adjustments(book, day)
  const proofBefore = adjustments.at(-1)?.record.proof ?? record?.record.proof ?? null
  const settledMs = wallClockAfter(day.endMs, settleMs, book.zone)
  const basis =
    record === undefined
      ? await basisFor(
          book,
          { facts, history: await modes.history(book.accountId, book.meter) },
          { day, settledMs },
          { modes },
        )
      : lateBasis(basisOf(record.record, await modes.pack(record.record.pack.hash)), book, facts)
  return { book, basis, record, adjustments, proofBefore }
}

/** The terms of a closed day, with what is left now of the packages that it had. */
function lateBasis(basis: DayBasis, book: Book, facts: BookFacts): DayBasis {
  const settled = { dayStartMs: basis.day.startMs, settledMs: basis.settledMs }
  const held = packagesInPlay(facts.packages, book.state, settled, basis.zone)
  const known = new Set(held.map(({ id }) => id))
  const packages = basis.packages.filter(({ id }) => known.has(id))
  return { ...basis, packages, opening: book.state }
}
