import { QUANTITY_MAX, TEXT_LENGTH_MAX, type RecordField } from '../../meters/records.ts'

/** What is wrong with a record, and in which field. */
export interface RecordProblem {
  readonly field: string
  readonly problem: string
}

const ISO_TIME =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4]):?[0-5]\d)$/i

/** Largest epoch number: milliseconds of the year 5138, the first that would count as seconds. */
const EPOCH_MAX = 1e14

/**
 * Checks one parsed record against its meter's fields; undefined when it is well formed.
 *
 * Whether its resource is known and its time acceptable is decided when it is loaded.
 */
export function checkRecord(
  record: unknown,
  fields: readonly RecordField[],
): RecordProblem | undefined {
  if (typeof record !== 'object' || record === null || Array.isArray(record)) {
    return { field: '', problem: 'must be a JSON object' }
  }
  const values = record as Readonly<Record<string, unknown>>
  for (const field of fields) {
    const value = values[field.name]
    if (value === undefined || value === null) {
      if (field.required) return { field: field.name, problem: 'is missing' }
      continue
    }
    const problem = checkValue(value, field) ?? checkImplied(value, field, values)
    if (problem !== undefined) return { field: field.name, problem }
  }
  return undefined
}

/**
 * Tells whether a record has a field of no meaning here whose value the engine might not read.
 *
 * The engine's parser has limits that JavaScript's has not (integers of 64 bits, depth), and what
 * exceeds one of them, wherever it is, makes the whole record unreadable.
 */
export function hasRiskyExtra(
  record: Readonly<Record<string, unknown>>,
  fields: readonly RecordField[],
): boolean {
  const keys = Object.keys(record)
  let known = 0
  for (const { name } of fields) if (record[name] !== undefined) known += 1
  if (keys.length === known) return false
  return keys.some((key) => isRisky(record[key]) && !fields.some(({ name }) => name === key))
}

function isRisky(value: unknown): boolean {
  if (typeof value === 'number') return !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)
  return typeof value === 'object' && value !== null
}

function checkValue(value: unknown, field: RecordField): string | undefined {
  switch (field.type) {
    case 'text':
      return checkText(value, field.required)
    case 'time':
      return checkTime(value)
    case 'quantity':
      return isQuantity(value) ? undefined : `must be an integer from 0 to ${QUANTITY_MAX}`
    case 'choice': {
      const text = typeof value === 'number' ? String(value) : value
      const choices = field.choices ?? []
      const known = typeof text === 'string' && (choices.includes(text) || text === '')
      return known && (text !== '' || !field.required)
        ? undefined
        : `must be one of ${choices.slice(0, 8).join(', ')}${choices.length > 8 ? ', …' : ''}`
    }
    default:
      return undefined
  }
}

/** Looks for another field that says what this one rules out; empty is nothing said. */
function checkImplied(
  value: unknown,
  { implies }: RecordField,
  values: Readonly<Record<string, unknown>>,
): string | undefined {
  if (implies === undefined) return undefined
  const other = values[implies.field]
  const implied = implies.choiceOf[String(value)]
  if (typeof other !== 'string' || other === '') return undefined
  if (implied === undefined || other === implied) return undefined
  return `must not be ${String(value)} where ${implies.field} is ${other}`
}

function checkText(value: unknown, required: boolean): string | undefined {
  if (typeof value !== 'string') return 'must be a string'
  if (value === '' && required) return 'must not be empty'
  if (value.length > TEXT_LENGTH_MAX) return `must not be longer than ${TEXT_LENGTH_MAX} characters`
  return undefined
}

function checkTime(value: unknown): string | undefined {
  const isTime =
    typeof value === 'number'
      ? value >= 1 && value < EPOCH_MAX
      : typeof value === 'string' && (isIsoTime(value) || /^[1-9]\d{0,13}$/.test(value))
  return isTime
    ? undefined
    : 'must be ISO 8601 with an offset (2026-11-21T08:00:00+08:00), or epoch seconds or milliseconds'
}

function isIsoTime(text: string): boolean {
  const [, year, month, day] = ISO_TIME.exec(text) ?? []
  return year !== undefined && Number(day) <= daysOfMonth(Number(year), Number(month))
}

function daysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

function isQuantity(value: unknown): boolean {
  if (typeof value === 'number') {
    return Number.isInteger(value) && value >= 0 && value <= QUANTITY_MAX
  }
  return typeof value === 'string' && /^\d{1,16}$/.test(value) && Number(value) <= QUANTITY_MAX
}
