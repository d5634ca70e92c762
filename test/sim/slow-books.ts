/**
 * An oracle of the books: it lives through a book step by step and says what must be in it.
 *
 * It shares with the product the types, the calendar and money. Everything else is written a second
 * time, slowly: every sum is made of single minutes, every ranking sorts everything.
 */
import type { AdjustmentBillLine, ChargeLine, PackageBillLine } from '../../src/billing/bill.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import { formatMoney, parseMoney } from '../../src/core/money.ts'
import { dayStart, type Interval, wallClockAfter } from '../../src/core/period.ts'
import type { Bytes } from '../../src/core/units.ts'
import type { DailyOrder } from '../../src/rating/package-arrears.ts'
import type { RulePack } from '../../src/rating/rule-pack.ts'
import type { SimBook, SimPackage, SimStep, Since } from './books-world.ts'
import { bandwidthLines, bandwidthRulesOf } from './slow-bandwidth.ts'
import {
  type Carried,
  coverPiece,
  drawAll,
  type DrawTerms,
  emptyCarried,
  type Given,
  packageMoments,
} from './slow-packages.ts'
import { common, daysBetween, holds, monthNameOf, monthOf, resetsIn } from './slow-time.ts'
import {
  keyOf,
  orderArrears,
  type Piece,
  piecesOf,
  sumOf,
  trafficLines,
  trafficRulesOf,
  type TrafficTerms,
} from './slow-traffic.ts'
import { payModeOf, type TakenUsage, takenUsage, valueAt } from './slow-usage.ts'

/** What became of bytes: each list sums to what it is called. */
export interface SlowMoves {
  /** By packages; of nobody: into arrears. */
  readonly draws: readonly Given[]
  readonly absorptions: readonly Given[]
  readonly covered: readonly Given[]
}

/** A closed day, as it was closed. */
export interface SlowDay extends Interval, SlowMoves {
  readonly pack: RulePack
  readonly closedMs: EpochMs
  readonly lines: readonly ChargeLine[]
  readonly orders: readonly DailyOrder[]
}

/** What late usage changed in one step. */
export interface SlowAdjustment extends SlowMoves {
  readonly atMs: EpochMs
  /** The month that carries it. */
  readonly month: string
  /** Days that late usage came for. */
  readonly dayStartsMs: readonly EpochMs[]
  readonly lines: readonly AdjustmentBillLine[]
}

/** A closed month with all that it bills. */
export interface SlowMonth extends Interval {
  readonly month: string
  readonly closedMs: EpochMs
  /** Of its days, in their order, then of the month. */
  readonly lines: readonly ChargeLine[]
  /** Those of the month alone. */
  readonly monthLines: readonly ChargeLine[]
  readonly adjustments: readonly AdjustmentBillLine[]
  /** Without what packages cost, by currency. */
  readonly totals: Readonly<Record<string, string>>
}

/** What the books of one account and meter must hold after its last step. */
export interface SlowBooks {
  readonly startMs: EpochMs
  readonly days: readonly SlowDay[]
  readonly adjustments: readonly SlowAdjustment[]
  readonly months: readonly SlowMonth[]
  /** Used bytes and first use of every package that was ever in play. */
  readonly packages: ReadonlyMap<
    string,
    { readonly used: Bytes; readonly firstUseMs: EpochMs | null }
  >
  /** Used up of each refilling volume: `id` and begin of the period → bytes. */
  readonly exclusive: ReadonlyMap<string, Bytes>
  readonly arrearsBytes: Bytes
  readonly ledger: SlowLedger
}

/** Sums that the ledger's accounts must come to. */
export interface SlowLedger {
  /** Everything that packages were asked for: drawn or left in arrears. */
  readonly usedBytes: Bytes
  /** What packages gave, late or absorbed arrears included. */
  readonly drawnBytes: Bytes
  /** Arrears that orders settled, before rounding. */
  readonly settledBytes: Bytes
  /** Charges and adjustments, by currency; packages are not in it. */
  readonly charged: Readonly<Record<string, string>>
}

