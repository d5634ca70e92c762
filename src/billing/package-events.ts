import { formatInstant } from '../catalog/versions.ts'
import type { EpochMs } from '../core/clock.ts'
import { formatMoney } from '../core/money.ts'
import { DAY_MS, monthOf } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageBalance } from '../rating/package-burn.ts'
import { compareText, type PrepaidPackage } from '../rating/package-terms.ts'
import { endOf } from '../rating/package-validity.ts'
import type { PackageBillLine } from './bill.ts'
import type { BookState, DayBasis } from './book.ts'
import type { PackageFact } from './book-keeping.ts'

/** What happened to packages besides being drawn from. */
export interface PackageEvents {
  /** Packages that were first seen, or given back, with this day. */
  readonly packageLines: readonly PackageBillLine[]
  /** What was left of packages whose end is longer ago than usage may be late. */
  readonly expired: readonly { readonly packageId: string; readonly bytes: Bytes }[]
}

/** How long after its end a package may still pay for late usage of its time. */
const KEEP_MS = 40 * DAY_MS

/** When a day is settled, and in which local month its bill is. */
interface Settled {
  readonly dayStartMs: EpochMs
  readonly settledMs: EpochMs
}

/**
 * Finds what a day has to write down about packages.
 *
 * Shape: purchases by id, then refunds by id; each with the first day that is settled after it
 * happened, also when the catalog learnt of it late.
 * Time: of the day's local month or before, since the day is on that month's bill: what happens in
 * the next month while its first days wait for settling is for a day of that month.
 */
export function packageEvents(
  facts: readonly PackageFact[],
  opening: BookState,
  settled: Settled,
  terms: { readonly zone: string; readonly currency: string },
): PackageEvents {
  const balances = new Map(opening.balances.map((balance) => [balance.packageId, balance]))
  const priced = pricedOf(opening)
  const sorted = facts.toSorted((a, b) => compareText(a.terms.id, b.terms.id))
  const untilMs = Math.min(settled.settledMs, monthOf(settled.dayStartMs, terms.zone).endMs)
  const isOver = (atMs: EpochMs): boolean => atMs < untilMs
  const bought = sorted.filter(
    (fact) => !priced.has(fact.terms.id) && isOver(fact.terms.purchasedMs),
  )
  const returned = sorted.filter(({ terms: { id }, refunded }) => {
    const balance = balances.get(id)
    const isDone = balance !== undefined && isGone(balance)
    return refunded !== null && isOver(refunded.atMs) && !isDone
  })
  const expired = sorted.flatMap(({ terms: { id }, terms: entry, refunded }) => {
    const balance = balances.get(id)
    const hasRest = balance !== undefined && balance.remainingBytes > 0n && refunded === null
    if (!hasRest || !isLongOver(entry, balance, settled.dayStartMs, terms.zone)) return []
    return [{ packageId: id, bytes: balance.remainingBytes }]
  })
  return {
    packageLines: [
      ...bought.map((fact) => toLine(fact, 'purchase', fact.terms.sizeBytes, terms.currency)),
      // Untouched when it was given back; what late usage drew from it since stays drawn.
      ...returned.map((fact) => {
        const leftBytes = balances.get(fact.terms.id)?.remainingBytes ?? fact.terms.sizeBytes
        return toLine(fact, 'refund', leftBytes, terms.currency)
      }),
    ],
    expired,
  }
}

/**
 * Lists the packages that may be drawn from on the day, or take its arrears.
 *
 * Shape: none whose rest was written off, also for a late day before that.
 */
export function packagesInPlay(
  facts: readonly PackageFact[],
  opening: BookState,
  settled: Settled,
  zone: string,
): PrepaidPackage[] {
  const balances = new Map(opening.balances.map((balance) => [balance.packageId, balance]))
  return facts
    .filter(({ terms, refunded }) => {
      const balance = balances.get(terms.id)
      const isOver = isLongOver(terms, balance, settled.dayStartMs, zone)
      const isHeld = refunded === null && !isWrittenOff(terms, balance)
      return isHeld && terms.purchasedMs < settled.settledMs && !isOver
    })
    .map(({ terms }) => terms)
    .sort((a, b) => compareText(a.id, b.id))
}

