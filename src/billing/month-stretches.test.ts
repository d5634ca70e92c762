import { expect, test } from 'vitest'
import { parseRulePack } from '../rating/rule-pack.ts'
import type { BookTerms } from './book.ts'
import { appendDay } from './month-stretches.ts'

const PACK = parseRulePack(
  `name: p
version: 1
description: One for a GiB.
currency: CNY
rules: [{ type: traffic, name: r, period: day, price: "1" }]
`,
  'p.yaml',
)

const day = (number: number, packHash: string, groups: BookTerms['groups'] = {}) => ({
  terms: {
    accountId: 'acc',
    meter: 'cdn' as const,
    zone: 'UTC',
    pack: PACK,
    packHash,
    groups,
  },
  interval: { startMs: number, endMs: number + 1 },
  remainder: [],
})

const spans = (days: readonly ReturnType<typeof day>[]): string =>
  days
    .reduce<ReturnType<typeof appendDay>>((all, each) => appendDay(all, each), [])
    .map(({ interval: { startMs, endMs }, terms }) => `${terms.packHash} ${startMs}-${endMs}`)
    .join(', ')

test('days that are billed alike are one stretch, and a pack that comes back begins another', () => {
  expect(spans([day(0, 'a'), day(1, 'a'), day(2, 'b'), day(3, 'a')])).toBe('a 0-2, b 2-3, a 3-4')
})

test('groups are compared by what they say, not by the order of their names', () => {
  const asked = { west: ['w'], east: ['e'] }
  const kept = { east: ['e'], west: ['w'] }
  expect(spans([day(0, 'a', kept), day(1, 'a', asked)])).toBe('a 0-2')
  expect(spans([day(0, 'a', kept), day(1, 'a', { east: ['e'] })])).toBe('a 0-1, a 1-2')
})
