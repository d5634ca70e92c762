import { coversArea } from '../../src/catalog/area-scope.ts'
import { adjustDay } from '../../src/billing/adjust-day.ts'
import type { Bill, ChargeLine, StoredBill } from '../../src/billing/bill.ts'
import type { KeptRecord } from '../../src/billing/book-keeping.ts'
import { type DayBasis, EMPTY_STATE, type UsageProof } from '../../src/billing/book.ts'
import type { BooksScope, BooksUsage, UsageOrigin } from '../../src/billing/books-usage.ts'
import { adjustmentLines, toChargeLine } from '../../src/billing/charge-line.ts'
import { toBill } from '../../src/billing/close-month.ts'
import {
  type AdjustmentRecord,
  type DayRecord,
  toAdjustmentRecord,
  toDayRecord,
} from '../../src/billing/day-record.ts'
import type { ExplainDeps } from '../../src/billing/explain-line.ts'
import { memberGroups } from '../../src/billing/member-groups.ts'
import { priceRemainder, rateDay } from '../../src/billing/rate-day.ts'
import { readDays, readSlots } from '../../src/billing/read-days.ts'
import { rateBandwidth } from '../../src/rating/bandwidth-line.ts'
import { FIVE_MINUTES_MS, floorTo, type Interval } from '../../src/core/period.ts'
import type { Slot } from '../../src/rating/bandwidth-usage.ts'
import { hashPack } from '../../src/rating/hash-pack.ts'
import { hashContent } from '../../src/rating/pack-hash.ts'
import type { BandwidthRule } from '../../src/rating/rules.ts'
import type { PrepaidPackage } from '../../src/rating/package-terms.ts'
import { parseRulePack, type RulePack } from '../../src/rating/rule-pack.ts'
import { mergeTraffic } from '../../src/rating/traffic-order.ts'
import type { TrafficUsage } from '../../src/rating/traffic-usage.ts'
import { namesOf } from './memory-usage.ts'
import { CUSTOMER, octoberDay, proofThrough } from './bills.ts'

/** Usage, and the batch that it came with. */
export type BatchedUsage = TrafficUsage & { readonly batch: number }

const unasked = async (): Promise<never> => {
  throw new Error('explaining does not ask this')
}

/** Answers what books ask of usage that is a list. */
export function fakeBooksUsage(rows: readonly BatchedUsage[]): BooksUsage & UsageOrigin {
  const known = ({ throughBatch }: BooksScope, { startMs, endMs }: Interval): BatchedUsage[] =>
    rows.filter(
      (row) =>
        row.batch <= (throughBatch ?? Number.POSITIVE_INFINITY) &&
        startMs <= row.startMs &&
        row.startMs < endMs,
    )
  return {
    lastBatch: unasked,
    proofs: unasked,
    repair: unasked,
    late: unasked,
    lateAccounts: unasked,
    batches: async ({ accountId, afterBatch, namedMax, ...query }) => {
      const found = known({ ...query, accountIds: [accountId] }, query)
      const numbers = [...new Set(found.map(({ batch }) => batch))]
        .filter((batch) => batch > afterBatch)
        .sort((a, b) => a - b)
      return { numbers: numbers.slice(0, namedMax), count: numbers.length }
    },
    traffic: async (query) => {
      const [startMs = 0] = query.cutsMs
      const found = known(query, { startMs, endMs: query.endMs }).map((row) => ({
        ...row,
        ...namesOf(query, row),
      }))
      const merged = mergeTraffic(found, (atMs) => query.cutsMs.findLast((cut) => cut <= atMs) ?? 0)
      return new Map([[CUSTOMER.id, merged]])
    },
    slots: async (query) => {
      const members = new Map<string, Map<number, Slot>>()
      for (const { startMs, bytes, direction, ...row } of known(query, query)) {
        if (!coversArea(query.areas, row)) continue
        const id = { account: CUSTOMER.id, project: row.projectId, resource: row.resourceId }
        const slots = members.get(id[query.member]) ?? new Map<number, Slot>()
        members.set(id[query.member], slots)
        const atMs = floorTo(startMs, FIVE_MINUTES_MS)
        const slot = slots.get(atMs) ?? { startMs: atMs, inBytes: 0n, outBytes: 0n }
        const [inBytes, outBytes] = direction === 'in' ? [bytes, 0n] : [0n, bytes]
        slots.set(atMs, {
          startMs: atMs,
          inBytes: slot.inBytes + inBytes,
          outBytes: slot.outBytes + outBytes,
        })
      }
      const list = [...members].map(([memberId, slots]) => ({
        memberId,
        slots: [...slots.values()],
      }))
      return new Map([[CUSTOMER.id, list]])
    },
  }
}

