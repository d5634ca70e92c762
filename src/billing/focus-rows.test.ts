import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ADJUSTED_BILL,
  BANDWIDTH_BILL,
  bandwidthLine,
  billOf,
  BILLS,
  CDN_BILL,
  EIP_BILL,
  EMPTY_BILL,
  MIXED_BILL,
  octoberDay,
  PURCHASE,
  REFUND,
  trafficLine,
} from '../../test/support/bills.ts'
import { brokenFocusRules } from '../../test/support/focus-rules.ts'
import { formatMoney, parseMoney } from '../core/money.ts'
import { GIB } from '../core/units.ts'
import type { BillLine, StoredBill } from './bill.ts'
import { formatBillCsv } from './bill-csv.ts'
import { FOCUS_COLUMNS } from './focus-columns.ts'
import { type FocusRow, toFocusRows } from './focus-rows.ts'
import type { PackageShare } from './package-shares.ts'
import { formatFocusCsv, formatFocusJson } from './focus-text.ts'

/** Parts of the packages that the bill says gave something, each at the price of a byte. */
const sharesOf = ({ bill }: StoredBill): PackageShare[] =>
  bill.draws.flatMap(({ packageId, bytes }) =>
    packageId === null
      ? []
      : [
          {
            packageId,
            part: 'used',
            ...octoberDay(3),
            bytes: BigInt(bytes),
            cost: BigInt(bytes) / 1000n,
            currency: 'CNY',
            resourceId: null,
          },
        ],
  )

const rowsOf = (stored: StoredBill): FocusRow[] =>
  toFocusRows(stored, {
    brand: 'Example Cloud',
    levelOf: () => 'resource',
    shares: sharesOf(stored),
  })

test('rows keep the rules of the specification, but for what the page says', () => {
  for (const row of BILLS.flatMap(rowsOf)) expect([row, brokenFocusRules(row)]).toEqual([row, []])
})

function sums(rows: readonly FocusRow[]): Record<string, string> {
  const found = new Map<string, bigint>()
  for (const { BillingCurrency, BilledCost, CommitmentDiscountStatus } of rows) {
    // Parts of packages were billed when they were bought, maybe in another currency.
    if (CommitmentDiscountStatus !== null && BilledCost === '0.00') continue
    const currency = BillingCurrency ?? ''
    found.set(currency, (found.get(currency) ?? 0n) + parseMoney(BilledCost ?? '', 'BilledCost'))
  }
  return Object.fromEntries([...found].map(([currency, sum]) => [currency, formatMoney(sum)]))
}

const totals = ({ bill }: StoredBill): Record<string, string> =>
  Object.fromEntries(bill.totals.map(({ currency, amount }) => [currency, amount]))

const Line = fc.oneof(
  fc
    .record({
      day: fc.integer({ min: 1, max: 31 }),
      raw: fc.bigInt({ min: 0n, max: 10n ** 16n }),
      price: fc.bigInt({ min: 0n, max: 10n ** 12n }).map(formatMoney),
      currency: fc.constantFrom('CNY', 'USD', 'EUR'),
      unit: fc.constantFrom('GB' as const, 'GiB' as const),
    })
    .map(({ day, raw, ...more }): BillLine => trafficLine(day, raw, more)),
  fc
    .bigInt({ min: 0n, max: 10n ** 15n })
    .map((nano): BillLine => bandwidthLine({ amount: formatMoney(nano) })),
  fc.constantFrom<BillLine>(PURCHASE, REFUND, ...ADJUSTED_BILL.bill.lines),
)

test('the costs of all rows are the totals of the bill, in each currency, digit for digit', () => {
  for (const bill of BILLS) expect(sums(rowsOf(bill))).toEqual(totals(bill))
  fc.assert(
    fc.property(fc.array(Line, { maxLength: 30 }), (lines) => {
      const bill = billOf(lines, { draws: CDN_BILL.bill.draws })
      expect(sums(rowsOf(bill))).toEqual(totals(bill))
    }),
  )
})

