/** One answered row: column → text or number, in column order. */
export type QueryRow = Readonly<Record<string, string | number>>

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** Columns that are measures, with how people read them. */
const MEASURES: Readonly<Record<string, (value: number) => string>> = {
  bytes: humanBytes,
  requests: (value) => value.toLocaleString('en-US'),
  avg_bps: humanRate,
  peak_bps: humanRate,
  p95_bps: humanRate,
}

/** Writes bytes with a binary unit and three digits, `1.50 GiB`. */
export function humanBytes(bytes: number): string {
  return human(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'])
}

/** Writes a rate with a decimal unit and three digits, `12.3 Mbit/s`. */
export function humanRate(bps: number): string {
  return human(bps, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s', 'Pbit/s'])
}

function human(value: number, radix: number, units: readonly string[]): string {
  let scaled = value
  let index = 0
  while (scaled >= radix && index < units.length - 1) {
    scaled /= radix
    index += 1
  }
  const digits = index === 0 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2
  return `${scaled.toFixed(digits)} ${units[index]}`
}

/** Draws values as one line of bars; the highest is full, zero is the lowest bar. */
export function sparkline(values: readonly number[], width = 60): string {
  const columns = values.length <= width ? values : squeeze(values, width)
  const top = Math.max(...columns, 0)
  return columns
    .map((value) => BARS[top === 0 ? 0 : Math.min(7, Math.floor((value / top) * 7.999))])
    .join('')
}

// A squeezed column shows its highest value, so that a short peak stays visible.
function squeeze(values: readonly number[], width: number): number[] {
  return Array.from({ length: width }, (_, index) => {
    const from = Math.floor((index * values.length) / width)
    const to = Math.max(from + 1, Math.floor(((index + 1) * values.length) / width))
    return Math.max(...values.slice(from, to))
  })
}

/**
 * Lays rows out for a terminal: a sparkline per group and measure, then the table.
 *
 * Units: bytes in binary units, rates in decimal ones; `--json` and `--csv` have exact integers.
 */
export function renderQueryTable(rows: readonly QueryRow[]): string {
  const [first] = rows
  if (first === undefined) return 'No usage in this range.\n'
  const columns = Object.keys(first)
  const cells = rows.map((row) => columns.map((name) => cellOf(name, row[name] ?? '')))
  const widths = columns.map((name, index) =>
    Math.max(name.length, ...cells.map((row) => row[index]?.length ?? 0)),
  )
  const line = (row: readonly string[]): string =>
    row
      .map((cell, index) => {
        const width = widths[index] ?? 0
        return columns[index] !== undefined && columns[index] in MEASURES
          ? cell.padStart(width)
          : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  const table = [line(columns), line(widths.map((width) => '─'.repeat(width))), ...cells.map(line)]
  return `${[...sparklines(rows, columns), ...table].join('\n')}\n`
}

function cellOf(name: string, value: string | number): string {
  const measure = MEASURES[name]
  if (measure !== undefined) return measure(Number(value))
  return String(value).replace(/:00\.000Z$/, 'Z')
}

function sparklines(rows: readonly QueryRow[], columns: readonly string[]): string[] {
  const groupColumns = columns.filter(
    (name) => name !== 'time' && name !== 'p95_at' && !(name in MEASURES),
  )
  const groups = new Map<string, QueryRow[]>()
  for (const row of rows) {
    const key = groupColumns.map((name) => String(row[name])).join(' ')
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const lines: string[] = []
  for (const [group, members] of groups) {
    if (members.length < 2) continue
    for (const name of columns) {
      if (!(name in MEASURES)) continue
      const values = members.map((row) => Number(row[name]))
      const label = group === '' ? name : `${group} ${name}`
      const top = MEASURES[name]?.(Math.max(...values)) ?? ''
      lines.push(`${label.padEnd(24)} ${sparkline(values)}  max ${top}`)
    }
  }
  return lines.length === 0 ? [] : [...lines, '']
}
