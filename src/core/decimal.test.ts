import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { exactDecimal, groupThousands } from './decimal.ts'
import { GB, GIB, MIB } from './units.ts'

test.each([
  [0n, GB, '0'],
  [1n, GB, '0.000000001'],
  [1_500_000_000n, GB, '1.5'],
  // 1 / 2^20 = 5^20 / 10^20.
  [1n, MIB, '0.00000095367431640625'],
  [3n * GIB + GIB / 2n, GIB, '3.5'],
  [-5n * GB, GB, '-5'],
  [-1n, 4n, '-0.25'],
])('%d of %d is %s', (numerator, denominator, text) => {
  expect(exactDecimal(numerator, denominator)).toBe(text)
})

test('what is written is the fraction, digit for digit', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.constantFrom(1n, GB, GIB, MIB, 1_000_000n),
      (numerator, denominator) => {
        const [whole = '', decimals = ''] = exactDecimal(numerator, denominator).split('.')
        const scaled = BigInt(whole + decimals)
        expect(scaled * denominator).toBe(numerator * 10n ** BigInt(decimals.length))
        expect(decimals).not.toMatch(/0$/)
      },
    ),
  )
})

test('a third cannot be written', () => {
  expect(() => exactDecimal(1n, 3n)).toThrow('prime factors')
})

test.each([
  ['0.00', '0.00'],
  ['999', '999'],
  ['1000', '1,000'],
  ['-1234567.125', '-1,234,567.125'],
  ['1234.123456789', '1,234.123456789'],
])('%s with its thousands apart is %s', (text, printed) => {
  expect(groupThousands(text)).toBe(printed)
})