test('where a row has a unit price, quantity × price is the cost but for its one rounding', () => {
  const scaled = (text: string | null): bigint => {
    const [whole = '', decimals = ''] = (text ?? '').split('.')
    return BigInt(whole + decimals.padEnd(40, '0'))
  }
  let compared = 0
  for (const row of BILLS.flatMap(rowsOf)) {
    if (row.ListUnitPrice === null) continue
    const product = scaled(row.PricingQuantity) * scaled(row.ListUnitPrice)
    const difference = product - scaled(row.ListCost) * 10n ** 40n
    // Half a billionth either way, at 80 decimals.
    expect(difference <= 10n ** 71n / 2n && difference >= -(10n ** 71n) / 2n).toBe(true)
    compared += 1
  }
  expect(compared).toBeGreaterThan(60)
})

describe('a row says what the specification asks for', () => {
  test('of a line of traffic', () => {
    // 50 GiB × 1.1 = 55 GiB × 0.20 = 11.00; every line of the account itself names no resource.
    const [row] = rowsOf(MIXED_BILL)
    expect(row).toMatchObject({
      ChargeCategory: 'Usage',
      ChargeClass: null,
      ChargeFrequency: 'Usage-Based',
      ChargePeriodStart: '2026-09-30T16:00:00Z',
      ChargePeriodEnd: '2026-10-01T16:00:00Z',
      PricingQuantity: '55',
      PricingUnit: 'GiB',
      ConsumedQuantity: String(50n * GIB),
      ConsumedUnit: 'B',
      ListUnitPrice: '0.20',
      BilledCost: '11.00',
      ResourceId: null,
      SkuPriceId: 'ucloud-cdn@1/static-cn/1',
      ServiceSubcategory: 'Content Delivery',
      x_BillLine: '1',
    })
  })

  test('of a resource of its own', () => {
    expect(rowsOf(EIP_BILL)[0]).toMatchObject({
      ResourceId: 'eip-4f9k2mq8',
      ResourceType: 'Elastic IP',
      x_Member: 'eip-4f9k2mq8',
    })
    const byProject = toFocusRows(EIP_BILL, { brand: 'x', levelOf: () => 'project', shares: [] })
    expect(byProject[0]).toMatchObject({ ResourceId: null, SubAccountId: 'eip-4f9k2mq8' })
  })

  test('of bandwidth, with no unit price where a commitment has another one', () => {
    expect(rowsOf(BANDWIDTH_BILL)[0]).toMatchObject({
      PricingQuantity: '512.34',
      PricingUnit: 'Mb/Second',
      ConsumedQuantity: '512340000',
      ConsumedUnit: 'b/Second',
      ListUnitPrice: '18.00',
    })
    const [mixed] = rowsOf(billOf([bandwidthLine({ amount: '9000.00' })]))
    expect(mixed).toMatchObject({ ListUnitPrice: null, ListCost: '9000.00' })
  })

  test('of late usage: a correction of an earlier month, nothing of the kind within one', () => {
    const [, row] = rowsOf(ADJUSTED_BILL)
    expect(row).toMatchObject({
      ChargeCategory: 'Usage',
      ChargeClass: 'Correction',
      PricingQuantity: '20',
      BilledCost: '360.00',
      ChargePeriodStart: '2026-08-31T16:00:00Z',
    })
    const [, adjustment] = ADJUSTED_BILL.bill.lines
    if (adjustment?.type !== 'adjustment') throw new Error('no adjustment')
    const own = { ...adjustment, start: ADJUSTED_BILL.bill.start, end: ADJUSTED_BILL.bill.end }
    expect(rowsOf(billOf([own]))[0]).toMatchObject({ ChargeClass: null })
    const added = rowsOf(billOf([{ ...adjustment, before: null, amount: '9000.00' }]))
    expect(added[0]).toMatchObject({ PricingQuantity: '500', BilledCost: '9000.00' })
  })

  test('of packages: bought, given back, and what they gave', () => {
    const [, , bought, returned] = rowsOf(MIXED_BILL)
    expect(bought).toMatchObject({
      ChargeCategory: 'Purchase',
      ChargeClass: null,
      ChargeFrequency: 'One-Time',
      // The local day of 10:30 on 9 October in Shanghai.
      ChargePeriodStart: '2026-10-08T16:00:00Z',
      ChargePeriodEnd: '2026-10-09T16:00:00Z',
      PricingQuantity: '1',
      ListUnitPrice: '1180',
      BilledCost: '1180.00',
      EffectiveCost: '0.00',
      ConsumedQuantity: null,
      ResourceId: 'pkg-oct10tib',
      ResourceType: 'Traffic package',
      CommitmentDiscountId: 'pkg-oct10tib',
      CommitmentDiscountStatus: null,
      CommitmentDiscountQuantity: '10995116277760',
    })
    expect(returned).toMatchObject({
      ChargeClass: 'Correction',
      PricingQuantity: '-1',
      ListUnitPrice: '150',
      BilledCost: '-150.00',
    })
    const bothHere = rowsOf(billOf([PURCHASE, { ...REFUND, packageId: PURCHASE.packageId }]))
    expect(bothHere[1]).toMatchObject({ ChargeClass: null })
    const given = rowsOf(CDN_BILL).filter((row) => row.CommitmentDiscountId !== null)
    expect(given.map((row) => [row.CommitmentDiscountId, row.ConsumedQuantity])).toEqual([
      ['pkg-2026a', '5497558138880'],
      ['pkg-2026b', '1234567890123'],
    ])
    expect(given[0]).toMatchObject({
      BilledCost: '0.00',
      // 5 TiB ÷ 1000 in billionths.
      EffectiveCost: '5.497558138',
      ListCost: '5.497558138',
      ListUnitPrice: null,
      BillingCurrency: 'CNY',
      CommitmentDiscountStatus: 'Used',
      CommitmentDiscountQuantity: '5497558138880',
      CommitmentDiscountUnit: 'B',
      SkuPriceId: 'cdn/package/pkg-2026a',
      x_BillLine: null,
    })
  })
})

