/**
 * Reading of Tencent API 3.0 parameters by declared type, from JSON or from text.
 *
 * Source: tencent.md §1.6 (order: type, unknown, missing, value), §2 (coercion of text).
 */
import { AppError } from '../../core/errors.ts'
import type { JsonValue } from '../json-text.ts'

/** What one parameter of an action is. Types are spelled as the vendor's documents spell them. */
export interface Parameter {
  readonly type: 'Integer' | 'String'
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
}

/** What reading a table gives; absent optional parameters are undefined. */
export type Values<P extends ParameterTable> = {
  readonly [K in keyof P]: P[K]['required'] extends true
    ? Read[P[K]['type']]
    : Read[P[K]['type']] | undefined
}

/**
 * Reads every declared parameter and refuses any other.
 *
 * Shape: JSON null and empty text count as absent.
 * Errors: `parameter_type`, then `parameter_unknown`, `parameter_missing`, `parameter_invalid`,
 * each with the parameter's name.
 */
export function readParameters<P extends ParameterTable>(table: P, sent: Sent): Values<P> {
  const declared = Object.entries(table)
  const values = new Map<string, number | string | undefined>()
  for (const [name, parameter] of declared) {
    values.set(name, readOne(name, parameter, sent))
  }
  for (const name of sent.values.keys()) {
    if (!Object.hasOwn(table, name)) throw fault('parameter_unknown', name, 'is not known')
  }
  for (const [name, { required }] of declared) {
    if (required && values.get(name) === undefined) {
      throw fault('parameter_missing', name, 'is required')
    }
  }
  for (const [name, parameter] of declared) checkValue(name, parameter, values.get(name))
  return Object.fromEntries(values) as Values<P>
}

function readOne(name: string, parameter: Parameter, sent: Sent): number | string | undefined {
  const value = sent.values.get(name)
  if (value === undefined || value === null || value === '') return undefined
  if (parameter.type === 'String') {
    if (typeof value === 'string') return value
    throw new ParameterTypeError(name, 'String')
  }
  if (typeof value === 'number' && Number.isInteger(value)) return value
  const isDigits = sent.encoding === 'text' && typeof value === 'string' && /^[+-]?\d+$/.test(value)
  if (isDigits) return Number(value)
  throw new ParameterTypeError(name, 'Integer')
}

function checkValue(name: string, parameter: Parameter, value: number | string | undefined): void {
  if (value === undefined) return
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
