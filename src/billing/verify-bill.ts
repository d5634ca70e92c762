import { monthOf } from '../core/period.ts'
import { AppError } from '../core/errors.ts'
import { hashLink } from '../core/hash-chain.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { Bill } from './bill.ts'
import type { Verification } from './bill-desk.ts'
import type { KeptRecord } from './book-keeping.ts'
import type { BookKey, UsageProof } from './book.ts'
import { packsOf, termsStretches, toBill } from './close-month.ts'
import type { ClosingDeps } from './closing-deps.ts'
import {
  type AdjustmentRecord,
  basisOf,
  type DayRecord,
  recordText,
  toDayRecord,
} from './day-record.ts'
import { intervalOf } from './period-names.ts'
import { makeAdjustment } from './make-adjustment.ts'
import { narrowUsage } from './narrow-usage.ts'
import { type DayUsage, NO_USAGE, rateDay } from './rate-day.ts'
import { rateMonth } from './rate-month.ts'
import { readDays } from './read-days.ts'

type VerifyDeps = Pick<ClosingDeps, 'store' | 'usage' | 'modes'>

/** What records tell of refilling volumes since a later release. */
const LATER_FIELDS: ReadonlySet<string> = new Set(['excess', 'exclusive'])

/** Compares texts and remembers which differ. */
interface Report {
  checks: number
  readonly findings: Verification['findings'][number][]
  compare(check: string, expected: string, actual: string): void
}

/**
 * Computes a bill again from its manifest and compares everything byte for byte: the rows of usage
 * behind it, each day, each adjustment, the month, the bill itself and its place in the chains.
 *
 * Errors: `not_found` for a bill that there is not.
 * Limits: needs the usage itself. What a source was expected to report is taken from the bill.
 */
export async function verifyBill(
  id: string,
  { usage, ...rest }: VerifyDeps,
): Promise<Verification> {
  const stored = await rest.store.bill(id)
  if (stored === undefined) {
    throw new AppError('not_found', `There is no bill ${id}; weir bill list shows those there are.`)
  }
  const { bill } = stored
  const key: BookKey = { accountId: bill.account.id, meter: bill.meter }
  const facts = (await rest.store.facts(key.meter, [key.accountId])).get(key.accountId)
  const deps = { ...rest, usage: facts === undefined ? usage : narrowUsage(usage, facts) }
  const report = createReport()
  const interval = intervalOf(bill)
  const days = await deps.store.dayRecords(key, interval)
  for (const day of days) await verifyDay(day, deps, report)
  const booked = await deps.store.adjustmentsBooked(key, bill.month)
  for (const adjustment of booked) await verifyAdjustment(adjustment, deps, report)
  await verifyMonth(stored, { key, days, booked }, deps, report)
  const { sequence, hash } = bill.manifest.ledger
  const entry = sequence === 0 ? hash : await deps.store.ledgerHash(key.accountId, sequence)
  report.compare(`ledger entry ${sequence}`, hash, entry ?? 'missing')
  return { id, checks: report.checks, findings: report.findings }
}

function createReport(): Report {
  const findings: Verification['findings'][number][] = []
  return {
    checks: 0,
    findings,
    compare(check, expected, actual) {
      this.checks += 1
      if (expected !== actual) findings.push({ check, ...around(expected, actual) })
    },
  }
}

const SHOWN = 120

/** Cuts two texts to where they differ, so that a person can see it. */
function around(expected: string, actual: string): { expected: string; actual: string } {
  let at = 0
  while (at < expected.length && expected[at] === actual[at]) at += 1
  const from = Math.max(0, at - SHOWN / 2)
  const cut = (text: string): string => {
    const part = text.slice(from, from + SHOWN)
    return `${from > 0 ? '…' : ''}${part}${from + SHOWN < text.length ? '…' : ''}`
  }
  return { expected: cut(expected), actual: cut(actual) }
}

/** The record is what was hashed, and its hash follows from the one before. */
function verifyText(name: string, kept: KeptRecord<object>, report: Report): void {
  const record: unknown = JSON.parse(kept.content)
  report.compare(`${name}: text`, canonicalJson(record), kept.content)
  report.compare(`${name}: hash`, hashLink(kept.previous, kept.content), kept.hash)
}

async function verifyDay(
  kept: KeptRecord<DayRecord>,
  deps: VerifyDeps,
  report: Report,
): Promise<void> {
  const { record } = kept
  const name = `day ${record.date}`
  verifyText(name, kept, report)
  await verifyProof(name, record, record.proof, deps, report)
  const basis = basisOf(record, await deps.modes.pack(record.pack.hash))
  const usage = await usageOf(basis, record.proof, deps)
  const addresses = record.addresses.map(({ resourceId }) => ({
    resourceId,
    bytes: outBytes(usage, resourceId, basis.unbilled),
  }))
  const { packageLines, expired, proof, coverage } = record
  const again = toDayRecord(basis, rateDay(basis, usage), {
    packageLines,
    expired,
    addresses,
    proof,
    coverage,
  })
  report.compare(`${name}: computed again`, kept.content, recordText(asKept(record, again)))
}

