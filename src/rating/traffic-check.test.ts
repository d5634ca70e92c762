import { expect, test } from 'vitest'
import type { TrafficRule } from './rules.ts'
import { checkTrafficRule } from './traffic-check.ts'

const SOUND: TrafficRule = {
  type: 'traffic',
  name: 'out',
  level: 'account',
  scope: { areas: ['cn'], directions: ['out'] },
  windows: [
    { fromMinute: 0, toMinute: 1440 },
    { fromMinute: 1380, toMinute: 420 },
  ],
  overhead: { numerator: 11n, denominator: 10n },
  freeBelowBytesPerDay: 1n,
  radix: 1000,
  tiering: 'graduated',
  tiers: [
    { upToBytes: 1n, price: 2n },
    { upToBytes: 2n, price: 0n },
    { upToBytes: null, price: 3n },
  ],
  period: 'month',
}

test('a sound rule has no problems', () => {
  expect(checkTrafficRule(SOUND)).toEqual([])
})

test.each<[string, Partial<TrafficRule>, string[]]>([
  ['no tiers', { tiers: [] }, ['tiers']],
  ['a last tier that ends', { tiers: [{ upToBytes: 10n, price: 1n }] }, ['tiers[0].upToBytes']],
  [
    'an open tier before the last',
    { tiers: [null, 5n, null].map((upToBytes) => ({ upToBytes, price: 1n })) },
    ['tiers[0].upToBytes'],
  ],
  [
    'bounds that stay or fall',
    { tiers: [5n, 5n, 4n, null].map((upToBytes) => ({ upToBytes, price: 1n })) },
    ['tiers[1].upToBytes', 'tiers[2].upToBytes'],
  ],
  [
    'a first tier of no bytes',
    { tiers: [0n, null].map((upToBytes) => ({ upToBytes, price: 1n })) },
    ['tiers[0].upToBytes'],
  ],
  ['a region beside abroad', { scope: { areas: ['abroad', 'apac2'] } }, ['scope.areas']],
  [
    'no known region beside abroad',
    { scope: { areas: ['abroad', 'abroad-other'] } },
    ['scope.areas'],
  ],
  ['a negative price', { tiers: [{ upToBytes: null, price: -1n }] }, ['tiers[0].price']],
  [
    'a denominator of 0',
    { overhead: { numerator: 1n, denominator: 0n } },
    ['overhead.denominator'],
  ],
  [
    'a negative fraction',
    { overhead: { numerator: -1n, denominator: -1n } },
    ['overhead.numerator', 'overhead.denominator'],
  ],
  ['a factor of 0', { overhead: { numerator: 0n, denominator: 1n } }, ['overhead.numerator']],
  ['a negative free day', { freeBelowBytesPerDay: -1n }, ['freeBelowBytesPerDay']],
  [
    'windows outside of the day',
    {
      windows: [
        { fromMinute: -1, toMinute: 1441 },
        { fromMinute: 0, toMinute: 0.5 },
      ],
    },
    ['windows[0].fromMinute', 'windows[0].toMinute', 'windows[1].toMinute'],
  ],
  [
    'lists that cover nothing',
    { scope: { areas: [], provinces: [], kinds: [], directions: [] } },
    ['scope.areas', 'scope.provinces', 'scope.kinds', 'scope.directions'],
  ],
])('%s: the field is named', (_title, fields, expected) => {
  const problems = checkTrafficRule({ ...SOUND, ...fields })
  expect(problems.map(({ field }) => field)).toEqual(expected)
  for (const { message } of problems) expect(message).toMatch(/^[A-Z].*\.$/)
})

test('all problems are told at once', () => {
  const fields = checkTrafficRule({
    ...SOUND,
    freeBelowBytesPerDay: -1n,
    overhead: { numerator: 1n, denominator: 0n },
    tiers: [],
  }).map(({ field }) => field)
  expect(fields).toEqual(['overhead.denominator', 'freeBelowBytesPerDay', 'tiers'])
})
