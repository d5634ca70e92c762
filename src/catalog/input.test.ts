import { expect, test } from 'vitest'
import { z } from 'zod'
import { AppError } from '../core/errors.ts'
import { BytesInput, InstantInput, parseBytes, parseInput } from './input.ts'
import { CreateKey, CreateResource } from './inputs.ts'
import { CreateTrafficPackage } from './package-inputs.ts'

test.each([
  ['1500000', 1_500_000n],
  ['10 TB', 10_000_000_000_000n],
  ['10tb', 10_000_000_000_000n],
  ['500GiB', 536_870_912_000n],
  ['1.5 GB', 1_500_000_000n],
  ['0.5 B', undefined],
  ['-1', undefined],
  ['1e3', undefined],
  ['10 XB', undefined],
  ['', undefined],
])('a volume of %j is %s bytes', (text, expected) => {
  expect(parseBytes(text)).toBe(expected)
})

function problemsOf(work: () => unknown): readonly { field: string; message: string }[] {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError) return error.problems
    throw error
  }
  return []
}

test('everything that is wrong with an input is said at once, each at its field', () => {
  const problems = problemsOf(() =>
    parseInput(CreateTrafficPackage, { area: 'mars', size: '10 XB', endAt: 'soon', colour: 'red' }),
  )
  expect(problems).toEqual([
    { field: 'account', message: 'is required' },
    {
      field: 'area',
      message:
        'must be one of cn, abroad, apac1, apac2, apac3, eu-na, me-africa, latam, abroad-other',
    },
    { field: 'size', message: expect.stringContaining('"10 TB"') },
    { field: 'endAt', message: expect.stringContaining('2026-01-31T00:00:00+08:00') },
    { field: 'colour', message: 'is not known here' },
  ])
})

test.each([
  ['a time without offset', { createdAt: '2026-01-01T00:00:00' }, 'createdAt'],
  [
    'seconds that look like milliseconds are kept, microseconds refused',
    { createdAt: 1e16 },
    'createdAt',
  ],
  ['an id of another form', { id: 'x-1' }, 'id'],
  ['an unknown meter', { meter: 'dns' }, 'meter'],
])('%s is refused', (_title, wrong, field) => {
  const input = { meter: 'cdn', account: 'acme', name: 'a.example', ...wrong }
  expect(problemsOf(() => parseInput(CreateResource, input)).map((p) => p.field)).toEqual([field])
})

test('what is wrong is said in words of people, not of the schema', () => {
  const Anything = z.strictObject({
    count: z.int().min(1).max(1000),
    line: z.number().positive(),
    name: z.string().min(1),
    code: z.string().max(3),
    list: z.array(z.string()).max(1),
    flag: z.boolean(),
    body: z.strictObject({}),
  })
  const wrong = {
    count: 0,
    line: 0,
    name: '',
    code: 'abcd',
    list: ['a', 'b'],
    flag: 'no',
    body: [],
  }
  expect(problemsOf(() => parseInput(Anything, wrong))).toEqual([
    { field: 'count', message: 'must be at least 1' },
    { field: 'line', message: 'must be above 0' },
    { field: 'name', message: 'must not be empty' },
    { field: 'code', message: 'must have at most 3 characters' },
    { field: 'list', message: 'must have at most 1 entries' },
    { field: 'flag', message: 'must be true or false' },
    { field: 'body', message: 'must be a JSON object' },
  ])
  const Choices = z.strictObject({
    word: z.enum(['a', 'b']),
    size: BytesInput,
    at: InstantInput,
  })
  expect(problemsOf(() => parseInput(Choices, {})).map(({ message }) => message)).toEqual([
    'is required',
    'is required',
    'is required',
  ])
  expect(problemsOf(() => parseInput(Choices, { word: 'c', size: 5.5, at: 'x' }))).toMatchObject([
    { field: 'word', message: 'must be one of a, b' },
    { field: 'size', message: expect.stringContaining('must be a volume above 0') },
    { field: 'at', message: expect.stringContaining('must be a time such as') },
  ])
})

// Half a pair would make a key that no client can sign with.
test('an imported key pair needs both halves', () => {
  const half = { account: 'acme', publicKey: 'pk-12345678' }
  expect(problemsOf(() => parseInput(CreateKey, half))).toEqual([
    { field: 'secret', message: 'give publicKey and secret together, or neither' },
  ])
})
