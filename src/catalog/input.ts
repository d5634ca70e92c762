import { z } from 'zod'
import { AppError, type Problem } from '../core/errors.ts'
import { parseMoney } from '../core/money.ts'
import { isZone } from '../core/period.ts'

/**
 * Reads an untrusted value by its schema.
 *
 * Errors: `parameter_invalid` that lists every problem at once.
 */
export function parseInput<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  // What was sent tells a field that is missing from one of another type.
  const parsed = schema.safeParse(value, { reportInput: true })
  if (parsed.success) return parsed.data
  throw invalidInput(parsed.error.issues.flatMap(toProblems))
}

/** The error for input in which these problems were found. */
export function invalidInput(problems: readonly Problem[]): AppError {
  const text = problems.map(({ field, message }) =>
    field === '' ? message : `${field}: ${message}`,
  )
  const first = problems.find(({ field }) => field !== '')
  return new AppError('parameter_invalid', text.join('; '), {
    ...(first === undefined ? {} : { field: first.field }),
    problems,
  })
}

/** Turns one finding of the schema into problems, each at the field that has it. */
export function toProblems(issue: z.core.$ZodIssue): Problem[] {
  const at = formatPath(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: at === '' ? key : `${at}.${key}`,
      message: 'is not known here',
    }))
  }
  const isMissing = issue.input === undefined && MISSING_CODES.has(issue.code)
  return [{ field: at, message: isMissing ? 'is required' : sayPlainly(issue) }]
}

/** What the library finds of a field that is not there. */
const MISSING_CODES = new Set(['invalid_type', 'invalid_union', 'invalid_value'])

/** What the library itself says begins like this; everything else is a message of ours. */
const LIBRARY_WORDS = /^(?:Too small|Too big|Invalid option): |^Invalid input: expected /

/** Says in words of people what the library says in words of its types. */
function sayPlainly(issue: z.core.$ZodIssue): string {
  if (!LIBRARY_WORDS.test(issue.message)) return lowerFirst(issue.message)
  if (issue.code === 'too_small') {
    return sayBound(issue.origin, issue.inclusive === false ? 'above' : 'at least', issue.minimum)
  }
  if (issue.code === 'too_big') {
    return sayBound(issue.origin, issue.inclusive === false ? 'below' : 'at most', issue.maximum)
  }
  if (issue.code === 'invalid_type') {
    return `must be ${TYPE_WORDS[issue.expected] ?? issue.expected}`
  }
  if (issue.code !== 'invalid_value') return lowerFirst(issue.message)
  return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
  record: 'a JSON object',
}

function sayBound(origin: string, comparison: string, bound: number | bigint): string {
  if (origin === 'string' && comparison === 'at least' && bound === 1) return 'must not be empty'
  if (origin === 'string') return `must have ${comparison} ${bound} characters`
  if (origin === 'array') return `must have ${comparison} ${bound} entries`
  return `must be ${comparison} ${bound}`
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}

function formatPath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += text === '' ? String(part) : `.${String(part)}`
  }
  return text
}

const UNIT_BYTES: Readonly<Record<string, bigint>> = {
  B: 1n,
  KB: 10n ** 3n,
  MB: 10n ** 6n,
  GB: 10n ** 9n,
  TB: 10n ** 12n,
  PB: 10n ** 15n,
  KIB: 1n << 10n,
  MIB: 1n << 20n,
  GIB: 1n << 30n,
  TIB: 1n << 40n,
  PIB: 1n << 50n,
}

/** Largest volume that both databases keep in one column: 8 EiB − 1. */
const BYTES_MAX = 2n ** 63n - 1n

/** Reads `1500000`, `"10 TB"` or `"500GiB"` as bytes; undefined when it is no such volume. */
export function parseBytes(text: string): bigint | undefined {
  const match = /^(\d{1,19})(?:\.(\d{1,6}))?\s*([KMGTP]?i?B)?$/i.exec(text.trim())
  if (match === null) return undefined
  const [, whole = '', fraction = '', unit = 'B'] = match
  const scale = UNIT_BYTES[unit.toUpperCase()] ?? 1n
  const divisor = 10n ** BigInt(fraction.length)
  const product = BigInt(whole + fraction) * scale
  return product % divisor === 0n ? product / divisor : undefined
}

const BYTES_EXPECTED = 'must be a volume above 0 such as 1500000, "10 TB" or "500 GiB"'

/** A volume: a number of bytes, or text with a unit. GB = 10^9, GiB = 2^30 bytes. */
export const BytesInput = z
  .union([z.int().positive(), z.bigint(), z.string()], { error: BYTES_EXPECTED })
  .transform((value, context) => {
    const bytes = parseBytes(String(value))
    if (bytes !== undefined && bytes > 0n && bytes <= BYTES_MAX) return bytes
    context.addIssue({
      code: 'custom',
      message: BYTES_EXPECTED,
    })
    return z.NEVER
  })
  .describe('Bytes, or text with a unit: GB = 10^9, GiB = 2^30 bytes.')
  .meta({ override: { type: 'string', examples: ['10 TB', '1099511627776'] } })

const AMOUNT = /^\d{1,18}(?:\.\d{1,9})?$/

/** An amount of 0 or more as text; a number may have lost digits before anybody could look. */
export const AmountInput = z
  .string({
    error: ({ input }) =>
      typeof input === 'number'
        ? `is a number, which may have lost digits; put it in quotes: "${input}"`
        : undefined,
  })
  .transform((text, context) => {
    if (AMOUNT.test(text)) return parseMoney(text, 'amount')
    context.addIssue({
      code: 'custom',
      message: 'must be an amount of 0 or more with at most nine decimals, such as "99.90"',
    })
    return z.NEVER
  })
  .describe('Decimal text with at most nine decimals.')
  .meta({ override: { type: 'string', examples: ['99.90'] } })

/** Instants outside are surely in another unit than meant. */
const INSTANT_MS_MAX = Date.UTC(2200, 0, 1)

const INSTANT_EXPECTED = 'must be a time such as 2026-01-31T00:00:00+08:00'

/** An instant: ISO 8601 with an offset, or milliseconds since 1970. */
export const InstantInput = z
  .union([z.iso.datetime({ offset: true, error: INSTANT_EXPECTED }), z.int().nonnegative()], {
    error: INSTANT_EXPECTED,
  })
  .transform((value) => (typeof value === 'number' ? value : Date.parse(value)))
  .refine((ms) => ms <= INSTANT_MS_MAX, 'must be before the year 2200')
  .describe('ISO 8601 with an offset, or milliseconds since 1970.')
  .meta({ override: { type: 'string', format: 'date-time' } })

/** An IANA time zone that this machine knows. */
export const ZoneInput = z
  .string()
  .refine(isZone, 'must be an IANA time zone such as Asia/Shanghai')
  .describe('IANA time zone of the billing day, such as Asia/Shanghai.')

/** A human name: printable, trimmed, not empty. */
export const NameInput = z
  .string()
  .trim()
  .min(1)
  .max(128)
  .refine((text) => !/\p{C}/u.test(text), 'must not contain control characters')

/** Names an existing entry by its id or its name. */
export const RefInput = z.string().min(1).max(256)

/** An id chosen by the caller, of the given prefixes; one is made up when absent. */
export function idInput(...prefixes: readonly string[]) {
  return z
    .string()
    .regex(
      new RegExp(`^(${prefixes.join('|')})-[A-Za-z0-9_-]{1,60}$`),
      `must look like ${prefixes.map((prefix) => `${prefix}-4f9k2mq8`).join(' or ')}`,
    )
    .optional()
    .describe('Only to keep the id that something already has elsewhere.')
}
