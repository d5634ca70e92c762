/** What the same month would cost by other rule packs, and with packages bought at its start. */
import type { EpochMs } from '../core/clock.ts'
import { divRound, type Nano } from '../core/money.ts'
import { type Interval, localDays } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageOffer } from '../rating/pack-offers.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import { endOf, validUntil } from '../rating/package-validity.ts'
import { amountOf } from './charge-line.ts'
import { type BookTerms, EMPTY_STATE } from './book.ts'
import { costOfMonth, type MonthUsage } from './month-cost.ts'

/** Packages of one offer, and what the month takes of them. */
export interface BoughtOffer {
  readonly offer: PackageOffer
  readonly count: number
  readonly usedBytes: Bytes
}

/** One way to buy and to be billed. */
export interface Alternative {
  readonly terms: BookTerms
  readonly bought: readonly BoughtOffer[]
  /** What is left of the usage, priced by the pack. */
  readonly usageAmount: Nano
  /** Full prices of what is bought. */
  readonly packagesAmount: Nano
  /** The part of these prices that falls into the month. */
  readonly proRataAmount: Nano
  /** Lines of the month. */
  readonly lines: number
}

/** A month, what moved in it, and the terms that it is priced by. */
export interface WhatIfMonth {
  readonly terms: BookTerms
  readonly month: Interval
  /** Days that begin before are priced. */
  readonly untilMs: EpochMs
  /** Resources that a day is not billed by traffic for. */
  readonly unbilled: (day: Interval) => readonly string[]
  readonly usage: MonthUsage
}

/** Most packages of one offer that are tried. */
const COUNT_MAX = 20
/** Most ways to combine different offers that are tried. */
const COMBINATIONS_MAX = 100

/** What an alternative costs: packages in full, because they are paid in full. */
export function totalOf({ usageAmount, packagesAmount }: Alternative): Nano {
  return usageAmount + packagesAmount
}

/**
 * Prices the month without packages and with those that the pack offers.
 *
 * Shape: cheapest first, of equal ones the one that buys less. Each offer alone, one package more
 * at a time until the last is not used up; all combinations of these where they are at most 100,
 * and otherwise the best of each scope together.
 * Limits: at most 20 packages of an offer. Offers whose buyer names resources are left out. What
 * the account has bought already is left out, too: it is paid whatever comes.
 */
export function tryOffers(month: WhatIfMonth, offers: readonly PackageOffer[]): Alternative[] {
  const nothing = priceWith(month, [])
  const alone = offers
    .filter(({ resourcesMax }) => resourcesMax === null)
    .map((offer) => tryAlone(month, offer))
  const combined =
    alone.reduce((product, tried) => product * (tried.length + 1), 1) <= COMBINATIONS_MAX
      ? allTogether(month, alone)
      : bestTogether(month, alone, nothing)
  return [nothing, ...alone.flat(), ...combined].sort(compareAlternatives)
}

/** Prices the month with so many packages of each offer, bought when it begins. */
export function priceWith(
  { terms, month, untilMs, unbilled, usage }: WhatIfMonth,
  bought: readonly Pick<BoughtOffer, 'offer' | 'count'>[],
): Alternative {
  const units = bought.flatMap(({ offer, count }) =>
    Array.from({ length: count }, (_, index) => ({
      offer,
      package: toPackage(offer, index, month, terms.zone),
    })),
  )
  const packages = units.map((unit) => unit.package)
  const cost = costOfMonth(
    {
      month,
      days: localDays({ startMs: month.startMs, endMs: untilMs }, terms.zone),
      basisOf: (day, opening) => ({
        ...terms,
        day,
        settledMs: day.endMs,
        packages,
        exclusive: [],
        unbilled: unbilled(day),
        opening,
      }),
      opening: EMPTY_STATE,
      closed: [],
    },
    usage,
  )
  const usedOf = (offer: PackageOffer): Bytes =>
    units
      .filter((unit) => unit.offer === offer)
      .reduce((sum, unit) => sum + (cost.drawn.get(unit.package.id) ?? 0n), 0n)
  const firstUses = new Map(cost.closing.balances.map((one) => [one.packageId, one.firstUseMs]))
  const proRata = units.map((unit) => {
    const usedBytes = cost.drawn.get(unit.package.id) ?? 0n
    const endMs = endOf(unit.package, firstUses.get(unit.package.id) ?? null, terms.zone)
    return shareOf(unit.offer, usedBytes, { startMs: month.startMs, endMs }, month, terms.zone)
  })
  return {
    terms,
    bought: bought.map(({ offer, count }) => ({ offer, count, usedBytes: usedOf(offer) })),
    usageAmount: cost.lines.reduce((sum, line) => sum + amountOf(line), 0n),
    packagesAmount: bought.reduce((sum, { offer, count }) => sum + offer.price * BigInt(count), 0n),
    proRataAmount: proRata.reduce((sum, amount) => sum + amount, 0n),
    lines: cost.lines.length,
  }
}