/** A day as it stands, with what late usage made of it. */
interface OpenedDay extends Interval {
  readonly pack: RulePack
  readonly settledMs: EpochMs
  readonly record: SlowDay
  /** Usage up to here is in it. */
  seenMs: EpochMs
  lines: readonly ChargeLine[]
  arrears: Piece[]
  ordered: readonly Piece[]
}

interface OpenedMonth {
  record: SlowMonth
  monthLines: readonly ChargeLine[]
}

/** Lives through the steps of a book. */
export function simulateBooks(book: SimBook): SlowBooks {
  const life = new BookLife(book)
  for (const step of book.steps) life.take(step)
  return life.result()
}

/** The start of the local day on which a book begins: that of its first resource or package. */
export function bookStart({ resources, packages, zone }: SimBook): EpochMs {
  const starts = [
    ...resources.map(({ createdMs }) => createdMs),
    ...packages.map(({ startMs }) => startMs),
  ]
  return dayStart(Math.min(...starts), zone)
}

/** The packs of a book, each with the midnight from which it is in force. */
function packHistory({ firstPack, switches, zone }: SimBook): Since<RulePack>[] {
  const history: Since<RulePack>[] = [{ fromMs: -Infinity, value: firstPack }]
  for (const { atMs, pack } of switches) {
    const [today] = daysBetween(atMs, atMs + 1, zone)
    history.push({ fromMs: today?.endMs ?? atMs, value: pack })
  }
  return history
}

class BookLife {
  readonly #book: SimBook
  readonly #usage: readonly TakenUsage[]
  readonly #startMs: EpochMs
  readonly #packs: readonly Since<RulePack>[]
  readonly #carried: Carried = emptyCarried()
  readonly #days: OpenedDay[] = []
  readonly #months: OpenedMonth[] = []
  readonly #adjustments: SlowAdjustment[] = []
  #used = 0n
  #settled = 0n
  #adjustedMs = 0

  constructor(book: SimBook) {
    this.#book = book
    this.#usage = takenUsage(book)
    this.#startMs = bookStart(book)
    this.#packs = packHistory(book)
  }

  take({ kind, atMs }: SimStep): void {
    if (kind === 'adjust') this.#adjust(atMs)
    else this.#close(atMs)
  }

  result(): SlowBooks {
    const lines = [
      ...this.#days.flatMap(({ record }) => record.lines),
      ...this.#months.flatMap(({ record }) => record.monthLines),
      ...this.#adjustments.flatMap((adjustment) => adjustment.lines),
    ]
    let drawnBytes = 0n
    for (const { used } of this.#carried.tanks.values()) drawnBytes += used
    return {
      startMs: this.#startMs,
      days: this.#days.map(({ record }) => record),
      adjustments: this.#adjustments,
      months: this.#months.map(({ record }) => record),
      packages: this.#carried.tanks,
      exclusive: this.#carried.exclusive,
      arrearsBytes: sumOf(this.#carried.arrears),
      ledger: {
        usedBytes: this.#used,
        drawnBytes,
        settledBytes: this.#settled,
        charged: totalsOf(lines),
      },
    }
  }

  /** The first instant that no closed day holds. */
  get #openMs(): EpochMs {
    return this.#days.at(-1)?.endMs ?? this.#startMs
  }

  #close(atMs: EpochMs): void {
    const { zone, settleMs } = this.#book
    for (;;) {
      const [day] = daysBetween(this.#openMs, this.#openMs + 1, zone)
      if (day === undefined || wallClockAfter(day.endMs, settleMs, zone) > atMs) return
      this.#closeDay(day, atMs)
      const month = monthOf(day.startMs, zone)
      if (month.endMs === day.endMs) this.#closeMonth(month, atMs)
    }
  }

  /** The pack that a day which begins then is billed by. */
  #packAt(dayStartMs: EpochMs): RulePack {
    return valueAt(this.#packs, dayStartMs) ?? this.#book.firstPack
  }

  #termsOf(pack: RulePack): TrafficTerms & DrawTerms {
    const { accountId, zone, groups } = this.#book
    const { burnOrder, arrears } = pack.packages
    return { accountId, zone, groups, pack, burnOrder, absorb: arrears.absorb }
  }

