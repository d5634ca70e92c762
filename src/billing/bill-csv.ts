import type { CsvCell } from '../core/csv.ts'
import { formatCsvRows } from '../core/csv.ts'
import type { BillLine, StoredBill } from './bill.ts'
import { describeLine, quantityOf } from './bill-lines.ts'

const COLUMNS = [
  'bill',
  'account',
  'accountName',
  'month',
  'line',
  'type',
  'rule',
  'member',
  'start',
  'end',
  'description',
  'measured',
  'quantity',
  'unit',
  'price',
  'amount',
  'currency',
] as const

/**
 * Writes the lines of a bill as CSV, a row for each, in their order; `line` counts from 1.
 *
 * Units: `quantity` is what is priced, exactly, in `unit`; `measured` is bytes or bit/s.
 */
export function formatBillCsv({ bill }: StoredBill): string {
  const rows = bill.lines.map((line, index): CsvCell[] => [
    { text: bill.id },
    { text: bill.account.id },
    { text: bill.account.name },
    { text: bill.month },
    { number: String(index + 1) },
    { text: line.type },
    ...cellsOf(line),
    { number: line.amount },
    { text: line.currency },
  ])
  return formatCsvRows([COLUMNS.map((text) => ({ text })), ...rows])
}

function cellsOf(line: BillLine): CsvCell[] {
  const description = { text: describeLine(line) }
  if (line.type === 'package') {
    const at = { text: line.time }
    const measured = { number: line.sizeBytes }
    return [null, { text: line.packageId }, at, at, description, measured, null, null, null]
  }
  const { rule, member, start, end } = line
  const named = [{ text: rule }, { text: member }, { text: start }, { text: end }, description]
  if (line.type === 'adjustment') return [...named, null, null, null, null]
  const { measured, priced, unit } = quantityOf(line)
  return [
    ...named,
    { number: measured },
    { number: priced },
    { text: unit },
    { number: line.price },
  ]
}