/**
 * Lists the packages that are in a book before the month in which they were bought: they may take
 * the last arrears of the month before, which is not settled yet; their price is for their month.
 */
export function boughtAhead(
  { packages, opening }: Pick<DayBasis, 'packages' | 'opening'>,
  { packageLines }: Pick<PackageEvents, 'packageLines'>,
): PrepaidPackage[] {
  const known = new Set([
    ...opening.balances.map(({ packageId }) => packageId),
    ...packageLines.map(({ packageId }) => packageId),
  ])
  return packages.filter(({ id }) => !known.has(id))
}

/**
 * Notes what was bought in the balances, and takes what was given back or has expired out of them.
 *
 * Shape: also one that took part in nothing, since it was given back before its first day was
 * closed: it must not be bought again with the next.
 */
export function withEvents(
  { priceDue = [], ...closing }: BookState,
  { packageLines, expired }: PackageEvents,
  basis: Pick<DayBasis, 'packages' | 'opening'>,
): BookState {
  const balances = new Map(closing.balances.map((balance) => [balance.packageId, balance]))
  const due = new Set(priceDue)
  for (const { id, sizeBytes } of boughtAhead(basis, { packageLines })) {
    due.add(id)
    if (!balances.has(id)) {
      balances.set(id, { ...NOTHING, packageId: id, remainingBytes: sizeBytes })
    }
  }
  for (const { event, packageId, sizeBytes } of packageLines) {
    if (event === 'purchase') due.delete(packageId)
    if (event === 'purchase' && !balances.has(packageId)) {
      balances.set(packageId, { ...NOTHING, packageId, remainingBytes: BigInt(sizeBytes) })
    }
    if (event === 'refund') balances.set(packageId, { ...NOTHING, packageId })
  }
  for (const { packageId } of expired) {
    const balance = balances.get(packageId)
    if (balance !== undefined) balances.set(packageId, { ...balance, remainingBytes: 0n })
  }
  const sorted = [...balances.values()].sort((a, b) => compareText(a.packageId, b.packageId))
  return { ...closing, balances: sorted, ...(due.size > 0 && { priceDue: [...due].sort() }) }
}

const NOTHING = { usedBytes: 0n, remainingBytes: 0n, firstUseMs: null }

/** Packages whose price is written down. */
function pricedOf({ balances, priceDue = [] }: BookState): ReadonlySet<string> {
  const due = new Set(priceDue)
  return new Set(balances.map(({ packageId }) => packageId).filter((id) => !due.has(id)))
}

function isGone({ usedBytes, remainingBytes }: PackageBalance): boolean {
  return usedBytes === 0n && remainingBytes === 0n
}

/** What was left of it is gone: burning would take it for what it has. */
function isWrittenOff({ sizeBytes }: PrepaidPackage, balance: PackageBalance | undefined): boolean {
  return balance !== undefined && balance.usedBytes + balance.remainingBytes < sizeBytes
}

function isLongOver(
  entry: PrepaidPackage,
  balance: PackageBalance | undefined,
  dayStartMs: EpochMs,
  zone: string,
): boolean {
  const endMs = endOf(entry, balance?.firstUseMs ?? null, zone)
  return endMs !== null && endMs + KEEP_MS <= dayStartMs
}

function toLine(
  { terms, paid, refunded }: PackageFact,
  event: PackageBillLine['event'],
  sizeBytes: Bytes,
  currency: string,
): PackageBillLine {
  const given = event === 'purchase' ? (paid?.amount ?? 0n) : -(refunded?.amount ?? 0n)
  const atMs = event === 'purchase' ? terms.purchasedMs : (refunded?.atMs ?? terms.purchasedMs)
  return {
    type: 'package',
    event,
    packageId: terms.id,
    sizeBytes: String(sizeBytes),
    time: formatInstant(atMs),
    amount: formatMoney(given),
    currency: paid?.currency ?? currency,
  }
}
