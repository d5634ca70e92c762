import { z } from 'zod'
import { AREA_SCOPES, redundantMessage, redundantRegion } from '../catalog/area-scope.ts'
import { PROVINCES } from '../meters/places.ts'
import { documented, mustBe, oneOf, Price, quantity, section, setOf } from './pack-fields.ts'
import { parseOverhead, parseRate, parseVolume, parseWindow } from './pack-quantities.ts'
import type { BandwidthMode } from './rules.ts'

const Volume = quantity('a volume such as "10TB" or "1GiB"', parseVolume)
const Rate = quantity('a bandwidth such as "100Mbps"', parseRate)
const Window = quantity('a part of the day such as "23:00-07:00"', parseWindow)

/** Names of packs and rules stand in bills and in commands. */
export const Name = z
  .string({ error: mustBe('a name such as cn-static') })
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'must be small letters, digits and hyphens, as in cn-static')
  .max(60, 'must have at most 60 characters')

/** Areas and parts of abroad as files name them. */
export const Areas = setOf(AREA_SCOPES).superRefine((areas, context) => {
  const redundant = redundantRegion(areas)
  if (redundant === undefined) return
  context.addIssue({ code: 'custom', message: redundantMessage(redundant) })
})

const common = {
  name: documented(Name, { value: 'text', description: 'What bill lines call it; unique.' }),
  level: documented(oneOf(['account', 'project', 'resource', 'group']).default('account'), {
    description: 'Whose usage is summed before it is tiered or ranked.',
    settles:
      'Per account or per domain? Peaks do not add up: the peak of an account is at most the ' +
      'sum of its domains’ peaks, so the default favours the payer.',
  }),
}

const scope = {
  areas: documented(Areas.optional(), {
    description:
      'Billing areas; `abroad` is all its regions and what no region is known of, a region only ' +
      'what moved there, `abroad-other` only what no region is known of.',
    fallback: 'all',
  }),
  provinces: documented(setOf(PROVINCES).optional(), {
    value: 'list of province codes',
    description: 'Provinces by pinyin code; `others` is abroad or unknown.',
    fallback: 'all',
  }),
  kinds: documented(setOf(['static', 'dynamic']).optional(), {
    description: 'Static content, or dynamic for whole-site acceleration.',
    fallback: 'all',
  }),
}

/** `scope` of a traffic rule. */
export const TrafficScope = section(
  {
    ...scope,
    directions: documented(setOf(['in', 'out']).prefault(['out']), {
      description: 'Directions; those of one rule are added.',
      settles: 'Is inbound traffic billed? Only where the list says so.',
      fallback: '`[out]`',
    }),
  },
  'a section with areas, provinces, kinds, directions',
)

/** `scope` of a bandwidth rule; what is done with directions has a field of its own there. */
export const BandwidthScope = section(scope, 'a section with areas, provinces, kinds')

/** One step of `tiers`. */
export const Tier = section(
  {
    upTo: documented(Volume.optional(), {
      value: 'volume',
      description: 'Billed bytes at which the tier ends; the last tier has none.',
      settles: 'Where does exactly the bound belong? To the tier that ends there.',
      fallback: 'without end',
    }),
    price: documented(Price, { value: 'amount', description: 'For one `unit`.' }),
  },
  'a tier such as { upTo: 10TB, price: "0.135" }',
)

/** A traffic rule as a file has it. */
export const TrafficEntry = section(
  {
    type: documented(z.literal('traffic'), { description: 'Priced by volume.' }),
    ...common,
    scope: documented(TrafficScope.prefault({}), {
      value: 'section',
      description: 'Which usage the rule prices.',
    }),
    windows: documented(z.array(Window, { error: mustBe('a list of times of day') }).default([]), {
      value: 'list of times of day',
      fallback: 'any time',
      description:
        'Only usage in these local times, such as `["23:00-07:00"]`; the end is exclusive.',
      settles: 'Is off-peak cheaper? Write two rules with windows that do not meet.',
    }),
    overhead: documented(
      quantity('what is added, such as "10%" or "1/10"', parseOverhead).prefault('0%'),
      {
        value: 'whole percent or fraction',
        description: 'Added to the measured bytes before anything is priced.',
        settles:
          'Are headers and retransmissions billed? Vendors add about 10 %; by default nothing is ' +
          'added. Bills show raw and billed bytes.',
      },
    ),
    freeBelowPerDay: documented(Volume.prefault('0B'), {
      value: 'volume',
      description: 'A resource’s day with fewer measured bytes is free; any other is billed whole.',
      settles: 'Is a nearly idle day billed? `0B`: it is.',
    }),
    unit: documented(oneOf(['GB', 'GiB']).default('GiB'), {
      description: 'What one price buys: 10^9 or 2^30 bytes.',
      settles: 'What is a gigabyte? A GiB is 7 % more for the same money, so it is the default.',
    }),
    tiering: documented(oneOf(['graduated', 'volume']).default('graduated'), {
      description:
        '`graduated`: each tier prices what falls into it; `volume`: the tier reached prices all.',
      settles: 'Does the cheaper price count from the bound on, or for everything?',
    }),
    price: documented(Price.optional(), {
      value: 'amount',
      description: 'For one `unit`, when there is one price. Either this or `tiers`.',
      fallback: 'none',
    }),
    tiers: documented(
      z
        .array(Tier, { error: mustBe('a list of tiers') })
        .min(1, 'is empty; write at least one tier, or a price')
        .optional(),
      {
        value: 'list of tiers',
        description: 'Ascending; the last is without end. Either this or `price`.',
        fallback: 'none',
      },
    ),
    period: documented(oneOf(['day', 'month']).default('month'), {
      description: 'Span over which tiers count and one line is made.',
      settles:
        'Do tiers start again each day? A month reaches the later tiers, so it is the default.',
    }),
  },
  'a traffic rule',
)

