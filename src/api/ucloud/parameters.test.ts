import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import type { JsonValue } from '../json-text.ts'
import { readParameters } from './parameters.ts'

const TABLE = {
  Text: { type: 'string', required: false, doc: '' },
  Type: { type: 'int', required: false, choices: [0, 1], doc: '' },
  Count: { type: 'int', required: false, doc: '' },
  Time: { type: 'seconds', required: false, doc: '' },
  Flag: { type: 'bool', required: false, doc: '' },
  Id: { type: 'list', required: false, doc: '' },
} as const

function read(sent: Readonly<Record<string, JsonValue>>) {
  return readParameters(TABLE, new Map(Object.entries(sent)))
}

/** `code field` of what reading throws. */
function failure(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.field}`
    throw error
  }
  return 'none'
}

test.each<[string, Record<string, JsonValue>, object]>([
  ['text', { Text: 'a b' }, { Text: 'a b' }],
  ['a number where text is declared', { Text: 5 }, { Text: '5' }],
  ['an empty text is absent', { Text: '', Count: '' }, { Text: undefined, Count: undefined }],
  ['JSON null is absent', { Text: null }, { Text: undefined }],
  ['an integer as text or number', { Count: '-7', Type: 1 }, { Count: -7, Type: 1 }],
  ['an integral JSON float', { Count: 42.0 }, { Count: 42 }],
  ['Unix seconds become milliseconds', { Time: '1614556800' }, { Time: 1_614_556_800_000 }],
  ['booleans in any spelling', { Flag: true }, { Flag: true }],
  ['Python booleans', { Flag: 'False' }, { Flag: false }],
])('reads %s', (_title, sent, expected) => {
  expect(read(sent)).toMatchObject(expected)
})

test.each<[string, Record<string, JsonValue>, string[]]>([
  ['from 0 on, in numeric order', { 'Id.10': 'k', 'Id.9': 'j', 'Id.0': 'a' }, ['a', 'j', 'k']],
  ['from any index on', { 'Id.1': 'a', 'Id.7': 'b' }, ['a', 'b']],
  ['the literal n and N of the examples', { 'Id.n': 'a', 'Id.N': 'b' }, ['a', 'b']],
  ['a JSON array', { Id: ['a', 'b'] }, ['a', 'b']],
  ['a bare name', { Id: 'a' }, ['a']],
  ['nothing', {}, []],
  ['empty elements are absent', { 'Id.0': '', 'Id.1': 'b' }, ['b']],
  ['other names are other parameters', { 'IdX.0': 'a', 'Id.x': 'b', 'id.0': 'c' }, []],
])('reads a list: %s', (_title, sent, expected) => {
  expect(read(sent).Id.map(({ value }) => value)).toEqual(expected)
})

test.each<[string, Record<string, JsonValue>, string]>([
  ['a word as integer', { Count: 'seven' }, 'parameter_invalid Count'],
  ['a fraction', { Count: 1.5 }, 'parameter_invalid Count'],
  ['an exponent', { Count: '1e3' }, 'parameter_invalid Count'],
  ['an integer beyond 2^53', { Count: '9007199254740993' }, 'parameter_invalid Count'],
  ['NaN', { Count: 'NaN' }, 'parameter_invalid Count'],
  ['a choice that is not offered', { Type: 6 }, 'parameter_invalid Type'],
  ['a negative time', { Time: -1 }, 'parameter_invalid Time'],
  ['a time in milliseconds', { Time: 1_614_556_800_000 }, 'parameter_invalid Time'],
  ['yes as boolean', { Flag: 'yes' }, 'parameter_invalid Flag'],
  ['an object as text', { Text: { a: 1 } }, 'parameter_invalid Text'],
  ['an object in a list', { Id: ['a', { b: 1 }] }, 'parameter_invalid Id.1'],
  [
    'more than 1000 elements',
    Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`Id.${index}`, 'x'])),
    'parameter_invalid Id',
  ],
])('refuses %s', (_title, sent, expected) => {
  expect(failure(() => read(sent))).toBe(expected)
})

test('what is missing is reported before what is wrong', () => {
  const table = {
    Wrong: { type: 'int', required: true, doc: '' },
    Missing: { type: 'string', required: true, doc: '' },
  } as const
  expect(failure(() => readParameters(table, new Map([['Wrong', 'x']])))).toBe(
    'parameter_missing Missing',
  )
})
