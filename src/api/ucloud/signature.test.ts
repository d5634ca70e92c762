import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JsonValue, quoteNumbers } from '../json-text.ts'
import { findSigned, flatten, type ParameterSet, sign } from './signature.ts'

interface Vector {
  readonly name: string
  readonly source: string
  readonly parameters: Readonly<Record<string, JsonValue>>
  readonly privateKey: string
  readonly signature: string
}

const vectors = JSON.parse(
  readFileSync(new URL('./testdata/signatures.json', import.meta.url), 'utf8'),
) as Vector[]

function map(parameters: Readonly<Record<string, JsonValue>>): Map<string, JsonValue> {
  return new Map(Object.entries(parameters))
}

/** Reads a JSON body as the dialect does. */
function reading(json: string): ParameterSet {
  return {
    values: map(JSON.parse(json) as Record<string, JsonValue>),
    asWritten: () => map(JSON.parse(quoteNumbers(json)) as Record<string, JsonValue>),
  }
}

describe('recorded and published signatures', () => {
  test.each(vectors)('$name: $source', ({ parameters, privateKey, signature }) => {
    expect(sign(map(parameters), privateKey)).toBe(signature)
    expect(findSigned([{ values: map(parameters) }], signature, privateKey)).toBeDefined()
  })
})

// What clients write into a JSON body, and the text they sign for it.
test.each([
  ['JavaScript signs the exponent', '{"G":1e-7}', { G: '1e-7' }],
  ['Go and Java never write one', '{"G":1e-7}', { G: '0.0000001' }],
  ['a large number without exponent', '{"G":1.5e21}', { G: '1500000000000000000000' }],
  ['a negative tiny number', '{"G":-2.5e-9}', { G: '-0.0000000025' }],
  ['Python writes and signs 1e-07', '{"G":1e-07}', { G: '1e-07' }],
  ['an integer beyond 2^53 as written', '{"N":9007199254740993}', { N: '9007199254740993' }],
  [
    'digits inside text stay text',
    '{"T":"a 1e-07 \\" 2","N":1e-07}',
    { T: 'a 1e-07 " 2', N: '1e-07' },
  ],
  ['an integral float', '{"F":42.0}', { F: '42' }],
  ['PHP signs true as 1 and false as nothing', '{"A":true,"B":false}', { A: '1', B: '' }],
  ['null is neither sent nor signed', '{"A":null,"B":"x"}', { B: 'x' }],
])('%s', (_title, json, signed) => {
  const signature = sign(map(signed), 'sk')
  expect(findSigned([reading(json)], signature, 'sk')).toBeDefined()
  expect(findSigned([reading(json)], signature, 'other')).toBeUndefined()
})

test('parameters are flattened as the SDKs flatten them', () => {
  const input = { A: { B: [{ C: 1 }, { C: true }] }, L: ['x', ''], N: null, S: '' }
  expect([...flatten(input)]).toEqual([
    ['A.B.0.C', '1'],
    ['A.B.1.C', 'true'],
    ['L.0', 'x'],
    ['L.1', ''],
    ['S', ''],
  ])
})

test('only the reading that was signed is used', () => {
  const merged = { values: map({ Action: 'A', Extra: 'from the query' }) }
  const body = { values: map({ Action: 'A' }) }
  const signature = sign(body.values, 'sk')
  expect(findSigned([merged, body], signature, 'sk')).toBe(body.values)
})

const parameters = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string(), {
  minKeys: 1,
  maxKeys: 6,
})

test('what is signed verifies, in any order of its parameters', () => {
  fc.assert(
    fc.property(parameters, fc.string(), (input, secret) => {
      const signature = sign(map(input), secret)
      const reversed = new Map([...map(input)].reverse())
      expect(findSigned([{ values: reversed }], signature, secret)).toBe(reversed)
    }),
  )
})

test('a changed value, a changed secret or a changed signature is refused', () => {
  fc.assert(
    fc.property(parameters, fc.string({ minLength: 1 }), (input, more) => {
      const signature = sign(map(input), 'sk')
      const name = Object.keys(input).find((key) => key !== 'Signature')
      fc.pre(name !== undefined)
      const changed = { ...input, [name]: `${input[name]}${more}` }
      fc.pre(sign(map(changed), 'sk') !== signature)
      expect(findSigned([{ values: map(changed) }], signature, 'sk')).toBeUndefined()
      expect(findSigned([{ values: map(input) }], signature, `sk${more}`)).toBeUndefined()
      for (const wrong of ['', signature.slice(1), `${signature}0`, flip(signature)]) {
        expect(findSigned([{ values: map(input) }], wrong, 'sk')).toBeUndefined()
      }
    }),
  )
})

test('a parameter more or less is refused', () => {
  fc.assert(
    fc.property(parameters, (input) => {
      fc.pre(!('Signature' in input))
      const signature = sign(map(input), 'sk')
      const more = { values: map({ ...input, Added: '1' }) }
      const [, ...rest] = Object.entries(input)
      expect(findSigned([more], signature, 'sk')).toBeUndefined()
      expect(findSigned([{ values: new Map(rest) }], signature, 'sk')).toBeUndefined()
    }),
  )
})

function flip(signature: string): string {
  return (signature.startsWith('0') ? '1' : '0') + signature.slice(1)
}
