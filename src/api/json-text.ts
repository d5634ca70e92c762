/** What JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue }

/** JSON that is already text, spliced into an answer as it is. */
export class RawJson {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Fields of an answer, in their order; a `RawJson` is not parsed again. */
export type Fields = Readonly<Record<string, unknown>>

/** Writes fields as the inside of a JSON object, without braces; empty for no fields. */
export function formatFields(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, value]) => {
      const text = value instanceof RawJson ? value.text : JSON.stringify(value)
      return `${JSON.stringify(name)}:${text}`
    })
    .join(',')
}

// A string, or a number outside of strings: valid JSON has digits nowhere else.
const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Rewrites valid JSON so that every number becomes a string of the digits it was written with. */
export function quoteNumbers(text: string): string {
  return text.replace(STRING_OR_NUMBER, (token) => (token.startsWith('"') ? token : `"${token}"`))
}

/** Writes a value as JSON; integers of any size keep all their digits. */
export function formatExact(value: unknown): string {
  if (typeof value === 'bigint') return value.toString()
  if (Array.isArray(value)) return `[${value.map(formatExact).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const fields = Object.entries(value).map(
    ([name, inner]) => `${JSON.stringify(name)}:${formatExact(inner)}`,
  )
  return `{${fields.join(',')}}`
}
