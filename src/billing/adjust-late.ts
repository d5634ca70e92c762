import { chunksOf } from '../core/chunks.ts'
import type { MeterName } from '../catalog/model.ts'
import { addDays, DAY_MS, dayStart, floorTo, type Interval, MINUTE_MS } from '../core/period.ts'
import { adjustmentPostings } from './book-postings.ts'
import type { Book, BookStep } from './book-keeping.ts'
import type { UsageProof } from './book.ts'
import { factsOf } from './close-days.ts'
import { type KeptDay, readKeptDay } from './kept-day.ts'
import { makeAdjustment } from './make-adjustment.ts'
import type { ClosingConfig, ClosingDeps } from './closing-deps.ts'
import { type AdjustmentRecord, formatRecord } from './day-record.ts'
import { monthName } from './period-names.ts'
import { type DayUsage, NO_USAGE } from './rate-day.ts'
import { groupBy, readDays } from './read-days.ts'
import { takeSteps } from './take-steps.ts'

const QUARTER_MS = 15 * MINUTE_MS
/** Books whose late days are read at once. */
const BOOKS_MAX = 500

/**
 * Finds usage that came after its day was closed, and writes the adjustments.
 *
 * Shape: the number of adjustments made. Finding the same again makes none: what a day's last
 * record proves is compared with what is there now.
 */
export async function adjustLate(
  meter: MeterName,
  config: Pick<ClosingConfig, 'settleMs' | 'lateMs'>,
  deps: ClosingDeps,
): Promise<number> {
  const { store, usage, onStep } = deps
  const after = await store.lateMark(meter)
  const window = lateWindow(await store.progress(meter), config, deps)
  const { through, late } = await deps.between(async () => {
    const last = await usage.lastBatch(meter)
    if (last === after) return { through: last, late: [] }
    return { through: last, late: await usage.late(meter, window, { after, through: last }) }
  })
  if (through === after) return 0
  // Asked again: a day that is still open now is closed with all that was found.
  const progress = await store.progress(meter)
  const books = new Map(progress.map((book) => [book.accountId, book]))
  const days = late.flatMap(({ accountId, startMs }) => {
    const book = books.get(accountId)
    if (book === undefined || startMs >= book.closedUntilMs) return []
    const dayMs = dayStart(startMs, book.zone)
    return [{ accountId, startMs: dayMs, endMs: addDays(dayMs, 1, book.zone) }]
  })
  let made = 0
  const groups = groupBy(days, ({ startMs, endMs }) => `${startMs} ${endMs}`)
  for (const group of [...groups.values()].sort((a, b) => startOf(a) - startOf(b))) {
    const accountIds = [...new Set(group.map(({ accountId }) => accountId))].sort()
    const [day] = group
    for (const some of chunksOf(accountIds, BOOKS_MAX)) {
      if (day !== undefined) made += await adjustBooks({ meter, day, through }, some, config, deps)
    }
  }
  onStep('adjust.mark.before')
  await store.setLateMark(meter, { after, through }, progress)
  return made
}

/**
 * Finds the time in which late usage may have moved.
 *
 * Time: usage is accepted until it is so late, and loaded and looked for up to two days after.
 * Where nothing was closed for longer than that, as much more: late usage was looked for last when
 * the youngest closed day had ended already.
 */
export function lateWindow(
  progress: readonly Pick<Book, 'closedUntilMs'>[],
  { lateMs }: Pick<ClosingConfig, 'lateMs'>,
  { clock }: Pick<ClosingDeps, 'clock'>,
): Interval {
  const nowMs = clock.nowMs()
  const closedMs = progress.reduce((latest, book) => Math.max(latest, book.closedUntilMs), 0)
  const lookedMs = Math.min(closedMs, nowMs)
  return {
    startMs: Math.max(0, floorTo(lookedMs - lateMs - 2 * DAY_MS, QUARTER_MS)),
    endMs: floorTo(nowMs, QUARTER_MS),
  }
}

function startOf(group: readonly Interval[]): number {
  return group[0]?.startMs ?? 0
}

interface LateDay {
  readonly meter: MeterName
  readonly day: Interval
  readonly through: number
}

/** A closed day in which there is more than it was last rated from. */
interface ChangedDay extends KeptDay {
  readonly proof: UsageProof
}

async function adjustBooks(
  late: LateDay,
  accountIds: readonly string[],
  config: Pick<ClosingConfig, 'settleMs'>,
  deps: ClosingDeps,
): Promise<number> {
  const { store, usage, onStep } = deps
  const { meter, day, through } = late
  // A book that began earlier meanwhile has the day still before it.
  const books = (await store.books(meter, accountIds)).filter(
    ({ closedUntilMs }) => day.startMs < closedUntilMs,
  )
  const facts = await store.facts(meter, accountIds)
  const scope = { meter, accountIds, throughBatch: through, startMs: day.startMs, endMs: day.endMs }
  const proofs = await usage.proofs(scope)
  const kept: ChangedDay[] = []
  for (const book of books) {
    const proof = proofs.get(book.accountId)
    if (proof === undefined) continue
    const found = await readKeptDay(book, factsOf(facts, book), day, config, deps)
    if (isChanged(found, proof)) kept.push({ ...found, proof })
  }
  const bases = kept.map(({ basis }) => basis)
  const now = await readDays(bases, usage, through)
  const before = await readBefore(kept, deps)
  onStep('adjust.read.after')
  const steps: BookStep[] = []
  for (const entry of kept) {
    const { accountId } = entry.book
    const measured = {
      before: before.get(accountId) ?? NO_USAGE,
      now: now.get(accountId) ?? NO_USAGE,
    }
    const { book, basis, record, adjustments } = entry
    const made = await makeAdjustment(
      {
        basis,
        day: record?.record ?? null,
        earlier: adjustments,
        usage: measured,
        bookedMonth: monthName(book.billedUntilMs, book.zone),
        proofBefore: entry.proofBefore,
        proof: entry.proof,
      },
      { startMs: book.startMs, beforeSequence: Number.POSITIVE_INFINITY },
      deps,
    )
    steps.push(toStep(book, made))
  }
  await takeSteps(steps, 'adjust', deps)
  return steps.length
}

/** Tells whether a day has usage that is not in its records. */
function isChanged({ proofBefore }: KeptDay, proof: UsageProof): boolean {
  if (proofBefore === null) return true
  if (proofBefore.hash === proof.hash && proofBefore.rows === proof.rows) return false
  // Another node looked further meanwhile: what is read up to here would be less than is kept.
  return proofBefore.throughBatch <= proof.throughBatch
}

async function readBefore(
  kept: readonly ChangedDay[],
  { usage }: ClosingDeps,
): Promise<ReadonlyMap<string, DayUsage>> {
  const found = new Map<string, DayUsage>()
  const measured = kept.filter(({ proofBefore }) => proofBefore !== null)
  for (const [, group] of groupBy(measured, (entry) => `${entry.proofBefore?.throughBatch}`)) {
    const through = group[0]?.proofBefore?.throughBatch ?? 0
    const bases = group.map(({ basis }) => basis)
    for (const [accountId, day] of await readDays(bases, usage, through)) found.set(accountId, day)
  }
  return found
}

function toStep(book: Book, made: AdjustmentRecord): BookStep {
  return {
    book,
    record: { kind: 'adjustment', record: made },
    text: formatRecord(made, book.hash),
    state: made.closing,
    closedUntilMs: book.closedUntilMs,
    billedUntilMs: book.billedUntilMs,
    postings: adjustmentPostings(made),
    addresses: [],
    lateMark: null,
  }
}
