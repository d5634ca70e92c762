import type { Wire } from './admin-client.ts'

/** Lays entries out as a table with these columns; an empty list says so. */
export function renderEntries(entries: readonly Wire[], columns: readonly string[]): string {
  if (entries.length === 0) return 'none\n'
  const rows = [
    columns.map((column) => column.toUpperCase()),
    ...entries.map((entry) => columns.map((column) => formatCell(entry[column]))),
  ]
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => widthOf(row[index]))))
  const lines = rows.map((row) =>
    row
      .map((cell, index) => cell + ' '.repeat((widths[index] ?? 0) - widthOf(cell)))
      .join('  ')
      .trimEnd(),
  )
  return `${lines.join('\n')}\n`
}

/** Lays one entry out, a field per line. */
export function renderEntry(entry: Wire): string {
  const width = Math.max(...Object.keys(entry).map((name) => name.length))
  const lines = Object.entries(entry).map(
    ([name, value]) => `${name.padEnd(width)}  ${formatCell(value)}`,
  )
  return `${lines.join('\n')}\n`
}

function formatCell(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-'
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(formatCell).join(' ')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'object') return formatFields(value)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Writes an amount as `3.50 USD`, any other object as `name value, name value`. */
function formatFields(value: object): string {
  const { amount, currency, ...rest } = value as Wire
  if (typeof amount === 'string' && typeof currency === 'string' && isEmpty(rest)) {
    return `${amount} ${currency}`
  }
  const told = Object.entries(value).filter(([, each]) => each !== null)
  return told.length === 0
    ? '-'
    : told.map(([name, each]) => `${name} ${formatCell(each)}`).join(', ')
}

function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0
}

/** Columns of a terminal that the text takes; East Asian wide characters take two. */
function widthOf(text = ''): number {
  let width = 0
  for (const character of text) {
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60]/.test(
        character,
      )
        ? 2
        : 1
  }
  return width
}
