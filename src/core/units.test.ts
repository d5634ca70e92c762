import fc from 'fast-check'
import { expect, test } from 'vitest'
import { divFloor, GB, GIB, gigaBytes, MB, megaBytes, MIB, toUnitFloat } from './units.ts'

test('a radix names its units', () => {
  expect([gigaBytes(1000), gigaBytes(1024)]).toEqual([GB, GIB])
  expect([megaBytes(1000), megaBytes(1024)]).toEqual([MB, MIB])
})

test.each([
  [7n, 2n, 3n],
  [-7n, 2n, -4n],
  [7n, -2n, -4n],
  [-7n, -2n, 3n],
  [-8n, 2n, -4n],
  [0n, 5n, 0n],
])('%s / %s rounds down to %s', (numerator, denominator, quotient) => {
  expect(divFloor(numerator, denominator)).toBe(quotient)
})

// A total that a vendor's client shows must be the exact bytes, rounded once at the last digit.
test.each([
  [0n, GIB, 0],
  [1n, GIB, 0],
  [537n, GIB, 0.000001],
  [536n, GIB, 0],
  [GIB, GIB, 1],
  [GIB + GIB / 2n, GIB, 1.5],
  [123_456_789_012n, GB, 123.456789],
  [-GB, GB, -1],
  [10n ** 18n, MIB, 953_674_316_406.25],
])('%s bytes in units of %s are %s', (value, unit, float) => {
  expect(toUnitFloat(value, unit)).toBe(float)
})

test('more bytes never read as fewer units', () => {
  const volume = fc.bigInt({ min: 0n, max: 2n ** 60n })
  fc.assert(
    fc.property(volume, volume, (a, b) => {
      const [less, more] = a < b ? [a, b] : [b, a]
      return toUnitFloat(less, GIB) <= toUnitFloat(more, GIB)
    }),
  )
})
