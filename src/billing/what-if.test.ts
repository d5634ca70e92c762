import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CUSTOMER } from '../../test/support/bills.ts'
import { BY_DAY, day, packOf, usageAt, ZONE } from '../../test/support/forecast-world.ts'
import { HOUR_MS, localDays } from '../core/period.ts'
import type { PackageOffer } from '../rating/pack-offers.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { priceWith, totalOf, tryOffers, type WhatIfMonth } from './what-if.ts'

const GB = 1_000_000_000n
const YUAN = 1_000_000_000n
/** Thirty days. */
const MONTH = { startMs: day('2026-09-01'), endMs: day('2026-10-01') }

function offerOf(name: string, rest: Partial<PackageOffer> = {}): PackageOffer {
  return {
    name,
    sizeBytes: 10n * GB,
    areas: null,
    kinds: null,
    windows: [],
    months: 1,
    from: 'purchase',
    resourcesMax: null,
    price: 15n * YUAN,
    ...rest,
  }
}

/** A gigabyte on each of the 30 days, at two yuan. */
const DAILY = localDays(MONTH, ZONE).map(({ startMs }) => usageAt(startMs))

function monthOf(traffic: readonly TrafficUsage[] = DAILY, rules = BY_DAY): WhatIfMonth {
  return {
    terms: {
      accountId: CUSTOMER.id,
      meter: 'cdn',
      zone: ZONE,
      pack: packOf(rules),
      packHash: 'hash',
      groups: {},
    },
    month: MONTH,
    untilMs: MONTH.endMs,
    unbilled: () => [],
    usage: { traffic, slots: () => new Map() },
  }
}

const shown = (alternatives: ReturnType<typeof tryOffers>) =>
  alternatives.map((each) => [
    each.bought.map(({ offer, count }) => `${count} ${offer.name}`).join(' + '),
    Number(totalOf(each) / YUAN),
  ])

describe('by hand', () => {
  test('a package is bought as often as it saves something, and counted in full', () => {
    // 30 GB cost 60. One package of 10 GB at 15 saves 20, and so do the second and the third.
    expect(shown(tryOffers(monthOf(), [offerOf('ten')]))).toEqual([
      ['3 ten', 45],
      ['2 ten', 50],
      ['1 ten', 55],
      ['', 60],
    ])
  })

  test('one that costs more than the pack is told of behind it', () => {
    const found = shown(tryOffers(monthOf(), [offerOf('dear', { price: 25n * YUAN })]))
    expect(found.slice(0, 2)).toEqual([
      ['', 60],
      ['1 dear', 65],
    ])
  })

  test('different offers are combined', () => {
    // 20 GB at 22 and 10 GB at 15 are 37: less than two at 44, and than three tens.
    const twenty = offerOf('twenty', { sizeBytes: 20n * GB, price: 22n * YUAN })
    const found = shown(tryOffers(monthOf(), [offerOf('ten'), twenty]))
    expect(found[0]).toEqual(['1 ten + 1 twenty', 37])
    // No package, three of the one, two of the other, and three by two of both.
    expect(found).toHaveLength(1 + 3 + 2 + 6)
  })

  test('the last of several may be used in part, and one more is not tried', () => {
    const offer = offerOf('twelve', { sizeBytes: 12n * GB, price: 11n * YUAN })
    const found = tryOffers(monthOf(), [offer])
    // Three are 36 GB for 30 GB, at 33; two leave 6 GB, which makes 22 and 12.
    expect(shown(found).slice(0, 2)).toEqual([
      ['3 twelve', 33],
      ['2 twelve', 34],
    ])
    expect(found[0]?.bought[0]?.usedBytes).toBe(30n * GB)
    expect(Math.max(...found.map(({ bought }) => bought[0]?.count ?? 0))).toBe(3)
  })

  test('a package of another area helps nobody and is not tried', () => {
    expect(shown(tryOffers(monthOf(), [offerOf('far', { areas: ['abroad'] })]))).toEqual([['', 60]])
  })

  test('an offer whose buyer names resources is left out', () => {
    expect(shown(tryOffers(monthOf(), [offerOf('one', { resourcesMax: 1 })]))).toEqual([['', 60]])
  })

  test('too many ways to combine: the best of each scope together', () => {
    const abroad = localDays(MONTH, ZONE).map(({ startMs }) =>
      usageAt(startMs, { area: 'abroad' as const }),
    )
    const small = { sizeBytes: 2n * GB, price: 3n * YUAN }
    const offers = [
      offerOf('cn', { ...small, areas: ['cn'] }),
      offerOf('cn-dear', { ...small, areas: ['cn'], price: 5n * YUAN }),
      offerOf('abroad', { ...small, areas: ['abroad'] }),
    ]
    // 60 GB cost 120; fifteen packages at 3 save 60 of it in each area.
    const found = shown(tryOffers(monthOf([...DAILY, ...abroad]), offers))
    expect(found[0]).toEqual(['15 cn + 15 abroad', 90])
    expect(found[1]).toEqual(['15 cn', 105])
  })

  test('a package of the night takes what moves by night', () => {
    const night = DAILY.map((entry) => ({ ...entry, bytes: GB / 2n }))
    const later = night.map((entry) => ({ ...entry, startMs: entry.startMs + 8 * HOUR_MS }))
    const offer = offerOf('night', {
      sizeBytes: 100n * GB,
      windows: [{ fromMinute: 0, toMinute: 480 }],
      price: 10n * YUAN,
    })
    const [best] = tryOffers(monthOf([...night, ...later]), [offer])
    // Half of 60, and the package.
    expect(best && totalOf(best)).toBe(40n * YUAN)
    expect(best?.bought[0]?.usedBytes).toBe(15n * GB)
  })
})

