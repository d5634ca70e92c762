import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  absorbArrears,
  type ArrearsPolicy,
  dailyOrder,
  type OrderArea,
  orderByRegion,
} from './package-arrears.ts'
import type { PackageUsage, PrepaidPackage } from './package-terms.ts'

const HOUR = 3_600_000
const ZONE = 'Asia/Shanghai'
const MIDNIGHT = Date.parse('2026-05-01T00:00:00+08:00')
const GIB = 1n << 30n

function owed(hour: number, bytes: bigint, labels: Partial<PackageUsage> = {}): PackageUsage {
  return {
    startMs: MIDNIGHT + hour * HOUR,
    area: 'cn',
    billingRegion: labels.area ?? 'cn',
    kind: 'static',
    projectId: 'p1',
    resourceId: 'r1',
    bytes,
    ...labels,
  }
}

function pack(sizeBytes: bigint, rest: Partial<PrepaidPackage> = {}): PrepaidPackage {
  return {
    id: 'new',
    sizeBytes,
    areas: ['cn'],
    kinds: ['static'],
    projectIds: null,
    resourceIds: null,
    windows: [],
    purchasedMs: MIDNIGHT + 30 * HOUR,
    startMs: MIDNIGHT + 30 * HOUR,
    validity: { type: 'unlimited' },
    ...rest,
  }
}

function absorb(
  entry: PrepaidPackage,
  arrears: readonly PackageUsage[],
  policy: ArrearsPolicy['absorb'] = 'larger-package',
) {
  const size = entry.sizeBytes
  const fresh = { packageId: 'new', usedBytes: 0n, remainingBytes: size, firstUseMs: null }
  const {
    absorbed,
    arrears: left,
    balance,
  } = absorbArrears(entry, fresh, arrears, { absorb: policy }, ZONE)
  const list = (usage: readonly PackageUsage[]) => usage.map(({ bytes }) => String(bytes)).join('+')
  return `paid ${list(absorbed)} owed ${list(left)} used ${balance.usedBytes}`
}

const APAC1 = { area: 'abroad', billingRegion: 'apac1' } as const
const LATAM = { area: 'abroad', billingRegion: 'latam' } as const
const NIGHT = { windows: [{ fromMinute: 22 * 60, toMinute: 6 * 60 }] }

test.each<[string, PrepaidPackage, readonly PackageUsage[], string]>([
  // 30 + 20 = 50 owed.
  ['larger: all is paid', pack(51n), [owed(1, 30n), owed(25, 20n)], 'paid 30+20 owed  used 50'],
  ['equal: nothing is', pack(50n), [owed(1, 30n), owed(25, 20n)], 'paid  owed 30+20 used 0'],
  ['smaller: nothing is', pack(49n), [owed(1, 30n), owed(25, 20n)], 'paid  owed 30+20 used 0'],
  ['nothing owed', pack(50n), [], 'paid  owed  used 0'],
  [
    'only what is in its scope counts: 30 of cn static, not the dynamic and abroad 900',
    pack(31n),
    [owed(1, 30n), owed(2, 400n, { kind: 'dynamic' }), owed(3, 500n, { area: 'abroad' })],
    'paid 30 owed 400+500 used 30',
  ],
  [
    // 30 of apac1 and 7 of nobody knows where; the region's package is larger than its 30 alone.
    'a region package pays for its region only',
    pack(31n, { areas: ['apac1'] }),
    [owed(1, 30n, APAC1), owed(2, 7n, { area: 'abroad' }), owed(3, 5n, LATAM)],
    'paid 30 owed 7+5 used 30',
  ],
  [
    'one of another region pays nothing of it, however large',
    pack(1000n, { areas: ['latam'] }),
    [owed(1, 30n, APAC1), owed(2, 7n, { area: 'abroad' })],
    'paid  owed 30+7 used 0',
  ],
  [
    // The 7 that nobody knows where, of 42 owed abroad.
    'one for no known region pays for nothing else',
    pack(8n, { areas: ['abroad-other'] }),
    [owed(1, 30n, APAC1), owed(2, 7n, { area: 'abroad' }), owed(3, 5n, LATAM), owed(4, 1n)],
    'paid 7 owed 30+5+1 used 7',
  ],
  [
    // 30 + 7 + 5 = 42 owed abroad: 43 are larger, and cn stays owed.
    'a unified package pays for all abroad, known or not',
    pack(43n, { areas: ['abroad'] }),
    [owed(1, 30n, APAC1), owed(2, 7n, { area: 'abroad' }), owed(3, 5n, LATAM), owed(4, 1n)],
    'paid 30+7+5 owed 1 used 42',
  ],
  [
    'and nothing when it is not larger than all of it',
    pack(42n, { areas: ['abroad'] }),
    [owed(1, 30n, APAC1), owed(2, 7n, { area: 'abroad' }), owed(3, 5n, LATAM)],
    'paid  owed 30+7+5 used 0',
  ],
  [
    'an off-peak package pays for what moved off-peak: 5 h and 22 h, not 6 h',
    pack(10n, NIGHT),
    [owed(5, 4n), owed(6, 100n), owed(22, 5n)],
    'paid 4+5 owed 100 used 9',
  ],
  [
    'one that had ended before it began pays nothing',
    pack(99n, { validity: { type: 'from-purchase', endMs: MIDNIGHT + 30 * HOUR } }),
    [owed(1, 30n)],
    'paid  owed 30 used 0',
  ],
])('%s', (_title, entry, arrears, wanted) => {
  expect(absorb(entry, arrears)).toBe(wanted)
})