/** Three closed days, their bill, and what late usage changed about them, as books keep it. */
export interface ExplainedBook {
  readonly deps: ExplainDeps
  readonly bill: StoredBill
  /** Carries the adjustments. */
  readonly next: StoredBill
}

const MONTH = { startMs: Date.parse(octoberDay(1).start), endMs: Date.parse(octoberDay(32).start) }

/**
 * Closes the first three days of October over usage of batch 1, then the month, and adjusts the
 * second day by what came with batch 2.
 */
export async function explainedBook(
  packText: string,
  rows: readonly BatchedUsage[],
  packages: readonly PrepaidPackage[] = [],
): Promise<ExplainedBook> {
  const pack = parseRulePack(packText, 'pack')
  const usage = fakeBooksUsage(rows)
  const days = await closeDays(pack, packages, usage)
  const interval = { startMs: MONTH.startMs, endMs: Date.parse(octoberDay(3).end) }
  const bill = await closeBill(pack, days, interval, usage)
  const adjustment = await adjust(pack, days, bill, usage)
  const next = kept(
    { ...bill.record, id: 'next', month: '2026-11', lines: adjustment.record.lines },
    6,
  )
  const bills = [bill, next].map((entry) => ({ ...entry, bill: entry.record, closedMs: 0 }))
  const isIn = (start: string, { startMs, endMs }: Interval): boolean =>
    startMs <= Date.parse(start) && Date.parse(start) < endMs
  const [first, second] = bills
  if (first === undefined || second === undefined) throw new Error('two bills were made')
  return {
    bill: first,
    next: second,
    deps: {
      usage,
      modes: { pack: async () => pack },
      store: {
        bill: async (id) => bills.find((entry) => entry.bill.id === id),
        billOf: async (_, month) => bills.find((entry) => entry.bill.month === month),
        dayRecords: async (_, span) => days.filter(({ record }) => isIn(record.start, span)),
        adjustments: async (_, span) =>
          [adjustment].filter(({ record }) => isIn(record.start, span)),
      },
    },
  }
}

function kept<T>(record: T, sequence: number): KeptRecord<T> {
  return { sequence, record, content: '', hash: hashContent(record), previous: '' }
}

function basisOfDay(pack: RulePack, packages: readonly PrepaidPackage[], day: number): DayBasis {
  const { start, end } = octoberDay(day)
  return {
    accountId: CUSTOMER.id,
    meter: 'cdn',
    zone: 'Asia/Shanghai',
    pack,
    packHash: hashPack(pack),
    groups: {},
    day: { startMs: Date.parse(start), endMs: Date.parse(end) },
    settledMs: Date.parse(end),
    packages,
    exclusive: [],
    unbilled: ['ucdn-unbilled'],
    opening: EMPTY_STATE,
  }
}

async function measure(basis: DayBasis, usage: BooksUsage, throughBatch: number) {
  const measured = (await readDays([basis], usage, throughBatch)).get(basis.accountId)
  if (measured === undefined) throw new Error('nothing was read')
  return measured
}

async function closeDays(
  pack: RulePack,
  packages: readonly PrepaidPackage[],
  usage: BooksUsage,
): Promise<KeptRecord<DayRecord>[]> {
  const days: KeptRecord<DayRecord>[] = []
  for (const day of [1, 2, 3]) {
    const opening = days.at(-1)?.record.closing ?? EMPTY_STATE
    const basis = { ...basisOfDay(pack, packages, day), opening }
    const rated = rateDay(basis, await measure(basis, usage, 1))
    const rest = { packageLines: [], expired: [], addresses: [], coverage: null }
    days.push(kept(toDayRecord(basis, rated, { ...rest, proof: proofThrough(1) }), day))
  }
  return days
}