  /** Packages that a day knows: bought before it was settled, not given back before it began. */
  #packagesOf({ startMs }: Interval, settledMs: EpochMs): SimPackage[] {
    return this.#book.packages.filter(
      ({ purchasedMs, refundedMs }) =>
        purchasedMs < settledMs && (refundedMs === null || refundedMs >= startMs),
    )
  }

  #usageOf(interval: Interval, takenUntilMs: EpochMs): TakenUsage[] {
    return this.#usage.filter(
      (entry) => holds(interval, entry.startMs) && entry.takenMs <= takenUntilMs,
    )
  }

  /** What of a day's usage its traffic rules price, in pieces, known at an instant. */
  #piecesAt(day: Interval, settledMs: EpochMs, pack: RulePack, knownMs: EpochMs): Piece[] {
    const { meter, resources, exclusive, zone } = this.#book
    const billed = this.#usageOf(day, knownMs).filter(({ resourceId }) => {
      const resource = resources.find(({ id }) => id === resourceId)
      if (meter !== 'eip' || resource === undefined) return true
      return payModeOf(resource, day.startMs) === 'Traffic'
    })
    const packages = this.#packagesOf(day, settledMs)
    const rules = trafficRulesOf(pack)
    const given = exclusive.filter(
      ({ createdMs, deletedMs = Infinity }) => createdMs < day.endMs && deletedMs > day.startMs,
    )
    const volumes = new Set(given.map(({ resourceId }) => resourceId))
    return piecesOf(
      billed,
      { ...this.#termsOf(pack), volumes },
      {
        atMs: [
          ...packageMoments(packages),
          ...exclusive.flatMap((each) => resetsIn(each.createdMs, each.resetPolicy, day, zone)),
          ...exclusive.flatMap(({ deletedMs = 0 }) => deletedMs),
        ],
        windows: [...rules, ...packages].map(({ windows }) => windows),
      },
    )
  }

  #closeDay(day: Interval, closedMs: EpochMs): void {
    const pack = this.#packAt(day.startMs)
    const terms = this.#termsOf(pack)
    const settledMs = wallClockAfter(day.endMs, this.#book.settleMs, this.#book.zone)
    const pieces = this.#piecesAt(day, settledMs, pack, closedMs)
    const { covered, left } = this.#cover(pieces)
    const packages = this.#packagesOf(day, settledMs)
    const untilSettled = { startMs: day.startMs, endMs: settledMs }
    const { draws, absorptions } = this.#draw(left, packages, untilSettled, terms)
    const arrears = this.#takeArrears(day, pack)
    const { orders, pieces: ordered } = orderArrears(arrears, pack.packages.arrears, pack.rules)
    for (const { arrearsBytes } of orders) this.#settled += arrearsBytes
    const lines = this.#dayLines(day, pack, ordered, closedMs)
    const moves = { draws, absorptions, covered }
    const record: SlowDay = { ...day, ...moves, pack, closedMs, lines, orders }
    const seen = { seenMs: closedMs, lines, arrears, ordered }
    this.#days.push({ ...day, ...seen, pack, settledMs, record })
  }

  #cover(pieces: readonly Piece[]): { covered: Given[]; left: Piece[] } {
    const covered: Given[] = []
    const left: Piece[] = []
    for (const piece of pieces) {
      const result = coverPiece(piece, this.#book.exclusive, this.#carried, this.#book.zone)
      covered.push(...result.covered)
      if (result.left.bytes > 0n) left.push(result.left)
    }
    return { covered, left }
  }

  #draw(
    pieces: readonly Piece[],
    packages: readonly SimPackage[],
    begin: Interval,
    terms: DrawTerms,
  ): { readonly draws: Given[]; readonly absorptions: Given[] } {
    this.#used += sumOf(pieces)
    return drawAll(pieces, packages, begin, this.#carried, terms)
  }

  /** Arrears of a day that are ordered now; they are nobody's arrears any more. */
  #takeArrears(day: Interval, pack: RulePack): Piece[] {
    if (pack.packages.arrears.bill === 'carry') return []
    const mine = this.#carried.arrears.filter(({ startMs }) => holds(day, startMs))
    this.#carried.arrears = this.#carried.arrears.filter(({ startMs }) => !holds(day, startMs))
    return mine
  }

  #dayLines(
    day: Interval,
    pack: RulePack,
    ordered: readonly Piece[],
    knownMs: EpochMs,
  ): ChargeLine[] {
    const terms = this.#termsOf(pack)
    const usage = this.#usageOf(day, knownMs)
    return inOrderOf(pack, [
      ...trafficLines(ordered, 'day', day, terms),
      ...bandwidthRulesOf(pack, 'day').flatMap((rule) => bandwidthLines(rule, usage, day, terms)),
    ])
  }

  /** Parts of a month that were billed by one pack each. */
  #stretchesOf(month: Interval): { span: Interval; pack: RulePack }[] {
    const whole = common(month, { startMs: this.#startMs, endMs: Infinity })
    const stretches: { span: Interval; pack: RulePack }[] = []
    if (whole === undefined) return stretches
    for (const day of daysBetween(whole.startMs, whole.endMs, this.#book.zone)) {
      const pack = this.#packAt(day.startMs)
      const last = stretches.at(-1)
      if (last?.pack === pack) last.span = { startMs: last.span.startMs, endMs: day.endMs }
      else stretches.push({ span: day, pack })
    }
    return stretches
  }

  /** The lines of a month as its usage is known at an instant. */
  #monthLines(month: Interval, knownMs: EpochMs): ChargeLine[] {
    const { zone } = this.#book
    const ordered = this.#days.flatMap((day) => day.ordered)
    const of = daysBetween(month.startMs, month.endMs, zone).length
    const usage = this.#usageOf(month, knownMs)
    return this.#stretchesOf(month).flatMap(({ span, pack }) => {
      const terms = this.#termsOf(pack)
      const part = { days: daysBetween(span.startMs, span.endMs, zone).length, of }
      return inOrderOf(pack, [
        ...trafficLines(ordered, 'month', span, terms),
        ...bandwidthRulesOf(pack, 'month').flatMap((rule) =>
          bandwidthLines(rule, usage, span, terms, part),
        ),
      ])
    })
  }

  #closeMonth(month: Interval, closedMs: EpochMs): void {
    const { zone } = this.#book
    const name = monthNameOf(month.startMs, zone)
    const monthLines = this.#monthLines(month, closedMs)
    const days = this.#days.filter(({ startMs }) => holds(month, startMs))
    const lines = [...days.flatMap(({ record }) => record.lines), ...monthLines]
    const adjustments = this.#adjustments
      .filter((adjustment) => adjustment.month === name)
      .flatMap((adjustment) => adjustment.lines)
    const startMs = Math.max(month.startMs, this.#startMs)
    const span = { startMs, endMs: month.endMs }
    const totals = totalsOf([...lines, ...adjustments])
    const record = { ...span, month: name, closedMs, lines, monthLines, adjustments, totals }
    this.#months.push({ record, monthLines })
  }

  #adjust(atMs: EpochMs): void {
    const month = monthNameOf(this.#openMs, this.#book.zone)
    const lines: AdjustmentBillLine[] = []
    const dayStartsMs: EpochMs[] = []
    const draws: Given[] = []
    const absorptions: Given[] = []
    const covered: Given[] = []
    // Whatever came earlier is in a day that was closed later, or in the adjustment before.
    const sinceMs = this.#adjustedMs
    this.#adjustedMs = atMs
    const news = this.#usage.filter(({ takenMs }) => takenMs > sinceMs && takenMs <= atMs)
    for (const day of this.#days) {
      const { seenMs } = day
      if (!news.some((entry) => holds(day, entry.startMs) && entry.takenMs > seenMs)) continue
      const moves = this.#adjustDay(day, atMs)
      draws.push(...moves.draws)
      absorptions.push(...moves.absorptions)
      covered.push(...moves.covered)
      dayStartsMs.push(day.startMs)
      lines.push(...changes('day', day.lines, moves.lines))
      day.lines = moves.lines
      day.seenMs = atMs
    }
    if (dayStartsMs.length === 0) return
    for (const closed of this.#months) {
      if (!dayStartsMs.some((startMs) => holds(closed.record, startMs))) continue
      const now = this.#monthLines(monthOf(closed.record.startMs, this.#book.zone), atMs)
      lines.push(...changes('month', closed.monthLines, now))
      closed.monthLines = now
    }
    const moves = { draws, absorptions, covered }
    this.#adjustments.push({ atMs, month, dayStartsMs, lines, ...moves })
  }

  /** Draws and prices what a closed day has more than before; its old pieces stay as they are. */
  #adjustDay(day: OpenedDay, atMs: EpochMs): SlowMoves & { readonly lines: ChargeLine[] } {
    const { pack, settledMs, seenMs } = day
    const before = new Map(
      this.#piecesAt(day, settledMs, pack, seenMs).map((piece) => [keyOf(piece), piece.bytes]),
    )
    const more = this.#piecesAt(day, settledMs, pack, atMs)
      .map((piece) => ({ ...piece, bytes: piece.bytes - (before.get(keyOf(piece)) ?? 0n) }))
      .filter(({ bytes }) => bytes > 0n)
    const { covered, left } = this.#cover(more)
    const packages = this.#packagesOf(day, settledMs).filter(
      ({ refundedMs }) => refundedMs === null || refundedMs > atMs,
    )
    const terms = this.#termsOf(pack)
    // Packages that began before the day was settled take of its late arrears what they may;
    // those that wait had their chance.
    const waiting = this.#carried.arrears
    this.#carried.arrears = []
    const untilSettled = { startMs: day.startMs, endMs: settledMs }
    const { draws, absorptions } = this.#draw(left, packages, untilSettled, terms)
    const added = this.#takeArrears(day, pack)
    this.#carried.arrears = [...waiting, ...this.#carried.arrears]
    for (const { bytes } of added) this.#settled += bytes
    day.arrears = [...day.arrears, ...added]
    day.ordered = orderArrears(day.arrears, pack.packages.arrears, pack.rules).pieces
    const lines = this.#dayLines(day, pack, day.ordered, atMs)
    return { draws, absorptions, covered, lines }
  }
}

