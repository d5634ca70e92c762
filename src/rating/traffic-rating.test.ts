import { describe, expect, test } from 'vitest'
import { formatMoney, NANO } from '../core/money.ts'
import { GB, GIB, type Bytes } from '../core/units.ts'
import type { TrafficRule, TrafficTier } from './rules.ts'
import { rateTraffic } from './traffic-rating.ts'
import type { TrafficBasis, TrafficLine, TrafficUsage } from './traffic-usage.ts'

const at = (text: string): number => Date.parse(text)

/** A price in thousandths of a unit of currency, so that tables need no long numbers. */
const milli = (thousandths: number): bigint => (BigInt(thousandths) * NANO) / 1000n

function tier(upToBytes: Bytes | null, thousandths: number): TrafficTier {
  return { upToBytes, price: milli(thousandths) }
}

/** One unit of currency for each byte: amounts are then whole bytes. */
const PER_BYTE: readonly TrafficTier[] = [{ upToBytes: null, price: NANO * GB }]

function rule(fields: Partial<TrafficRule> = {}): TrafficRule {
  return {
    type: 'traffic',
    name: 'out',
    level: 'account',
    scope: {},
    windows: [],
    overhead: { numerator: 1n, denominator: 1n },
    freeBelowBytesPerDay: 0n,
    radix: 1000,
    tiering: 'graduated',
    tiers: PER_BYTE,
    period: 'month',
    ...fields,
  }
}

function usage(bytes: Bytes, fields: Partial<TrafficUsage> = {}): TrafficUsage {
  return {
    startMs: at('2026-06-10T12:00:00+08:00'),
    resourceId: 'r1',
    projectId: 'p1',
    area: 'cn',
    billingRegion: fields.area ?? 'cn',
    province: 'zhejiang',
    kind: 'static',
    direction: 'out',
    bytes,
    ...fields,
  }
}

const JUNE: TrafficBasis = {
  accountId: 'acc',
  period: { startMs: at('2026-06-01T00:00:00+08:00'), endMs: at('2026-07-01T00:00:00+08:00') },
  zone: 'Asia/Shanghai',
}

/** `tier: raw > billed @ price = amount`, bytes in full. */
function show(lines: readonly TrafficLine[]): string[] {
  return lines.map(
    (line) =>
      `${line.tierIndex}: ${line.rawBytes} > ${line.billedBytes} ` +
      `@ ${formatMoney(line.price)} = ${formatMoney(line.amount)}`,
  )
}

function billedOf(lines: readonly TrafficLine[]): bigint {
  return lines.reduce((sum, line) => sum + line.billedBytes, 0n)
}

describe('a flat price', () => {
  // 12,345,678,901 bytes × 0.135 per 10^9 bytes: a tenth is 1,234,567,890.1 nano, three hundredths
  // 370,370,367.03, five thousandths 61,728,394.505; together 1,666,666,651.635, rounded up.
  test('is one line, rounded once to whole nano', () => {
    const flat = rule({ tiers: [tier(null, 135)] })
    const moved = [usage(12_000_000_000n), usage(345_678_901n)]
    expect(rateTraffic(flat, moved, JUNE)).toEqual([
      {
        ruleName: 'out',
        memberId: 'acc',
        ...JUNE.period,
        tierIndex: 0,
        rawBytes: 12_345_678_901n,
        billedBytes: 12_345_678_901n,
        price: 135_000_000n,
        amount: 1_666_666_652n,
      },
    ])
  })

  // 5 bytes at 0.1 per GB are 0.5 nano, which rounds away from zero to 1; 4 bytes are 0.4: 0.
  test.each([
    [5n, '0.000000001'],
    [4n, '0.00'],
  ])('%d bytes at 0.10 a GB cost %s', (bytes, amount) => {
    const lines = rateTraffic(rule({ tiers: [tier(null, 100)] }), [usage(bytes)], JUNE)
    expect(lines.map((line) => formatMoney(line.amount))).toEqual([amount])
  })

  // 2^30 bytes are one GiB, and 1.073741824 GB.
  test.each([
    [1000, GIB, '1.073741824'],
    [1000, GB, '1.00'],
    [1024, GIB, '1.00'],
    [1024, 3n * GIB, '3.00'],
  ] as const)('at radix %d, %d bytes at 1.00 cost %s', (radix, bytes, amount) => {
    const lines = rateTraffic(rule({ radix, tiers: [tier(null, 1000)] }), [usage(bytes)], JUNE)
    expect(lines.map((line) => formatMoney(line.amount))).toEqual([amount])
  })

  test('nothing used is no line, and neither is an entry of no bytes', () => {
    expect(rateTraffic(rule(), [], JUNE)).toEqual([])
    expect(rateTraffic(rule(), [usage(0n)], JUNE)).toEqual([])
  })
})

