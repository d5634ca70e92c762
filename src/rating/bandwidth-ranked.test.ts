import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NANO } from '../core/money.ts'
import { DAY_MS, FIVE_MINUTES_MS } from '../core/period.ts'
import type { RankedDirection } from './bandwidth-days.ts'
import { rateBandwidth } from './bandwidth-line.ts'
import { planRanks, type RankedSlot, rateRanked } from './bandwidth-ranked.ts'
import type { Slot } from './bandwidth-usage.ts'
import type { BandwidthRule } from './rules.ts'

const RULE: BandwidthRule = {
  type: 'bandwidth',
  name: '95',
  level: 'resource',
  scope: {},
  mode: 'monthly-95',
  slot: 'mean',
  direction: 'out',
  validDay: 'all',
  missingSlot: 'zero',
  rank: { percent: 5, rounding: 'floor' },
  radix: 1000,
  commitBps: 0n,
  price: NANO,
  overagePrice: null,
  proRata: 'none',
  partialMonth: 'share',
}

const ZONE = 'America/New_York'
// Clocks go back in the night to 1 November 2026: a day of 25 hours.
const START = Date.parse('2026-10-31T00:00:00-04:00')

/** The slot of a rank by sorting all of them; of those with equal bytes the earliest. */
function rankSlowly(
  slots: readonly Slot[],
  count: number,
  direction: RankedDirection,
  dropped: number,
): RankedSlot {
  const all = Array.from({ length: count }, (_, index) => {
    const startMs = START + index * FIVE_MINUTES_MS
    const own = slots.filter((slot) => slot.startMs === startMs)
    const out = own.reduce((sum, { outBytes }) => sum + outBytes, 0n)
    const into = own.reduce((sum, { inBytes }) => sum + inBytes, 0n)
    const higher = out > into ? out : into
    const bytes = { out, in: into, sum: out + into, 'max-per-slot': higher }[direction]
    return { startMs, bytes, isReported: own.length > 0 }
  })
  const sorted = all.toSorted((a, b) => (a.bytes > b.bytes ? -1 : 1))
  const found = all.find(({ bytes }) => bytes === sorted[dropped]?.bytes)
  if (found === undefined) throw new Error('all slots are dropped')
  return found
}

const slotList = (count: number) =>
  fc.array(
    fc.record({
      startMs: fc.nat(count - 1).map((index) => START + index * FIVE_MINUTES_MS),
      outBytes: fc.bigInt(0n, 40n),
      inBytes: fc.bigInt(0n, 40n),
    }),
    { maxLength: 60 },
  )

const directions = fc.constantFrom<BandwidthRule['direction']>(
  'out',
  'in',
  'sum',
  'max-per-slot',
  'max-of-both',
)
const scopes = fc.constantFrom<BandwidthRule['scope']>(
  {},
  { directions: ['out'] },
  { directions: ['in'] },
  { directions: ['out', 'in'] },
)

test('one ranked slot gives the line that all slots give, apart from its days', () => {
  const world = fc.integer({ min: 1, max: 60 }).chain((hours) =>
    fc.record({
      count: fc.constant(hours * 12),
      slots: slotList(hours * 12),
      direction: directions,
      scope: scopes,
      percent: fc.constantFrom(0, 5, 50, 93, 99.9),
      rounding: fc.constantFrom('floor' as const, 'ceil' as const, 'round' as const),
      commitBps: fc.constantFrom(0n, 1n),
      proRata: fc.constantFrom('none' as const, 'valid-days' as const),
      inForce: fc.constantFrom(undefined, { days: 2, of: 31 }),
    }),
  )
  let compared = 0
  fc.assert(
    fc.property(world, ({ count, slots, percent, rounding, inForce, ...change }) => {
      const rule = { ...RULE, ...change, rank: { percent, rounding } }
      const period = { startMs: START, endMs: START + count * FIVE_MINUTES_MS }
      const plan = planRanks(rule, period, ZONE)
      if (plan === null) return
      compared += 1
      const found = plan.directions.map(
        ({ ranked, read }) => [ranked, rankSlowly(slots, count, read, plan.dropped)] as const,
      )
      // Who moved nothing has no slots: that is the same as the first of slots that are all zero.
      const own = slots.length === 0 ? new Map() : new Map(found)
      const usage = { period, zone: ZONE, ...(inForce !== undefined && { inForce }) }
      const expected = rateBandwidth(rule, { ...usage, members: [{ memberId: 'a', slots }] })
      const withoutDays = expected.map((line) => ({
        ...line,
        perDay: [],
        notBilled: line.notBilled === null ? null : { ...line.notBilled, perDay: [] },
      }))
      expect([rateRanked(rule, plan, own, inForce)]).toEqual(withoutDays)
    }),
  )
  expect(compared).toBeGreaterThan(20)
})

test.each([
  ['out', ['out'], [['out', 'out']]],
  ['out', ['in'], null],
  ['sum', ['in'], [['sum', 'in']]],
  ['max-per-slot', ['out', 'out'], [['max-per-slot', 'out']]],
  [
    'max-of-both',
    ['in', 'out'],
    [
      ['out', 'out'],
      ['in', 'in'],
    ],
  ],
  ['max-of-both', ['out'], null],
  ['out', [], null],
] as const)('%s within the directions %j is ranked as %j', (direction, scoped, expected) => {
  const rule = { ...RULE, direction, scope: { directions: scoped } }
  const plan = planRanks(rule, { startMs: START, endMs: START + 30 * DAY_MS }, ZONE)
  const found = plan?.directions.map(({ ranked, read }) => [ranked, read]) ?? null
  expect(found).toEqual(expected)
})

test('of the 8640 slots of 30 days 5 % are passed over, which are 432', () => {
  const plan = planRanks(RULE, { startMs: START, endMs: START + 30 * DAY_MS }, ZONE)
  expect(plan).toMatchObject({ slots: 8640, dropped: 432, days: 30 })
})

test('an empty period has no slot to find', () => {
  expect(planRanks(RULE, { startMs: START, endMs: START }, ZONE)).toBeNull()
})
