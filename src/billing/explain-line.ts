import { AppError } from '../core/errors.ts'
import { type Interval, monthOf } from '../core/period.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { Rule } from '../rating/rules.ts'
import type {
  AdjustmentBillLine,
  BandwidthBillLine,
  BillLine,
  ChargeLine,
  StoredBill,
  TrafficBillLine,
} from './bill.ts'
import type { BookStore, KeptRecord } from './book-keeping.ts'
import type { BookKey, BookTerms } from './book.ts'
import type { BooksUsage, UsageOrigin } from './books-usage.ts'
import type { ChargeModes } from './charge-modes.ts'
import { type AdjustmentRecord, basisOf } from './day-record.ts'
import { explainBandwidth } from './explain-bandwidth.ts'
import { findCause, nameBatches } from './explain-cause.ts'
import { type KeptDay, throughBatchOf, traceDay, traceQuery } from './explain-day.ts'
import { explainTraffic } from './explain-traffic.ts'
import type {
  AdjustmentExplanation,
  BandwidthExplanation,
  BillExplanation,
  Explanation,
  TrafficExplanation,
} from './explanation.ts'
import { intervalOf } from './period-names.ts'
import { readSlots } from './read-days.ts'

/** What explaining reads: what was kept, the usage it was made of, and the rules. */
export interface ExplainDeps {
  readonly store: Pick<BookStore, 'bill' | 'billOf' | 'dayRecords' | 'adjustments'>
  readonly usage: BooksUsage & UsageOrigin
  readonly modes: Pick<ChargeModes, 'pack'>
}

type Charge = TrafficExplanation | BandwidthExplanation

/** When a line was made: records of the book after this one are not in it. */
interface AsOf {
  readonly sequence: number
  /** Of a month's slots. */
  readonly throughBatch: number
}

/**
 * Explains one line of a bill, together with what is needed to show it.
 *
 * Errors: those of `explainLine`.
 */
export async function explainBillLine(
  id: string,
  lineNumber: number,
  deps: ExplainDeps,
): Promise<BillExplanation> {
  const explanation = await explainLine(id, lineNumber, deps)
  const zone = (await deps.store.bill(id))?.bill.zone ?? 'UTC'
  return { bill: id, number: lineNumber, zone, explanation }
}

/**
 * Explains one line of a bill, from the usage that it was made of.
 *
 * Shape: lines count from 1. Usage that came later is left out, as when the bill was made.
 * Errors: `not_found` without such a bill or line; `too_large` for more usage than an answer holds.
 */
export async function explainLine(
  id: string,
  lineNumber: number,
  deps: ExplainDeps,
): Promise<Explanation> {
  const kept = await deps.store.bill(id)
  if (kept === undefined) throw new AppError('not_found', `There is no bill ${id}.`)
  const { bill } = kept
  const line = bill.lines[lineNumber - 1]
  if (line === undefined) {
    throw new AppError(
      'not_found',
      `The bill ${id} has ${bill.lines.length} lines; there is no line ${lineNumber}.`,
      { field: 'line' },
    )
  }
  if (line.type === 'adjustment') return explainAdjustment(kept, line, deps)
  if (line.type === 'package') return explainPackage(line)
  return explainCharge(keyOf(kept), line, await asOfOwn(kept, line, deps), deps)
}

/** A day's line knows nothing of late usage; a month's knows what came before the month closed. */
async function asOfOwn(
  kept: StoredBill & { readonly sequence: number },
  line: ChargeLine,
  { store }: ExplainDeps,
): Promise<AsOf> {
  const days = await store.dayRecords(keyOf(kept), intervalOf(line))
  const text = canonicalJson(line)
  const isOfDay = days.some(({ record }) =>
    record.lines.some((each) => canonicalJson(each) === text),
  )
  const { throughBatch } = kept.bill.manifest.proof
  return { sequence: isOfDay ? 0 : kept.sequence, throughBatch }
}

function keyOf({ bill }: StoredBill): BookKey {
  return { accountId: bill.account.id, meter: bill.meter }
}

async function explainCharge(
  key: BookKey,
  line: ChargeLine,
  asOf: AsOf,
  deps: ExplainDeps,
): Promise<Charge> {
  const days = await keptDays(key, intervalOf(line), asOf, deps)
  const [first] = days
  if (first === undefined) throw new AppError('not_found', `No closed day begins at ${line.start}.`)
  const terms = basisOf(first.record, first.pack)
  const rule = ruleOf(terms, line)
  return rule.type === 'traffic' && line.type === 'traffic'
    ? explainVolume(line, rule, terms, days, deps)
    : explainRate(line as BandwidthBillLine, rule, terms, asOf, days, deps)
}

function ruleOf({ pack }: BookTerms, line: ChargeLine): Rule {
  const rule = pack.rules.find(({ name, type }) => name === line.rule && type === line.type)
  if (rule !== undefined) return rule
  throw new AppError('internal', `The pack ${pack.name} has no ${line.type} rule ${line.rule}.`)
}