/** How slots become one bandwidth, in the order of the reference page. */
const MODES: readonly [BandwidthMode, ...BandwidthMode[]] = [
  'daily-peak',
  'monthly-95',
  'mean-of-daily-95',
  'mean-of-daily-peaks',
  'fourth-highest-daily-peak',
  'sum-of-daily-peaks',
  'top-5-mean',
]
/** Drops 432 of a 30-day month’s 8640 slots, and the fraction of a slot goes to the vendor. */
export const RANK_DEFAULT = { percent: 5, rounding: 'floor' } as const

/** `validDay` of a bandwidth rule when not every day counts. */
export const ValidDay = section(
  {
    above: documented(Volume, {
      value: 'volume',
      description: 'A day takes part when more bytes than this moved in the billed directions.',
    }),
  },
  'all, or a section such as { above: 0B }',
)

/** `rank` of a bandwidth rule. */
export const Rank = section(
  {
    percent: documented(
      z
        .int({ error: mustBe('a whole number of percent, such as 5') })
        .min(0, 'must be 0 to 99')
        .max(99, 'must be 0 to 99')
        .default(RANK_DEFAULT.percent),
      { value: '0 … 99', description: 'Share of the slots that is dropped, the highest first.' },
    ),
    rounding: documented(oneOf(['floor', 'ceil', 'round']).default(RANK_DEFAULT.rounding), {
      description: 'How a share that is no whole number of slots is rounded.',
      settles:
        '31 days have 8928 slots, and 5 % are 446.4. `floor` drops 446, as `weir query` and its ' +
        '`p95_bps` do; `ceil` drops 447.',
    }),
  },
  'a section such as { percent: 5, rounding: floor }',
)

/** A bandwidth rule as a file has it. */
export const BandwidthEntry = section(
  {
    type: documented(z.literal('bandwidth'), { description: 'Priced by bandwidth.' }),
    ...common,
    scope: documented(BandwidthScope.prefault({}), {
      value: 'section',
      description: 'Which usage the rule prices.',
    }),
    mode: documented(oneOf(MODES), {
      description: 'How the slots of a day or month become one bandwidth.',
      settles: 'A 95th is always a real slot with its moment, never a value between two.',
    }),
    slot: documented(oneOf(['mean', 'max-sample']).default('mean'), {
      description: 'Bandwidth of a slot: mean of its five minutes, or its highest shorter sample.',
      settles: 'Some vendors rank the highest 10 seconds of each slot; the mean is never higher.',
    }),
    direction: documented(
      oneOf(['out', 'in', 'max-per-slot', 'max-of-both', 'sum']).default('out'),
      {
        description:
          '`max-per-slot`: the higher of both in each slot; `max-of-both`: each is ranked alone, ' +
          'the higher result is billed; `sum`: both added in each slot.',
        settles: 'Which direction is ranked?',
      },
    ),
    validDay: documented(
      z
        .union([z.literal('all'), ValidDay], { error: mustBe('all, or { above: 0B }') })
        .default('all'),
      {
        value: '`all` or section',
        fallback: '`all`',
        description: 'Which days take part.',
        settles:
          'Do idle days count? With all days the idle slots are ranked too, so a 95th is lower.',
      },
    ),
    missingSlot: documented(oneOf(['zero', 'exclude', 'exclude-unreported']).default('zero'), {
      description:
        'Which slots are no slots at all. `zero`: none, silence is zero; `exclude`: those in which ' +
        'nothing moved, whether zero was reported or nothing was; `exclude-unreported`: those of ' +
        'which the member has no record, so that one of zero bytes counts as zero.',
      settles:
        'Is silence zero? Excluding slots makes the rest rank higher. Records decide, not heartbeats: ' +
        '`exclude-unreported` is for sources that send a record of zero bytes when nothing moves. ' +
        'Access logs never do.',
    }),
    rank: documented(Rank.optional(), {
      value: 'section',
      description: 'How many slots are dropped; only where slots are ranked: the two 95th modes.',
      fallback: `\`{ percent: ${RANK_DEFAULT.percent}, rounding: ${RANK_DEFAULT.rounding} }\``,
    }),
    unit: documented(oneOf(['Mbps', 'Mibps']).default('Mbps'), {
      description: 'What one price buys: 10^6 or 2^20 bit/s.',
      settles:
        'What is a megabit? 10^6, as every vendor publishes it, even those whose gigabyte is 2^30.',
    }),
    commit: documented(Rate.prefault('0bps'), {
      value: 'bandwidth',
      description: 'Billed at `price` whatever was used.',
      settles: 'Is there a minimum? `0bps`: none.',
    }),
    price: documented(Price, { value: 'amount', description: 'For one `unit` in the period.' }),
    overagePrice: documented(Price.optional(), {
      value: 'amount',
      description: 'For one `unit` above `commit`.',
      fallback: 'the same as `price`',
    }),
    proRata: documented(oneOf(['none', 'valid-days']).optional(), {
      description:
        '`valid-days`: what is above `commit` is multiplied by days that took part ÷ days of the ' +
        'period.',
      settles:
        'Is a month with few valid days billed whole? There is no default with `validDay: { above }`: ' +
        'say which.',
      fallback: '`none`',
    }),
    partialMonth: documented(oneOf(['share', 'whole']).default('share'), {
      description:
        '`share`: when the rule was in force on some days of the month only, its amount is ' +
        'multiplied by those days ÷ days of the month; `whole`: it is not.',
      settles: 'What does a month cost in which the charge mode was switched? Its days.',
    }),
  },
  'a bandwidth rule',
)
