import { z } from 'zod'
import { parseMoney } from '../core/money.ts'

/** What the reference page says of a field beside its type. */
export interface FieldDoc {
  /** The field's place in a table: what may be written. */
  readonly value?: string
  readonly description: string
  /** The question that vendors answer differently and that this field answers. */
  readonly settles?: string
  /** Default of an optional field, where the schema itself has none. */
  readonly fallback?: string
}

/** Attaches what the reference page says of a field. */
export function documented<S extends z.ZodType>(schema: S, doc: FieldDoc): S {
  return schema.meta({ ...doc })
}

/** Makes the message of a field that is missing or says something else. */
export function mustBe(expected: string) {
  return ({ input }: { readonly input?: unknown }): string => {
    if (input === undefined) return `is missing; it must be ${expected}`
    const isSection = typeof input === 'object' && input !== null
    return `must be ${expected}${isSection ? '' : `, not ${quoted(input)}`}`
  }
}

/** Characters of what was written that a message repeats. */
const QUOTED_MAX = 60

function quoted(input: unknown): string {
  const text = typeof input === 'string' ? input : undefined
  if (text === undefined || text.length <= QUOTED_MAX) return JSON.stringify(input)
  return `${JSON.stringify(text.slice(0, QUOTED_MAX))}…`
}

/** A part of a pack: these keys and no others; the message names them. */
export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, what: string) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `is not known here; known are ${Object.keys(shape).join(', ')}`
        : mustBe(what)(issue),
  })
}

/** One word of a few. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: mustBe(`one of ${words.join(', ')}`) })
}

/** A list of words, at least one and none twice; its order means nothing and is not kept. */
export function setOf<const Words extends readonly string[]>(words: Words) {
  return z
    .array(oneOf(words), { error: mustBe(`a list of ${words.join(', ')}`) })
    .min(1, 'is empty, which would match nothing; leave it out to match everything')
    .refine((list) => new Set(list).size === list.length, 'names something twice')
    .transform((list) => list.toSorted())
}

/** Text that says a quantity; anything else, numbers included, gets told what to write. */
export function quantity<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string({ error: mustBe(expected) }).transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: mustBe(expected)({ input: text }) })
    return z.NEVER
  })
}

const PRICE = /^\d{1,18}(?:\.\d{1,9})?$/
const PRICE_EXPECTED = 'an amount of 0 or more with at most nine decimals, such as "0.135"'

/** An amount of money as text; a YAML number may have lost digits before anybody could look. */
export const Price = z
  .string({
    error: ({ input }) => {
      if (typeof input !== 'number') return mustBe(PRICE_EXPECTED)({ input })
      const text = PRICE.test(String(input)) ? String(input) : '0.135'
      return `is a number, which may have lost digits; put it in quotes: "${text}"`
    },
  })
  .transform((text, context) => {
    if (PRICE.test(text)) return parseMoney(text, 'price')
    context.addIssue({ code: 'custom', message: mustBe(PRICE_EXPECTED)({ input: text }) })
    return z.NEVER
  })
