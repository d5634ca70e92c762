import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatMinute,
  formatOverhead,
  formatRate,
  formatVolume,
  formatWindow,
  parseMinute,
  parseOverhead,
  parseRate,
  parseVolume,
  parseWindow,
} from './pack-quantities.ts'

describe('volumes', () => {
  // 10 × 10^12; 1.5 × 2^30 = 1,610,612,736; 0.5 kB = 500 B. Half a byte is no volume.
  test.each([
    ['10TB', 10_000_000_000_000n],
    ['1.5 GiB', 1_610_612_736n],
    ['0.5kB', 500n],
    ['0B', 0n],
    ['0.5B', undefined],
    ['10', undefined],
    ['10 G', undefined],
    ['1gb', undefined],
    ['1Gb', undefined],
    ['1iB', undefined],
    ['1.2.3GB', undefined],
    ['-1GB', undefined],
    ['1e3GB', undefined],
  ])('%s reads as %s', (text, bytes) => {
    expect(parseVolume(text)).toBe(bytes)
  })

  test.each([
    [0n, '0B'],
    [1024n, '1KiB'],
    [1000n, '1kB'],
    [1001n, '1001B'],
    [10_000_000_000_000n, '10TB'],
  ])('%s bytes are written as %s', (bytes, text) => {
    expect(formatVolume(bytes)).toBe(text)
  })
})

describe('bandwidths', () => {
  // 1.5 × 10^9; 2^20 = 1,048,576.
  test.each([
    ['100Mbps', 100_000_000n],
    ['1.5 Gbps', 1_500_000_000n],
    ['1Mibps', 1_048_576n],
    ['0bps', 0n],
    ['0.5bps', undefined],
    ['100', undefined],
    ['100MB', undefined],
    ['100mbps', undefined],
    ['1,000Mbps', undefined],
  ])('%s reads as %s', (text, rateBps) => {
    expect(parseRate(text)).toBe(rateBps)
  })
})

describe('overheads', () => {
  // 10 for 100 are 110/100 = 11/10; an eighth more is 9/8; 200 % more is three times as much.
  test.each([
    ['10%', '11/10'],
    ['0%', '1/1'],
    ['200 %', '3/1'],
    ['1/8', '9/8'],
    ['0/7', '1/1'],
    ['1/0', undefined],
    ['-5%', undefined],
    ['12.5%', undefined],
    ['0.1', undefined],
    ['1.1', undefined],
  ])('%s bills %s of what was measured', (text, expected) => {
    const overhead = parseOverhead(text)
    expect(overhead && `${overhead.numerator}/${overhead.denominator}`).toBe(expected)
  })
})

describe('times of day', () => {
  // 23 × 60 = 1380, 7 × 60 = 420, 24 × 60 = 1440.
  test.each([
    ['23:00-07:00', { fromMinute: 1380, toMinute: 420 }],
    ['00:00-07:00', { fromMinute: 0, toMinute: 420 }],
    ['23:00-24:00', { fromMinute: 1380, toMinute: 1440 }],
    ['07:00-07:00', undefined],
    ['00:00-24:00', undefined],
    ['24:00-07:00', undefined],
    ['23:00-7:00', undefined],
    ['23:00-25:00', undefined],
    ['23:60-24:00', undefined],
    ['23:00', undefined],
    ['01:00-02:00-03:00', undefined],
  ])('%s reads as %j', (text, window) => {
    expect(parseWindow(text)).toEqual(window)
  })

  test.each([
    ['00:00', 0],
    ['12:00', 720],
    ['23:59', 1439],
    ['24:00', undefined],
    ['9:00', undefined],
  ])('%s is minute %s', (text, minute) => {
    expect(parseMinute(text)).toBe(minute)
  })
})

test('what is written reads back equal', () => {
  const integer = fc.bigInt({ min: 0n, max: 10n ** 15n - 1n })
  const minute = fc.integer({ min: 0, max: 1439 })
  const share = fc.tuple(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 999 }))
  fc.assert(
    fc.property(integer, minute, minute, share, (quantity, from, to, [added, whole]) => {
      expect(parseVolume(formatVolume(quantity))).toBe(quantity)
      expect(parseRate(formatRate(quantity))).toBe(quantity)
      expect(parseMinute(formatMinute(from))).toBe(from)
      const overhead = parseOverhead(`${added}/${whole}`)
      expect(overhead && parseOverhead(formatOverhead(overhead))).toEqual(overhead)
      const window = { fromMinute: from, toMinute: to }
      expect(parseWindow(formatWindow(window))).toEqual(from === to ? undefined : window)
    }),
  )
})
