import { type CsvCell, formatCsvRows } from '../core/csv.ts'
import { FOCUS_COLUMNS, type FocusColumn } from './focus-columns.ts'
import type { FocusRow } from './focus-rows.ts'

/** Writes FOCUS rows as CSV with a header line; empty columns are empty cells. */
export function formatFocusCsv(rows: readonly FocusRow[]): string {
  const header = FOCUS_COLUMNS.map(({ name }): CsvCell => ({ text: name }))
  const cells = rows.map((row) => FOCUS_COLUMNS.map((column) => cellOf(column, row[column.name])))
  return formatCsvRows([header, ...cells])
}

/**
 * Writes FOCUS rows as a JSON array of objects; empty columns are null.
 *
 * Units: numbers are written with all their digits; read them as decimals, not as floats.
 */
export function formatFocusJson(rows: readonly FocusRow[]): string {
  const objects = rows.map((row) => {
    const fields = FOCUS_COLUMNS.map((column) => {
      const value = row[column.name]
      const text = column.type === 'number' && value !== null ? value : JSON.stringify(value)
      return `${JSON.stringify(column.name)}:${text}`
    })
    return `{${fields.join(',')}}`
  })
  return `[${objects.join(',\n')}]\n`
}

function cellOf({ type }: FocusColumn, value: string | null): CsvCell {
  if (value === null) return null
  return type === 'number' ? { number: value } : { text: value }
}
