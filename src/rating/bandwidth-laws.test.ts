import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rateBandwidth } from './bandwidth-line.ts'
import type { BandwidthUsage, Slot } from './bandwidth-usage.ts'
import type { BandwidthMode, BandwidthRule } from './rules.ts'

const FIVE_MINUTES = 300_000

/** Three local days, where the zone has any with a change of clocks. */
const SPANS = [
  ['America/New_York', '2026-03-07T05:00:00Z', '2026-03-10T04:00:00Z'],
  ['America/New_York', '2026-10-31T04:00:00Z', '2026-11-03T05:00:00Z'],
  ['Europe/Berlin', '2026-03-27T23:00:00Z', '2026-03-30T22:00:00Z'],
  ['Europe/Berlin', '2026-10-23T22:00:00Z', '2026-10-26T23:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-03T13:00:00Z', '2026-04-06T13:30:00Z'],
  ['Australia/Lord_Howe', '2026-10-02T13:30:00Z', '2026-10-05T13:00:00Z'],
  ['Asia/Kolkata', '2026-02-27T18:30:00Z', '2026-03-02T18:30:00Z'],
] as const

const MODES: readonly BandwidthMode[] = [
  'daily-peak',
  'monthly-95',
  'mean-of-daily-95',
  'mean-of-daily-peaks',
  'fourth-highest-daily-peak',
  'sum-of-daily-peaks',
  'top-5-mean',
]

/** Percentages with the fraction that the oracle uses instead. */
const PERCENTS = [
  [5, 5n, 100n],
  [0, 0n, 1n],
  [0.5, 1n, 200n],
  [33.3, 333n, 1000n],
  [60, 3n, 5n],
  [100, 1n, 1n],
] as const

const bytes = fc.oneof(fc.bigInt({ min: 0n, max: 40n }), fc.bigInt({ min: 0n, max: 2n ** 58n }))

/** A stretch of slots with one value: long ones cover days, equal ones make ties. */
const stretch = fc.record({
  member: fc.nat({ max: 2 }),
  first: fc.integer({ min: -3, max: 2000 }),
  count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 1500 })),
  inBytes: bytes,
  outBytes: bytes,
  sampleBpsMax: fc.option(fc.bigInt({ min: 0n, max: 10n ** 12n }), { nil: undefined }),
})
type Stretch = typeof stretch extends fc.Arbitrary<infer S> ? S : never

function slotsOf(startMs: number, part: Stretch): Slot[] {
  return Array.from({ length: part.count }, (_, index) => ({
    startMs: startMs + (part.first + index) * FIVE_MINUTES,
    inBytes: part.inBytes,
    outBytes: part.outBytes,
    ...(part.sampleBpsMax === undefined ? {} : { outSampleBpsMax: part.sampleBpsMax }),
  }))
}

/** Slots by which a period begins after midnight or ends before it; half of the time none. */
const cut = fc.oneof(fc.constant(0), fc.nat({ max: 300 }))
const spans = fc
  .tuple(fc.constantFrom(...SPANS), cut, cut, fc.nat({ max: 4 }))
  .map(([[zone, start, end], late, early, moreDays]) => ({
    zone,
    period: {
      startMs: Date.parse(start) + late * FIVE_MINUTES,
      endMs: Date.parse(end) + (moreDays * 288 - early) * FIVE_MINUTES,
    },
  }))
const usages: fc.Arbitrary<BandwidthUsage> = fc
  .tuple(spans, fc.array(stretch, { maxLength: 6 }))
  .map(([span, parts]) => ({
    ...span,
    members: [0, 1, 2].map((member) => ({
      memberId: `m${member}`,
      slots: parts
        .filter((part) => part.member === member)
        .flatMap((part) => slotsOf(span.period.startMs, part)),
    })),
  }))

const rules = fc.record({
  type: fc.constant('bandwidth' as const),
  name: fc.constant('bandwidth'),
  level: fc.constant('account' as const),
  scope: fc.constantFrom({}, {}, { directions: ['out'] as const }),
  mode: fc.constantFrom(...MODES),
  slot: fc.constantFrom('mean' as const, 'max-sample' as const),
  direction: fc.constantFrom<BandwidthRule['direction'][]>(
    'out',
    'in',
    'max-per-slot',
    'max-of-both',
    'sum',
  ),
  validDay: fc.constantFrom<BandwidthRule['validDay'][]>(
    'all',
    { aboveBytes: 0n },
    { aboveBytes: 2000n },
  ),
  missingSlot: fc.constantFrom('zero' as const, 'exclude' as const),
  rank: fc.record({
    percent: fc.constantFrom(...PERCENTS.map(([percent]) => percent)),
    rounding: fc.constantFrom('floor' as const, 'ceil' as const, 'round' as const),
  }),
  radix: fc.constantFrom(1000 as const, 1024 as const),
  commitBps: fc.constantFrom(0n, 1n, 10n ** 12n),
  price: fc.bigInt({ min: 0n, max: 10n ** 11n }),
  overagePrice: fc.option(fc.bigInt({ min: 0n, max: 10n ** 11n })),
  proRata: fc.constantFrom('none' as const, 'valid-days' as const),
  partialMonth: fc.constantFrom('share' as const, 'whole' as const),
}) satisfies fc.Arbitrary<BandwidthRule>

