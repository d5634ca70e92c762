import { formatInstant } from '../catalog/versions.ts'
import { hashLink } from '../core/hash-chain.ts'
import type { BillDraw, ChargeLine } from './bill.ts'
import type { BookKey, BookState, Coverage, DayBasis, UsageProof } from './book.ts'
import type { AdjustmentBillLine } from './bill.ts'
import type { Bytes } from '../core/units.ts'
import type { DailyOrder } from '../rating/package-arrears.ts'
import type { BurnPosting } from '../rating/package-burn.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { toChargeLine } from './charge-line.ts'
import { dayName } from './period-names.ts'
import type { AdjustedDay } from './adjust-day.ts'
import type { ExclusiveExcess } from './exclusive-cover.ts'
import { type PackageEvents, withEvents } from './package-events.ts'
import type { RatedDay } from './rate-day.ts'

/** What of the terms of a day its record keeps; the pack itself is found by its hash. */
interface KeptBasis extends BookKey {
  readonly zone: string
  /** Local day, `2026-10-03`. */
  readonly date: string
  readonly start: string
  readonly end: string
  /** See `DayBasis.settledMs`. */
  readonly settled: string
  readonly pack: { readonly name: string; readonly version: string; readonly hash: string }
  readonly groups: Readonly<Record<string, readonly string[]>>
  readonly packages: readonly PrepaidPackage[]
  readonly exclusive: DayBasis['exclusive']
  readonly unbilled: readonly string[]
  readonly opening: BookState
}

/** What a rated day did to packages. */
interface KeptDraws {
  readonly draws: readonly BurnPosting[]
  readonly absorptions: readonly { readonly packageId: string; readonly bytes: Bytes }[]
  readonly covered: readonly { readonly packageId: string; readonly bytes: Bytes }[]
  /** Absent when nothing moved beyond a refilling volume, and in records of earlier releases. */
  readonly excess?: readonly ExclusiveExcess[]
  readonly orders: readonly DailyOrder[]
  readonly remainder: readonly TrafficUsage[]
  readonly closing: BookState
}

/** A closed day of a book: what it was made of and what it came to. Never changes. */
export interface DayRecord extends KeptBasis, KeptDraws, PackageEvents {
  readonly format: 1
  readonly kind: 'day'
  readonly lines: readonly ChargeLine[]
  /** Outbound bytes of each elastic IP that is billed by traffic. */
  readonly addresses: readonly { readonly resourceId: string; readonly bytes: Bytes }[]
  /** Null: nothing was measured. */
  readonly proof: UsageProof | null
  readonly coverage: Coverage | null
}

/** What late usage changed about a closed day, and about its month if that was closed, too. */
export interface AdjustmentRecord extends KeptBasis, KeptDraws {
  readonly format: 1
  readonly kind: 'adjustment'
  /** `<account>.<meter>.<date>.<batch>`. */
  readonly id: string
  /** The local month whose bill carries it. */
  readonly bookedMonth: string
  readonly lines: readonly AdjustmentBillLine[]
  /** All lines of the day and of its month as they are now, to be compared with later. */
  readonly dayLines: readonly ChargeLine[]
  readonly monthLines: readonly ChargeLine[] | null
  readonly proofBefore: UsageProof | null
  readonly proof: UsageProof
}

/** Names the format of what is kept, in which everything depends on each character. */
const FORMAT = 1

/** Makes the record of a day. */
export function toDayRecord(
  basis: DayBasis,
  rated: RatedDay,
  rest: Pick<DayRecord, 'packageLines' | 'expired' | 'addresses' | 'proof' | 'coverage'>,
): DayRecord {
  const { lines, excess, ...drawn } = rated
  return {
    format: FORMAT,
    kind: 'day',
    ...keptBasis(basis),
    ...drawn,
    ...(excess.length > 0 && { excess }),
    closing: withEvents(drawn.closing, rest, basis),
    lines: lines.map((line) => toChargeLine(line, basis.pack)),
    ...rest,
  }
}

/** Makes the record of an adjustment. */
export function toAdjustmentRecord(
  basis: DayBasis,
  adjusted: AdjustedDay,
  rest: Pick<
    AdjustmentRecord,
    'bookedMonth' | 'lines' | 'dayLines' | 'monthLines' | 'proofBefore' | 'proof'
  >,
): AdjustmentRecord {
  const { lines: _, lateRemainder, excess, ...drawn } = adjusted
  const kept = keptBasis(basis)
  const { accountId, meter, date } = kept
  return {
    format: FORMAT,
    kind: 'adjustment',
    id: `${accountId}.${meter}.${date}.${rest.proof.throughBatch}`,
    ...kept,
    ...drawn,
    ...(excess.length > 0 && { excess }),
    remainder: lateRemainder,
    ...rest,
  }
}

