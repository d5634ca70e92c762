import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BurnKey, burnOrder, DEFAULT_BURN_ORDER, type RankedPackage } from './package-order.ts'
import type { PackageScope } from './package-terms.ts'

interface Sketch extends Partial<PackageScope> {
  readonly id: string
  readonly size?: bigint
  readonly bought?: number
  /** null: unlimited; 'unused': lasts from its first use, which has not come. */
  readonly end?: number | null | 'unused'
}

function ranked({ id, size = 1n, bought = 0, end = 100, ...scope }: Sketch): RankedPackage {
  return {
    package: {
      areas: null,
      kinds: null,
      projectIds: null,
      resourceIds: null,
      windows: [],
      ...scope,
      id,
      sizeBytes: size,
      purchasedMs: bought,
      startMs: bought,
      validity: validityOf(end),
    },
    endMs: end === 'unused' ? null : end,
  }
}

function validityOf(end: number | null | 'unused') {
  if (end === null) return { type: 'unlimited' as const }
  if (end === 'unused') return { type: 'from-first-use' as const, spanMs: 1 }
  return { type: 'from-purchase' as const, endMs: end }
}

const NIGHT = { fromMinute: 0, toMinute: 360 }

test.each<[string, readonly BurnKey[], readonly Sketch[], string]>([
  [
    'default: unlimited, expiry, purchase, id',
    DEFAULT_BURN_ORDER,
    [
      { id: 'f', end: 'unused' },
      { id: 'e', end: 200 },
      { id: 'd', end: 100, bought: 2 },
      { id: 'c', end: 100, bought: 1 },
      { id: 'b', end: 100, bought: 1 },
      { id: 'a', end: null, bought: 9 },
    ],
    'a b c d e f',
  ],
  [
    'unlimited last',
    ['unlimited-last', 'earliest-expiry'],
    [{ id: 'a', end: null }, { id: 'b', end: 'unused' }, { id: 'c' }],
    'c b a',
  ],
  [
    'by expiry alone, those without an end are last, by id',
    ['earliest-expiry'],
    [{ id: 'b', end: null }, { id: 'a', end: 'unused' }, { id: 'c' }],
    'c a b',
  ],
  [
    'smallest first, as bought',
    ['smallest-size'],
    [
      { id: 'a', size: 10n ** 20n },
      { id: 'b', size: 9n },
      { id: 'c', size: 10n },
    ],
    'b c a',
  ],
  ['no key: by id', [], [{ id: 'b' }, { id: 'B' }, { id: 'a' }, { id: 'a1' }], 'B a a1 b'],
  [
    'narrowest: resource, project, area, kind, hours',
    ['narrowest-scope'],
    [
      { id: 'any' },
      { id: 'hours', windows: [NIGHT] },
      { id: 'kind', kinds: ['static'] },
      { id: 'area', areas: ['cn'] },
      { id: 'both', areas: ['cn'], kinds: ['static'] },
      { id: 'project', projectIds: ['p'] },
      { id: 'projects', projectIds: ['p', 'q'], windows: [NIGHT] },
      { id: 'resource', resourceIds: ['r'] },
    ],
    'resource project projects both area kind hours any',
  ],
  [
    // abroad is six regions and the unknown one: seven, so that any six of them are narrower.
    'narrowest: a region, some regions, abroad as a whole, abroad and cn, any',
    ['narrowest-scope'],
    [
      { id: 'any' },
      { id: 'both', areas: ['abroad', 'cn'] },
      { id: 'whole', areas: ['abroad'] },
      { id: 'six', areas: ['apac1', 'apac2', 'apac3', 'eu-na', 'latam', 'me-africa'] },
      { id: 'two', areas: ['apac1', 'cn'] },
      { id: 'one', areas: ['apac1'] },
      { id: 'other', areas: ['abroad-other'] },
    ],
    'one other two six whole both any',
  ],
  [
    'a key after the id decides nothing',
    ['id', 'smallest-size'],
    [
      { id: 'b', size: 1n },
      { id: 'a', size: 2n },
    ],
    'a b',
  ],
])('%s', (_title, keys, sketches, wanted) => {
  const compare = burnOrder(keys)
  const order = (list: readonly Sketch[]) =>
    list
      .map(ranked)
      .sort(compare)
      .map((entry) => entry.package.id)
      .join(' ')
  expect(order(sketches)).toBe(wanted)
  expect(order([...sketches].reverse())).toBe(wanted)
})

const sketches = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 2 }),
    size: fc.bigInt({ min: 0n, max: 2n }),
    bought: fc.integer({ min: 0, max: 2 }),
    end: fc.constantFrom<number | null | 'unused'>(null, 'unused', 1, 2),
    areas: fc.constantFrom<PackageScope['areas']>(
      null,
      ['cn'],
      ['cn', 'abroad'],
      ['abroad'],
      ['apac1'],
    ),
  }),
  { selector: ({ id }) => id, minLength: 2, maxLength: 8 },
)
const keyLists = fc.shuffledSubarray<BurnKey>([
  'unlimited-first',
  'unlimited-last',
  'earliest-expiry',
  'earliest-purchase',
  'smallest-size',
  'narrowest-scope',
  'id',
])

test('every declared order is total: no ties, no circles, whatever the listing', () => {
  fc.assert(
    fc.property(sketches, keyLists, (list, keys) => {
      const compare = burnOrder(keys)
      const sorted = list.map(ranked).sort(compare)
      for (const [index, a] of sorted.entries()) {
        for (const b of sorted.slice(index + 1)) {
          expect(compare(a, b)).toBeLessThan(0)
          expect(compare(b, a)).toBeGreaterThan(0)
        }
      }
    }),
  )
})
