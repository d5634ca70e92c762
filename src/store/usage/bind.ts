import { AppError } from '../../core/errors.ts'
import { quote } from './render.ts'

/** Values of `{name:Type}` placeholders. */
export type Parameters = Readonly<Record<string, unknown>>

const PLACEHOLDER = /\{(\w+):([A-Z][A-Za-z0-9()]*)\}/g

/**
 * Writes values into a statement, in place of its placeholders, as literals of their types.
 *
 * For the embedded engine, which runs statements with bound values one after the other, in whatever
 * session they are: the ranking of a month would keep every small question waiting.
 *
 * Shape: values are texts, integers or lists of them; a text never becomes a part of the statement.
 * Errors: `internal` for a placeholder without a value, and for a value of another kind.
 */
export function bindLiterals(sql: string, parameters: Parameters): string {
  return sql.replaceAll(
    PLACEHOLDER,
    (_, name: string, type: string) => `CAST(${literal(parameters[name], name)}, ${quote(type)})`,
  )
}

function literal(value: unknown, name: string): string {
  if (Array.isArray(value)) return `[${value.map((item) => literal(item, name)).join(', ')}]`
  if (typeof value === 'string') return quote(value).replaceAll('\0', '\\0')
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value)
  throw new AppError('internal', `The value of {${name}} cannot be written into a statement.`)
}
