import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { octoberDay } from '../../test/support/bills.ts'
import type { PackageFact } from './book-keeping.ts'
import type { AdjustmentRecord, DayRecord } from './day-record.ts'
import { packageShares } from './package-shares.ts'

const ID = 'pkg-1'

function factOf(sizeBytes: bigint, price: bigint | null, returned: bigint | null): PackageFact {
  return {
    terms: { id: ID, sizeBytes, resourceIds: null } as PackageFact['terms'],
    paid: price === null ? null : { amount: price, currency: 'EUR' },
    refunded: returned === null ? null : { atMs: 0, amount: returned },
  }
}

/** A day that draws so much of the package, of which so much was used before. */
function dayOf(index: number, before: bigint, drawn: bigint, more: Partial<DayRecord> = {}) {
  const absorbed = drawn / 3n
  const balance = { packageId: ID, usedBytes: before, remainingBytes: 0n, firstUseMs: null }
  return {
    kind: 'day',
    ...octoberDay(index + 1),
    opening: { balances: before === 0n ? [] : [balance], arrears: [], exclusive: [] },
    draws: [
      { dayMs: 0, packageId: ID, bytes: drawn - absorbed },
      { dayMs: 0, packageId: null, bytes: 77n },
    ],
    absorptions: [{ packageId: ID, bytes: absorbed }],
    expired: [],
    packageLines: [],
    ...more,
  } as unknown as DayRecord
}

const sum = (list: readonly { readonly cost: bigint }[]): bigint =>
  list.reduce((total, { cost }) => total + cost, 0n)

test('however a package was used up, its parts cost its price, to the billionth', () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: 0n, max: 10n ** 13n }), { minLength: 1, maxLength: 20 }),
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      fc.bigInt({ min: 0n, max: 10n ** 15n }),
      fc.constantFrom('expired', 'returned', 'open'),
      fc.bigInt({ min: 0n, max: 10n ** 15n }),
      (draws, rest, price, ending, returned) => {
        const used = draws.reduce((total, bytes) => total + bytes, 0n)
        const size = used + rest
        fc.pre(size > 0n)
        let before = 0n
        const records: (DayRecord | AdjustmentRecord)[] = draws.map((bytes, index) => {
          const record = dayOf(index % 28, before, bytes)
          before += bytes
          return record
        })
        const isReturned = ending === 'returned'
        if (ending === 'expired') {
          records.push(dayOf(29, before, 0n, { expired: [{ packageId: ID, bytes: rest }] }))
        }
        if (isReturned) {
          const line = { type: 'package', event: 'refund', packageId: ID, sizeBytes: String(rest) }
          records.push(dayOf(29, before, 0n, { packageLines: [line as never] }))
        }
        const shares = packageShares(records, [factOf(size, price, isReturned ? returned : null)])
        const spent = shares.filter(({ part }) => part === 'used')
        expect(spent.reduce((total, { bytes }) => total + bytes, 0n)).toBe(used)
        // Never more than a billionth apart from the exact share of the price.
        expect(sum(spent)).toBe((price * used) / size)
        for (const { cost } of spent) expect(cost >= 0n).toBe(true)
        const owed = ending === 'open' ? sum(spent) : price - (isReturned ? returned : 0n)
        expect(sum(shares)).toBe(owed)
      },
    ),
  )
})

test('what is left of an expired package is one part, in its currency, on the day it is written off', () => {
  const expired = [{ packageId: ID, bytes: 25n }]
  const shares = packageShares([dayOf(4, 50n, 25n, { expired })], [factOf(100n, 7n, null)])
  const common = { packageId: ID, ...octoberDay(5), currency: 'EUR', resourceId: null }
  expect(shares).toEqual([
    // 7 × 50 ÷ 100 = 3, 7 × 75 ÷ 100 = 5.
    { ...common, part: 'used', bytes: 25n, cost: 2n },
    { ...common, part: 'unused', bytes: 25n, cost: 2n },
  ])
})

test('a package that was given back for all it was worth leaves nothing unused', () => {
  const line = { type: 'package', event: 'refund', packageId: ID, sizeBytes: '100' }
  const record = dayOf(4, 0n, 0n, { packageLines: [line as never] })
  expect(packageShares([record], [factOf(100n, 7n, 7n)])).toEqual([])
  expect(packageShares([record], [factOf(100n, 7n, 5n)])).toMatchObject([
    { part: 'unused', bytes: 100n, cost: 2n },
  ])
})

test('a package of which no price is known costs nothing', () => {
  const shares = packageShares([dayOf(4, 50n, 25n)], [factOf(100n, null, null)])
  expect(shares).toMatchObject([{ bytes: 25n, cost: 0n, currency: null }])
})
