import { describe, expect, test } from 'vitest'
import { parseMoney } from '../core/money.ts'
import { type BandwidthLine, rateBandwidth } from './bandwidth-line.ts'
import type { BandwidthUsage, MemberUsage, Slot } from './bandwidth-usage.ts'
import type { BandwidthMode, BandwidthRule } from './rules.ts'

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
  price: parseMoney('30', 'price'),
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

/**
 * The shared data set: six days, 1 to 6, of two members, in Mbps.
 *
 * Out: a ladder in the first 20 slots of each day, from 100 × day down by 1 each slot: 100 … 81 on
 * day 1, 600 … 581 on day 6. Member `a` has 40 of it, member `b` the rest.
 * In: 10 in the same slots (by `a`), and 250 in slots 100 to 119 of each day (by `b`).
 * All other slots were reported by nobody.
 */
const MEMBERS: readonly MemberUsage[] = [
  { memberId: 'a', slots: ladder((day, index) => slotAt(day, index, 40, 10)) },
  {
    memberId: 'b',
    slots: [
      ...ladder((day, index) => slotAt(day, index, 100 * day - index - 40, 0)),
      ...ladder((day, index) => slotAt(day, 100 + index, 0, 250)),
    ],
  },
]
const USAGE: BandwidthUsage = {
  members: MEMBERS,
  period: { startMs: START, endMs: START + 6 * DAY },
  zone: 'UTC',
}

function ladder(make: (day: number, index: number) => Slot): Slot[] {
  return [1, 2, 3, 4, 5, 6].flatMap((day) =>
    Array.from({ length: 20 }, (_, index) => make(day, index)),
  )
}

function rate(change: Partial<BandwidthRule>, usage = USAGE): BandwidthLine {
  const lines = rateBandwidth({ ...RULE, ...change }, usage)
  const [line] = lines
  if (line === undefined || lines.length > 1) throw new Error(`${lines.length} lines`)
  return line
}

/** A line's samples as `day@slot=Mbps`. */
function samplesOf(line: BandwidthLine): string {
  const written = line.samples.map(({ startMs, bps }) => {
    const index = (startMs - START) / FIVE_MINUTES
    return `${Math.floor(index / 288) + 1}@${index % 288}=${bps / MBPS}`
  })
  return written.join(' ')
}

const PEAKS = '1@0=100 2@0=200 3@0=300 4@0=400 5@0=500 6@0=600'

describe('the modes on one data set', () => {
  test.each<[BandwidthMode, number, number, string]>([
    // 6 × 288 = 1,728 slots, 5 % are 86.4, so 86 go: the 20 each of days 6, 5, 4 and 3, and of day
    // 2 the six 200 … 195. The highest left is 194, in day 2's slot 6.
    ['monthly-95', 194, 86, '2@6=194'],
    // Of 288 slots 14.4, so 14 go each day and the 15th is left: 100 × day − 14.
    // (86 + 186 + 286 + 386 + 486 + 586) ÷ 6 = 2,016 ÷ 6 = 336; 6 × 14 = 84 slots dropped.
    ['mean-of-daily-95', 336, 84, '1@14=86 2@14=186 3@14=286 4@14=386 5@14=486 6@14=586'],
    // (100 + 200 + 300 + 400 + 500 + 600) ÷ 6 = 2,100 ÷ 6 = 350.
    ['mean-of-daily-peaks', 350, 0, PEAKS],
    // 600, 500, 400, then 300.
    ['fourth-highest-daily-peak', 300, 0, '3@0=300'],
    ['sum-of-daily-peaks', 2100, 0, PEAKS],
    // (600 + 500 + 400 + 300 + 200) ÷ 5 = 2,000 ÷ 5 = 400.
    ['top-5-mean', 400, 0, '2@0=200 3@0=300 4@0=400 5@0=500 6@0=600'],
  ])('%s is %d Mbps after dropping %d', (mode, mbps, dropped, samples) => {
    const line = rate({ mode })
    expect(line.bps).toBe(BigInt(mbps) * MBPS)
    expect(line.billedBps).toBe(line.bps)
    expect(line.amount).toBe(BigInt(mbps) * parseMoney('30', 'price'))
    expect(samplesOf(line)).toBe(samples)
    expect(line).toMatchObject({ ...USAGE.period, slots: 1728, dropped, validDays: 6, days: 6 })
  })

  test('daily-peak is one line for each day', () => {
    const lines = rateBandwidth({ ...RULE, mode: 'daily-peak', commitBps: 250n * MBPS }, USAGE)
    expect(lines.map(samplesOf).join(' ')).toBe(PEAKS)
    expect(lines.map(({ startMs }) => (startMs - START) / DAY)).toEqual([0, 1, 2, 3, 4, 5])
    // Below the commitment of 250 Mbps it is billed each day.
    const billed = lines.map(({ billedBps }) => Number(billedBps / MBPS))
    expect(billed).toEqual([250, 250, 300, 400, 500, 600])
    expect(lines.every(({ slots, days }) => slots === 288 && days === 1)).toBe(true)
  })
})

