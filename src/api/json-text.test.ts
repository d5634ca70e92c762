import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatFields, quoteNumbers, RawJson } from './json-text.ts'

test('fields keep their order, ready JSON is spliced in as it is', () => {
  const fields = { A: [1.5], B: new RawJson('[{"x":1.50}]'), 'C"': 'd\n' }
  expect(formatFields(fields)).toBe(String.raw`"A":[1.5],"B":[{"x":1.50}],"C\"":"d\n"`)
  expect(formatFields({})).toBe('')
})

test('numbers become the text they were written with, whatever surrounds them', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const asText = (inner: unknown): unknown => {
        if (typeof inner === 'number') return JSON.stringify(inner)
        if (Array.isArray(inner)) return inner.map(asText)
        if (typeof inner !== 'object' || inner === null) return inner
        return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, asText(each)]))
      }
      expect(JSON.parse(quoteNumbers(JSON.stringify(value)))).toEqual(asText(value))
    }),
  )
})