test('where the policy is never, no package pays for the past', () => {
  expect(absorb(pack(99n), [owed(1, 1n)], 'never')).toBe('paid  owed 1 used 0')
})

test('what a package gave before does not count as larger', () => {
  const balance = { packageId: 'new', usedBytes: 60n, remainingBytes: 40n, firstUseMs: 7 }
  const policy = { absorb: 'larger-package' } as const
  const refused = absorbArrears(pack(100n), balance, [owed(1, 40n)], policy, ZONE)
  expect(refused).toEqual({ absorbed: [], arrears: [owed(1, 40n)], balance })
  const paid = absorbArrears(pack(100n), balance, [owed(1, 39n)], policy, ZONE)
  expect(paid.balance).toEqual({ ...balance, usedBytes: 99n, remainingBytes: 1n })
})

test('paying arrears is the first use of a package that lasts from there', () => {
  const entry = pack(9n, { validity: { type: 'from-first-use', spanMonths: 1 } })
  const balance = { packageId: 'new', usedBytes: 0n, remainingBytes: 9n, firstUseMs: null }
  const policy = { absorb: 'larger-package' } as const
  const paid = absorbArrears(entry, balance, [owed(1, 4n)], policy, ZONE)
  expect(paid.balance.firstUseMs).toBe(entry.startMs)
})

const DAY = { startMs: MIDNIGHT, endMs: MIDNIGHT + 24 * HOUR }

test.each<[ArrearsPolicy['rounding'], bigint, bigint, bigint]>([
  // 5 GiB and one byte in whole GiB.
  ['up', GIB, 5n * GIB + 1n, 6n * GIB],
  ['down', GIB, 5n * GIB + 1n, 5n * GIB],
  ['nearest', GIB, 5n * GIB + 1n, 5n * GIB],
  ['nearest', GIB, 5n * GIB + GIB / 2n, 6n * GIB],
  ['nearest', 3n, 4n, 3n],
  ['nearest', 3n, 5n, 6n],
  ['up', GIB, 5n * GIB, 5n * GIB],
  ['up', GIB, 1n, GIB],
  ['up', 1n, 7n, 7n],
])('an order rounded %s to %d bytes: %d become %d', (rounding, quantumBytes, bytes, wanted) => {
  const policy = { bill: 'daily-order', quantumBytes, rounding } as const
  expect(dailyOrder([owed(1, bytes)], DAY, policy).orders).toEqual([
    { area: 'cn', kind: 'static', arrearsBytes: bytes, orderedBytes: wanted },
  ])
})