describe('a package that outlives the month', () => {
  test('is counted in full, and by days besides', () => {
    // From 1 September for a year: 365 days, of which 30 are September's.
    const year = offerOf('year', { sizeBytes: 40n * GB, months: 12, price: 36n * YUAN + YUAN / 2n })
    const found = priceWith(monthOf(), [{ offer: year, count: 1 }])
    expect(found).toMatchObject({
      usageAmount: 0n,
      packagesAmount: 36_500_000_000n,
      proRataAmount: 3n * YUAN,
    })
  })

  test('without an end, by what the month takes of it', () => {
    const forever = offerOf('forever', { sizeBytes: 120n * GB, months: null, price: 80n * YUAN })
    const found = priceWith(monthOf(), [{ offer: forever, count: 1 }])
    expect(found).toMatchObject({ packagesAmount: 80n * YUAN, proRataAmount: 20n * YUAN })
  })

  test('from its first use, by days from the start of the month to its end', () => {
    // First used on the 16th, until 16 October: 45 days since the 1st, of which 30 are the month's.
    const offer = offerOf('used', { from: 'first-use', price: 45n * YUAN })
    const found = priceWith(monthOf(DAILY.slice(15)), [{ offer, count: 1 }])
    expect(found.proRataAmount).toBe(30n * YUAN)
  })
})

// Everything is tried here by counting: no packages, timelines or tiers, a gigabyte by a gigabyte.
test('the cheapest is what trying everything finds', () => {
  const offers = fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('a', 'b'),
      size: fc.integer({ min: 4, max: 15 }),
      price: fc.integer({ min: 1, max: 40 }),
      area: fc.constantFrom('cn' as const, 'abroad' as const),
    }),
    { selector: ({ name }) => name, maxLength: 2 },
  )
  const usage = fc.array(fc.constantFrom('cn' as const, 'abroad' as const), { maxLength: 30 })
  fc.assert(
    fc.property(offers, usage, (list, areas) => {
      const traffic = areas.map((area, index) =>
        usageAt(MONTH.startMs + index * 24 * HOUR_MS, { area }),
      )
      const [found] = tryOffers(
        monthOf(traffic),
        list.map(({ name, size, price, area }) =>
          offerOf(name, {
            sizeBytes: BigInt(size) * GB,
            price: BigInt(price) * YUAN,
            areas: [area],
          }),
        ),
      )
      let best = Number.POSITIVE_INFINITY
      const counts = [...Array(9).keys()]
      for (const a of counts) {
        for (const b of list.length > 1 ? counts : [0]) {
          const chosen = list.map((offer, index) => ({ ...offer, count: index === 0 ? a : b }))
          const open = { cn: 0, abroad: 0 }
          for (const area of areas) open[area] += 1
          for (const { area, size, count } of chosen) {
            open[area] = Math.max(0, open[area] - size * count)
          }
          const paid = chosen.reduce((sum, { price, count }) => sum + price * count, 0)
          best = Math.min(best, paid + 2 * (open.cn + open.abroad))
        }
      }
      expect(found && Number(totalOf(found)) / 1e9).toBe(best)
    }),
    { numRuns: 40 },
  )
})
