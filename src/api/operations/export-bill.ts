import { z } from 'zod'
import { formatBillCsv } from '../../billing/bill-csv.ts'
import type { BillDesk } from '../../billing/bill-desk.ts'
import { renderBillPdf } from '../../billing/bill-pdf.ts'
import type { Bill, StoredBill } from '../../billing/bill.ts'
import { type FocusContext, toFocusRows } from '../../billing/focus-rows.ts'
import { formatFocusCsv, formatFocusJson } from '../../billing/focus-text.ts'
import { parseInput } from '../../catalog/input.ts'
import type { PackageShare } from '../../billing/package-shares.ts'
import type { RulePack } from '../../rating/rule-pack.ts'
import { findBill } from './read-bill.ts'

/** What a bill can be exported as. */
export const EXPORT_FORMATS = ['json', 'csv', 'focus-csv', 'focus-json', 'pdf'] as const

const ExportRequest = z.strictObject({ format: z.enum(EXPORT_FORMATS).default('json') })

/** What exporting needs. */
export interface ExportBillDeps {
  readonly desk: Pick<BillDesk, 'get'>
  /** Name of the account's brand. */
  readonly brandOf: (accountId: string) => Promise<string>
  /** A pack that a bill was made by. */
  readonly pack: (hash: string) => Promise<RulePack>
  /** What the days and adjustments of a bill took from packages. */
  readonly shares: (bill: Bill) => Promise<readonly PackageShare[]>
}

/** A file to be sent. */
export interface ExportedFile {
  readonly name: string
  readonly type: string
  readonly content: string | Buffer
}

const FILES = {
  json: { suffix: '.json', type: 'application/json; charset=utf-8' },
  csv: { suffix: '.csv', type: 'text/csv; charset=utf-8' },
  'focus-csv': { suffix: '.focus.csv', type: 'text/csv; charset=utf-8' },
  'focus-json': { suffix: '.focus.json', type: 'application/json; charset=utf-8' },
  pdf: { suffix: '.pdf', type: 'application/pdf' },
} as const

/**
 * Writes a bill as a file.
 *
 * Shape: `json` is the bill as it is stored, with its hash; `csv` a row for each line; `focus-…`
 * the same in the columns of FOCUS, and parts of packages.
 * Errors: `not_found`; `parameter_invalid` for an unknown format.
 */
export async function exportBill(
  id: string,
  query: unknown,
  deps: ExportBillDeps,
): Promise<ExportedFile> {
  const { format } = parseInput(ExportRequest, query)
  const stored = await findBill(deps.desk, id)
  const { suffix, type } = FILES[format]
  return { name: `${id}${suffix}`, type, content: await contentOf(format, stored, deps) }
}

async function contentOf(
  format: keyof typeof FILES,
  stored: StoredBill,
  deps: ExportBillDeps,
): Promise<string | Buffer> {
  const { bill, hash } = stored
  if (format === 'json') return `${JSON.stringify({ bill, hash }, null, 2)}\n`
  if (format === 'csv') return formatBillCsv(stored)
  const brand = await deps.brandOf(bill.account.id)
  if (format === 'pdf') return await renderBillPdf(stored, { brand })
  const levelOf = await levelsOf(stored, deps)
  const rows = toFocusRows(stored, { brand, levelOf, shares: await deps.shares(bill) })
  return format === 'focus-csv' ? formatFocusCsv(rows) : formatFocusJson(rows)
}

/** Reads from the bill's packs at which level each rule sums. */
async function levelsOf(
  { bill }: StoredBill,
  { pack }: ExportBillDeps,
): Promise<FocusContext['levelOf']> {
  const packs = await Promise.all(bill.manifest.packs.map(({ hash }) => pack(hash)))
  const levels = new Map(
    packs.flatMap(({ rules }) => rules.map(({ name, level }) => [name, level])),
  )
  return (rule) => levels.get(rule) ?? null
}
