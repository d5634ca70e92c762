import type { EpochMs } from '../core/clock.ts'
import type { Nano } from '../core/money.ts'
import { addDays } from '../core/period.ts'
import type { BookBalance } from './balance.ts'
import { type BookPosition, type PositionDeps, readPosition } from './book-position.ts'
import type { BillLine } from './bill.ts'
import type { BookKey, BookTerms } from './book.ts'
import type { BooksUsage } from './books-usage.ts'
import { totalsByCurrency } from './charge-line.ts'
import { forecastPackages, type PackageOutlook, type PoolOutlook } from './forecast-packages.ts'
import type { SlotWay } from './forecast-slots.ts'
import type { Way } from './forecast-traffic.ts'
import { costOfMonth } from './month-cost.ts'
import { asksRegions } from './stretch-usage.ts'
import { readOutlook, readSlotOutlook, type UsageOutlook } from './usage-outlook.ts'

/** How far ahead packages are looked at. */
export const HORIZON_DAYS = 400

/** Draws of the slots to come that are ranked; fewer where there are many slots. */
const DRAWS_MAX = 41
const DRAWS_MIN = 11
/**
 * One of so many draws is cut off at each end. Less than a tenth, because four weeks do not hold
 * all that may come: on made-up months, this is what left four of five inside.
 */
const DRAWS_PER_CUT = 13
/** Slots of all draws together; a million take about a second. */
const SLOTS_MAX = 4_000_000

/** What a month is expected to come to in one currency. */
export interface AmountOutlook {
  readonly currency: string
  readonly expected: Nano
  /** One of ten months comes to less. */
  readonly low: Nano
  /** One of ten months comes to more. */
  readonly high: Nano
}

/** How a book will go on. */
export interface BookForecast {
  readonly balance: BookBalance
  /** Whole days that it was made of; fewer than 14 are too few for a forecast. */
  readonly historyDays: number
  /** Null: too little history to say anything. */
  readonly outlook: {
    /** Packages are looked at until then. */
    readonly untilMs: EpochMs
    readonly packages: readonly PackageOutlook[]
    readonly pools: readonly PoolOutlook[]
    /** The running month at its end, by currency. */
    readonly monthEnd: readonly AmountOutlook[]
  } | null
}

/** What forecasts are made from. */
export interface ForecastDeps extends PositionDeps {
  readonly usage: BooksUsage
  readonly balance: (key: BookKey) => Promise<BookBalance>
}

/**
 * Foretells when packages run out and what the running month will come to.
 *
 * Time: as of the balance; days and months are the book's.
 * Errors: `not_found` without a book; `too_large` for more usage than can be held.
 */
export async function forecastBook(key: BookKey, deps: ForecastDeps): Promise<BookForecast> {
  const balance = await deps.balance(key)
  const position = await readPosition(key, balance.asOfMs, deps)
  const { zone } = position.book
  const untilMs = addDays(balance.asOfMs, HORIZON_DAYS, zone)
  const askers = askersOf(position, balance)
  const outlook = await readOutlook(deps.usage, {
    ...key,
    zone,
    nowMs: balance.asOfMs,
    fromMs: position.book.closedUntilMs,
    untilMs,
    askers,
  })
  const historyDays = outlook.known.length
  if (outlook.future === null) return { balance, historyDays, outlook: null }
  const { future, nowMs, ahead } = outlook
  const [today, ...others] = ahead
  const measured = costOfMonth(
    { ...position, days: position.days.filter(({ startMs }) => startMs < nowMs) },
    { traffic: sinceClosing(outlook, position), slots: () => new Map() },
  )
  const drained = forecastPackages({
    basisOf: position.basisOf,
    packages: balance.packages,
    state: measured.closing,
    days: today === undefined ? [] : [{ startMs: nowMs, endMs: today.endMs }, ...others],
    usage: future,
    byRegion: asksRegions(askers),
  })
  const monthEnd = await forecastMonth(position, outlook, future, deps.usage)
  return { balance, historyDays, outlook: { untilMs, ...drained, monthEnd } }
}

/** Whoever may ask for a time of day or a resource: rules of the month, packages, volumes. */
function askersOf({ closed, days, basisOf, opening }: BookPosition, balance: BookBalance) {
  const bases = days.map((day) => basisOf(day, opening))
  const packs = new Set([
    ...closed.map(({ terms }) => terms.pack),
    ...bases.map(({ pack }) => pack),
  ])
  const packages = balance.packages.map((entry) => entry.package)
  return {
    rules: [...packs].flatMap(({ rules }) => rules),
    packages: [...packages, ...bases.flatMap((basis) => basis.packages)],
    byResource: bases.some(({ exclusive, unbilled }) => exclusive.length + unbilled.length > 0),
  }
}

