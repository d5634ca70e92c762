import { expect, test } from 'vitest'
import { AppError } from '../../core/errors.ts'
import { compileFormat, type FormatSpec } from './format.ts'
import { parseFormatString } from './format-string.ts'

function spec(format: string, rest: Partial<FormatSpec> = {}): FormatSpec {
  return { format, domain: null, clientFrom: 'remote_addr', timeZone: null, ...rest }
}

function errorOf(run: () => unknown): AppError {
  try {
    run()
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('no error was thrown')
}

test('a format is cut at its variables, in both spellings', () => {
  const format = parseFormatString('$host [${time_local}] "$request"')
  expect(format.variables.map(({ name }) => name)).toEqual(['host', 'time_local', 'request'])
  expect(format.literals).toEqual(['', ' [', '] "', '"'])
})

test('a pasted log_format directive means the same as its joined pieces', () => {
  const pasted = `log_format main escape=json '$host $msec '\n    '"$request" it\\'s '  "$bytes_sent";`
  expect(parseFormatString(pasted).literals).toEqual(['', ' ', ' "', `" it's `, ''])
})

test.each([
  ['$host $', '  $host $\n        ^', 'is no variable'],
  ['$host ${status', '  $host ${status\n        ^', 'is not closed'],
  ['$host$status', '  $host$status\n       ^', '$status needs text between it'],
  ['$host $ status', '  $host $ status\n        ^', 'is no variable'],
  ["log_format main '$host' $status", '^', 'is not a quoted piece'],
])('the error of %s points at its place', (format, place, problem) => {
  const error = errorOf(() => compileFormat(spec(format)))
  expect(error.code).toBe('parameter_invalid')
  expect(error.message).toContain(place)
  expect(error.message).toContain(problem)
})

test.each([
  ['combined', {}, 'names no domain'],
  ['$host $status $bytes_sent', {}, 'has no time: add $time_local'],
  ['$host $msec $status', {}, 'has no byte count: add $bytes_sent'],
  ['plain', {}, 'has no $variables'],
  ['$host $msec $bytes_sent', { timeZone: 'Mars/Olympus' }, 'Time zone "Mars/Olympus" is unknown'],
  ['combined', { domain: ' ' }, 'is no domain name'],
  ['$a '.repeat(201), {}, 'more than 200 variables'],
  ['$host '.repeat(4000), {}, 'longer than 16384'],
])('%s with %o is refused', (format, rest, problem) => {
  const error = errorOf(() => compileFormat(spec(format, rest)))
  expect(error.code).toBe('parameter_invalid')
  expect(error.message).toContain(problem)
})

test('equal specs give equal ids, different ones different ids', () => {
  const combined = spec('combined', { domain: 'a.example' })
  expect(compileFormat(combined)).toEqual(compileFormat({ ...combined }))
  const ids = [
    combined,
    { ...combined, domain: 'b.example' },
    { ...combined, timeZone: 'Asia/Tokyo' },
    spec('json'),
    spec('json', { clientFrom: 'x_forwarded_for' }),
  ].map((one) => compileFormat(one).id)
  expect(new Set(ids).size).toBe(ids.length)
})

test('header bytes count where the format has them: bytes_sent goes before body_bytes_sent', () => {
  const { steps } = compileFormat(spec('$host $msec $body_bytes_sent $bytes_sent'))
  expect(steps.map(([name]) => name)).toContain('f_v_bytes_sent')
  expect(steps.map(([name]) => name)).not.toContain('f_v_body_bytes_sent')
})

test('nothing of a format or domain escapes its quotes', () => {
  const { columns, steps } = compileFormat(
    spec(`$msec ' \\ 界 $bytes_sent`, { domain: `x'\\.example` }),
  )
  expect(columns.host).toBe(`'x\\'\\\\.example'`)
  expect(steps.map(([, expression]) => expression).join()).toContain("unhex('2027205c20e7958c20')")
})
