import type { EpochMs } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import type { BookFacts } from './book-keeping.ts'
import type { BookKey, BookTerms } from './book.ts'
import type { BooksUsage } from './books-usage.ts'
import { payModeAt } from '../catalog/versions.ts'
import type { MonthUsage } from './month-cost.ts'
import { readOutlook, readSlotOutlook, type UsageOutlook } from './usage-outlook.ts'
import { type Alternative, tryOffers, priceWith, toPackage } from './what-if.ts'

/** Which month is priced again, and by what. */
export interface WhatIfQuestion extends BookKey {
  readonly zone: string
  readonly month: Interval
  readonly nowMs: EpochMs
  readonly terms: readonly BookTerms[]
  /** Whether packages that the packs offer are tried, too. */
  readonly withPackages: boolean
  readonly resources: BookFacts['resources']
}

/** What came of it. */
export interface WhatIfAnswer {
  /** Cheapest first within each of the terms, in their order. */
  readonly alternatives: readonly (readonly Alternative[])[]
  /** From here on the month is foretold; its end: all of it was measured. */
  readonly foretoldFromMs: EpochMs
  /** The month is not over, and there is too little history to foretell the rest. */
  readonly isCut: boolean
}

/**
 * Prices a month by each of the terms; a month that is not over is completed by what is expected.
 *
 * Errors: `parameter_invalid` when groups overlap; `too_large` for more usage than can be held.
 */
export async function whatIf(question: WhatIfQuestion, usage: BooksUsage): Promise<WhatIfAnswer> {
  const { month, nowMs, terms, resources, withPackages } = question
  const outlook = await readMonth(question, usage)
  const hashes = new Set(terms.map(({ packHash }) => packHash))
  const slotsOf = await readSlotOutlook(usage, month, { all: terms, ahead: hashes }, outlook)
  const { future } = outlook
  const ahead = outlook.ahead.flatMap((_day, index) => future?.(index, 'expected') ?? [])
  const measured = outlook.measured.filter(({ startMs }) => startMs >= month.startMs)
  const all: MonthUsage = { traffic: [...measured, ...ahead], slots: slotsOf('expected') }
  const isOver = month.endMs <= nowMs
  const isCut = !isOver && future === null
  const untilMs = isCut ? outlook.nowMs : month.endMs
  const unbilled = createUnbilled(question, resources)
  return {
    alternatives: terms.map((each) => {
      const priced = { terms: each, month, untilMs, unbilled, usage: all }
      const { offers } = each.pack.packages
      return withPackages ? tryOffers(priced, offers) : [priceWith(priced, [])]
    }),
    foretoldFromMs: isOver || future === null ? month.endMs : outlook.nowMs,
    isCut,
  }
}

async function readMonth(
  { month, nowMs, zone, terms, resources, withPackages, ...key }: WhatIfQuestion,
  usage: BooksUsage,
): Promise<UsageOutlook> {
  const isOver = month.endMs <= nowMs
  const offers = withPackages ? terms.flatMap(({ pack }) => pack.packages.offers) : []
  const packages: PrepaidPackage[] = offers.map((offer) => toPackage(offer, 0, month, zone))
  const found = await readOutlook(usage, {
    ...key,
    zone,
    nowMs: isOver ? month.endMs : nowMs,
    fromMs: month.startMs,
    untilMs: month.endMs,
    askers: {
      rules: terms.flatMap(({ pack }) => pack.rules),
      packages,
      byResource: resources.some(({ versions }) =>
        versions.some(({ payMode }) => payMode !== 'Traffic'),
      ),
    },
  })
  return isOver ? { ...found, ahead: [] } : found
}

/** Only addresses have pay modes, as the books see them. */
function createUnbilled(
  { meter }: BookKey,
  resources: BookFacts['resources'],
): (day: Interval) => readonly string[] {
  return ({ startMs }) =>
    meter === 'eip'
      ? resources
          .filter(({ versions }) => (payModeAt(versions, startMs) ?? 'Traffic') !== 'Traffic')
          .map(({ id }) => id)
      : []
}
