/**
 * Reading of UCloud parameters by declared type.
 *
 * Source: ucloud.md §1 (value to text), §3 (RetCode 220, 230).
 */
import type { EpochMs } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { JsonValue } from '../json-text.ts'
import type { Parameters } from './signature.ts'

/** Last second of the year 9999; what lies beyond is no moment anybody can mean. */
const SECONDS_MAX = 253_402_300_799
/** Most values of one list parameter. */
const LIST_LENGTH_MAX = 1000

/** What one parameter of an action is. */
export interface Parameter {
  /** `seconds`: Unix seconds, read as milliseconds; `list`: `Name.0`, `Name.1`, … */
  readonly type: 'string' | 'int' | 'seconds' | 'bool' | 'list'
  readonly required: boolean
  /** Accepted values of an `int` or a `string`. */
  readonly choices?: readonly (number | string)[]
  readonly doc: string
}

/** Parameters of an action by the vendor's name. */
export type ParameterTable = Readonly<Record<string, Parameter>>

/** One value of a list under the name it was sent with. */
export interface ListItem {
  readonly name: string
  readonly value: string
}

interface Read {
  string: string
  int: number
  seconds: EpochMs
  bool: boolean
  list: readonly ListItem[]
}

/** What reading a table gives: absent optional parameters are undefined, absent lists empty. */
export type Values<P extends ParameterTable> = {
  readonly [K in keyof P]: P[K]['type'] extends 'list'
    ? readonly ListItem[]
    : P[K]['required'] extends true
      ? Read[P[K]['type']]
      : Read[P[K]['type']] | undefined
}

/**
 * Reads every declared parameter; others are ignored, as the SDKs send more than is declared.
 *
 * Shape: an empty text counts as absent.
 * Errors: `parameter_missing` before any `parameter_invalid`, each with the vendor's name.
 */
export function readParameters<P extends ParameterTable>(table: P, sent: Parameters): Values<P> {
  const declared = Object.entries(table)
  for (const [name, parameter] of declared) {
    if (parameter.required && isAbsent(parameter, name, sent)) {
      throw new AppError('parameter_missing', `${name} is required.`, { field: name })
    }
  }
  const values = declared.map(([name, parameter]) => [name, readOne(name, parameter, sent)])
  return Object.fromEntries(values) as Values<P>
}

/**
 * Reads a text parameter; undefined when absent or empty. Errors: `parameter_invalid` when nested.
 */
export function readText(name: string, sent: Parameters): string | undefined {
  const value = sent.get(name)
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'object') throw invalid(name, 'is not a single value')
  return String(value)
}

function isAbsent(parameter: Parameter, name: string, sent: Parameters): boolean {
  if (parameter.type === 'list') return readList(name, sent).length === 0
  const value = sent.get(name)
  return value === undefined || value === null || value === ''
}

function readOne(
  name: string,
  parameter: Parameter,
  sent: Parameters,
): Read[keyof Read] | undefined {
  if (parameter.type === 'list') return readList(name, sent)
  const text = readText(name, sent)
  if (text === undefined) return undefined
  switch (parameter.type) {
    case 'string':
      return readChoice(name, text, parameter.choices)
    case 'bool':
      return readBool(name, text)
    case 'int':
      return readInt(name, text, parameter.choices)
    case 'seconds':
      return readSeconds(name, text)
  }
}

function readBool(name: string, text: string): boolean {
  // Python's requests would write True; every SDK seen writes true.
  if (/^true$/i.test(text)) return true
  if (/^false$/i.test(text)) return false
  throw invalid(name, 'is neither true nor false')
}

function readInt(name: string, text: string, choices?: Parameter['choices']): number {
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value)) throw invalid(name, 'is not an integer')
  return readChoice(name, value, choices)
}

function readChoice<T extends number | string>(
  name: string,
  value: T,
  choices: Parameter['choices'],
): T {
  if (choices === undefined || choices.includes(value)) return value
  throw invalid(name, `is not one of ${choices.join(', ')}`)
}

function readSeconds(name: string, text: string): EpochMs {
  const seconds = readInt(name, text)
  if (seconds < 0 || seconds > SECONDS_MAX) throw invalid(name, 'is not a time in Unix seconds')
  return seconds * 1000
}

/**
 * Collects `Name.0`, `Name.1`, … from any index on, in numeric order, then `Name.n` and `Name.N`
 * as the documents' examples spell them, then a bare `Name` or a JSON array under it.
 */
function readList(name: string, sent: Parameters): ListItem[] {
  const items: { readonly order: number; readonly name: string; readonly value: JsonValue }[] = []
  const prefix = `${name}.`
  for (const [key, value] of sent) {
    if (key === name) {
      const elements: readonly JsonValue[] = Array.isArray(value) ? value : [value]
      for (const [index, element] of elements.entries()) {
        const elementName = Array.isArray(value) ? `${name}.${index}` : name
        items.push({ order: Number.MAX_SAFE_INTEGER, name: elementName, value: element })
      }
    } else if (key.startsWith(prefix)) {
      const index = key.slice(prefix.length)
      if (/^\d{1,9}$/.test(index)) items.push({ order: Number(index), name: key, value })
      else if (/^n$/i.test(index)) items.push({ order: 1e10, name: key, value })
    }
  }
  if (items.length > LIST_LENGTH_MAX) throw invalid(name, `has more than ${LIST_LENGTH_MAX} values`)
  const list: ListItem[] = []
  for (const item of items.sort((a, b) => a.order - b.order)) {
    if (item.value === null || item.value === '') continue
    if (typeof item.value === 'object') throw invalid(item.name, 'is not a single value')
    list.push({ name: item.name, value: String(item.value) })
  }
  return list
}

function invalid(name: string, problem: string): AppError {
  return new AppError('parameter_invalid', `${name} ${problem}.`, { field: name })
}
