import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseMoney } from '../core/money.ts'
import { type BandwidthPrice, billedBpsOf, priceBandwidth } from './bandwidth-price.ts'

const MBPS = 1_000_000n
const FULL = { validDays: 30, days: 30 }

const FLAT: BandwidthPrice = {
  radix: 1000,
  commitBps: 0n,
  price: parseMoney('30', 'price'),
  overagePrice: null,
  proRata: 'none',
  partialMonth: 'share',
}
const COMMITTED: BandwidthPrice = { ...FLAT, commitBps: 100n * MBPS }

describe('the amount', () => {
  test.each<[string, BandwidthPrice, bigint, { validDays: number; days: number }, string]>([
    // 194 × 30 = 5,820.
    ['is Mbps × price', FLAT, 194n * MBPS, FULL, '5820'],
    // 1 bit/s is 30 ÷ 10^6 = 0.00003.
    ['counts single bit/s', FLAT, 1n, FULL, '0.00003'],
    // 1,048,576 bit/s are one Mbps of 2^20, so 30.
    ['follows the radix', { ...FLAT, radix: 1024 }, 1_048_576n, FULL, '30'],
    // 1,000,000 ÷ 1,048,576 × 30 = 28.610229492 1875 → 28.610229492.
    ['is rounded once, to nano', { ...FLAT, radix: 1024 }, MBPS, FULL, '28.610229492'],
    // 0.000000001 × 500,000 ÷ 10^6 is half a nano, so one.
    ['takes half a nano as one', { ...FLAT, price: 1n }, 500_000n, FULL, '0.000000001'],
    ['takes less than half a nano as none', { ...FLAT, price: 1n }, 499_999n, FULL, '0'],
    // Nothing used: 100 × 30.
    ['is the commitment when nothing was used', COMMITTED, 0n, FULL, '3000'],
    ['is the commitment when less was used', COMMITTED, 99n * MBPS, FULL, '3000'],
    ['is the commitment when as much was used', COMMITTED, 100n * MBPS, FULL, '3000'],
    // 100 × 30 + 94 × 30 = 5,820: without a price of its own, more costs as much.
    ['prices more than the commitment alike', COMMITTED, 194n * MBPS, FULL, '5820'],
    [
      // 100 × 30 + 94 × 45 = 3,000 + 4,230 = 7,230.
      'prices more than the commitment by the overage price',
      { ...COMMITTED, overagePrice: parseMoney('45', 'overage') },
      194n * MBPS,
      FULL,
      '7230',
    ],
    [
      // 100 × 30 + 94 × 0 = 3,000: a price of 0 is a price, not an absent one.
      'takes an overage price of 0 as free',
      { ...COMMITTED, overagePrice: 0n },
      194n * MBPS,
      FULL,
      '3000',
    ],
    [
      // 194 × 30 × 7 ÷ 28 = 1,455.
      'is reduced to the share of valid days',
      { ...FLAT, proRata: 'valid-days' },
      194n * MBPS,
      { validDays: 7, days: 28 },
      '1455',
    ],
    [
      // 10 × 30 × 1 ÷ 31 = 9.67741935483… → 9.677419355.
      'is rounded after the share, not before',
      { ...FLAT, proRata: 'valid-days' },
      10n * MBPS,
      { validDays: 1, days: 31 },
      '9.677419355',
    ],
    [
      // 100 × 30 + 94 × 30 × 7 ÷ 28 = 3,000 + 705: the commitment is owed whatever was used.
      'reduces only what is above the commitment',
      { ...COMMITTED, proRata: 'valid-days' },
      194n * MBPS,
      { validDays: 7, days: 28 },
      '3705',
    ],
    [
      'is the commitment when no day was valid',
      { ...COMMITTED, proRata: 'valid-days' },
      0n,
      { validDays: 0, days: 28 },
      '3000',
    ],
    ['is not reduced without pro-rata', FLAT, MBPS, { validDays: 1, days: 31 }, '30'],
  ])('%s', (_title, rule, bps, share, expected) => {
    expect(priceBandwidth(bps, share, rule)).toBe(parseMoney(expected, 'expected'))
  })
})

test.each([
  [0n, 100n, 100n],
  [100n, 100n, 100n],
  [101n, 100n, 101n],
  [5n, 0n, 5n],
])('%d bit/s with %d committed are billed as %d', (bps, commitBps, billed) => {
  expect(billedBpsOf(bps, commitBps)).toBe(billed)
})

const amounts = fc.bigInt({ min: 0n, max: 10n ** 13n })
const rules = fc.record<BandwidthPrice>({
  radix: fc.constantFrom(1000, 1024),
  commitBps: amounts,
  price: amounts,
  overagePrice: fc.option(amounts),
  proRata: fc.constantFrom('none', 'valid-days'),
  partialMonth: fc.constantFrom('share', 'whole'),
})
const shares = fc
  .record({ validDays: fc.nat({ max: 31 }), more: fc.nat({ max: 31 }) })
  .map(({ validDays, more }) => ({ validDays, days: Math.max(1, validDays + more) }))

test('the amount is within half a nano of the exact one, never below the commitment', () => {
  fc.assert(
    fc.property(rules, amounts, shares, (rule, bps, share) => {
      const amount = priceBandwidth(bps, share, rule)
      const mega = rule.radix === 1000 ? 1_000_000n : 1_048_576n
      const days = BigInt(rule.proRata === 'none' ? 1 : share.days)
      const valid = BigInt(rule.proRata === 'none' ? 1 : share.validDays)
      const above = bps > rule.commitBps ? bps - rule.commitBps : 0n
      const exact =
        rule.commitBps * rule.price * days + above * (rule.overagePrice ?? rule.price) * valid
      const error = 2n * (amount * mega * days - exact)
      expect(error <= mega * days && error > -mega * days - 1n).toBe(true)
      expect(amount).toBeGreaterThanOrEqual(priceBandwidth(0n, share, rule))
    }),
  )
})
