/** A cell: text, a number as decimal text, or nothing. */
export type CsvCell = { readonly text: string } | { readonly number: string } | null

// What spreadsheets take for the beginning of a formula, also behind blanks.
const FORMULA = /^\s*[=+\-@\t\r＝＋－＠]/

/**
 * Writes rows as CSV by RFC 4180: lines end with CRLF, nothing is an empty cell.
 *
 * Text that a spreadsheet would run as a formula gets an apostrophe in front, which the spreadsheet
 * hides; numbers stay as they are, also negative ones.
 */
export function formatCsvRows(rows: readonly (readonly CsvCell[])[]): string {
  return rows.map((row) => `${row.map(formatCell).join(',')}\r\n`).join('')
}

function formatCell(cell: CsvCell): string {
  if (cell === null) return ''
  if ('number' in cell) return cell.number
  const text = FORMULA.test(cell.text) ? `'${cell.text}` : cell.text
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