/** Value and time of a slot; the oracle's only data structure. */
type Pair = readonly [value: bigint, startMs: number]
type Read = (pick: 'in' | 'out', atMs: number) => bigint

/** Drops the highest one by one, the latest of equal ones first; the earliest highest is left. */
function leftAfter(pairs: readonly Pair[], drops: number): Pair[] {
  const open = [...pairs].sort((a, b) => (a[0] === b[0] ? b[1] - a[1] : a[0] > b[0] ? -1 : 1))
  open.splice(0, drops)
  return open.filter(([value]) => value === open[0]?.[0]).slice(-1)
}

/** Counts up until the next one would be more than the percentage of `count` allows. */
function dropsOf(count: number, { percent, rounding }: BandwidthRule['rank']): number {
  const [, part, whole] = PERCENTS.find((row) => row[0] === percent) ?? PERCENTS[0]
  // Twice the share, so that a half can be told without a division.
  const twice = 2n * BigInt(count) * part
  let drops = 0n
  while (2n * (drops + 1n) * whole <= twice) drops += 1n
  const rest = twice - 2n * drops * whole
  const isUp = rounding === 'ceil' ? rest > 0n : rounding === 'round' && rest >= whole
  return Number(isUp ? drops + 1n : drops)
}

function localDate(atMs: number, timeZone: string): string {
  const format = (dateFormats[timeZone] ??= new Intl.DateTimeFormat('en-CA', { timeZone }))
  return format.format(atMs)
}
const dateFormats: Record<string, Intl.DateTimeFormat> = {}

/** Numerator, denominator and times of the samples of one day list, one ranked direction. */
function oracleRank(rule: BandwidthRule, days: readonly (readonly Pair[])[]) {
  const peaks = days.flatMap((day) => leftAfter(day, 0))
  const nth = [...peaks].sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] > b[0] ? -1 : 1))
  const fourth = nth.length < 4 ? [] : nth.filter(([value]) => value === nth[3]?.[0]).slice(0, 1)
  const all = days.flat()
  const daily95 = days.flatMap((day) => leftAfter(day, dropsOf(day.length, rule.rank)))
  const [used, over]: readonly [readonly Pair[], number] = {
    'daily-peak': [peaks, 1] as const,
    'monthly-95': [leftAfter(all, dropsOf(all.length, rule.rank)), 1] as const,
    'mean-of-daily-95': [daily95, days.length] as const,
    'mean-of-daily-peaks': [peaks, days.length] as const,
    'fourth-highest-daily-peak': [fourth, 1] as const,
    'sum-of-daily-peaks': [peaks, 1] as const,
    'top-5-mean': [nth.slice(0, 5), Math.min(5, nth.length)] as const,
  }[rule.mode]
  const total = used.reduce((sum, [value]) => sum + value, 0n)
  const times = used.map(([, startMs]) => startMs).sort((a, b) => a - b)
  return { total, bps: total / (300n * BigInt(over === 0 ? 1 : over)), times }
}

/** Slot by slot, day by day, without anything of the product. */
function oracle(rule: BandwidthRule, usage: BandwidthUsage) {
  const entries = new Map<number, Slot[]>()
  for (const { slots } of usage.members) {
    for (const slot of slots) {
      entries.set(slot.startMs, [...(entries.get(slot.startMs) ?? []), slot])
    }
  }
  const days = new Map<string, number[]>()
  for (let at = usage.period.startMs; at < usage.period.endMs; at += FIVE_MINUTES) {
    const date = localDate(at, usage.zone)
    const today = days.get(date) ?? []
    days.set(date, today)
    if (rule.missingSlot === 'zero' || entries.has(at)) today.push(at)
  }
  const isIn = (pick: 'in' | 'out') => rule.scope.directions?.includes(pick) ?? true
  const add = (at: number, pick: 'in' | 'out', read: (slot: Slot) => bigint) =>
    isIn(pick) ? (entries.get(at) ?? []).reduce((sum, slot) => sum + read(slot), 0n) : 0n
  const moved: Read = (pick, at) => add(at, pick, (slot) => slot[`${pick}Bytes`])
  const bits: Read = (pick, at) =>
    add(at, pick, (slot) => {
      const sample = rule.slot === 'mean' ? undefined : slot[`${pick}SampleBpsMax`]
      return sample === undefined ? slot[`${pick}Bytes`] * 8n : sample * 300n
    })
  return oracleLines(rule, [...days.values()], moved, bits)
}