/** The package that an offer is when it is bought at the start of the month. */
export function toPackage(
  { name, sizeBytes, areas, kinds, windows, months, from }: PackageOffer,
  index: number,
  { startMs }: Interval,
  zone: string,
): PrepaidPackage {
  return {
    // Two digits order as text the way they count.
    id: `${name}.${String(index).padStart(2, '0')}`,
    sizeBytes,
    areas,
    kinds,
    projectIds: null,
    resourceIds: null,
    windows,
    purchasedMs: startMs,
    startMs,
    validity:
      months === null
        ? { type: 'unlimited' }
        : from === 'first-use'
          ? { type: 'from-first-use', spanMonths: months }
          : { type: 'from-purchase', endMs: validUntil(startMs, months, zone) },
  }
}

/**
 * Finds the part of a price that falls into the month: by days where the package has an end, by
 * volume where it has none, or none yet.
 */
function shareOf(
  { price, sizeBytes }: PackageOffer,
  usedBytes: Bytes,
  life: { readonly startMs: number; readonly endMs: number | null },
  month: Interval,
  zone: string,
): Nano {
  if (life.endMs === null) return divRound(price * usedBytes, sizeBytes)
  const whole = localDays({ startMs: life.startMs, endMs: life.endMs }, zone).length
  const inside = localDays(
    { startMs: life.startMs, endMs: Math.min(life.endMs, month.endMs) },
    zone,
  ).length
  return divRound(price * BigInt(inside), BigInt(whole))
}

function tryAlone(month: WhatIfMonth, offer: PackageOffer): Alternative[] {
  const tried: Alternative[] = []
  for (let count = 1; count <= COUNT_MAX; count += 1) {
    const found = priceWith(month, [{ offer, count }])
    const usedBytes = found.bought[0]?.usedBytes ?? 0n
    // One that nothing is drawn from helps nobody, and neither does one more.
    if (usedBytes <= offer.sizeBytes * BigInt(count - 1)) break
    tried.push(found)
    if (usedBytes < offer.sizeBytes * BigInt(count)) break
  }
  return tried
}

function allTogether(
  month: WhatIfMonth,
  alone: readonly (readonly Alternative[])[],
): Alternative[] {
  let choices: (readonly BoughtOffer[])[] = [[]]
  for (const tried of alone) {
    choices = choices.flatMap((choice) => [
      choice,
      ...tried.map(({ bought }) => [...choice, ...bought]),
    ])
  }
  return choices.filter((choice) => choice.length > 1).map((choice) => priceWith(month, choice))
}

function bestTogether(
  month: WhatIfMonth,
  alone: readonly (readonly Alternative[])[],
  nothing: Alternative,
): Alternative[] {
  const best = new Map<string, Alternative>()
  for (const found of alone.flat()) {
    const scope = JSON.stringify([found.bought[0]?.offer.areas, found.bought[0]?.offer.kinds])
    const other = best.get(scope) ?? nothing
    if (totalOf(found) < totalOf(other)) best.set(scope, found)
  }
  if (best.size < 2) return []
  return [
    priceWith(
      month,
      [...best.values()].flatMap(({ bought }) => bought),
    ),
  ]
}

/** Orders alternatives of one currency: cheapest first, then the one that buys less. */
export function compareAlternatives(a: Alternative, b: Alternative): number {
  const [totalA, totalB] = [totalOf(a), totalOf(b)]
  if (totalA !== totalB) return totalA < totalB ? -1 : 1
  return countOf(a) - countOf(b)
}

function countOf({ bought }: Alternative): number {
  return bought.reduce((sum, { count }) => sum + count, 0)
}
