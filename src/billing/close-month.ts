import { chunksOf } from '../core/chunks.ts'
import { formatInstant } from '../catalog/versions.ts'
import { formatMoney } from '../core/money.ts'
import { type Interval, monthOf } from '../core/period.ts'
import { compareText } from '../rating/package-terms.ts'
import type { Bill, BillSummary, ChargeLine } from './bill.ts'
import { billVolumes } from './bill-volumes.ts'
import { monthPostings } from './book-postings.ts'
import type { Book, BookFacts, BookStep, KeptMonth, KeptRecord } from './book-keeping.ts'
import type { BookKey, Coverage, UsageProof } from './book.ts'
import { totalsByCurrency } from './charge-line.ts'
import { factsOf } from './close-days.ts'
import type { ClosingConfig, ClosingDeps } from './closing-deps.ts'
import { type AdjustmentRecord, type DayRecord, formatRecord, sumDraws } from './day-record.ts'
import { intervalOf, monthName } from './period-names.ts'
import { appendDay } from './month-stretches.ts'
import { narrowUsage } from './narrow-usage.ts'
import { type MonthStretch, rateMonths } from './rate-month.ts'
import { groupBy } from './read-days.ts'
import { takeSteps } from './take-steps.ts'

/** Books whose records are read with one question: a month of as many are some thousand rows. */
const RECORDS_BOOKS_MAX = 100

/** All that a month's lines depend on, but for the slots. */
export interface MonthRecords {
  /** The whole local month. */
  readonly month: Interval
  /** The part of it that the book existed. */
  readonly interval: Interval
  readonly days: readonly KeptRecord<DayRecord>[]
  /** Of the month's days, made before the month was closed. */
  readonly adjustments: readonly KeptRecord<AdjustmentRecord>[]
}

/** What a bill is made of. */
export interface BillParts extends MonthRecords {
  readonly account: Bill['account']
  readonly key: BookKey
  readonly zone: string
  /** Lines that waited for the month's end. */
  readonly monthLines: readonly ChargeLine[]
  /** Adjustments that this bill carries, whatever month they are of. */
  readonly booked: readonly KeptRecord<AdjustmentRecord>[]
  readonly proof: UsageProof
  readonly coverage: Coverage | null
  readonly packs: Bill['manifest']['packs']
  readonly tzdata: string
  readonly ledger: Bill['manifest']['ledger']
  readonly previous: string | null
}

/** Names a book's bill of a month. */
export function billId({ accountId, meter }: BookKey, month: string): string {
  return `${accountId}.${meter}.${month}`
}

/** Writes the bill of a month. */
export function toBill(parts: BillParts): Bill {
  const { key, zone, days, booked, month, interval } = parts
  const name = monthName(month.startMs, zone)
  const exclusive = billVolumes(days, booked, zone)
  const lines = [
    ...days.flatMap(({ record }) => [...record.packageLines, ...record.lines]),
    ...parts.monthLines,
    ...booked.flatMap(({ record }) => record.lines),
  ]
  return {
    format: 1,
    id: billId(key, name),
    account: parts.account,
    meter: key.meter,
    month: name,
    start: formatInstant(interval.startMs),
    end: formatInstant(interval.endMs),
    zone,
    totals: totalsByCurrency(lines).map(({ currency, amount }) => ({
      currency,
      amount: formatMoney(amount),
    })),
    lines,
    draws: sumDraws([...days, ...booked].map(({ record }) => record)),
    ...(exclusive.length > 0 && { exclusive }),
    manifest: {
      days: days.map(({ record, hash }) => ({
        start: record.start,
        hash,
        proof: record.proof ?? NOTHING_MEASURED,
        coverage: record.coverage,
      })),
      adjustments: booked.map(({ record, hash }) => ({ id: record.id, hash })),
      proof: parts.proof,
      coverage: parts.coverage,
      packs: parts.packs,
      zone,
      tzdata: parts.tzdata,
      ledger: parts.ledger,
      previous: parts.previous,
    },
  }
}

/** The proof of a stretch of time in which nothing was measured. */
export const NOTHING_MEASURED: UsageProof = {
  throughBatch: 0,
  firstBatch: 0,
  batches: 0,
  rows: 0,
  hash: '0'.repeat(16),
  geoVersions: [],
}

