import { describe, expect, test } from 'vitest'
import { type BandwidthLine, rateBandwidth } from './bandwidth-line.ts'
import type { BandwidthUsage, Slot } from './bandwidth-usage.ts'
import type { BandwidthRule } from './rules.ts'

/** One Mbps for five minutes: 10^6 × 300 ÷ 8 bytes. */
const MBPS_BYTES = 37_500_000n
const MBPS = 1_000_000n
const FIVE_MINUTES = 300_000
const DAY = 86_400_000
const START = Date.parse('2026-03-01T00:00:00Z')

const RULE: BandwidthRule = {
  type: 'bandwidth',
  name: 'bandwidth',
  level: 'account',
  scope: {},
  mode: 'monthly-95',
  slot: 'mean',
  direction: 'out',
  validDay: 'all',
  missingSlot: 'zero',
  rank: { percent: 5, rounding: 'floor' },
  radix: 1000,
  commitBps: 0n,
  price: 30_000_000_000n,
  overagePrice: null,
  proRata: 'none',
  partialMonth: 'share',
}

function slotAt(day: number, index: number, outMbps: number, inMbps: number): Slot {
  return {
    startMs: START + (day - 1) * DAY + index * FIVE_MINUTES,
    inBytes: BigInt(inMbps) * MBPS_BYTES,
    outBytes: BigInt(outMbps) * MBPS_BYTES,
  }
}

function rate(change: Partial<BandwidthRule>, usage: BandwidthUsage): BandwidthLine {
  const lines = rateBandwidth({ ...RULE, ...change }, usage)
  const [line] = lines
  if (line === undefined || lines.length > 1) throw new Error(`${lines.length} lines`)
  return line
}

describe('slots', () => {
  const one = (...slots: readonly Slot[]) => ({
    zone: 'UTC',
    period: { startMs: START, endMs: START + DAY },
    members: slots.map((slot, index) => ({ memberId: `m${index}`, slots: [slot] })),
  })
  const peak = { mode: 'top-5-mean' } as const

  test('members are summed per slot before ranking, not ranked and summed', () => {
    // 30 and 20 in different slots peak at 30, in the same slot at 50.
    expect(rate(peak, one(slotAt(1, 0, 30, 0), slotAt(1, 1, 20, 0))).bps).toBe(30n * MBPS)
    expect(rate(peak, one(slotAt(1, 0, 30, 0), slotAt(1, 0, 20, 0))).bps).toBe(50n * MBPS)
  })

  test('the higher direction of a slot is chosen after members are summed', () => {
    // 30 out and 20 in of one, 5 out and 25 in of the other: 35 out against 45 in.
    const usage = one(slotAt(1, 0, 30, 20), slotAt(1, 0, 5, 25))
    expect(rate({ ...peak, direction: 'max-per-slot' }, usage).bps).toBe(45n * MBPS)
  })

  test('max-sample takes the shorter samples, and the mean where there are none', () => {
    const sampled = { ...slotAt(1, 0, 10, 10), outSampleBpsMax: 70n * MBPS + 1n }
    const usage = one(sampled, slotAt(1, 0, 10, 0))
    expect(rate({ ...peak, slot: 'max-sample' }, usage).bps).toBe(80n * MBPS + 1n)
    expect(rate({ ...peak, slot: 'mean' }, usage).bps).toBe(20n * MBPS)
    expect(rate({ ...peak, slot: 'max-sample', direction: 'in' }, usage).bps).toBe(10n * MBPS)
  })

  test('a result is rounded down once, after averaging', () => {
    // 37 bytes are 296 bits in 300 s: 0.98… bit/s. Over two days 592 bits in 600 s: 0.
    // 38 and 37 bytes: (304 + 296) ÷ 600 = 1 exactly, although each day rounded would give 1 + 0.
    const usage = { zone: 'UTC', period: { startMs: START, endMs: START + 2 * DAY } }
    const days = (...bytes: readonly bigint[]) => ({
      ...usage,
      members: bytes.map((outBytes, index) => ({
        memberId: `m${index}`,
        slots: [{ startMs: START + index * DAY, inBytes: 0n, outBytes }],
      })),
    })
    const mode = 'mean-of-daily-peaks'
    expect(rate({ mode }, days(37n, 37n)).bps).toBe(0n)
    expect(rate({ mode }, days(38n, 37n)).bps).toBe(1n)
    expect(rate({ mode }, days(38n, 37n)).exact).toEqual({ bits: 600n, seconds: 600n })
  })

  test('bytes beyond the precision of a float keep their last bit', () => {
    const many = { ...slotAt(1, 0, 0, 0), outBytes: 2n ** 57n + 75n }
    // 144,115,188,075,855,947 × 8 ÷ 300 = 3,843,071,682,022,825.25…; a float has lost the 75.
    expect(rate(peak, one(many)).bps).toBe(3_843_071_682_022_825n)
    expect(rate(peak, one(many)).samples[0]?.slotBits).toBe(2n ** 60n + 600n)
  })

  test('slots outside the period count for nothing', () => {
    const usage = one(slotAt(0, 287, 9, 0), slotAt(1, 0, 3, 0), slotAt(2, 0, 9, 0))
    expect(rate(peak, usage).bps).toBe(3n * MBPS)
  })

  test('a slot or period off the five minutes is a bug of ours', () => {
    const shifted = { ...slotAt(1, 0, 1, 0), startMs: START + 60_000 }
    expect(() => rate(peak, one(shifted))).toThrow('a slot begins on five minutes')
    const period = { startMs: START, endMs: START + 60_000 }
    expect(() => rate(peak, { members: [], period, zone: 'UTC' })).toThrow(
      'a period begins and ends',
    )
  })
})

describe('months', () => {
  test.each([
    // 31 days have 8,928 slots; a clock change takes or adds 12, in Lord Howe 6.
    ['Asia/Shanghai', '2026-02-28T16:00:00Z', '2026-03-31T16:00:00Z', 8928, 446, 31],
    ['America/New_York', '2026-03-01T05:00:00Z', '2026-04-01T04:00:00Z', 8916, 445, 31],
    ['Europe/Berlin', '2026-09-30T22:00:00Z', '2026-10-31T23:00:00Z', 8940, 447, 31],
    ['Australia/Lord_Howe', '2026-03-31T13:00:00Z', '2026-04-30T13:30:00Z', 8646, 432, 30],
    ['Asia/Kolkata', '2026-01-31T18:30:00Z', '2026-02-28T18:30:00Z', 8064, 403, 28],
  ])('in %s the month from %s to %s has %d slots and drops %d', (zone, start, end, ...counts) => {
    const [slots, dropped, days] = counts
    const period = { startMs: Date.parse(start), endMs: Date.parse(end) }
    expect(rate({}, { members: [], period, zone })).toMatchObject({ slots, dropped, days })
  })

  test('a day with a clock change has 276 or 300 slots, and drops 5 % of those', () => {
    const change = (start: string, end: string) => {
      const period = { startMs: Date.parse(start), endMs: Date.parse(end) }
      const usage = { members: [], period, zone: 'America/New_York' }
      return rate({ mode: 'mean-of-daily-95' }, usage).perDay.map(({ slots, dropped }) => [
        slots,
        dropped,
      ])
    }
    // 13.8, 14.4 and 15 slots.
    expect(change('2026-03-08T05:00:00Z', '2026-03-10T04:00:00Z')).toEqual([
      [276, 13],
      [288, 14],
    ])
    expect(change('2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z')).toEqual([[300, 15]])
  })
})
