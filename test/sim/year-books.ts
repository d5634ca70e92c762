/** What books hold, put so that the product's and the oracle's can be compared with one look. */
import type { AdjustmentBillLine, BillLine, ChargeLine } from '../../src/billing/bill.ts'
import type { BookKey, BookState } from '../../src/billing/book.ts'
import type { AdjustmentRecord, DayRecord } from '../../src/billing/day-record.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import { formatMoney, parseMoney } from '../../src/core/money.ts'
import { DAY_MS, wallClockAfter } from '../../src/core/period.ts'
import type { Bytes } from '../../src/core/units.ts'
import { canonicalJson } from '../../src/rating/pack-hash.ts'
import type { BooksHarness } from '../support/books-harness.ts'
import type { SimBook } from './books-world.ts'
import type { SlowBooks, SlowDay, SlowMonth } from './slow-books.ts'
import { endOf } from './slow-packages.ts'
import { holds, monthNameOf } from './slow-time.ts'
import { paidFor } from './year-events.ts'

/** A book as it stands at the end of the year; bytes and money are text. */
export interface BookPicture {
  readonly days: readonly unknown[]
  readonly adjustments: readonly unknown[]
  readonly bills: readonly unknown[]
  readonly packages: Readonly<Record<string, unknown>>
  readonly exclusive: Readonly<Record<string, string>>
  readonly arrearsBytes: string
  readonly ledger: Readonly<Record<string, string>>
}

/** So long after its end a package may still pay for late usage. */
const KEEP_MS = 40 * DAY_MS

type Amounts = Readonly<Record<string, string>>

