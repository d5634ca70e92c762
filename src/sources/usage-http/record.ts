import { QUANTITY_MAX, TEXT_LENGTH_MAX, type RecordField } from '../../meters/records.ts'

/** What is wrong with a record, and in which field. */
export interface RecordProblem {
  readonly field: string
  readonly problem: string
}

const ISO_TIME =
  /^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])[T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/i

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
    const problem = checkValue(value, field)
    if (problem !== undefined) return { field: field.name, problem }
  }
  return undefined
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

function checkText(value: unknown, required: boolean): string | undefined {
  if (typeof value !== 'string') return 'must be a string'
  if (value === '' && required) return 'must not be empty'
  if (value.length > TEXT_LENGTH_MAX) return `must not be longer than ${TEXT_LENGTH_MAX} characters`
  return undefined
}

function checkTime(value: unknown): string | undefined {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return undefined
  if (typeof value === 'string' && (ISO_TIME.test(value) || /^\d{1,13}$/.test(value))) {
    return undefined
  }
  return 'must be ISO 8601 with an offset (2026-11-21T08:00:00+08:00), or epoch seconds or milliseconds'
}

function isQuantity(value: unknown): boolean {
  if (typeof value === 'number') {
    return Number.isInteger(value) && value >= 0 && value <= QUANTITY_MAX
  }
  return typeof value === 'string' && /^\d{1,16}$/.test(value) && Number(value) <= QUANTITY_MAX
}
