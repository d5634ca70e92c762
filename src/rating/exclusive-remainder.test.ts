import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { exclusiveRemainder } from './exclusive-remainder.ts'

const MB = 1024n * 1024n

test.each([
  ['untouched', 100n * MB, 0n, 100n, 100n],
  ['one byte used: the started MB is gone', 100n * MB, 1n, 100n, 99n],
  ['used up', 100n * MB, 100n * MB, 100n, 0n],
  ['overrun', 100n * MB, 900n * MB, 100n, 0n],
  ['a size between two MB', 100n * MB + 5n, 5n, 100n, 100n],
  ['decimal MB are not MB', 1_000_000n, 0n, 0n, 0n],
])('%s', (_title, size, used, totalMb, availableMb) => {
  expect(exclusiveRemainder(size, used)).toEqual({ totalMb, availableMb })
})

test('more usage never leaves more, and the rest is never negative or above the total', () => {
  const volume = fc.bigInt({ min: 0n, max: 2n ** 60n })
  fc.assert(
    fc.property(volume, volume, volume, (size, used, more) => {
      const before = exclusiveRemainder(size, used)
      const after = exclusiveRemainder(size, used + more)
      expect(after.availableMb).toBeLessThanOrEqual(before.availableMb)
      expect(after.availableMb).toBeGreaterThanOrEqual(0n)
      expect(before.availableMb).toBeLessThanOrEqual(before.totalMb)
    }),
  )
})
