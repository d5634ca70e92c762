import { describe, expect, test } from 'vitest'
import { shippedPack } from '../../test/support/packages.ts'
import { AppError } from '../core/errors.ts'
import type { PackageOffer } from '../rating/pack-offers.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import { checkNamed, findOffer, lifeOf, type OfferWish } from './package-offers.ts'

const GIB = 1n << 30n

/** An offer of 100 GiB in China for a year; anything may be overridden. */
function offer(rest: Partial<PackageOffer>): PackageOffer {
  return {
    name: 'a',
    sizeBytes: 100n * GIB,
    areas: ['cn'],
    kinds: ['static'],
    windows: [],
    months: 12,
    from: 'purchase',
    resourcesMax: null,
    price: 10n,
    ...rest,
  }
}

function packOf(...offers: readonly PackageOffer[]): RulePack {
  const pack = shippedPack('cdn')
  return { ...pack, packages: { ...pack.packages, offers } }
}

const WISH: OfferWish = { sizeBytes: 100n * GIB, area: 'cn', kind: 'static', plainMonths: 12 }

test('an offer is found by its name', () => {
  expect(findOffer(packOf(offer({}), offer({ name: 'b' })), 'b').name).toBe('b')
})

test('of those that are as wished the cheapest is bought, the first of equals', () => {
  const pack = packOf(
    offer({ name: 'dear', price: 11n }),
    offer({ name: 'first', price: 9n }),
    offer({ name: 'second', price: 9n }),
  )
  expect(findOffer(pack, WISH).name).toBe('first')
})

describe('what is not quite as wished is not bought in its place', () => {
  test.each<[string, Partial<PackageOffer>]>([
    ['another size', { sizeBytes: 100n * GIB + 1n }],
    ['another area', { areas: ['abroad'] }],
    ['one area more', { areas: ['abroad', 'cn'] }],
    ['any area', { areas: null }],
    ['another kind', { kinds: ['dynamic'] }],
    ['only at night', { windows: [{ fromMinute: 0, toMinute: 480 }] }],
    ['half a year', { months: 6 }],
    ['without end', { months: null }],
    ['a year from its first use', { from: 'first-use' }],
    ['for one resource', { resourcesMax: 1 }],
  ])('%s', (_title, rest) => {
    expect(() => findOffer(packOf(offer(rest)), WISH)).toThrow(
      'Rule pack ucloud-cdn has no offer of 100GiB static cn; there are a (',
    )
  })
})

test('abroad as a whole and its regions are different offers, whichever is cheaper', () => {
  const pack = packOf(
    offer({ name: 'apac1', areas: ['apac1'], price: 1n }),
    offer({ name: 'abroad', areas: ['abroad'], price: 5n }),
    offer({ name: 'latam', areas: ['latam'], price: 9n }),
  )
  for (const area of ['abroad', 'apac1', 'latam'] as const) {
    expect(findOffer(pack, { ...WISH, area }).name).toBe(area)
  }
})

test('a wish of a size alone takes whatever is of that size', () => {
  const pack = packOf(offer({ areas: null, months: null, sizeBytes: GIB }))
  expect(findOffer(pack, { sizeBytes: GIB }).name).toBe('a')
})

test('what is not offered is not found, and the error says what is', () => {
  const refused = (work: () => unknown): [string, string | undefined, string] => {
    try {
      work()
    } catch (error) {
      if (error instanceof AppError) return [error.code, error.field, error.message]
      throw error
    }
    throw new Error('nothing was refused')
  }
  expect(refused(() => findOffer(packOf(offer({})), 'b'))).toEqual([
    'not_found',
    'offer',
    'Rule pack ucloud-cdn has no offer "b"; there are a (100GiB).',
  ])
  expect(refused(() => findOffer(packOf(), { sizeBytes: GIB }))).toEqual([
    'not_found',
    'size',
    'Rule pack ucloud-cdn has no offer of 1GiB; it offers no packages.',
  ])
})

describe('resources that an order names', () => {
  type Case = [string, number | null, readonly string[] | null]
  const check = (resourcesMax: number | null, resources: readonly string[] | null) => () =>
    checkNamed(offer({ resourcesMax }), 'mna', resources)

  test.each<Case>([
    ['none, for an account', null, null],
    ['one of at most two', 2, ['a']],
    ['two of at most two', 2, ['a', 'b']],
  ])('%s: taken', (_title, resourcesMax, resources) => {
    expect(check(resourcesMax, resources)).not.toThrow()
  })

  test.each<[...Case, string]>([
    ['one, for an account', null, ['a'], 'parameter_invalid'],
    ['none, of at most two', 2, null, 'parameter_missing'],
    ['an empty list, of at most two', 2, [], 'parameter_missing'],
    ['three of at most two', 2, ['a', 'b', 'c'], 'limit_exceeded'],
  ])('%s: refused', (_title, resourcesMax, resources, code) => {
    expect(check(resourcesMax, resources)).toThrow(
      expect.objectContaining({ code, field: 'resources' }),
    )
  })
})

// In Shanghai, UTC+8 all year; the end is exclusive, so the last second inside is one less:
// tencent.md §3.6 has 2024-12-19 21:12:21 → 2025-01-19 21:12:20.
test.each<[string, string, string]>([
  ['the published example', '2024-12-19T13:12:21Z', '2025-01-19T13:12:21.000Z'],
  [
    'a 31st ends on the last day of a shorter month',
    '2026-01-31T02:00:00Z',
    '2026-02-28T02:00:00.000Z',
  ],
])('one calendar month: %s', (_title, from, to) => {
  const { endAt } = lifeOf(offer({ months: 1 }), Date.parse(from), 'Asia/Shanghai')
  expect(new Date(endAt ?? 0).toISOString()).toBe(to)
})

test('a year from the first use has no end yet, and what never ends has none', () => {
  const life = (rest: Partial<PackageOffer>) => lifeOf(offer(rest), 0, 'Asia/Shanghai')
  expect(life({ from: 'first-use' })).toEqual({ endAt: null, firstUseMonths: 12 })
  expect(life({ months: null })).toEqual({ endAt: null, firstUseMonths: null })
})