function sinceClosing({ measured }: UsageOutlook, { book }: BookPosition) {
  return measured.filter(({ startMs }) => startMs >= book.closedUntilMs)
}

async function forecastMonth(
  position: BookPosition,
  outlook: UsageOutlook,
  future: NonNullable<UsageOutlook['future']>,
  usage: BooksUsage,
): Promise<AmountOutlook[]> {
  const { month, closed, days, basisOf, opening, current, fixed } = position
  const terms = [
    ...closed.map((stretch) => stretch.terms),
    ...days.map((day) => basisOf(day, opening)),
  ]
  const slotsOf = await readSlotOutlook(
    usage,
    month,
    { all: [current, ...terms], ahead: new Set([current.packHash]) },
    outlook,
  )
  const before = sinceClosing(outlook, position)
  const totals = (way: Way): Totals => {
    const ahead = outlook.ahead.flatMap(({ startMs }, index) =>
      startMs < month.endMs ? future(index, way) : [],
    )
    const all = { traffic: [...before, ...ahead], slots: slotsOf('expected') }
    return sumsOf([...fixed, ...costOfMonth(position, all).lines])
  }
  const [expected, low, high] = [totals('expected'), totals('low'), totals('high')]
  const margins = bandwidthMargins(position, slotsOf)
  return [...expected].map(([currency, amount]) => {
    const ends = [amount, low.get(currency) ?? 0n, high.get(currency) ?? 0n]
    const margin = margins.get(currency) ?? { below: 0n, above: 0n }
    return {
      currency,
      expected: amount,
      low: least(ends) - margin.below,
      high: most(ends) + margin.above,
    }
  })
}

type Totals = ReadonlyMap<string, Nano>

function sumsOf(lines: readonly BillLine[]): Totals {
  return new Map(totalsByCurrency(lines).map(({ currency, amount }) => [currency, amount]))
}

/** Ranks as many draws of the slots to come as there is time for, and cuts off both ends. */
function bandwidthMargins(
  position: BookPosition,
  slotsOf: Awaited<ReturnType<typeof readSlotOutlook>>,
): ReadonlyMap<string, { readonly below: Nano; readonly above: Nano }> {
  const plan = withoutTraffic(position)
  const { current, month } = position
  if (!current.pack.rules.some(({ type }) => type === 'bandwidth')) return new Map()
  const rank = (way: SlotWay): Totals =>
    sumsOf(costOfMonth(plan, { traffic: [], slots: slotsOf(way) }).lines)
  const slots = [...slotsOf('expected')(current, month).values()].flat()
  const size = slots.reduce((sum, member) => sum + member.slots.length, 0)
  const count = Math.min(DRAWS_MAX, Math.max(DRAWS_MIN, Math.floor(SLOTS_MAX / (size + 1))))
  const draws = Array.from({ length: count }, (_, draw) => rank({ draw }))
  return new Map(
    [...rank('expected')].map(([currency, amount]) => {
      const drawn = draws.map((totals) => totals.get(currency) ?? 0n)
      const sorted = drawn.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
      const cut = Math.floor(count / DRAWS_PER_CUT)
      const [low, high] = [sorted[cut] ?? amount, sorted[count - 1 - cut] ?? amount]
      return [
        currency,
        { below: amount - least([low, amount]), above: most([high, amount]) - amount },
      ]
    }),
  )
}

function withoutTraffic(position: BookPosition): BookPosition {
  const strip = <T extends BookTerms>(terms: T): T => ({
    ...terms,
    pack: { ...terms.pack, rules: terms.pack.rules.filter(({ type }) => type === 'bandwidth') },
  })
  return {
    ...position,
    basisOf: (day, opening) => strip(position.basisOf(day, opening)),
    closed: position.closed.map((stretch) => ({
      ...stretch,
      terms: strip(stretch.terms),
      remainder: [],
    })),
  }
}

// More usage may cost less: a volume tier that it reaches makes all of it cheaper.
function least(values: readonly Nano[]): Nano {
  return values.reduce((found, value) => (value < found ? value : found))
}

function most(values: readonly Nano[]): Nano {
  return values.reduce((found, value) => (value > found ? value : found))
}
