/**
 * UCloud's request signature: SHA-1 over sorted names and values, then the private key.
 *
 * Source: ucloud.md §1, from UCloudDoc-Team/api signature.md and the vendor's SDKs, read
 * 2026-11-21.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { JsonValue } from '../json-text.ts'

/** Parameters of one request by name; nested only where a JSON body was. */
export type Parameters = ReadonlyMap<string, JsonValue>

/** One reading of a request's parameters. */
export interface ParameterSet {
  readonly values: Parameters
  /** The same with numbers as strings of the digits that were sent; absent without a JSON body. */
  readonly asWritten?: () => Parameters
}

type Scalar = string | number | boolean
type Rendering = (value: Scalar) => string

/**
 * How clients turn numbers and booleans of a JSON body into signed text: JavaScript's own form
 * (`1e-7`), never an exponent (Go, Java), and PHP's `true` → `1`, `false` → nothing.
 */
const RENDERINGS: readonly Rendering[] = [
  String,
  (value) => (typeof value === 'number' ? plainNumber(value) : String(value)),
  (value) => (typeof value === 'boolean' ? (value ? '1' : '') : String(value)),
]

/**
 * Signs parameters; `Signature` itself never takes part.
 *
 * Shape: 40 lower-case hex digits. Arrays of a nested JSON body are signed as Go's JSONEncoder
 * does: elements joined without index, objects as sorted names and values.
 */
export function sign(parameters: Parameters, privateKey: string): string {
  return digest(signedText(parameters, String), privateKey)
}

/**
 * Finds the reading of the request that the signature was made over.
 *
 * Shape: undefined when none fits; only what is returned was signed and may be used.
 * Limits: each reading is tried in at most four renderings of its numbers and booleans.
 */
export function findSigned(
  readings: readonly ParameterSet[],
  signature: string,
  privateKey: string,
): Parameters | undefined {
  for (const { values, asWritten } of readings) {
    const tried = new Set<string>()
    const fits = (parameters: Parameters, rendering: Rendering): boolean => {
      const text = signedText(parameters, rendering)
      if (tried.has(text)) return false
      tried.add(text)
      return equalsConstantTime(digest(text, privateKey), signature)
    }
    if (RENDERINGS.some((rendering) => fits(values, rendering))) return values
    if (asWritten !== undefined && fits(asWritten(), String)) return values
  }
  return undefined
}

/**
 * Flattens arrays and objects as the SDKs do before they sign and send: `Name.0`, `Name.0.Field`.
 *
 * Shape: null and undefined are left out, empty strings kept; values become text.
 */
export function flatten(
  input: Readonly<Record<string, JsonValue | undefined>>,
): Map<string, string> {
  const flat = new Map<string, string>()
  const add = (name: string, value: JsonValue | undefined): void => {
    if (value === null || value === undefined) return
    if (typeof value === 'object') {
      for (const [key, inner] of Object.entries(value)) add(`${name}.${key}`, inner)
    } else flat.set(name, String(value))
  }
  for (const [name, value] of Object.entries(input)) add(name, value)
  return flat
}

function digest(text: string, privateKey: string): string {
  return hash('sha1', text + privateKey, 'hex')
}

function signedText(parameters: Parameters, rendering: Rendering): string {
  let text = ''
  for (const name of [...parameters.keys()].sort()) {
    const value = parameters.get(name)
    if (name === 'Signature' || value === null || value === undefined) continue
    text += name + valueText(value, rendering)
  }
  return text
}

function valueText(value: JsonValue, rendering: Rendering): string {
  if (value === null) return ''
  if (isList(value)) return value.map((element) => valueText(element, rendering)).join('')
  if (typeof value === 'object') {
    return signedText(new Map(Object.entries(value)), rendering)
  }
  return rendering(value)
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** Writes a finite number without an exponent. */
function plainNumber(value: number): string {
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value))
  if (match === null) return String(value)
  const [, minus = '', whole = '', fraction = '', exponentText = '0'] = match
  const exponent = Number(exponentText)
  const digits = whole + fraction
  if (exponent < 0) return `${minus}0.${'0'.repeat(-exponent - 1)}${digits}`
  return minus + digits.padEnd(exponent + 1, '0')
}

function equalsConstantTime(expected: string, given: string): boolean {
  const a = Buffer.from(expected)
  const b = Buffer.from(given)
  return a.length === b.length && timingSafeEqual(a, b)
}