describe('as text', () => {
  test('CSV has every column in every row and runs nothing in a spreadsheet', () => {
    const text = formatFocusCsv(rowsOf(MIXED_BILL))
    const lines = text.split('\r\n')
    expect(lines[0]).toBe(FOCUS_COLUMNS.map(({ name }) => name).join(','))
    expect(lines).toHaveLength(1 + 4 + 1)
    expect(lines[1]).toContain(`,"'=cmd|'/C calc'!A0, ""Mixed""",Account,`)
    expect(lines[4]).toContain(',-150.00,CNY,')
  })

  test('JSON says the same, numbers as numbers with all their digits', () => {
    const text = formatFocusJson(rowsOf(CDN_BILL))
    const parsed = JSON.parse(text) as Record<string, unknown>[]
    expect(parsed).toHaveLength(64)
    expect(Object.keys(parsed[0] ?? {})).toEqual(FOCUS_COLUMNS.map(({ name }) => name))
    expect(parsed[0]?.['BillingAccountName']).toBe('北京示例网络有限公司')
    expect(text).toContain('"ConsumedQuantity":1234567890123,')
    expect(formatFocusJson(rowsOf(EMPTY_BILL))).toBe('[]\n')
  })

  test('plain CSV has a row for each line, numbered from 1', () => {
    const lines = formatBillCsv(MIXED_BILL).split('\r\n')
    expect(lines[0]).toMatch(/^bill,account,accountName,month,line,type,/)
    expect(lines[1]).toMatch(/,1,traffic,static-cn,acc-mixed,.*,53687091200,55,GiB,0.20,11.00,CNY$/)
    expect(lines[4]).toMatch(/,4,package,,pkg-unused,.*,1099511627776,,,,-150.00,CNY$/)
    expect(formatBillCsv(EMPTY_BILL).split('\r\n')).toHaveLength(2)
  })
})