async function closeBill(
  pack: RulePack,
  days: readonly KeptRecord<DayRecord>[],
  interval: Interval,
  usage: BooksUsage,
): Promise<KeptRecord<Bill>> {
  const bill = toBill({
    month: MONTH,
    interval,
    days,
    adjustments: [],
    account: CUSTOMER,
    key: { accountId: CUSTOMER.id, meter: 'cdn' },
    zone: 'Asia/Shanghai',
    monthLines: await priceMonth(pack, days, [], usage, 1),
    booked: [],
    proof: proofThrough(1),
    coverage: null,
    packs: [],
    tzdata: '2026a',
    ledger: { sequence: 0, hash: '' },
    previous: null,
  })
  return kept(bill, 4)
}

/** Prices what waits for the end of the month, from every slot of the three days. */
async function priceMonth(
  pack: RulePack,
  days: readonly KeptRecord<DayRecord>[],
  late: readonly TrafficUsage[],
  usage: BooksUsage,
  throughBatch: number,
): Promise<ChargeLine[]> {
  const terms = basisOfDay(pack, [], 1)
  const interval = { startMs: MONTH.startMs, endMs: Date.parse(octoberDay(3).end) }
  const remainder = [...days.flatMap(({ record }) => record.remainder), ...late]
  const rules = pack.rules.filter(
    (rule) => rule.type === 'bandwidth' && rule.mode !== 'daily-peak',
  ) as BandwidthRule[]
  const slots = await readSlots([{ terms, rules }], interval, usage, throughBatch)
  const inForce = { days: 3, of: 31 }
  const ranked = rules.flatMap((rule) =>
    [...memberGroups(rule, slots.get(CUSTOMER.id)?.get(rule.name) ?? [], terms)].flatMap(
      ([memberId, members]) =>
        rateBandwidth(rule, { members, period: interval, zone: terms.zone, inForce }).map(
          (line) => ({ ...line, type: 'bandwidth' as const, ruleName: rule.name, memberId }),
        ),
    ),
  )
  return [...priceRemainder(terms, interval, 'month', remainder), ...ranked].map((line) =>
    toChargeLine(line, pack),
  )
}

async function adjust(
  pack: RulePack,
  days: readonly KeptRecord<DayRecord>[],
  bill: KeptRecord<Bill>,
  usage: BooksUsage,
): Promise<KeptRecord<AdjustmentRecord>> {
  const [, second] = days
  const last = days.at(-1)
  if (second === undefined || last === undefined) throw new Error('three days were closed')
  const packages = second.record.packages
  const then = { ...basisOfDay(pack, packages, 2), opening: second.record.opening }
  const now = { ...then, opening: last.record.closing }
  // Both are read as finely, since what was known then is taken away from what is known now.
  const { remainder, orders } = second.record
  const before = { usage: await measure(now, usage, 1), remainder, orders }
  const adjusted = adjustDay(now, before, await measure(now, usage, 2))
  const dayLines = adjusted.lines.map((line) => toChargeLine(line, pack))
  const proof: UsageProof = proofThrough(2)
  const rest = { bookedMonth: '2026-11', dayLines, proofBefore: proofThrough(1), proof }
  const draft = toAdjustmentRecord(now, adjusted, { ...rest, lines: [], monthLines: null })
  const monthLines = await priceMonth(pack, days, draft.remainder, usage, 2)
  const isMonthly = ({ rule }: { rule: string }) => monthLines.some((line) => line.rule === rule)
  const lines = [
    ...adjustmentLines('day', second.record.lines, dayLines),
    ...adjustmentLines(
      'month',
      bill.record.lines.flatMap((line) =>
        (line.type === 'traffic' || line.type === 'bandwidth') && isMonthly(line) ? [line] : [],
      ),
      monthLines,
    ),
  ]
  return kept({ ...draft, lines, monthLines }, 5)
}