test('a day is ordered once for each area and kind, rounded as a sum; other days stay owed', () => {
  // cn static: 3 + 4 = 7 in whole fives is 10; rounded one by one it would be 5 + 5, too.
  // cn dynamic: 6 + 6 = 12 is 15; one by one it would be 20. abroad: 5 is 5.
  const arrears = [
    owed(-1, 100n),
    owed(0, 3n),
    owed(1, 6n, { kind: 'dynamic' }),
    owed(2, 5n, { area: 'abroad' }),
    owed(3, 6n, { kind: 'dynamic', projectId: 'p2' }),
    owed(23, 4n, { resourceId: 'r2' }),
    owed(24, 200n),
  ]
  const policy = { bill: 'daily-order', quantumBytes: 5n, rounding: 'up' } as const
  expect(dailyOrder(arrears, DAY, policy)).toEqual({
    orders: [
      { area: 'abroad', kind: 'static', arrearsBytes: 5n, orderedBytes: 5n },
      { area: 'cn', kind: 'dynamic', arrearsBytes: 12n, orderedBytes: 15n },
      { area: 'cn', kind: 'static', arrearsBytes: 7n, orderedBytes: 10n },
    ],
    arrears: [owed(-1, 100n), owed(24, 200n)],
  })
  expect(dailyOrder(arrears, DAY, { ...policy, bill: 'carry' })).toEqual({ orders: [], arrears })
})

test('abroad is one order, or one for each region where they have prices of their own', () => {
  // 4 + 3 + 2 = 9 in whole fives is 10. Apart, 4, 3 and 2 are 5 each.
  const arrears = [
    owed(1, 4n, APAC1),
    owed(2, 3n, LATAM),
    owed(3, 2n, { area: 'abroad' }),
    owed(4, 1n),
  ]
  const policy = { bill: 'daily-order', quantumBytes: 5n, rounding: 'up' } as const
  const ordersOf = (areaOf?: OrderArea) =>
    dailyOrder(arrears, DAY, policy, areaOf).orders.map(
      ({ area, arrearsBytes, orderedBytes }) => `${area} ${arrearsBytes}→${orderedBytes}`,
    )
  expect(ordersOf()).toEqual(['abroad 9→10', 'cn 1→5'])
  expect(ordersOf(orderByRegion)).toEqual(['abroad 2→5', 'apac1 4→5', 'cn 1→5', 'latam 3→5'])
})

const debts = fc.array(
  fc
    .record({
      hour: fc.integer({ min: -24, max: 48 }),
      bytes: fc.bigInt({ min: 1n, max: 50n }),
      kind: fc.constantFrom('static' as const, 'dynamic' as const),
    })
    .map(({ hour, bytes, kind }) => owed(hour, bytes, { kind })),
  { maxLength: 12 },
)
const sum = (usage: readonly { bytes: bigint }[]) =>
  usage.reduce((total, { bytes }) => total + bytes, 0n)

test('arrears are paid, ordered or still owed, each byte once', () => {
  fc.assert(
    fc.property(debts, fc.bigInt({ min: 0n, max: 300n }), (arrears, size) => {
      const balance = { packageId: 'new', usedBytes: 0n, remainingBytes: size, firstUseMs: null }
      const policy = { absorb: 'larger-package' } as const
      const paid = absorbArrears(pack(size), balance, arrears, policy, ZONE)
      expect(sum(paid.absorbed) + sum(paid.arrears)).toBe(sum(arrears))
      expect(paid.balance.usedBytes).toBe(sum(paid.absorbed))
      expect(paid.balance.remainingBytes).toBe(size - sum(paid.absorbed))
      expect(paid.absorbed.length === 0 || paid.balance.remainingBytes > 0n).toBe(true)
      const exact = { bill: 'daily-order', quantumBytes: 1n, rounding: 'down' } as const
      const { orders, arrears: left } = dailyOrder(paid.arrears, DAY, exact)
      const ordered = orders.reduce((total, { orderedBytes }) => total + orderedBytes, 0n)
      expect(ordered + sum(left)).toBe(sum(paid.arrears))
    }),
  )
})
