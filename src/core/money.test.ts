import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { divRound, formatMoney, NANO, parseMoney, priceOf } from './money.ts'

test.each([
  ['0', 0n, '0.00'],
  ['0.135', 135_000_000n, '0.135'],
  ['-12', -12n * NANO, '-12.00'],
  ['0.000000001', 1n, '0.000000001'],
  ['100000000000000000.5', 100_000_000_000_000_000n * NANO + NANO / 2n, '100000000000000000.50'],
])('%s is %d nano and is written %s', (text, nano, written) => {
  expect(parseMoney(text, 'price')).toBe(nano)
  expect(formatMoney(nano)).toBe(written)
})

test.each(['', '1e3', '0.1234567891', '.5', '5.', '1,5', '+1', 'NaN', ' 1', '0x10'])(
  '%j is refused, naming the field',
  (text) => {
    expect(() => parseMoney(text, 'tiers.0.price')).toThrow(/tiers\.0\.price/)
  },
)

test.each([
  [5n, 10n, 1n],
  [4n, 10n, 0n],
  [-5n, 10n, -1n],
  [-4n, 10n, 0n],
  [15n, 10n, 2n],
  [7n, 1n, 7n],
])('%d divided by %d is %d', (value, by, expected) => {
  expect(divRound(value, by)).toBe(expected)
})

test('a quantity is priced within half a nano of the exact amount, and a refund is its mirror', () => {
  const amount = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n })
  const per = fc.bigInt({ min: 1n, max: 2n ** 40n })
  fc.assert(
    fc.property(amount, fc.bigInt({ min: 0n, max: 10n ** 12n }), per, (quantity, price, unit) => {
      const error = priceOf(quantity, price, unit) * unit - quantity * price
      expect(2n * (error < 0n ? -error : error)).toBeLessThanOrEqual(unit)
      expect(priceOf(-quantity, price, unit)).toBe(-priceOf(quantity, price, unit))
    }),
  )
})

test('what is written is read back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 26n), max: 10n ** 26n }), (nano) => {
      expect(parseMoney(formatMoney(nano), 'amount')).toBe(nano)
    }),
  )
})
