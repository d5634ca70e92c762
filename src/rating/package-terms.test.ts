import { expect, test } from 'vitest'
import { trafficPackage } from '../../test/support/world.ts'
import { termsOf } from './package-terms.ts'

const DAY = Date.UTC(2026, 0, 1)

test('terms say all that the catalog says of what a package pays for', () => {
  const scope = {
    areas: ['abroad', 'cn'],
    kinds: null,
    projectIds: ['org-a'],
    resourceIds: ['ucdn-a'],
    windows: [{ fromMinute: 0, toMinute: 480 }],
  } as const
  const entry = trafficPackage({ id: 'pkg-x', sizeBytes: 7n, purchasedMs: DAY, ...scope })
  expect(termsOf(entry)).toMatchObject({ id: 'pkg-x', sizeBytes: 7n, purchasedMs: DAY, ...scope })
})

test.each([
  ['without end', {}, { type: 'unlimited' }],
  [
    'an end is rounded down to the minute',
    { endMs: DAY + 119_999 },
    { type: 'from-purchase', endMs: DAY + 60_000 },
  ],
  ['months from the first use', { firstUseMonths: 6 }, { type: 'from-first-use', spanMonths: 6 }],
])('how long it lasts: %s', (_title, life, validity) => {
  const terms = termsOf(trafficPackage({ startMs: DAY + 59_999, ...life }))
  expect(terms).toMatchObject({ startMs: DAY, validity })
})