describe('directions', () => {
  test.each<[BandwidthRule['direction'], string, string]>([
    // In: 120 slots of 250 are the highest and 86 of them go; of those left day 1's is earliest.
    // Daily peaks are 250 each.
    ['in', '1@100=250', '250000000'],
    ['out', '2@6=194', '350000000'],
    // Of two: days 6 to 3 have 80 slots above 250, the other 6 that go and the value are 250.
    // Daily peaks: 250, 250, 300, 400, 500, 600 = 2,300, ÷ 6 = 383.333… rounded down.
    ['max-per-slot', '1@100=250', '383333333'],
    // The ladder is 10 higher; 250 is still the 87th. Peaks: 250, 250, 310, 410, 510, 610 = 2,340.
    ['sum', '1@100=250', '390000000'],
    // 250 in against 194 out; peaks: 350 out against 250 in.
    ['max-of-both', '1@100=250', '350000000'],
  ])('%s', (direction, sample, meanOfPeaks) => {
    expect(samplesOf(rate({ direction }))).toBe(sample)
    expect(String(rate({ direction, mode: 'mean-of-daily-peaks' }).bps)).toBe(meanOfPeaks)
  })

  test('max-of-both shows the direction that was not billed, too', () => {
    const byRank = rate({ direction: 'max-of-both' })
    expect([byRank.direction, byRank.notBilled?.direction]).toEqual(['in', 'out'])
    expect(byRank.notBilled?.bps).toBe(194n * MBPS)
    expect(rate({ direction: 'out' }).notBilled).toBeNull()
  })

  test('of equal directions out is billed', () => {
    const slots = [slotAt(1, 3, 7, 7)]
    const usage = { ...USAGE, members: [{ memberId: 'a', slots }] }
    expect(rate({ direction: 'max-of-both', mode: 'top-5-mean' }, usage).direction).toBe('out')
  })

  test('a direction outside the scope counts for nothing', () => {
    const scope = { directions: ['out'] } as const
    // Without in, the sum is what went out.
    expect(samplesOf(rate({ scope, direction: 'sum' }))).toBe('2@6=194')
    expect(rate({ scope, direction: 'in' }).bps).toBe(0n)
  })
})