/** What lists show of a bill. */
export function summaryOf(bill: Bill, hash: string, closedMs: number): BillSummary {
  const { id, account, meter, month, totals, lines } = bill
  return { id, accountId: account.id, meter, month, totals, lines: lines.length, hash, closedMs }
}

/**
 * Reads what is kept of a month of a book, and the adjustments that its bill will carry.
 *
 * Shape: as the book was read; what was kept since is left out, since its days were still open.
 */
export async function readMonthRecords(
  book: Book,
  month: Interval,
  store: Pick<ClosingDeps['store'], 'dayRecords' | 'adjustments' | 'adjustmentsBooked'>,
): Promise<MonthRecords & Pick<BillParts, 'booked'>> {
  return recordsKnown(book, month, {
    days: await store.dayRecords(book, month),
    adjustments: await store.adjustments(book, month),
    booked: await store.adjustmentsBooked(book, monthName(month.startMs, book.zone)),
  })
}

/** Leaves what a book had when it was read, of the part of the month that it existed. */
function recordsKnown(
  { startMs, sequence }: Book,
  month: Interval,
  { days, adjustments, booked }: Omit<KeptMonth, 'previous'>,
): MonthRecords & Pick<BillParts, 'booked'> {
  const interval = { startMs: Math.max(month.startMs, startMs), endMs: month.endMs }
  const isKnown = (kept: { readonly sequence: number }): boolean => kept.sequence <= sequence
  const isWithin = ({ record }: { readonly record: { readonly start: string } }): boolean =>
    Date.parse(record.start) >= interval.startMs
  return {
    month,
    interval,
    days: days.filter(isKnown).filter(isWithin),
    adjustments: adjustments.filter(isKnown).filter(isWithin),
    booked: booked.filter(isKnown),
  }
}

/** Cuts a month where another pack or other groups took over. */
export async function termsStretches(
  { days, adjustments }: MonthRecords,
  packOf: ClosingDeps['modes']['pack'],
): Promise<MonthStretch[]> {
  let stretches: MonthStretch[] = []
  for (const { record } of days) {
    const { accountId, meter, zone, groups } = record
    const { hash: packHash } = record.pack
    const late = adjustments.filter((entry) => entry.record.date === record.date)
    stretches = appendDay(stretches, {
      terms: { accountId, meter, zone, groups, packHash, pack: await packOf(packHash) },
      interval: intervalOf(record),
      remainder: [...record.remainder, ...late.flatMap((entry) => entry.record.remainder)],
    })
  }
  return stretches
}

/** Writes which packs billed which part of the month, and what a gap counts as by their rules. */
export function packsOf(stretches: readonly MonthStretch[]): Bill['manifest']['packs'] {
  return stretches.map(({ terms: { pack, packHash }, interval }) => ({
    name: pack.name,
    version: pack.version,
    hash: packHash,
    start: formatInstant(interval.startMs),
    end: formatInstant(interval.endMs),
    gapPolicy: Object.fromEntries(
      pack.rules.map((rule) => [rule.name, rule.type === 'traffic' ? 'zero' : rule.missingSlot]),
    ),
  }))
}

/**
 * Closes the next month of books of one meter whose days of it are all closed: prices what waited
 * for its end and writes the bills.
 *
 * Shape: books whose next month is the same interval of time; their ids.
 */
export async function closeMonth(
  books: readonly Book[],
  month: Interval,
  config: Pick<ClosingConfig, 'tzdata'>,
  deps: ClosingDeps,
): Promise<string[]> {
  const [first] = books
  if (first === undefined) return []
  const accountIds = books.map(({ accountId }) => accountId)
  const facts = await deps.store.facts(first.meter, accountIds)
  const resources = [...facts.values()].flatMap((each) => each.resources)
  const narrow = { ...deps, usage: narrowUsage(deps.usage, { resources }) }
  const gathered = await gatherMonths(books, month, deps)
  const measured = await measureMonth(gathered, month, narrow)
  deps.onStep('close.month.read.after')
  const heads = await deps.store.ledgerHeads(accountIds)
  const steps: BookStep[] = []
  for (const [index, { book, stretches, ...records }] of gathered.entries()) {
    const monthLines = measured.lines[index] ?? []
    const proof = measured.proofs.get(book.accountId)
    const bill = toBill({
      ...records,
      account: accountOf(book, factsOf(facts, book)),
      key: book,
      zone: book.zone,
      monthLines,
      proof: proof ?? NOTHING_MEASURED,
      coverage: measured.coverage.get(book.accountId) ?? null,
      packs: packsOf(stretches),
      tzdata: config.tzdata,
      ledger: heads.get(book.accountId) ?? { sequence: 0, hash: '' },
    })
    steps.push(toStep(book, bill, monthLines, deps.clock.nowMs()))
  }
  await takeSteps(steps, 'close.month', deps)
  return steps.flatMap(({ record }) => (record.kind === 'bill' ? [record.record.id] : []))
}

