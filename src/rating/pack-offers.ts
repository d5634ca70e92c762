import { z } from 'zod'
import type { AreaScope, ContentKind } from '../catalog/model.ts'
import { windowsOverlap } from '../core/day-window.ts'
import type { Nano } from '../core/money.ts'
import type { Bytes } from '../core/units.ts'
import { Areas } from './pack-entries.ts'
import { documented, mustBe, oneOf, Price, quantity, section, setOf } from './pack-fields.ts'
import { parseVolume, parseWindow } from './pack-quantities.ts'
import type { DayWindow } from './rules.ts'

/** A package as it is sold: what is in it, how long it lasts, and what it costs. */
export interface PackageOffer {
  readonly name: string
  readonly sizeBytes: Bytes
  /** null, here and in the next: any. */
  readonly areas: readonly AreaScope[] | null
  readonly kinds: readonly ContentKind[] | null
  readonly windows: readonly DayWindow[]
  /** Calendar months that it lasts; null: without end. */
  readonly months: number | null
  /** From when they are counted. */
  readonly from: 'purchase' | 'first-use'
  /** So many resources at most, which the buyer names; null: it is for all of the account. */
  readonly resourcesMax: number | null
  /** For the whole package, in the pack's currency. */
  readonly price: Nano
}

/** A hundred years: what lasts longer is meant to last for ever. */
const MONTHS_MAX = 1200
const RESOURCES_MAX = 1000

const OfferName = z
  .string({ error: mustBe('a name such as cn-100gib-year') })
  .regex(
    /^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/,
    'must be letters, digits, hyphens and underscores, as in cn-100gib-year',
  )
  .max(60, 'must have at most 60 characters')

const Size = quantity('a volume above 0 such as "100GiB"', (text) => {
  const bytes = parseVolume(text)
  return bytes === 0n ? undefined : bytes
})
const Window = quantity('a part of the day such as "00:00-08:00"', parseWindow)

const wholeUpTo = (most: number, what: string) =>
  z
    .int({ error: mustBe(`a whole number of ${what}, such as 1`) })
    .min(1, `must be 1 to ${most}`)
    .max(most, `must be 1 to ${most}`)

/** One of `packages.offers` as a file has it. */
export const OfferEntry = section(
  {
    name: documented(OfferName, {
      value: 'text',
      description: 'What it is bought by; unique in the pack. May be the vendor’s name of it.',
    }),
    size: documented(Size, { value: 'volume above 0', description: 'What is in it.' }),
    areas: documented(Areas.optional(), {
      description: 'CDN traffic of which areas it pays for, as in `scope` of a rule.',
      fallback: 'any',
    }),
    kinds: documented(setOf(['static', 'dynamic']).optional(), {
      description: 'Which kinds of CDN content it pays for.',
      settles: 'Does a package for files pay for whole-site acceleration? Say `[static]`: no.',
      fallback: 'any',
    }),
    windows: documented(z.array(Window, { error: mustBe('a list of times of day') }).default([]), {
      value: 'list of times of day',
      fallback: 'any time',
      description: 'Only usage in these local times, such as `["00:00-08:00"]`.',
    }),
    months: documented(wholeUpTo(MONTHS_MAX, 'months').optional(), {
      value: '1 … 1200',
      description: 'Calendar months that it lasts. Either this or `unlimited`.',
      settles:
        'When does a month end? At the same local time of the same day; a 31st that the month ' +
        'lacks is its last day. The last second inside is one less.',
      fallback: 'none',
    }),
    unlimited: documented(z.literal(true, { error: mustBe('true') }).optional(), {
      value: '`true`',
      description: 'It never ends. Either this or `months`.',
      fallback: 'none',
    }),
    from: documented(oneOf(['purchase', 'first-use']).default('purchase'), {
      description: 'From when `months` are counted.',
      settles: 'Does a package run while nobody uses it? `purchase`: it does.',
    }),
    resources: documented(wholeUpTo(RESOURCES_MAX, 'resources').optional(), {
      value: '1 … 1000',
      description: 'The buyer names the resources that it pays for, at most so many.',
      fallback: 'all of the account',
    }),
    price: documented(Price, { value: 'amount', description: 'For the whole package.' }),
  },
  'an offer such as { name: cn-100gib-year, size: 100GiB, months: 12, price: "18.00" }',
)

const Offer = OfferEntry.transform((entry, context): PackageOffer => {
  const complain = (path: readonly PropertyKey[], message: string): void => {
    context.addIssue({ code: 'custom', path: [...path], message })
  }
  const { size, areas, kinds, months, unlimited, resources, ...rest } = entry
  if (months === undefined && unlimited === undefined) {
    complain(['months'], 'is missing; write how many months it lasts, or unlimited: true')
  }
  if (unlimited !== undefined && months !== undefined) {
    complain(['unlimited'], 'cannot stand beside months; keep one of the two')
  }
  if (unlimited !== undefined && rest.from === 'first-use') {
    complain(['from'], 'means nothing with unlimited, which never ends; leave it out')
  }
  for (const [index, window] of rest.windows.entries()) {
    const earlier = rest.windows.slice(0, index).findIndex((one) => windowsOverlap(window, one))
    if (earlier !== -1) complain(['windows', index], `overlaps windows[${earlier}]; join the two`)
  }
  return {
    ...rest,
    sizeBytes: size,
    areas: areas ?? null,
    kinds: kinds ?? null,
    months: months ?? null,
    resourcesMax: resources ?? null,
  }
})

/** `packages.offers` as a file has it. */
export const OffersEntry = z
  .array(Offer, { error: mustBe('a list of offers') })
  .superRefine((offers, context) => {
    const names = offers.map(({ name }) => name)
    for (const [index, name] of names.entries()) {
      const first = names.indexOf(name)
      if (first === index) continue
      const message = `repeats the name of offers[${first}]; an order could mean either`
      context.addIssue({ code: 'custom', path: [index, 'name'], message })
    }
  })
