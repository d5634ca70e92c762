import { expect, test } from 'vitest'
import {
  ADJUSTED_BILL,
  bandwidthLine,
  billOf,
  CDN_BILL,
  MIXED_BILL,
} from '../../test/support/bills.ts'
import { printLines } from './bill-pdf-rows.ts'

test('a line of traffic says what was measured and what is billed', () => {
  expect(printLines(CDN_BILL.bill)[0]).toEqual({
    number: '1',
    title: 'static-cn · acc-example · tier 1',
    details: ['322,122,547,200 B measured, 354,334,801,920 B billed'],
    period: '2026-10-01',
    quantity: '330.000 GiB',
    price: '0.20 per GiB',
    amount: '66.00 CNY',
  })
})

test('a line of bandwidth names its sample in the bill’s zone', () => {
  expect(printLines(ADJUSTED_BILL.bill)[0]).toMatchObject({
    details: [
      'monthly-95, out: 512,340,000 bit/s',
      'commitment 100,000,000 bit/s',
      '8,928 slots on 31 of 31 days, 446 dropped',
      '512,340,000 bit/s at 2026-10-17 20:35',
    ],
    period: '2026-10-01 –\n2026-10-31',
    quantity: '512.340 Mbps',
  })
})

test('of many samples the first three are printed, and how many more there are', () => {
  const samples = Array.from({ length: 31 }, () => ({ time: '2026-10-17T12:35:00.000Z', bps: '1' }))
  const [line] = printLines(billOf([bandwidthLine({ samples })]).bill)
  expect(line?.details.slice(-2)).toEqual(['1 bit/s at 2026-10-17 20:35', 'and 28 more samples'])
})

test('an adjustment prints both lines with both samples', () => {
  const [, line] = printLines(ADJUSTED_BILL.bill)
  expect(line).toMatchObject({
    title: 'monthly-95 · acc-example: late usage in a closed month',
    period: '2026-09-01 –\n2026-09-30',
    amount: '360.00 CNY',
  })
  expect(line?.details).toContain('480,000,000 bit/s at 2026-09-12 21:00')
  expect(line?.details).toContain('500,000,000 bit/s at 2026-09-20 20:10')
})

test('a package that is given back shows money that goes back', () => {
  expect(printLines(MIXED_BILL.bill)[3]).toMatchObject({
    title: 'Package pkg-unused given back',
    period: '2026-10-20 15:00',
    amount: '-150.00 CNY',
  })
})
