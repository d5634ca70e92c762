import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { EMPTY_STATE } from './book.ts'
import type { PackageFact } from './book-keeping.ts'
import { packageEvents } from './package-events.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_31 = Date.UTC(2026, 9, 30, 16)
const NOV_1 = OCT_31 + DAY_MS
const BOUGHT_MS = NOV_1 + 9 * HOUR_MS
const TERMS = { zone: 'Asia/Shanghai', currency: 'CNY' }

const FACT: PackageFact = {
  terms: {
    id: 'pkg-1',
    areas: null,
    kinds: null,
    projectIds: null,
    resourceIds: null,
    windows: [],
    sizeBytes: 10n,
    purchasedMs: BOUGHT_MS,
    startMs: BOUGHT_MS,
    validity: { type: 'unlimited' },
  },
  paid: { amount: 7_000_000_000n, currency: 'CNY' },
  refunded: null,
}
const HELD = {
  ...EMPTY_STATE,
  balances: [{ packageId: 'pkg-1', usedBytes: 3n, remainingBytes: 7n, firstUseMs: OCT_31 }],
}

test.each([
  ['by its month, when it took nothing of the month before', EMPTY_STATE, NOV_1, 1],
  ['by its month, when it did', { ...HELD, priceDue: ['pkg-1'] }, NOV_1, 1],
  ['not by the month before', EMPTY_STATE, OCT_31, 0],
  // Earlier releases wrote it down with the day that it was in play for first.
  ['not again, when the month before wrote it down', HELD, NOV_1, 0],
] as const)('the price of a package is written down %s', (_title, opening, startMs, lines) => {
  const settled = { dayStartMs: startMs, settledMs: startMs + DAY_MS + 12 * HOUR_MS }
  expect(packageEvents([FACT], opening, settled, TERMS).packageLines).toHaveLength(lines)
})

test.each([
  ['a clock change', 'Europe/Berlin', Date.UTC(2026, 9, 25, 1)],
  ['the end of a year', 'Pacific/Auckland', Date.UTC(2026, 11, 31, 11)],
] as const)('the month of a package is that of the zone: %s', (_title, zone, atMs) => {
  const fact = { ...FACT, terms: { ...FACT.terms, purchasedMs: atMs } }
  const written = (dayStartMs: number): number => {
    const settled = { dayStartMs, settledMs: atMs + DAY_MS }
    return packageEvents([fact], EMPTY_STATE, settled, { ...TERMS, zone }).packageLines.length
  }
  // In Berlin it is still October; in Auckland the year that begins has no day before it.
  expect([written(atMs - DAY_MS), written(atMs)]).toEqual([zone === 'Europe/Berlin' ? 1 : 0, 1])
})