/** What the records of a month say. */
interface GatheredMonth extends MonthRecords, Pick<BillParts, 'booked' | 'previous'> {
  readonly book: Book
  readonly stretches: readonly MonthStretch[]
}

/** Reads the records of one month of books; with a few questions, however many books there are. */
async function gatherMonths(
  books: readonly Book[],
  month: Interval,
  { store, modes }: ClosingDeps,
): Promise<GatheredMonth[]> {
  const gathered: GatheredMonth[] = []
  // The same interval of time is the same month in all zones.
  for (const some of chunksOf(books, RECORDS_BOOKS_MAX)) {
    const [first] = some
    if (first === undefined) continue
    const [name, before] = [month.startMs, month.startMs - 1].map((atMs) =>
      monthName(atMs, first.zone),
    )
    const kept = await store.keptMonths(
      first.meter,
      some.map(({ accountId }) => accountId),
      { interval: month, month: name ?? '', before: before ?? '' },
    )
    for (const book of some) {
      const { previous, ...found } = kept.get(book.accountId) ?? NOTHING_KEPT
      const records = recordsKnown(book, month, found)
      const stretches = await termsStretches(records, (hash) => modes.pack(hash))
      gathered.push({ book, ...records, stretches, previous })
    }
  }
  return gathered
}

const NOTHING_KEPT: KeptMonth = { days: [], adjustments: [], booked: [], previous: null }

async function measureMonth(
  gathered: readonly GatheredMonth[],
  month: Interval,
  { usage, coverage, between }: ClosingDeps,
) {
  return await between(async () => {
    const proofs = new Map<string, UsageProof>()
    const covered = new Map<string, Coverage>()
    const throughBatch = await usage.lastBatch(gathered[0]?.book.meter ?? 'cdn')
    // Books that began within the month are asked for their part of it.
    for (const [, group] of groupBy(gathered, ({ interval }) => `${interval.startMs}`)) {
      const { book, interval } = group[0] ?? {}
      if (book === undefined || interval === undefined) continue
      const accountIds = group.map((entry) => entry.book.accountId)
      const scope = { meter: book.meter, accountIds, throughBatch }
      for (const [id, proof] of await usage.proofs({ ...scope, ...interval })) proofs.set(id, proof)
      for (const [id, found] of await coverage({ ...scope, interval })) covered.set(id, found)
    }
    const stretches = gathered.map((entry) => entry.stretches)
    return { proofs, coverage: covered, lines: await rateMonths(month, stretches, usage, null) }
  })
}

function accountOf({ accountId }: Book, { name, number }: BookFacts): Bill['account'] {
  return { id: accountId, name, number }
}

function toStep(
  book: Book,
  bill: Bill,
  monthLines: readonly ChargeLine[],
  nowMs: number,
): BookStep {
  const text = formatRecord(bill, book.hash)
  const month = monthOf(book.billedUntilMs, book.zone)
  return {
    book,
    record: { kind: 'bill', record: bill, summary: summaryOf(bill, text.hash, nowMs) },
    text,
    state: book.state,
    closedUntilMs: book.closedUntilMs,
    billedUntilMs: month.endMs,
    postings: monthPostings(book, bill.month, month.startMs, monthLines),
    addresses: [],
    lateMark: null,
  }
}

/** Orders books the same way everywhere. */
export function compareBooks(a: BookKey, b: BookKey): number {
  return compareText(a.meter, b.meter) || compareText(a.accountId, b.accountId)
}