describe('tiers', () => {
  // Up to 10 GB at 0.30, up to 50 GB at 0.20, then 0.10.
  const tiers = [tier(10n * GB, 300), tier(50n * GB, 200), tier(null, 100)]

  test.each<[string, Bytes, string[]]>([
    // 4 × 0.30
    ['inside the first', 4n * GB, ['0: 4000000000 > 4000000000 @ 0.30 = 1.20']],
    // 10 × 0.30; the bound itself is still in it.
    ['at the first bound', 10n * GB, ['0: 10000000000 > 10000000000 @ 0.30 = 3.00']],
    // One byte at 0.20 per GB is 0.2 nano: nothing, but a line of its own.
    [
      'one byte above it',
      10n * GB + 1n,
      ['0: 10000000000 > 10000000000 @ 0.30 = 3.00', '1: 1 > 1 @ 0.20 = 0.00'],
    ],
    // 10 × 0.30 + 40 × 0.20 + 10 × 0.10 = 3 + 8 + 1
    [
      'beyond the last bound',
      60n * GB,
      [
        '0: 10000000000 > 10000000000 @ 0.30 = 3.00',
        '1: 40000000000 > 40000000000 @ 0.20 = 8.00',
        '2: 10000000000 > 10000000000 @ 0.10 = 1.00',
      ],
    ],
  ])('graduated, %s: each prices what falls into it', (_where, bytes, expected) => {
    expect(show(rateTraffic(rule({ tiers }), [usage(bytes)], JUNE))).toEqual(expected)
  })

  test.each<[string, Bytes, string]>([
    ['inside the first', 4n * GB, '0: 4000000000 > 4000000000 @ 0.30 = 1.20'],
    ['at the first bound', 10n * GB, '0: 10000000000 > 10000000000 @ 0.30 = 3.00'],
    // 10.000000001 GB × 0.20 = 2,000,000,000.2 nano; one byte more costs a third less.
    ['one byte above it', 10n * GB + 1n, '1: 10000000001 > 10000000001 @ 0.20 = 2.00'],
    ['at the second bound', 50n * GB, '1: 50000000000 > 50000000000 @ 0.20 = 10.00'],
    ['beyond the last bound', 60n * GB, '2: 60000000000 > 60000000000 @ 0.10 = 6.00'],
  ])('volume, %s: the reached one prices all', (_where, bytes, expected) => {
    const volume = rule({ tiers, tiering: 'volume' })
    expect(show(rateTraffic(volume, [usage(bytes)], JUNE))).toEqual([expected])
  })

  // 10 GB on each of two days: by day both are in the first tier, 2 × 3.00; by month the second
  // ten are in the second, 3.00 + 2.00.
  test.each([
    ['day', '6.00'],
    ['month', '5.00'],
  ] as const)('count anew each %s', (period, amount) => {
    const second = { startMs: at('2026-06-11T00:00:00+08:00') }
    const moved = [usage(10n * GB), usage(10n * GB, second)]
    const lines = rateTraffic(rule({ tiers, period }), moved, JUNE)
    expect(formatMoney(lines.reduce((sum, line) => sum + line.amount, 0n))).toBe(amount)
  })
})

describe('overhead', () => {
  const overhead = { numerator: 11n, denominator: 10n }

  // 105 × 1.1 = 115.5, away from zero 116; 104 × 1.1 = 114.4; 106 × 1.1 = 116.6.
  test.each([
    [105n, '0: 105 > 116 @ 1000000000.00 = 116.00'],
    [104n, '0: 104 > 114 @ 1000000000.00 = 114.00'],
    [106n, '0: 106 > 117 @ 1000000000.00 = 117.00'],
  ])('%d raw bytes and a tenth show beside each other', (bytes, expected) => {
    expect(show(rateTraffic(rule({ overhead }), [usage(bytes)], JUNE))).toEqual([expected])
  })

  // 5 × 1.1 = 5.5 would round to 6 for each entry, 12 in all; the sum of 10 is 11.
  test('is rounded once for the sum, not per entry', () => {
    expect(billedOf(rateTraffic(rule({ overhead }), [usage(5n), usage(5n)], JUNE))).toBe(11n)
  })

  // 15 × 1.1 = 16.5, billed 17: ten in the first tier, seven above. The ten stand for 10 × 15 ÷ 17
  // = 8.82 raw bytes, so nine; the other six are above. 9 × 1.1 would be 9.9, below the bound.
  test('is part of what the bounds count, and raw bytes are shared out in proportion', () => {
    const tiers = [
      { upToBytes: 10n, price: 2n * NANO * GB },
      { upToBytes: null, price: NANO * GB },
    ]
    expect(show(rateTraffic(rule({ overhead, tiers }), [usage(15n)], JUNE))).toEqual([
      '0: 9 > 10 @ 2000000000.00 = 20.00',
      '1: 6 > 7 @ 1000000000.00 = 7.00',
    ])
  })

  // 15 raw bytes are below the bound of 16, but the 17 billed ones are above it.
  test('can lift a volume into the next tier', () => {
    const tiers = [
      { upToBytes: 16n, price: 2n * NANO * GB },
      { upToBytes: null, price: NANO * GB },
    ]
    const volume = rule({ overhead, tiers, tiering: 'volume' })
    expect(show(rateTraffic(volume, [usage(15n)], JUNE))).toEqual([
      '1: 15 > 17 @ 1000000000.00 = 17.00',
    ])
  })

  // 1 × 1/3 = 0.33 rounds to no billed byte; what was measured is not lost.
  test('as a discount that leaves nothing to bill still shows the raw bytes', () => {
    const third = { numerator: 1n, denominator: 3n }
    expect(show(rateTraffic(rule({ overhead: third }), [usage(1n)], JUNE))).toEqual([
      '0: 1 > 0 @ 1000000000.00 = 0.00',
    ])
  })
})

test('a free day has no line, however many bytes it had', () => {
  const eip = rule({ level: 'resource', period: 'day', freeBelowBytesPerDay: GB })
  const tiers = [tier(null, 1000)]
  const moved = [usage(999_999_999n), usage(GB, { resourceId: 'r2' })]
  const lines = rateTraffic({ ...eip, tiers }, moved, JUNE)
  expect(lines.map(({ memberId }) => memberId)).toEqual(['r2'])
  expect(show(lines)).toEqual(['0: 1000000000 > 1000000000 @ 1.00 = 1.00'])
})

test('a faulty rule is a bug of the caller', () => {
  expect(() => rateTraffic(rule({ tiers: [] }), [], JUNE)).toThrow('rule out: tiers: Needs')
})
