/** One measured number, and the bound it has to keep when it has one. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly goal?: { readonly atLeast: number } | { readonly atMost: number }
  /** What a reader needs to judge it, such as what it is a ratio of. */
  readonly note?: string
}

/** What one benchmark measured, and what it could not measure and why. */
export interface BenchResult {
  readonly figures: readonly Figure[]
  readonly skipped: readonly string[]
}

/** A benchmark by name. */
export interface Bench {
  readonly name: string
  readonly summary: string
  /** `directory` is empty, on disk, and removed afterwards. */
  run(directory: string, say: (text: string) => void): Promise<BenchResult>
}

/** Resident memory that every system under test must stay below. */
export const RESIDENT_BYTES_MAX = 1.5 * 2 ** 30

/** The figure of a process's highest resident memory. */
export function residentFigure(name: string, bytes: number): Figure {
  return {
    name: `${name}, peak resident`,
    value: bytes / 2 ** 30,
    unit: 'GiB',
    goal: { atMost: RESIDENT_BYTES_MAX / 2 ** 30 },
  }
}

/** Tells whether a figure keeps its bound; undefined without one. */
export function isMet({ value, goal }: Figure): boolean | undefined {
  if (goal === undefined) return undefined
  return 'atLeast' in goal ? value >= goal.atLeast : value <= goal.atMost
}

/** Writes figures as a Markdown table, which reads well on a terminal too. */
export function formatFigures(figures: readonly Figure[]): string {
  const rows = [
    ['figure', 'measured', 'goal', ''],
    ...figures.map((figure) => [
      figure.name,
      `${formatNumber(figure.value)} ${figure.unit}`,
      formatGoal(figure),
      [{ true: 'met', false: 'MISSED' }[String(isMet(figure))] ?? '', figure.note ?? '']
        .filter((part) => part !== '')
        .join('; '),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}

function formatGoal({ goal, unit }: Figure): string {
  if (goal === undefined) return ''
  return 'atLeast' in goal
    ? `≥ ${formatNumber(goal.atLeast)} ${unit}`
    : `≤ ${formatNumber(goal.atMost)} ${unit}`
}

function formatNumber(value: number): string {
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toPrecision(3).replace(/\.0+$/, '')
}

/** The middle value; the lower of two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value by nearest rank; NaN of nothing. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN
}