function keptBasis(basis: DayBasis): KeptBasis {
  const { accountId, meter, zone, day, settledMs, pack, packHash } = basis
  const { groups, packages, exclusive, unbilled, opening } = basis
  return {
    accountId,
    meter,
    zone,
    date: dayName(day.startMs, zone),
    start: formatInstant(day.startMs),
    end: formatInstant(day.endMs),
    settled: formatInstant(settledMs),
    pack: { name: pack.name, version: pack.version, hash: packHash },
    groups,
    packages,
    exclusive,
    unbilled,
    opening,
  }
}

/** Takes the terms of a day out of its record again. */
export function basisOf(record: KeptBasis, pack: RulePack): DayBasis {
  const { accountId, meter, zone, groups, packages, exclusive, unbilled, opening } = record
  return {
    accountId,
    meter,
    zone,
    pack,
    packHash: record.pack.hash,
    groups,
    day: { startMs: Date.parse(record.start), endMs: Date.parse(record.end) },
    settledMs: Date.parse(record.settled),
    packages,
    exclusive,
    unbilled,
    opening,
  }
}

/** A record of a book as it is stored: text, and the hash that chains it to the one before. */
export interface KeptText {
  readonly content: string
  readonly hash: string
}

/** Writes a record as the next link of its book's chain. */
export function formatRecord(record: object, previous: string): KeptText {
  const content = recordText(record)
  return { content, hash: hashLink(previous, content) }
}

/** Writes a record, or where a book stands, in the one form that is kept and hashed. */
export function recordText(record: object): string {
  return canonicalJson(toKept(record))
}

// Fields that hold integers of any size; every other number or text stays what it is.
const INTEGERS = new Set([
  'bytes',
  'sizeBytes',
  'usedBytes',
  'remainingBytes',
  'arrearsBytes',
  'orderedBytes',
])
// In lines these are text by their type.
const TEXT_PARTS = new Set(['lines', 'packageLines', 'dayLines', 'monthLines'])

// Fields that hold usage. A region that says no more than the area is not written: records are the
// same as before there were regions, byte for byte.
const USAGE = new Set(['remainder', 'arrears'])
// Fields that hold such fields.
const STATES = new Set(['opening', 'closing'])

function toKept(record: object): object {
  const entries = Object.entries(record).map(([name, value]: [string, unknown]) => {
    if (USAGE.has(name)) return [name, (value as readonly TrafficUsage[]).map(withoutImplied)]
    return [name, STATES.has(name) ? toKept(value as BookState) : value]
  })
  return Object.fromEntries(entries) as object
}

function withoutImplied({ billingRegion, ...usage }: TrafficUsage): object {
  return billingRegion === usage.area ? usage : { ...usage, billingRegion }
}

function withImplied(kept: unknown): TrafficUsage {
  const usage = kept as Omit<TrafficUsage, 'billingRegion'> & Partial<TrafficUsage>
  return { ...usage, billingRegion: usage.billingRegion ?? usage.area }
}

/** Reads the record of a day. Shape: integers of any size are bigints again. */
export function parseDay(content: string): DayRecord {
  return parseRecord(content) as unknown as DayRecord
}

/** Reads the record of an adjustment. Shape: integers of any size are bigints again. */
export function parseAdjustment(content: string): AdjustmentRecord {
  return parseRecord(content) as unknown as AdjustmentRecord
}

function parseRecord(content: string): Record<string, unknown> {
  const record = JSON.parse(content) as Record<string, unknown>
  for (const [name, value] of Object.entries(record)) {
    if (!TEXT_PARTS.has(name)) record[name] = reviveField(name, value)
  }
  return record
}

function reviveField(name: string, value: unknown): unknown {
  if (typeof value === 'string') return INTEGERS.has(name) ? BigInt(value) : value
  const revived = revive(value)
  return USAGE.has(name) && Array.isArray(revived) ? revived.map(withImplied) : revived
}

/**
 * Turns the integers of plain JSON into bigints.
 *
 * In place, since nobody else holds what was just parsed: a month of ten thousand books is three
 * hundred thousand records, and copying each took twice as long.
 */
function revive(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (const inner of value) revive(inner)
    return value
  }
  const fields = value as Record<string, unknown>
  for (const name of Object.keys(fields)) fields[name] = reviveField(name, fields[name])
  return fields
}

/** Sums what packages gave over several records, by package; null comes last. */
export function sumDraws(records: readonly Pick<KeptDraws, 'draws' | 'absorptions'>[]): BillDraw[] {
  const sums = new Map<string | null, Bytes>()
  for (const { draws, absorptions } of records) {
    for (const { packageId, bytes } of [...draws, ...absorptions]) {
      sums.set(packageId, (sums.get(packageId) ?? 0n) + bytes)
    }
  }
  return [...sums]
    .sort(([a], [b]) => ((a ?? '\u{10ffff}') < (b ?? '\u{10ffff}') ? -1 : 1))
    .map(([packageId, bytes]) => ({ packageId, bytes: String(bytes) }))
}

/** Writes where a book stands. */
export function formatState(state: BookState): string {
  return recordText(state)
}

/** Reads what `formatState` wrote. */
export function parseState(text: string): BookState {
  return revive(JSON.parse(text)) as BookState
}