function oracleLines(rule: BandwidthRule, days: number[][], moved: Read, bits: Read) {
  const picks =
    rule.direction === 'in' ? ['in'] : rule.direction === 'out' ? ['out'] : ['in', 'out']
  const isTaken = (day: readonly number[]) => {
    let total = 0n
    for (const at of day) for (const pick of picks) total += moved(pick as 'in' | 'out', at)
    return day.length > 0 && (rule.validDay === 'all' || total > rule.validDay.aboveBytes)
  }
  const combined = (at: number) => {
    const [into, out] = [bits('in', at), bits('out', at)]
    if (rule.direction === 'sum') return into + out
    return into > out ? into : out
  }
  return (rule.mode === 'daily-peak' ? days.map((day) => [day]) : [days]).map((span) => {
    const taken = span.filter(isTaken)
    const rank = (read: (at: number) => bigint) =>
      oracleRank(
        rule,
        taken.map((day) => day.map((at) => [read(at), at] as const)),
      )
    const into = () => rank((at) => bits('in', at))
    const out = () => rank((at) => bits('out', at))
    let result
    if (rule.direction === 'in') result = into()
    else if (rule.direction === 'out') result = out()
    else if (rule.direction === 'max-of-both') result = into().total > out().total ? into() : out()
    else result = rank(combined)
    return { bps: result.bps, times: result.times, validDays: taken.length, days: span.length }
  })
}

test('a slow, obvious calculation comes to the same lines', () => {
  fc.assert(
    fc.property(rules, usages, (rule, usage) => {
      const lines = rateBandwidth(rule, usage).map(({ bps, samples, validDays, days }) => {
        return { bps, times: samples.map(({ startMs }) => startMs), validDays, days }
      })
      expect(lines).toEqual(oracle(rule, usage))
    }),
    { numRuns: 300 },
  )
})

describe('laws', () => {
  test('the order of slots and members changes nothing', () => {
    fc.assert(
      fc.property(rules, usages, (rule, usage) => {
        const reversed = [...usage.members].reverse().map(({ memberId, slots }) => {
          return { memberId, slots: [...slots].reverse() }
        })
        const expected = rateBandwidth(rule, usage)
        expect(rateBandwidth(rule, { ...usage, members: reversed })).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })

  test('members billed as one are as one member that moved it all', () => {
    fc.assert(
      fc.property(rules, usages, (rule, usage) => {
        const slots = usage.members.flatMap((member) => member.slots)
        const one = { ...usage, members: [{ memberId: 'all', slots }] }
        expect(rateBandwidth(rule, one)).toEqual(rateBandwidth(rule, usage))
      }),
      { numRuns: 60 },
    )
  })

  test('more bytes never lower a bandwidth or an amount where all days and slots count', () => {
    fc.assert(
      fc.property(rules, usages, stretch, (drawn, usage, more) => {
        const rule = { ...drawn, validDay: 'all', missingSlot: 'zero' } as const
        const slots = slotsOf(usage.period.startMs, more)
        const members = [...usage.members, { memberId: 'more', slots }]
        const before = rateBandwidth(rule, usage)
        const after = rateBandwidth(rule, { ...usage, members })
        for (const [index, line] of after.entries()) {
          expect(line.bps).toBeGreaterThanOrEqual(before[index]?.bps ?? -1n)
          expect(line.amount).toBeGreaterThanOrEqual(before[index]?.amount ?? -1n)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('a 95th is the bandwidth of a slot, at its time, and not above the peak', () => {
    fc.assert(
      fc.property(rules, usages, (drawn, usage) => {
        const rule = { ...drawn, mode: 'monthly-95', direction: 'out', slot: 'mean' } as const
        const scope = {}
        for (const line of rateBandwidth({ ...rule, scope }, usage)) {
          const [sample] = line.samples
          expect(line.samples).toHaveLength(line.dropped < line.slots ? 1 : 0)
          expect(line.dropped).toBeLessThanOrEqual(line.slots)
          if (sample === undefined) continue
          const moved = usage.members
            .flatMap(({ slots }) => slots)
            .filter(({ startMs }) => startMs === sample.startMs)
          const outBytes = moved.reduce((sum, slot) => sum + slot.outBytes, 0n)
          expect(sample.slotBits).toBe(outBytes * 8n)
          expect(sample.isReported).toBe(moved.length > 0)
          expect(line.bps).toBe((outBytes * 8n) / 300n)
          const [peak] = rateBandwidth({ ...rule, scope, mode: 'top-5-mean' }, usage)
          const highest = peak?.perDay.map((day) => day.sample?.slotBits ?? 0n) ?? []
          expect(highest.some((slotBits) => slotBits >= sample.slotBits)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})