describe('which days and slots take part', () => {
  // Day 1 has (100 + 81) × 20 ÷ 2 = 1,810 Mbps-slots out.
  const validDay = { aboveBytes: 1810n * MBPS_BYTES }

  test('a day at the limit is not valid: it must be above', () => {
    // 5 × 288 = 1,440 slots, 72 go: 60 of days 6 to 4, 12 of day 3; the next is 300 − 12 = 288.
    const line = rate({ validDay })
    expect(samplesOf(line)).toBe('3@12=288')
    expect(line).toMatchObject({ slots: 1440, dropped: 72, validDays: 5, days: 6 })
    // 2,000 ÷ 5 = 400.
    expect(rate({ validDay, mode: 'mean-of-daily-peaks' }).bps).toBe(400n * MBPS)
    expect(rate({ validDay: { aboveBytes: 1810n * MBPS_BYTES - 1n } }).validDays).toBe(6)
  })

  test('both directions make a day valid where both are billed, else the billed one', () => {
    const limit = { validDay: { aboveBytes: 3810n * MBPS_BYTES } }
    // Day 2 has (200 + 181) × 20 ÷ 2 = 3,810 out and 20 × 10 + 20 × 250 = 5,200 in.
    expect(rate({ ...limit, direction: 'out' }).validDays).toBe(4)
    expect(rate({ ...limit, direction: 'in' }).validDays).toBe(6)
    expect(rate({ ...limit, direction: 'max-of-both' }).validDays).toBe(6)
  })

  test('pro-rata is the share of valid days, also of each day alone', () => {
    // 288 × 30 × 5 ÷ 6 = 7,200.
    expect(rate({ validDay, proRata: 'valid-days' }).amount).toBe(parseMoney('7200', 'amount'))
    const mode = 'daily-peak'
    const days = rateBandwidth({ ...RULE, mode, validDay, proRata: 'valid-days' }, USAGE)
    expect(days.map(({ validDays }) => validDays)).toEqual([0, 1, 1, 1, 1, 1])
    expect(days.map(({ amount }) => Number(amount / (30n * 10n ** 9n)))).toEqual([
      0, 200, 300, 400, 500, 600,
    ])
  })

  test('without a valid day the result is 0 and only the commitment is billed', () => {
    const nothing = { validDay: { aboveBytes: 10n ** 18n }, commitBps: 10n * MBPS }
    const line = rate({ ...nothing, proRata: 'valid-days' })
    expect(line).toMatchObject({ bps: 0n, samples: [], slots: 0, validDays: 0, days: 6 })
    expect(line.amount).toBe(parseMoney('300', 'amount'))
  })

  test('a slot nobody reported is left out where the rule excludes it', () => {
    // 40 reported slots a day: of 240, 12 go: 600 − 12. Of 40, 2 go: 98 … 598, mean 348.
    const line = rate({ missingSlot: 'exclude' })
    expect(samplesOf(line)).toBe('6@12=588')
    expect(line).toMatchObject({ slots: 240, dropped: 12, validDays: 6 })
    expect(rate({ missingSlot: 'exclude', mode: 'mean-of-daily-95' }).bps).toBe(348n * MBPS)
  })

  test('a day without a report takes part as zeros, or not at all', () => {
    const usage = { ...USAGE, period: { startMs: START, endMs: START + 7 * DAY } }
    // 2,100 ÷ 7 = 300.
    const mode = 'mean-of-daily-peaks'
    expect(rate({ mode }, usage)).toMatchObject({ bps: 300n * MBPS, validDays: 7, days: 7 })
    const excluded = rate({ mode, missingSlot: 'exclude' }, usage)
    expect(excluded).toMatchObject({ bps: 350n * MBPS, validDays: 6, days: 7 })
  })

  test('a percentile that falls on a slot nobody reported says so', () => {
    // 120 slots went out on six days; ten percent of 1,728 are 172: a missing slot is next.
    const line = rate({ rank: { percent: 10, rounding: 'floor' } })
    // The earliest zero is day 1's slot 20, the first after the ladder.
    expect(line.samples).toEqual([
      { startMs: START + 20 * FIVE_MINUTES, slotBits: 0n, isReported: false, bps: 0n },
    ])
  })
})

