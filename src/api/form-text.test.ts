import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatPairs, parsePairs } from './form-text.ts'

test.each([
  [
    'a=1&b=2',
    [
      ['a', '1'],
      ['b', '2'],
    ],
  ],
  ['a=1+2%203', [['a', '1 2 3']]],
  ['a=%E6%B5%8B%2B', [['a', '测+']]],
  ['a=b=c', [['a', 'b=c']]],
  ['a=', [['a', '']]],
  ['a', [['a', undefined]]],
  ['&&a=1&', [['a', '1']]],
  ['', []],
  ['a=100%', [['a', '100%']]],
  ['a=%ff', [['a', '%ff']]],
  ['Domain%49d.0=x', [['DomainId.0', 'x']]],
  [
    'a=1&a=2',
    [
      ['a', '1'],
      ['a', '2'],
    ],
  ],
])('%j', (text, pairs) => {
  expect(parsePairs(text)).toEqual(pairs)
})

test('what is written is read back', () => {
  const pairs = fc.array(
    fc.tuple(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' })),
  )
  fc.assert(
    fc.property(pairs, (input) => {
      expect(parsePairs(formatPairs(input))).toEqual(input)
    }),
  )
})
