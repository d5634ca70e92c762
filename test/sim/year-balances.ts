/** Live balances in the middle of a simulated year, the product's beside the oracle's. */
import type { EpochMs } from '../../src/core/clock.ts'
import { formatMoney } from '../../src/core/money.ts'
import { HOUR_MS, MINUTE_MS, wallClockAfter } from '../../src/core/period.ts'
import type { SimBook, SimPackage } from './books-world.ts'
import { simulateBooks } from './slow-books.ts'
import { endOf } from './slow-packages.ts'
import { daysBetween, holds, monthOf, resetBefore } from './slow-time.ts'
import { takenAt } from './slow-usage.ts'
import { packageEventsOf, totalTexts } from './year-books.ts'
import type { Happening } from './year-events.ts'

/** What the product said at an instant. */
export interface BalanceProbe {
  readonly book: SimBook
  readonly atMs: EpochMs
  readonly said: BalancePicture
}

/** A balance; bytes and money are text. */
export interface BalancePicture {
  readonly packages: Readonly<Record<string, string>>
  readonly exclusive: Readonly<Record<string, string>>
  readonly arrearsBytes: string
  /** At the end of a month only: what it costs. */
  readonly monthToDate: readonly string[] | null
}

/** A balance knows of usage so far ahead of the clock. */
const AHEAD_MS = 5 * MINUTE_MS

/** The last minutes of some months, and some noons. */
export function probesOf(book: SimBook, into: BalanceProbe[]): Happening[] {
  const { accountId, meter, zone, resources } = book
  const beginMs = resources[0]?.createdMs ?? 0
  const month = (index: number) => monthOf(beginMs + index * 30.4 * 24 * HOUR_MS, zone)
  const instants = [
    ...[3, 8].map((index) => month(index).endMs - 3 * MINUTE_MS),
    ...[1, 6].map((index) => month(index).startMs + 300 * HOUR_MS),
  ]
  return instants.map((atMs) => ({
    atMs,
    run: async ({ live }) => {
      const balance = await live.balance({ accountId, meter })
      into.push({
        book,
        atMs,
        said: {
          packages: textsOf(balance.packages.map((one) => [one.package.id, one.usedBytes])),
          exclusive: textsOf(balance.exclusive.map((one) => [one.volume.id, one.usedBytes])),
          arrearsBytes: String(balance.arrearsBytes),
          monthToDate: isEndOfMonth(atMs, zone)
            ? balance.monthToDate.map(
                ({ currency, amount }) => `${formatMoney(amount)} ${currency}`,
              )
            : null,
        },
      })
    },
  }))
}

function isEndOfMonth(atMs: EpochMs, zone: string): boolean {
  return atMs + AHEAD_MS >= monthOf(atMs, zone).endMs
}

function textsOf(entries: readonly (readonly [string, bigint])[]): Record<string, string> {
  return Object.fromEntries(entries.map(([id, bytes]) => [id, String(bytes)]))
}

/**
 * Says what a balance must be: the book as if late usage were looked for now and nothing came
 * after, its last day closed.
 */
export function oracleBalance(whole: SimBook, atMs: EpochMs): BalancePicture {
  const { zone, settleMs } = whole
  const book = untilNow(whole, atMs)
  const [today] = daysBetween(atMs, atMs + 1, zone)
  if (today === undefined) throw new Error('each instant is in a day')
  const closedMs = book.steps.findLast(({ kind }) => kind === 'close')?.atMs ?? 0
  const last = { kind: 'close', atMs: wallClockAfter(today.endMs, settleMs, zone) } as const
  const slow = simulateBooks({ ...book, steps: [...book.steps, { kind: 'adjust', atMs }, last] })
  const openDays = slow.days.filter(({ endMs }) => wallClockAfter(endMs, settleMs, zone) > closedMs)
  const orders = openDays.flatMap((day) => day.orders)
  const open = orders.reduce((sum, { arrearsBytes }) => sum + arrearsBytes, 0n)
  const month = slow.months.find((one) => holds(one, atMs))
  const living = book.exclusive.filter(({ deletedMs = Infinity }) => deletedMs > atMs)
  const paid = { ...whole, packages: whole.packages.flatMap((entry) => paidUntil(entry, atMs)) }
  const events = packageEventsOf(paid, slow).filter((event) => event.month === month?.month)
  return {
    packages: textsOf(
      whole.packages
        .filter(({ purchasedMs }) => purchasedMs <= atMs)
        .filter(({ refundedMs }) => refundedMs === null || refundedMs > atMs)
        .map((entry) => ({ entry, tank: slow.packages.get(entry.id) ?? EMPTY }))
        .filter(({ entry, tank }) => (endOf(entry, tank, zone) ?? Infinity) > atMs)
        .map(({ entry, tank }) => [entry.id, tank.used]),
    ),
    exclusive: textsOf(
      living.map((volume) => {
        const { id, createdMs, resetPolicy } = volume
        const periodMs = resetBefore(createdMs, resetPolicy, atMs, zone)
        return [id, slow.exclusive.get(`${id} ${periodMs}`) ?? 0n]
      }),
    ),
    arrearsBytes: String(open + slow.arrearsBytes),
    monthToDate:
      month !== undefined && isEndOfMonth(atMs, zone)
        ? totalTexts([...month.lines, ...month.adjustments, ...events])
        : null,
  }
}

const EMPTY = { used: 0n, firstUseMs: null }

/** A package as it was paid for by then, whether it has begun or not. */
function paidUntil(entry: SimPackage, atMs: EpochMs): SimPackage[] {
  const { purchasedMs, refundedMs } = entry
  if (purchasedMs > atMs) return []
  return [{ ...entry, refundedMs: refundedMs !== null && refundedMs <= atMs ? refundedMs : null }]
}

/** The book with nothing in it that was not yet known or had not yet begun. */
function untilNow(book: SimBook, atMs: EpochMs): SimBook {
  const known = new Map(book.resources.map((resource) => [resource.id, resource]))
  const isTaken = (record: SimBook['records'][number]): boolean => {
    const resource = known.get(record.resourceId)
    return resource !== undefined && (takenAt(record, resource) ?? Infinity) <= atMs
  }
  return {
    ...book,
    packages: book.packages
      .filter(({ purchasedMs, startMs }) => purchasedMs <= atMs && startMs < atMs + AHEAD_MS)
      .filter(({ refundedMs }) => refundedMs === null || refundedMs > atMs),
    exclusive: book.exclusive.filter(({ createdMs }) => createdMs <= atMs),
    records: book.records.filter(isTaken),
    steps: book.steps.filter((step) => step.atMs < atMs),
  }
}