describe('rank', () => {
  test.each<['floor' | 'ceil' | 'round', string, number]>([
    // 86.4 of 1,728 slots and 14.4 of a day's 288: only ceil drops one more.
    ['floor', '2@6=194', 336],
    ['ceil', '2@7=193', 335],
    ['round', '2@6=194', 336],
  ])('%s', (rounding, sample, dailyMbps) => {
    const rank = { percent: 5, rounding }
    expect(samplesOf(rate({ rank }))).toBe(sample)
    expect(rate({ rank, mode: 'mean-of-daily-95' }).bps).toBe(BigInt(dailyMbps) * MBPS)
  })

  test.each<BandwidthMode>(['monthly-95', 'mean-of-daily-95'])(
    'a rule that drops all slots leaves 0 and no sample: %s',
    (mode) => {
      const line = rate({ mode, rank: { percent: 100, rounding: 'floor' } })
      expect(line).toMatchObject({ bps: 0n, samples: [], slots: 1728, dropped: 1728 })
    },
  )
})

test('a day whose slots are all dropped counts as 0 in the mean of daily 95ths', () => {
  // Day 1 has one slot, day 2 two; 5 % rounded up drop one each day: nothing, and 20, are left.
  // (0 + 20) ÷ 2 = 10.
  const slots = [slotAt(1, 0, 10, 0), slotAt(2, 0, 30, 0), slotAt(2, 1, 20, 0)]
  const period = { startMs: START, endMs: START + 2 * DAY }
  const usage = { ...USAGE, period, members: [{ memberId: 'a', slots }] }
  const rank = { percent: 5, rounding: 'ceil' } as const
  const line = rate({ mode: 'mean-of-daily-95', missingSlot: 'exclude', rank }, usage)
  expect(line).toMatchObject({ bps: 10n * MBPS, slots: 3, dropped: 2, validDays: 2 })
  expect(samplesOf(line)).toBe('2@1=20')
})

test('a line lists what each day gave, also a day that takes no part', () => {
  const validDay = { aboveBytes: 1810n * MBPS_BYTES }
  const { perDay } = rate({ validDay, mode: 'mean-of-daily-95' })
  const [first, second] = perDay
  expect(perDay).toHaveLength(6)
  expect(first).toEqual({
    startMs: START,
    endMs: START + DAY,
    bytes: 1810n * MBPS_BYTES,
    takesPart: false,
    slots: 288,
    dropped: 0,
    sample: null,
  })
  expect(second).toMatchObject({ bytes: 3810n * MBPS_BYTES, takesPart: true, dropped: 14 })
  expect(second?.sample).toMatchObject({ bps: 186n * MBPS, slotBits: 186n * MBPS * 300n })
})

describe('few days', () => {
  const upTo = (days: number) => ({
    ...USAGE,
    period: { startMs: START, endMs: START + days * DAY },
  })
  test.each([
    [3, 0, 200],
    // Four days: 100, 200, 300, 400: the fourth is 100, the mean of all 250.
    [4, 100, 250],
  ])('%d days have a fourth peak of %d Mbps and a top-5 mean of %d', (days, fourth, top) => {
    expect(rate({ mode: 'fourth-highest-daily-peak' }, upTo(days)).bps).toBe(BigInt(fourth) * MBPS)
    expect(rate({ mode: 'top-5-mean' }, upTo(days)).bps).toBe(BigInt(top) * MBPS)
  })

  test('an empty period has no line', () => {
    expect(rateBandwidth({ ...RULE, commitBps: MBPS }, upTo(0))).toEqual([])
  })

  test('of equal daily peaks the earlier days are named', () => {
    const slots = [1, 2, 3, 4, 5, 6].map((day) => slotAt(day, 9 - day, 5, 0))
    const usage = { ...USAGE, members: [{ memberId: 'a', slots }] }
    expect(samplesOf(rate({ mode: 'top-5-mean' }, usage))).toBe('1@8=5 2@7=5 3@6=5 4@5=5 5@4=5')
    expect(samplesOf(rate({ mode: 'fourth-highest-daily-peak' }, usage))).toBe('1@8=5')
  })
})
