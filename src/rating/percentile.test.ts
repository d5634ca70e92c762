import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { countDropped, highestAfter, type RankedPoint } from './percentile.ts'

const FIVE_MINUTES = 300_000

/** Points five minutes apart, in the order of their values. */
function points(...values: readonly number[]): RankedPoint[] {
  return values.map((value, index) => ({
    startMs: index * FIVE_MINUTES,
    slotBits: BigInt(value),
  }))
}

// Days × 288 slots × 5 %: 28 d 8,064 → 403.2; 29 d 8,352 → 417.6; 30 d 8,640 → 432;
// 31 d 8,928 → 446.4; 14 valid days 4,032 → 201.6. Months with a clock change have 12 slots less or
// more, 6 in Lord Howe: 8,916 → 445.8; 8,652 → 432.6; 8,646 → 432.3.
test.each([
  [8064, 5, 403, 404, 403],
  [8352, 5, 417, 418, 418],
  [8640, 5, 432, 432, 432],
  [8928, 5, 446, 447, 446],
  [4032, 5, 201, 202, 202],
  [8916, 5, 445, 446, 446],
  [8652, 5, 432, 433, 433],
  [8646, 5, 432, 433, 432],
  // A half is rounded up: 10 × 5 % = 0.5.
  [10, 5, 0, 1, 1],
  // 1000 × 4.7 % is 47 and not the float 47.00000000000001.
  [1000, 4.7, 47, 47, 47],
  [3, 33.333333, 0, 1, 1],
  [0, 5, 0, 0, 0],
  [7, 0, 0, 0, 0],
  [7, 100, 7, 7, 7],
])('of %d slots %d %% are dropped: floor %d, ceil %d, round %d', (count, percent, ...expected) => {
  const roundings = ['floor', 'ceil', 'round'] as const
  const dropped = roundings.map((rounding) => countDropped(count, { percent, rounding }))
  expect(dropped).toEqual(expected)
})

test.each([-1, 101, Number.NaN])('a percentage of %d is a bug of ours', (percent) => {
  expect(() => countDropped(1, { percent, rounding: 'floor' })).toThrow('between 0 and 100')
})

test('8,640 points drop 432, and the 433rd is the value', () => {
  // Ascending 1 … 8640: 8209 … 8640 go, 8208 is the highest left, at index 8207.
  const month = points(...Array.from({ length: 8640 }, (_, index) => index + 1))
  const dropped = countDropped(month.length, { percent: 5, rounding: 'floor' })
  expect(highestAfter(month, dropped)).toEqual({ startMs: 8207 * FIVE_MINUTES, slotBits: 8208n })
})

test.each([
  ['the highest when none is dropped', [3, 9, 5], 0, [1, 9]],
  ['the next when one is dropped', [3, 9, 5], 1, [2, 5]],
  ['the last one left', [3, 9, 5], 2, [0, 3]],
  ['none when as many are dropped as there are', [3, 9, 5], 3, null],
  ['none when more are dropped than there are', [3], 5, null],
  ['none when there are no points', [], 0, null],
  ['the earliest of equal points', [1, 7, 7, 7], 1, [1, 7]],
  ['the earliest of equal highest points', [1, 7, 7, 7], 0, [1, 7]],
  ['numbers, not texts, are compared', [9, 10, 100], 1, [1, 10]],
])('%s', (_title, values, dropped, expected) => {
  const found = highestAfter(points(...values), dropped)
  expect(found && [found.startMs / FIVE_MINUTES, Number(found.slotBits)]).toEqual(expected)
})

test('values beyond the precision of floats and signed integers are told apart', () => {
  const high = [(1n << 64n) - 1n, (1n << 64n) - 2n, 1n << 63n, (1n << 53n) + 1n, 1n << 53n]
  const shuffled = [3, 0, 4, 1, 2].map((index) => ({ startMs: index, slotBits: high[index] ?? 0n }))
  const found = high.map((_, dropped) => highestAfter(shuffled, dropped)?.slotBits)
  expect(found).toEqual(high)
})

test.each([-1n, 1n << 64n])('a slot of %d bits is a bug of ours', (slotBits) => {
  const wrong = [{ startMs: 0, slotBits }, ...points(1, 2)]
  expect(() => highestAfter(wrong, 1)).toThrow('0 to 2^64 - 1 bits')
})

const anyPoints = fc
  .array(fc.bigInt({ min: 0n, max: 12n }), { minLength: 1, maxLength: 40 })
  .map((values) => values.map((slotBits, index) => ({ startMs: index, slotBits })))

test('what is found is a point with at most so many above it, and no earlier equal', () => {
  fc.assert(
    fc.property(anyPoints, fc.nat({ max: 39 }), (list, wanted) => {
      const dropped = wanted % list.length
      const found = highestAfter(list, dropped)
      if (found === null) throw new Error('a point is left')
      expect(list).toContain(found)
      const above = list.filter(({ slotBits }) => slotBits > found.slotBits)
      const notBelow = list.filter(({ slotBits }) => slotBits >= found.slotBits)
      expect(above.length).toBeLessThanOrEqual(dropped)
      expect(notBelow.length).toBeGreaterThan(dropped)
      expect(list.find(({ slotBits }) => slotBits === found.slotBits)).toBe(found)
    }),
  )
})

test('the order of the list changes nothing', () => {
  const pairs = anyPoints.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
    ),
  )
  fc.assert(
    fc.property(pairs, fc.nat({ max: 41 }), ([list, shuffled], dropped) => {
      expect(highestAfter(shuffled, dropped)).toEqual(highestAfter(list, dropped))
    }),
  )
})