function inOrderOf(pack: RulePack, lines: readonly ChargeLine[]): ChargeLine[] {
  return pack.rules.flatMap(({ name }) => lines.filter(({ rule }) => rule === name))
}

/** What tells a line apart from others of its day or month. */
function lineKey(line: ChargeLine): string {
  const tier = line.type === 'traffic' ? line.tier : 0
  return JSON.stringify([line.start, line.rule, line.member, tier])
}

function changes(
  of: 'day' | 'month',
  before: readonly ChargeLine[],
  after: readonly ChargeLine[],
): AdjustmentBillLine[] {
  const keys = new Set([...after, ...before].map(lineKey))
  return [...keys].flatMap((key) => {
    const old = before.find((line) => lineKey(line) === key) ?? null
    const now = after.find((line) => lineKey(line) === key) ?? null
    const line = now ?? old
    if (line === null || JSON.stringify(old) === JSON.stringify(now)) return []
    const { rule, member, start, end, currency } = line
    const owed = moneyOf(now) - moneyOf(old)
    const amount = formatMoney(owed)
    const what = { rule, member, start, end, before: old, after: now }
    return [{ type: 'adjustment' as const, of, ...what, amount, currency }]
  })
}

function moneyOf(line: { readonly amount: string } | null): bigint {
  return line === null ? 0n : parseMoney(line.amount, 'amount')
}

/** Adds up what lines cost, by currency. */
export function totalsOf(
  lines: readonly (ChargeLine | AdjustmentBillLine | PackageBillLine)[],
): Record<string, string> {
  const sums = new Map<string, bigint>()
  for (const line of lines) {
    sums.set(line.currency, (sums.get(line.currency) ?? 0n) + moneyOf(line))
  }
  return Object.fromEntries([...sums].map(([code, sum]) => [code, formatMoney(sum)]))
}
