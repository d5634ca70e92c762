/**
 * What each byte of a prepaid package costs: its price, spread over its volume.
 *
 * The first D of S bytes cost the price × D ÷ S, rounded down; what a day draws costs the
 * difference of two such sums. So rows of any number of days and months add up to the price, to the
 * billionth, once what is left at the end is added as its unused part.
 */
import { divFloor } from '../core/units.ts'
import type { Nano } from '../core/money.ts'
import type { Bytes } from '../core/units.ts'
import type { Bill } from './bill.ts'
import type { BookStore, PackageFact } from './book-keeping.ts'
import type { AdjustmentRecord, DayRecord } from './day-record.ts'
import { intervalOf } from './period-names.ts'

/** A part of a package, and which part of its price that is. */
export interface PackageShare {
  readonly packageId: string
  /** `unused`: what was left when it ended or was given back, and what of its price nobody used. */
  readonly part: 'used' | 'unused'
  /** The day that drew, or with which the rest was written off. */
  readonly start: string
  readonly end: string
  readonly bytes: Bytes
  /** May be below 0 for an unused part: more was given back than was left. */
  readonly cost: Nano
  /** Null: nothing was paid that the books know of, so the cost is 0. */
  readonly currency: string | null
  /** The only resource that it pays for; null: it pays for several. */
  readonly resourceId: string | null
}

type BookedRecord = DayRecord | AdjustmentRecord

/**
 * Lists what records of a book took from packages, and what of their prices.
 *
 * Shape: by record in the order given, then by package; used before unused.
 * Units: over all records of a book, the shares of a package that has ended come to what was paid
 * for it less what was given back, exactly.
 */
export function packageShares(
  records: readonly BookedRecord[],
  facts: readonly PackageFact[],
): PackageShare[] {
  const known = new Map(facts.map((fact) => [fact.terms.id, fact]))
  return records.flatMap((record) => {
    const drawn = drawnOf(record)
    const rests = record.kind === 'day' ? restsOf(record) : new Map<string, Rest>()
    const ids = [...new Set([...drawn.keys(), ...rests.keys()])].sort()
    return ids.flatMap((id) => {
      const fact = known.get(id)
      // A package is never removed from the catalog.
      return fact === undefined ? [] : sharesOf(record, fact, drawn.get(id) ?? 0n, rests.get(id))
    })
  })
}

/** Lists what a bill's days took from packages, and then what its adjustments took. */
export async function sharesOfBill(
  bill: Pick<Bill, 'account' | 'meter' | 'month' | 'start' | 'end'>,
  store: Pick<BookStore, 'dayRecords' | 'adjustmentsBooked' | 'facts'>,
): Promise<PackageShare[]> {
  const key = { accountId: bill.account.id, meter: bill.meter }
  const days = await store.dayRecords(key, intervalOf(bill))
  const booked = await store.adjustmentsBooked(key, bill.month)
  const facts = (await store.facts(key.meter, [key.accountId])).get(key.accountId)
  const records = [...days, ...booked].map(({ record }) => record)
  return packageShares(records, facts?.packages ?? [])
}

/** What was left of a package when it ended. */
interface Rest {
  readonly bytes: Bytes
  /** False: it expired. */
  readonly isReturned: boolean
}

function sharesOf(
  { opening, start, end }: BookedRecord,
  { terms, paid, refunded }: PackageFact,
  drawnBytes: Bytes,
  rest: Rest | undefined,
): PackageShare[] {
  const { id: packageId, sizeBytes, resourceIds } = terms
  const price = paid?.amount ?? 0n
  const before = opening.balances.find((each) => each.packageId === packageId)?.usedBytes ?? 0n
  const costThrough = (usedBytes: Bytes): Nano => divFloor(price * usedBytes, sizeBytes)
  const after = before + drawnBytes
  const common = {
    packageId,
    start,
    end,
    currency: paid?.currency ?? null,
    resourceId: resourceIds?.length === 1 ? (resourceIds[0] ?? null) : null,
  }
  const shares: PackageShare[] = []
  if (drawnBytes > 0n) {
    const cost = costThrough(after) - costThrough(before)
    shares.push({ ...common, part: 'used', bytes: drawnBytes, cost })
  }
  if (rest !== undefined) {
    const returned = rest.isReturned ? (refunded?.amount ?? 0n) : 0n
    const cost = price - returned - costThrough(after)
    // Where all that it was worth came back, nothing was left unused.
    if (!rest.isReturned || cost !== 0n) {
      shares.push({ ...common, part: 'unused', bytes: rest.bytes, cost })
    }
  }
  return shares
}

function drawnOf({ draws, absorptions }: BookedRecord): Map<string, Bytes> {
  const sums = new Map<string, Bytes>()
  for (const { packageId, bytes } of [...draws, ...absorptions]) {
    if (packageId !== null) sums.set(packageId, (sums.get(packageId) ?? 0n) + bytes)
  }
  return sums
}

function restsOf({ expired, packageLines }: DayRecord): Map<string, Rest> {
  const rests = new Map<string, Rest>()
  for (const { packageId, bytes } of expired) rests.set(packageId, { bytes, isReturned: false })
  for (const { event, packageId, sizeBytes } of packageLines) {
    if (event === 'refund') rests.set(packageId, { bytes: BigInt(sizeBytes), isReturned: true })
  }
  return rests
}