/** Draws the picture of what the product keeps of a book. */
export async function productPicture(sim: SimBook, world: BooksHarness): Promise<BookPicture> {
  const { accountId, meter } = sim
  const key: BookKey = { accountId, meter }
  const [book] = await world.store.books(meter, [accountId])
  if (book === undefined) throw new Error(`${accountId} has no book`)
  const ever = { startMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  const days = (await world.store.dayRecords(key, ever)).map(({ record }) => record)
  const adjustments = await world.store.adjustments(key, ever)
  const made = await readAdjusted(key, world)
  const ledger = await world.ledger.balances(accountId)
  return {
    days: days.map(keptDay),
    adjustments: [...made].map(([atMs, sequences]) => {
      const own = adjustments.filter(({ sequence }) => sequences.has(sequence))
      return keptAdjustments(
        atMs,
        own.map(({ record }) => record),
      )
    }),
    bills: await readBills(key, world),
    ...keptState(sim, book.state),
    ledger: Object.fromEntries(
      ledger
        .filter(({ amount }) => amount !== 0n)
        .map(({ ledgerAccount, unit, amount }) => [`${ledgerAccount} ${unit}`, String(amount)]),
    ),
  }
}

/** Draws the picture of what the oracle says that a book must hold. */
export function oraclePicture(book: SimBook, slow: SlowBooks): BookPicture {
  const used = [...slow.packages].filter(([, tank]) => tank.used > 0n)
  return {
    days: slow.days.map((day) => ({
      start: textOf(day.startMs),
      end: textOf(day.endMs),
      pack: day.pack.name,
      lines: inOrder(day.lines),
      draws: sumsOf(day.draws),
      absorptions: sumsOf(day.absorptions),
      covered: sumsOf(day.covered),
      orders: ordersOf(day.orders),
    })),
    adjustments: slow.adjustments.map((made) => ({
      at: textOf(made.atMs),
      month: made.month,
      days: made.dayStartsMs.map(textOf),
      lines: chained(made.lines),
      draws: sumsOf(made.draws),
      absorptions: sumsOf(made.absorptions),
      covered: sumsOf(made.covered),
    })),
    bills: slow.months.map((month) => oracleBill(book, slow, month)),
    packages: Object.fromEntries(
      used.map(([id, tank]) => usedOf(book, [id, tank.used, tank.firstUseMs])),
    ),
    exclusive: Object.fromEntries([...slow.exclusive].map(([id, bytes]) => [id, String(bytes)])),
    arrearsBytes: String(slow.arrearsBytes),
    ledger: oracleLedger(book, slow),
  }
}

function keptDay(record: DayRecord) {
  return {
    start: record.start,
    end: record.end,
    pack: record.pack.name,
    lines: inOrder(record.lines),
    draws: sumsOf(record.draws),
    absorptions: sumsOf(record.absorptions),
    covered: sumsOf(record.covered),
    orders: ordersOf(record.orders),
  }
}

/** The product keeps an adjustment for each late day; here they are one for each run. */
function keptAdjustments(atMs: EpochMs, records: readonly AdjustmentRecord[]) {
  return {
    at: textOf(atMs),
    month: [...new Set(records.map(({ bookedMonth }) => bookedMonth))].join(),
    days: records.map(({ start }) => start),
    lines: chained(records.flatMap(({ lines }) => lines)),
    draws: sumsOf(records.flatMap(({ draws }) => draws)),
    absorptions: sumsOf(records.flatMap(({ absorptions }) => absorptions)),
    covered: sumsOf(records.flatMap(({ covered }) => covered)),
  }
}

async function readAdjusted({ accountId, meter }: BookKey, { control }: BooksHarness) {
  const rows = await control.db
    .selectFrom('book_records')
    .select(['sequence', 'closed_ms'])
    .where('account_id', '=', accountId)
    .where('meter', '=', meter)
    .where('kind', '=', 'adjustment')
    .orderBy('sequence')
    .execute()
  const made = new Map<EpochMs, Set<number>>()
  for (const { sequence, closed_ms: atMs } of rows) {
    made.set(atMs, (made.get(atMs) ?? new Set()).add(sequence))
  }
  return made
}

async function readBills({ accountId, meter }: BookKey, { desk }: BooksHarness) {
  const { items } = await desk.list({ accountId, meter }, { limit: 1000, cursor: null })
  const bills: unknown[] = []
  for (const { id } of items.toReversed()) {
    const stored = await desk.get(id)
    if (stored === undefined) throw new Error(`${id} is not there`)
    const { month, start, end, lines, draws, totals } = stored.bill
    bills.push({
      month,
      start,
      end,
      lines: inOrder(lines.filter(isCharge)),
      adjustments: chained(lines.filter((line) => line.type === 'adjustment')),
      packages: lines
        .filter((line) => line.type === 'package')
        .map(({ event, packageId, sizeBytes, time, amount, currency }) =>
          [event, packageId, sizeBytes, time, amount, currency].join(' '),
        )
        .sort(),
      draws: Object.fromEntries(draws.map(({ packageId, bytes }) => [packageId ?? '-', bytes])),
      totals: totals.map(({ currency, amount }) => `${amount} ${currency}`),
    })
  }
  return bills
}

function isCharge(line: BillLine): line is ChargeLine {
  return line.type === 'traffic' || line.type === 'bandwidth'
}

function oracleBill(book: SimBook, slow: SlowBooks, month: SlowMonth) {
  const moves = [
    ...slow.days.filter(({ startMs }) => holds(month, startMs)),
    ...slow.adjustments.filter((adjustment) => adjustment.month === month.month),
  ]
  const packages = packageEventsOf(book, slow).filter((event) => event.month === month.month)
  const lines = [...month.lines, ...month.adjustments, ...packages]
  return {
    month: month.month,
    start: textOf(month.startMs),
    end: textOf(month.endMs),
    lines: inOrder(month.lines),
    adjustments: chained(month.adjustments),
    packages: packages.map(({ text }) => text).sort(),
    draws: sumsOf(moves.flatMap(({ draws, absorptions }) => [...draws, ...absorptions])),
    totals: totalTexts(lines),
  }
}

/** What packages cost, on the bill of the local month in which it happened, once that has a day. */
export function packageEventsOf({ packages, settleMs, zone }: SimBook, { days }: SlowBooks) {
  const monthOf = (atMs: EpochMs): string => {
    const month = monthNameOf(atMs, zone)
    const isWritten = days.some(
      ({ startMs, endMs }) =>
        monthNameOf(startMs, zone) === month && wallClockAfter(endMs, settleMs, zone) > atMs,
    )
    return isWritten ? month : ''
  }
  return packages.flatMap((entry) => {
    const { id, sizeBytes, purchasedMs, refundedMs } = entry
    const { amount, currency } = paidFor(entry)
    const event = (name: string, atMs: EpochMs, owed: string) => ({
      month: monthOf(atMs),
      // It may take the last arrears of the month before, whose days are not all settled.
      isHeld:
        name === 'purchase' &&
        refundedMs === null &&
        days.some(({ endMs }) => wallClockAfter(endMs, settleMs, zone) > atMs),
      currency,
      amount: owed,
      text: [name, id, sizeBytes, textOf(atMs), owed, currency].join(' '),
    })
    const bought = event('purchase', purchasedMs, amount)
    return refundedMs === null ? [bought] : [bought, event('refund', refundedMs, `-${amount}`)]
  })
}

/** Every ledger account that is not zero in the end. */
function oracleLedger(book: SimBook, slow: SlowBooks): Amounts {
  const { usedBytes, settledBytes, charged } = slow.ledger
  const sums = new Map<string, bigint>()
  const add = (name: string, amount: bigint) => sums.set(name, (sums.get(name) ?? 0n) + amount)
  add(`usage:${book.meter} bytes`, usedBytes)
  add(`arrears:${book.meter} bytes`, -slow.arrearsBytes)
  add('purchased:orders bytes', -settledBytes)
  for (const [currency, amount] of Object.entries(charged)) {
    add(`receivable ${currency}`, parseMoney(amount, 'amount'))
    add(`revenue ${currency}`, -parseMoney(amount, 'amount'))
  }
  const events = packageEventsOf(book, slow).filter(({ month, isHeld }) => month !== '' || isHeld)
  for (const { month, text, amount, currency } of events) {
    const [name, id = '', size = '0'] = text.split(' ')
    const isPurchase = name === 'purchase'
    const bytes = isPurchase ? BigInt(size) : -BigInt(size)
    const paid = month === '' ? 0n : parseMoney(amount, 'amount')
    add(`package:${id} bytes`, bytes)
    add(isPurchase ? 'purchased bytes' : 'refund bytes', -bytes)
    add(`receivable ${currency}`, paid)
    add(isPurchase ? `revenue ${currency}` : `refund ${currency}`, -paid)
  }
  for (const [id, { used }] of slow.packages) add(`package:${id} bytes`, -used)
  for (const { id, bytes } of writtenOff(book, slow)) {
    add(`package:${id} bytes`, -bytes)
    add('expired bytes', bytes)
  }
  const entries = [...sums].filter(([, amount]) => amount !== 0n)
  return Object.fromEntries(entries.map(([name, amount]) => [name, String(amount)]))
}

/** What was left of packages whose end was forty days before some closed day. */
function writtenOff(book: SimBook, slow: SlowBooks) {
  const lastMs = slow.days.at(-1)?.startMs ?? 0
  return book.packages.flatMap((entry) => {
    const tank = slow.packages.get(entry.id)
    const endMs = endOf(entry, tank ?? { used: 0n, firstUseMs: null }, book.zone)
    const bytes = entry.sizeBytes - (tank?.used ?? 0n)
    const isOver = entry.refundedMs === null && endMs !== undefined && endMs + KEEP_MS <= lastMs
    return isOver && bytes > 0n ? [{ id: entry.id, bytes }] : []
  })
}

/** Only of packages that last from their first use it matters, and is kept, when that was. */
function usedOf(
  { packages }: SimBook,
  [packageId, used, firstUseMs]: readonly [string, Bytes, EpochMs | null],
) {
  const type = packages.find(({ id }) => id === packageId)?.validity.type
  return [packageId, { used: String(used), ...(type === 'from-first-use' && { firstUseMs }) }]
}

function keptState(book: SimBook, { balances, exclusive, arrears }: BookState) {
  const used = balances.filter(({ usedBytes }) => usedBytes > 0n)
  return {
    packages: Object.fromEntries(
      used.map((one) => usedOf(book, [one.packageId, one.usedBytes, one.firstUseMs])),
    ),
    exclusive: Object.fromEntries(
      exclusive.map(({ packageId, periodStartMs, usedBytes }) => [
        `${packageId} ${periodStartMs}`,
        String(usedBytes),
      ]),
    ),
    arrearsBytes: String(arrears.reduce((sum, { bytes }) => sum + bytes, 0n)),
  }
}

function textOf(instantMs: EpochMs): string {
  return new Date(instantMs).toISOString()
}

function sumsOf(given: readonly { readonly packageId: string | null; readonly bytes: Bytes }[]) {
  const sums = new Map<string, Bytes>()
  for (const { packageId, bytes } of given) {
    sums.set(packageId ?? '-', (sums.get(packageId ?? '-') ?? 0n) + bytes)
  }
  return Object.fromEntries([...sums].map(([id, bytes]) => [id, String(bytes)]))
}

function ordersOf(orders: SlowDay['orders']): string[] {
  return orders.map((order) =>
    [order.area, order.kind, order.arrearsBytes, order.orderedBytes].join(' '),
  )
}

function keyOf(line: ChargeLine): string {
  const tier = line.type === 'traffic' ? line.tier : 0
  return JSON.stringify([line.rule, line.start, line.end, line.member, tier])
}

function inOrder(lines: readonly ChargeLine[]): ChargeLine[] {
  return lines.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/**
 * Joins adjustments of one line: from what it was first to what it is last. A line that is again
 * what it was is left out.
 */
function chained(lines: readonly AdjustmentBillLine[]): unknown[] {
  const chains = new Map<string, AdjustmentBillLine[]>()
  for (const line of lines) {
    const some = line.after ?? line.before
    if (some === null) throw new Error('an adjustment is of a line')
    const key = `${line.of} ${keyOf(some)}`
    chains.set(key, [...(chains.get(key) ?? []), line])
  }
  return [...chains]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, links]) => ({
      key,
      before: links[0]?.before ?? null,
      after: links.at(-1)?.after ?? null,
      totals: totalTexts(links),
    }))
    .filter(({ before, after }) => canonicalJson(before) !== canonicalJson(after))
}

/** Sums money by currency, each with its code. */
export function totalTexts(
  lines: readonly { readonly amount: string; readonly currency: string }[],
) {
  const sums = new Map<string, bigint>()
  for (const { amount, currency } of lines) {
    sums.set(currency, (sums.get(currency) ?? 0n) + parseMoney(amount, 'amount'))
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, sum]) => `${formatMoney(sum)} ${currency}`)
}