/** Leaves out what a record of an earlier release does not tell about refilling volumes. */
function asKept(
  kept: Pick<DayRecord, 'excess'> | Pick<Bill, 'exclusive'>,
  again: Partial<DayRecord> | Partial<AdjustmentRecord> | Partial<Bill>,
): object {
  const entries = Object.entries(again).filter(([name]) => !LATER_FIELDS.has(name) || name in kept)
  return Object.fromEntries(entries)
}

function outBytes({ traffic }: DayUsage, resourceId: string, unbilled: readonly string[]): bigint {
  if (unbilled.includes(resourceId)) return 0n
  return traffic
    .filter((entry) => entry.resourceId === resourceId && entry.direction === 'out')
    .reduce((sum, { bytes }) => sum + bytes, 0n)
}

async function usageOf(
  basis: ReturnType<typeof basisOf>,
  proof: UsageProof | null,
  { usage }: VerifyDeps,
): Promise<DayUsage> {
  if (proof === null) return NO_USAGE
  return (await readDays([basis], usage, proof.throughBatch)).get(basis.accountId) ?? NO_USAGE
}

async function verifyProof(
  name: string,
  of: BookKey & { readonly start: string; readonly end: string },
  proof: UsageProof | null,
  { usage }: VerifyDeps,
  report: Report,
): Promise<void> {
  if (proof === null || proof.rows === 0) return
  const { accountId, meter } = of
  const found = await usage.proofs({
    meter,
    accountIds: [accountId],
    throughBatch: proof.throughBatch,
    ...intervalOf(of),
  })
  const actual = found.get(accountId)
  report.compare(`${name}: usage`, canonicalJson(proof), canonicalJson(actual ?? null))
}

async function verifyAdjustment(
  kept: KeptRecord<AdjustmentRecord>,
  deps: VerifyDeps,
  report: Report,
): Promise<void> {
  const { record } = kept
  const name = `adjustment ${record.id}`
  verifyText(name, kept, report)
  await verifyProof(name, record, record.proof, deps, report)
  const basis = basisOf(record, await deps.modes.pack(record.pack.hash))
  const [day] = await deps.store.dayRecords(basis, basis.day)
  const earlier = (await deps.store.adjustments(basis, basis.day)).filter(
    ({ sequence }) => sequence < kept.sequence,
  )
  const [book] = await deps.store.books(basis.meter, [basis.accountId])
  const again = await makeAdjustment(
    {
      basis,
      day: day !== undefined && day.sequence < kept.sequence ? day.record : null,
      earlier,
      usage: {
        before: await usageOf(basis, record.proofBefore, deps),
        now: await usageOf(basis, record.proof, deps),
      },
      bookedMonth: record.bookedMonth,
      proofBefore: record.proofBefore,
      proof: record.proof,
    },
    { startMs: book?.startMs ?? basis.day.startMs, beforeSequence: kept.sequence },
    deps,
  )
  report.compare(`${name}: computed again`, kept.content, recordText(asKept(record, again)))
}

async function verifyMonth(
  stored: KeptRecord<Bill>,
  records: {
    readonly key: BookKey
    readonly days: readonly KeptRecord<DayRecord>[]
    readonly booked: readonly KeptRecord<AdjustmentRecord>[]
  },
  deps: VerifyDeps,
  report: Report,
): Promise<void> {
  const { record: bill } = stored
  const { key, days, booked } = records
  const { manifest, zone } = bill
  const name = `bill ${bill.id}`
  verifyText(name, stored, report)
  const of = { ...key, start: bill.start, end: bill.end }
  await verifyProof(name, of, manifest.proof, deps, report)
  const interval = intervalOf(bill)
  const month = monthOf(interval.startMs, zone)
  const adjustments = (await deps.store.adjustments(key, interval)).filter(
    ({ sequence }) => sequence < stored.sequence,
  )
  const parts = { month, interval, days, adjustments }
  const stretches = await termsStretches(parts, (hash) => deps.modes.pack(hash))
  const again = toBill({
    ...parts,
    account: bill.account,
    key,
    zone,
    monthLines: await rateMonth(month, stretches, deps.usage, manifest.proof.throughBatch),
    booked,
    proof: manifest.proof,
    coverage: manifest.coverage,
    packs: packsOf(stretches),
    tzdata: manifest.tzdata,
    ledger: manifest.ledger,
    previous: manifest.previous,
  })
  report.compare(`${name}: computed again`, stored.content, recordText(asKept(bill, again)))
}
