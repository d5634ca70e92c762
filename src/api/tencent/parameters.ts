/**
 * Reading of Tencent API 3.0 parameters by declared type, from JSON or from text.
 *
 * Source: tencent.md §1.6 (order: type, unknown, missing, value), §2 (coercion of text).
 */
import { AppError } from '../../core/errors.ts'
import type { JsonValue } from '../json-text.ts'

/** What one parameter of an action is. Types are spelled as the vendor's documents spell them. */
export interface Parameter {
  readonly type: 'Integer' | 'String' | 'Boolean' | 'Array of String'
  readonly required: boolean
  /** Accepted values. */
  readonly choices?: readonly (number | string)[]
  /** Smallest and largest accepted Integer. */
  readonly range?: readonly [number, number]
  readonly doc: string
}

/** Parameters of an action by the vendor's name. */
export type ParameterTable = Readonly<Record<string, Parameter>>

/** What a request sent: JSON values, or text that is still to be read by its declared type. */
export interface Sent {
  readonly encoding: 'json' | 'text'
  readonly values: ReadonlyMap<string, JsonValue>
}

/** A value of another type than declared; clients are told the declared one. */
export class ParameterTypeError extends AppError {
  /** Lower case, as the vendor writes it in messages. */
  readonly expected: string

  constructor(name: string, type: Parameter['type']) {
    super('parameter_type', `${name} is not of type ${type}.`, { field: name })
    this.expected = type.toLowerCase()
  }
}

interface Read {
  Integer: number
  String: string
  Boolean: boolean
  'Array of String': readonly string[]
}

type Value = Read[keyof Read] | undefined

/** What reading a table gives; absent optional parameters are undefined. */
export type Values<P extends ParameterTable> = {
  readonly [K in keyof P]: P[K]['required'] extends true
    ? Read[P[K]['type']]
    : Read[P[K]['type']] | undefined
}

/**
 * Reads every declared parameter and refuses any other.
 *
 * Shape: JSON null, empty text and empty lists count as absent.
 * Errors: `parameter_type`, then `parameter_unknown`, `parameter_missing`, `parameter_invalid`,
 * each with the parameter's name.
 */
export function readParameters<P extends ParameterTable>(table: P, sent: Sent): Values<P> {
  const declared = Object.entries(table)
  const values = new Map<string, Value>()
  for (const [name, parameter] of declared) {
    values.set(name, readOne(name, parameter, sent))
  }
  for (const name of sent.values.keys()) {
    if (!isDeclared(table, name, sent.encoding))
      throw fault('parameter_unknown', name, 'is not known')
  }
  for (const [name, { required }] of declared) {
    if (required && values.get(name) === undefined) {
      throw fault('parameter_missing', name, 'is required')
    }
  }
  for (const [name, parameter] of declared) checkValue(name, parameter, values.get(name))
  return Object.fromEntries(values) as Values<P>
}

// In text a list is flattened: DeviceList.0, DeviceList.1, …
function isDeclared(table: ParameterTable, name: string, encoding: Sent['encoding']): boolean {
  if (Object.hasOwn(table, name)) return true
  if (encoding === 'json') return false
  const list = /^(\w+)\.\d{1,9}$/.exec(name)?.[1] ?? ''
  return Object.hasOwn(table, list) && table[list]?.type === 'Array of String'
}

function readOne(name: string, parameter: Parameter, sent: Sent): Value {
  if (parameter.type === 'Array of String') return readList(name, sent)
  const value = sent.values.get(name)
  if (value === undefined || value === null || value === '') return undefined
  if (parameter.type === 'String') {
    if (typeof value === 'string') return value
    throw new ParameterTypeError(name, 'String')
  }
  if (parameter.type === 'Boolean') return readBoolean(name, value, sent.encoding)
  if (typeof value === 'number' && Number.isInteger(value)) return value
  const isDigits = sent.encoding === 'text' && typeof value === 'string' && /^[+-]?\d+$/.test(value)
  if (isDigits) return Number(value)
  throw new ParameterTypeError(name, 'Integer')
}

function readBoolean(name: string, value: JsonValue, encoding: Sent['encoding']): boolean {
  if (typeof value === 'boolean') return value
  // Python writes True.
  const isText = encoding === 'text' && typeof value === 'string'
  if (isText && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  throw new ParameterTypeError(name, 'Boolean')
}

function readList(name: string, { encoding, values }: Sent): readonly string[] | undefined {
  const whole = values.get(name)
  const isAbsent = whole === undefined || whole === null || whole === ''
  const list: readonly JsonValue[] = Array.isArray(whole) ? whole : []
  if (!isAbsent && (encoding === 'text' || !Array.isArray(whole))) {
    throw new ParameterTypeError(name, 'Array of String')
  }
  const items = encoding === 'text' ? itemsOf(name, values) : list
  for (const [index, item] of items.entries()) {
    if (typeof item !== 'string') throw new ParameterTypeError(`${name}.${index}`, 'String')
  }
  return items.length === 0 ? undefined : (items as readonly string[])
}

function itemsOf(name: string, values: Sent['values']): JsonValue[] {
  const items = [...values].flatMap(([key, value]) => {
    const index = key.startsWith(`${name}.`) ? key.slice(name.length + 1) : ''
    return /^\d{1,9}$/.test(index) ? [{ index: Number(index), value }] : []
  })
  return items.sort((a, b) => a.index - b.index).map(({ value }) => value)
}

function checkValue(name: string, parameter: Parameter, value: Value): void {
  if (typeof value !== 'number' && typeof value !== 'string') return
  const { choices, range = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] } = parameter
  if (choices !== undefined && !choices.includes(value)) {
    throw fault('parameter_invalid', name, `is not one of ${choices.join(', ')}`)
  }
  if (typeof value === 'number' && (value < range[0] || value > range[1])) {
    throw fault('parameter_invalid', name, `is not between ${range[0]} and ${range[1]}`)
  }
}

function fault(
  code: 'parameter_unknown' | 'parameter_missing' | 'parameter_invalid',
  name: string,
  problem: string,
): AppError {
  return new AppError(code, `${name} ${problem}.`, { field: name })
}