/** Reads what is kept of days, as it was when the record of that sequence was written. */
async function keptDays(
  key: BookKey,
  interval: Interval,
  { sequence }: AsOf,
  { store, modes }: ExplainDeps,
): Promise<KeptDay[]> {
  const records = await store.dayRecords(key, interval)
  const late = await store.adjustments(key, interval)
  const days: KeptDay[] = []
  for (const { record } of records) {
    const adjustments = late
      .filter((entry) => entry.sequence <= sequence && entry.record.date === record.date)
      .map((entry) => entry.record)
    days.push({ record, adjustments, pack: await modes.pack(record.pack.hash) })
  }
  return days
}

async function explainVolume(
  line: TrafficBillLine,
  rule: Rule & { type: 'traffic' },
  terms: BookTerms,
  days: readonly KeptDay[],
  { usage }: ExplainDeps,
): Promise<TrafficExplanation> {
  const grain = days.length === 1 ? 'slots' : 'day'
  const traced = []
  for (const day of days) {
    const traffic = await usage.traffic({
      meter: terms.meter,
      accountIds: [terms.accountId],
      throughBatch: throughBatchOf(day),
      ...traceQuery(day, grain),
    })
    traced.push(traceDay(day, traffic.get(terms.accountId) ?? []))
  }
  const explained = explainTraffic(line, rule, terms, traced)
  const isRedrawn = traced.every((day) => day.isRedrawn !== false)
  return { ...explained, agrees: explained.agrees && isRedrawn }
}

async function explainRate(
  line: BandwidthBillLine,
  rule: Rule,
  terms: BookTerms,
  asOf: AsOf,
  days: readonly KeptDay[],
  { usage }: ExplainDeps,
): Promise<BandwidthExplanation> {
  if (rule.type !== 'bandwidth')
    throw new AppError('internal', `${rule.name} is no bandwidth rule.`)
  const [day] = days
  const isDaily = rule.mode === 'daily-peak' && day !== undefined
  const throughBatch = isDaily ? throughBatchOf(day) : asOf.throughBatch
  const interval = intervalOf(line)
  const found = await readSlots([{ terms, rules: [rule] }], interval, usage, throughBatch)
  const members = found.get(terms.accountId)?.get(rule.name) ?? []
  const month = monthOf(interval.startMs, terms.zone)
  return explainBandwidth(line, rule, terms, { throughBatch, members, month })
}

async function explainAdjustment(
  kept: StoredBill,
  line: AdjustmentBillLine,
  deps: ExplainDeps,
): Promise<AdjustmentExplanation> {
  const key = keyOf(kept)
  const late = await deps.store.adjustments(key, intervalOf(line))
  const text = canonicalJson(line)
  const own = late.findIndex(
    ({ record }) =>
      record.bookedMonth === kept.bill.month &&
      record.lines.some((each) => canonicalJson(each) === text),
  )
  const found = late[own]
  if (found === undefined) {
    throw new AppError('internal', `No adjustment of the book has the line of ${line.start}.`)
  }
  const after = { sequence: found.sequence, throughBatch: found.record.proof.throughBatch }
  const before = await asOfBefore(key, line, found, late.slice(0, own), deps)
  const explain = (charge: ChargeLine | null, asOf: AsOf) =>
    charge === null ? null : explainCharge(key, charge, asOf, deps)
  const explained = {
    before: await explain(line.before, before),
    after: await explain(line.after, after),
  }
  const cause = await findCause(key, line, found.record, before.throughBatch, deps.usage)
  const [old, now] = [line.before?.amount ?? '0.00', line.after?.amount ?? '0.00']
  return {
    type: 'adjustment',
    line,
    cause,
    ...explained,
    steps: [
      `late usage of ${cause.start} to ${cause.end}, which came with ${nameBatches(cause)}, ` +
        `makes ${now} of ${old} ${line.currency}`,
      `${now} − ${old} = ${line.amount} ${line.currency}`,
    ],
    agrees: (explained.before?.agrees ?? true) && (explained.after?.agrees ?? true),
  }
}

/** What was known when the line was billed last: by an earlier adjustment, or when it closed. */
async function asOfBefore(
  key: BookKey,
  line: AdjustmentBillLine,
  { sequence, record }: KeptRecord<AdjustmentRecord>,
  earlier: readonly KeptRecord<AdjustmentRecord>[],
  { store }: ExplainDeps,
): Promise<AsOf> {
  if (line.of === 'day') {
    return { sequence: sequence - 1, throughBatch: record.proofBefore?.throughBatch ?? 0 }
  }
  const last = earlier.findLast((entry) => entry.record.monthLines !== null)
  if (last !== undefined) {
    return { sequence: sequence - 1, throughBatch: last.record.proof.throughBatch }
  }
  const bill = await store.billOf(key, record.date.slice(0, 7))
  return {
    sequence: sequence - 1,
    throughBatch: bill?.bill.manifest.proof.throughBatch ?? 0,
  }
}

function explainPackage(line: Extract<BillLine, { type: 'package' }>): Explanation {
  const verb = { purchase: 'was bought', refund: 'was given back' }[line.event]
  return {
    type: 'package',
    line,
    steps: [
      `package ${line.packageId} of ${line.sizeBytes} bytes ${verb} at ${line.time} ` +
        `for ${line.amount} ${line.currency}`,
    ],
    agrees: true,
  }
}
