import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { groupThousands } from '../core/decimal.ts'
import type { Bill, StoredBill } from './bill.ts'
import {
  printBytes,
  printDays,
  printInstant,
  type PrintedLine,
  printLines,
} from './bill-pdf-rows.ts'
import { printVolumes, VOLUME_COLUMNS } from './bill-pdf-volumes.ts'
import { type Column, PdfPage } from './pdf-page.ts'

/** What is printed on a bill besides the bill. */
export interface PdfContext {
  /** Name of the account's brand, who issues it. */
  readonly brand: string
}

// With the gaps between them as wide as the page without its margins.
const COLUMNS: readonly Column[] = [
  { title: '#', width: 22, align: 'left' },
  { title: 'For', width: 188, align: 'left' },
  { title: 'Period', width: 58, align: 'left' },
  { title: 'Quantity', width: 66, align: 'right' },
  { title: 'Price', width: 62, align: 'right' },
  { title: 'Amount', width: 78, align: 'right' },
]

const METERS = { cdn: 'CDN', eip: 'Elastic IP', mna: 'Multi-network gateway' } as const

/**
 * Prints a bill on A4 as PDF.
 *
 * Shape: the same bytes for the same bill, brand and release of Weir: nothing asks the clock. Texts
 * can be searched and copied.
 * Time: the document's date is when the bill was closed.
 * Limits: the font has Latin, Greek, Cyrillic, Chinese and Japanese; what it lacks is printed as an
 * empty box, next to the account's id, which is always plain text.
 */
export async function renderBillPdf(stored: StoredBill, context: PdfContext): Promise<Buffer> {
  const { bill } = stored
  // Loaded when the first bill is printed: a server that never prints does not pay for it.
  const { default: PdfDocument } = await import('pdfkit')
  const date = new Date(stored.closedMs)
  const document = new PdfDocument({
    size: 'A4',
    margin: 0,
    bufferPages: true,
    lang: 'en',
    info: {
      Title: `Bill ${bill.id}`,
      Author: context.brand,
      Creator: 'Weir',
      CreationDate: date,
      ModDate: date,
    },
  })
  const bytes = collect(document)
  const page = new PdfPage(document, fontFiles(), {
    left: `Bill ${bill.id}`,
    middle: `SHA-256 ${stored.hash.slice(0, 16)}…`,
  })
  printHead(page, stored, context)
  printTotals(page, bill)
  printTable(page, printLines(bill))
  printPackages(page, bill)
  printExclusive(page, bill)
  printCoverage(page, bill)
  printProof(page, stored)
  page.finish()
  document.end()
  return await bytes
}

function fontFiles(): { readonly regular: string; readonly bold: string } {
  const main = createRequire(import.meta.url).resolve('@embedpdf/fonts-sc')
  const folder = join(dirname(main), '..', 'fonts')
  return {
    regular: join(folder, 'NotoSansHans-Regular.otf'),
    bold: join(folder, 'NotoSansHans-Bold.otf'),
  }
}

async function collect(document: PDFKit.PDFDocument): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of document) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks)
}

function printHead(page: PdfPage, { bill, closedMs }: StoredBill, { brand }: PdfContext): void {
  page.headline(brand, `Bill for ${bill.month}`)
  const { account, zone } = bill
  page.facts([
    ['Account', account.name],
    ['', `${account.id}, number ${account.number}`],
    ['Service', METERS[bill.meter]],
    ['Period', `${printDays(bill, zone).replace('\n', ' ')} (${zone})`],
    ['Bill', bill.id],
    ['Closed', `${printInstant(closedMs, zone)} (${zone})`],
  ])
}

function printTotals(page: PdfPage, { totals }: Bill): void {
  page.totals(
    totals.length === 0
      ? ['Nothing is owed']
      : totals.map(({ amount, currency }) => `${groupThousands(amount)} ${currency}`),
  )
}

function printTable(page: PdfPage, lines: readonly PrintedLine[]): void {
  page.heading('Lines')
  if (lines.length === 0) {
    page.paragraph('There are no lines: nothing was used that is priced, and nothing was bought.')
    return
  }
  page.table(
    COLUMNS,
    lines.map(({ number, title, details, period, quantity, price, amount }) => ({
      cells: [number, title, period, quantity, price, amount],
      details,
    })),
  )
}

function printPackages(page: PdfPage, { draws }: Bill): void {
  const given = draws.filter(({ packageId }) => packageId !== null)
  if (given.length === 0) return
  page.heading('Drawn from packages')
  page.facts(given.map(({ packageId, bytes }) => [packageId ?? '', printBytes(bytes)]))
}

function printExclusive(page: PdfPage, bill: Bill): void {
  const rows = printVolumes(bill)
  if (rows.length === 0) return
  page.heading('Refilling packages of elastic IPs, in bytes')
  page.table(VOLUME_COLUMNS, rows)
}

function printCoverage(page: PdfPage, { manifest, zone }: Bill): void {
  const { coverage, packs } = manifest
  page.heading('Coverage')
  if (coverage === null) {
    page.paragraph('No source was expected to report in this period.')
  } else {
    const { expectedSlots, receivedSlots, gaps } = coverage
    page.paragraph(
      `${groupThousands(String(receivedSlots))} of ${groupThousands(String(expectedSlots))} expected ` +
        `5-minute slots were received.`,
    )
    for (const { source, start, end } of gaps) {
      const [from, to] = [start, end].map((at) => printInstant(Date.parse(at), zone))
      page.paragraph(`Gap: ${source}, ${from} to ${to}`)
    }
  }
  for (const { name, version, gapPolicy } of packs) {
    const rules = Object.entries(gapPolicy).map(([rule, policy]) => `${rule}: ${policy}`)
    if (rules.length === 0) continue
    page.paragraph(`A slot that nobody reported counts, by ${name} ${version}: ${rules.join(', ')}`)
  }
}

function printProof(page: PdfPage, { bill, hash }: StoredBill): void {
  const { manifest } = bill
  page.heading('Proof')
  page.facts([
    ['SHA-256', hash],
    ['Rules', manifest.packs.map(({ name, version }) => `${name} ${version}`).join(', ')],
    [
      'Made of',
      `${manifest.days.length} closed days, usage up to batch ${manifest.proof.throughBatch}`,
    ],
    ['Verify with', `weir bill verify ${bill.id}`],
    ...(bill.lines.length === 0
      ? []
      : [['Explain with', `weir bill explain ${bill.id} --line 1`] as const]),
  ])
  page.paragraph(
    'Verifying computes the bill again from the usage and the rules it was made of, and compares ' +
      'byte for byte; the hash is that of the bill as it is stored. Taxes are not part of it.',
  )
}
