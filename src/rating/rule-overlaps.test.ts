import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findOverlaps } from './rule-overlaps.ts'
import type { BandwidthRule, DayWindow, Scope, TrafficRule } from './rules.ts'

function traffic(scope: Scope, windows: readonly DayWindow[] = []): TrafficRule {
  return {
    type: 'traffic',
    name: 'a',
    level: 'account',
    scope,
    windows,
    overhead: { numerator: 1n, denominator: 1n },
    freeBelowBytesPerDay: 0n,
    radix: 1024,
    tiering: 'graduated',
    tiers: [{ upToBytes: null, price: 1n }],
    period: 'month',
  }
}

function bandwidth(parts: Partial<BandwidthRule> = {}): BandwidthRule {
  return {
    type: 'bandwidth',
    name: 'b',
    level: 'account',
    scope: {},
    mode: 'monthly-95',
    slot: 'mean',
    direction: 'out',
    validDay: 'all',
    missingSlot: 'zero',
    rank: { percent: 5, rounding: 'floor' },
    radix: 1000,
    commitBps: 0n,
    price: 1n,
    overagePrice: null,
    proRata: 'none',
    partialMonth: 'share',
    ...parts,
  }
}

const hours = (from: number, to: number): DayWindow => ({
  fromMinute: from * 60,
  toMinute: to * 60,
})

describe('two traffic rules of one level', () => {
  test.each<[title: string, a: TrafficRule, b: TrafficRule, overlaps: boolean]>([
    ['without any scope', traffic({}), traffic({}), true],
    ['in two areas', traffic({ areas: ['cn'] }), traffic({ areas: ['abroad'] }), false],
    ['in two regions abroad', traffic({ areas: ['apac1'] }), traffic({ areas: ['latam'] }), false],
    ['in a region and abroad', traffic({ areas: ['apac1'] }), traffic({ areas: ['abroad'] }), true],
    [
      'in a region, and where none is known',
      traffic({ areas: ['apac1', 'cn'] }),
      traffic({ areas: ['abroad-other'] }),
      false,
    ],
    [
      'where no region is known, and abroad',
      traffic({ areas: ['abroad-other'] }),
      traffic({ areas: ['abroad'] }),
      true,
    ],
    ['where no region is known, twice', traffic({ areas: ['abroad-other'] }), traffic({}), true],
    ['in a region and in cn', traffic({ areas: ['apac1'] }), traffic({ areas: ['cn'] }), false],
    [
      'in cn and a region, and abroad',
      traffic({ areas: ['cn', 'latam'] }),
      traffic({ areas: ['abroad'] }),
      true,
    ],
    ['in an area and everywhere', traffic({ areas: ['cn'] }), traffic({}), true],
    ['of an area and of a kind', traffic({ areas: ['cn'] }), traffic({ kinds: ['static'] }), true],
    ['by day and by night', traffic({}, [hours(7, 23)]), traffic({}, [hours(23, 7)]), false],
    ['with an hour in common', traffic({}, [hours(7, 23)]), traffic({}, [hours(22, 7)]), true],
    ['by night and always', traffic({}, [hours(23, 7)]), traffic({}), true],
    [
      'by night in one area, always in the other',
      traffic({ areas: ['cn'] }, [hours(23, 7)]),
      traffic({ areas: ['abroad'] }),
      false,
    ],
  ])('%s: %#', (_title, a, b, overlaps) => {
    const expected = overlaps ? [{ earlier: 0, later: 1 }] : []
    expect(findOverlaps([a, b])).toEqual(expected)
    expect(findOverlaps([b, a])).toEqual(expected)
  })
})

test('rules of two levels do not overlap: a line is made for each', () => {
  expect(findOverlaps([traffic({}), { ...traffic({}), level: 'project' }])).toEqual([])
})

test('a traffic rule and a bandwidth rule do not overlap: they are two ways to charge', () => {
  expect(findOverlaps([traffic({}), bandwidth()])).toEqual([])
})

test.each<[title: string, parts: Partial<BandwidthRule>, overlaps: boolean]>([
  ['of the same kind', {}, true],
  ['of another mode', { mode: 'daily-peak' }, false],
  ['of the other direction', { direction: 'in' }, false],
  ['of both directions', { direction: 'max-of-both' }, true],
  ['of another level', { level: 'resource' }, false],
])('a second bandwidth rule %s: overlaps %#', (_title, parts, overlaps) => {
  expect(findOverlaps([bandwidth(), bandwidth(parts)])).toHaveLength(overlaps ? 1 : 0)
})

test('rules that could not be read overlap with nothing', () => {
  expect(findOverlaps([undefined, traffic({}), undefined, traffic({})])).toEqual([
    { earlier: 1, later: 3 },
  ])
})

test('of a thousand rules that all overlap, the first hundred overlaps are told, at once', () => {
  const found = findOverlaps(Array.from({ length: 1000 }, () => traffic({}, [hours(7, 23)])))
  expect(found).toHaveLength(100)
  expect(found.at(0)).toEqual({ earlier: 0, later: 1 })
})

test('two rules overlap exactly when some byte of the day fits both', () => {
  const list = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 })
  const scopes = fc.record<Scope, never>(
    {
      areas: list('cn', 'abroad'),
      kinds: list('static', 'dynamic'),
      directions: list('in', 'out'),
      provinces: list('anhui', 'hubei'),
    },
    { requiredKeys: [] },
  )
  const window = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 23 }))
    .filter(([from, to]) => from !== to)
    .map(([from, to]) => hours(from, to))
  const rule = fc.tuple(scopes, fc.array(window, { maxLength: 2 }))
  // One byte per combination and hour, so that nothing is left to reason about.
  const bytes = Array.from({ length: 24 * 16 }, (_, at) => ({
    hour: at % 24,
    area: (at / 24) & 1 ? ('cn' as const) : ('abroad' as const),
    kind: (at / 24) & 2 ? ('static' as const) : ('dynamic' as const),
    direction: (at / 24) & 4 ? ('in' as const) : ('out' as const),
    province: (at / 24) & 8 ? 'anhui' : 'hubei',
  }))
  const fits = ([scope, windows]: readonly [Scope, readonly DayWindow[]], at: number): boolean => {
    const byte = bytes[at]
    if (byte === undefined) return false
    const inWindow = windows.some(({ fromMinute, toMinute }) => {
      for (let hour = fromMinute / 60; hour !== toMinute / 60; hour = (hour + 1) % 24) {
        if (hour === byte.hour) return true
      }
      return false
    })
    return (
      (windows.length === 0 || inWindow) &&
      (scope.areas === undefined || scope.areas.includes(byte.area)) &&
      (scope.kinds === undefined || scope.kinds.includes(byte.kind)) &&
      (scope.directions === undefined || scope.directions.includes(byte.direction)) &&
      (scope.provinces === undefined || scope.provinces.includes(byte.province))
    )
  }
  fc.assert(
    fc.property(rule, rule, (a, b) => {
      const shared = bytes.some((_, at) => fits(a, at) && fits(b, at))
      expect(findOverlaps([traffic(...a), traffic(...b)])).toHaveLength(shared ? 1 : 0)
    }),
    { numRuns: 200 },
  )
})
