import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, type TestContext } from 'vitest'
import {
  BILLS,
  CDN_BILL,
  CLOSED_MS,
  EIP_BILL,
  EMPTY_BILL,
  MIXED_BILL,
} from '../../test/support/bills.ts'
import { needProgram } from '../../test/support/programs.ts'
import type { StoredBill } from './bill.ts'
import { renderBillPdf } from './bill-pdf.ts'

const CONTEXT = { brand: '示例云 Example Cloud' }

async function textOf(stored: StoredBill, context: TestContext): Promise<string> {
  const program = needProgram(context, 'pdftotext')
  const folder = mkdtempSync(join(tmpdir(), 'weir-pdf-'))
  try {
    const path = join(folder, 'bill.pdf')
    writeFileSync(path, await renderBillPdf(stored, CONTEXT))
    return execFileSync(program, ['-layout', path, '-'], { encoding: 'utf8' })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the same bill is the same bytes, whenever it is printed', async () => {
  for (const stored of BILLS) {
    const once = await renderBillPdf(stored, CONTEXT)
    const again = await renderBillPdf(structuredClone(stored), CONTEXT)
    expect([stored.bill.id, again.equals(once)]).toEqual([stored.bill.id, true])
    expect(once.subarray(0, 5).toString()).toBe('%PDF-')
    expect(once.toString('latin1')).toContain(
      `(D:${new Date(CLOSED_MS).toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z)`,
    )
  }
})

describe('what is printed can be read', () => {
  test('every line, on pages that repeat the head and are numbered', async (context) => {
    const pages = (await textOf(CDN_BILL, context)).split('\f').slice(0, -1)
    expect(pages.length).toBeGreaterThan(2)
    for (const [index, page] of pages.entries()) {
      expect(page).toContain(`Page ${index + 1} of ${pages.length}`)
    }
    const withLines = pages.filter((page) => /GiB/.test(page))
    for (const page of withLines)
      expect(page).toMatch(/#\s+For\s+Period\s+Quantity\s+Price\s+Amount/)
    const numbers = [...pages.join('\n').matchAll(/^\s*(\d+)\s+static-/gm)].map(([, n]) =>
      Number(n),
    )
    expect(numbers).toEqual(Array.from({ length: 62 }, (_, index) => index + 1))
    const text = pages.join('\n')
    expect(text).toContain('北京示例网络有限公司')
    expect(text).toContain('示例云 Example Cloud')
    expect(text).toContain('3,117.740903282 CNY')
    expect(text).toContain(CDN_BILL.hash)
    expect(text).toContain('weir bill verify acc-example.cdn.2026-10')
    expect(text).toContain('1,234,567,890,123 bytes')
  })

  test('two currencies, packages and money that goes back', async (context) => {
    const text = await textOf(MIXED_BILL, context)
    expect(text).toContain('1,041.00 CNY')
    expect(text).toContain('1.65 USD')
    expect(text).toMatch(/Package pkg-unused given back.*-150\.00 CNY/)
  })

  test('refilling packages with each period that was used', async (context) => {
    const text = await textOf(EIP_BILL, context)
    expect(text).toMatch(/Resets +Package +Period +Covered +Excess/)
    expect(text).toMatch(/Month +utp-4f9k2mq8 +2026-09-17 00:00 – +7,000,000,001 +23,456,789,012/)
    expect(text).toContain('10,000,000,000 bytes in each period')
    expect(text).toContain('10,000,000,000 bytes used up so far, with other bills')
    expect(text).toMatch(/Day +utp-b7x01ztt +not used +0 +0/)
    expect(await textOf(MIXED_BILL, context)).not.toContain('Refilling')
  })

  test('an empty bill says so', async (context) => {
    const text = await textOf(EMPTY_BILL, context)
    expect(text).toContain('Nothing is owed')
    expect(text).toContain('There are no lines')
    expect(text).toContain('No source was expected to report')
  })
})
