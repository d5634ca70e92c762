/** Usage priced by bandwidth, slot by slot, ranked by sorting everything. */
import type { BandwidthBillLine } from '../../src/billing/bill.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import { divRound, formatMoney } from '../../src/core/money.ts'
import { type Interval, MINUTE_MS } from '../../src/core/period.ts'
import type { Bytes } from '../../src/core/units.ts'
import type { RulePack } from '../../src/rating/rule-pack.ts'
import type { BandwidthRule } from '../../src/rating/rules.ts'
import type { TrafficUsage } from '../../src/rating/traffic-usage.ts'
import { daysBetween, holds, SLOT_MS } from './slow-time.ts'
import { isAmong, memberOf, type TrafficTerms } from './slow-traffic.ts'

/** Five minutes of one member, in bits that they hold (bit/s × 300), and in bytes. */
interface Slot {
  readonly startMs: EpochMs
  isReported: boolean
  inBytes: Bytes
  outBytes: Bytes
  inBits: bigint
  outBits: bigint
}

/** One slot as it is ranked. */
interface Point {
  readonly startMs: EpochMs
  readonly bits: bigint
}

interface Day {
  readonly slots: readonly Slot[]
  readonly takesPart: boolean
}

type Side = 'in' | 'out' | 'max-per-slot' | 'sum'

/** What was ranked in one direction: the sum of the points ÷ `count` is the result. */
interface Ranking {
  readonly side: Side
  readonly points: readonly Point[]
  readonly count: number
  readonly slots: number
  readonly dropped: number
}

/** On how many days of the whole period a rule was in force. */
export interface PartOf {
  readonly days: number
  readonly of: number
}

/** The bandwidth rules of a pack that make one line a day, or one for the month. */
export function bandwidthRulesOf(pack: RulePack, span: 'day' | 'month'): BandwidthRule[] {
  return pack.rules.filter(
    (rule) => rule.type === 'bandwidth' && (rule.mode === 'daily-peak') === (span === 'day'),
  ) as BandwidthRule[]
}

/** What a rule makes of a day, or of a month or the part of it in which the pack was in force. */
export function bandwidthLines(
  rule: BandwidthRule,
  usage: readonly TrafficUsage[],
  span: Interval,
  terms: TrafficTerms,
  part: PartOf = { days: 1, of: 1 },
): BandwidthBillLine[] {
  const scoped = usage.filter((entry) => holds(span, entry.startMs) && isInScope(rule, entry))
  return membersOf(rule, scoped, terms).map((member) => {
    const own = scoped.filter((entry) => memberOf(rule.level, entry, terms) === member)
    return lineOf(rule, member, daysOf(rule, own, span, terms.zone), span, terms.pack, part)
  })
}

function isInScope({ scope }: BandwidthRule, entry: TrafficUsage): boolean {
  if (!isAmong(scope.areas ?? null, entry)) return false
  if (scope.provinces !== undefined && !scope.provinces.includes(entry.province)) return false
  return scope.kinds === undefined || scope.kinds.includes(entry.kind)
}

/** An account and each group have a line whatever moved; projects and resources when they moved. */
function membersOf(
  { level }: BandwidthRule,
  scoped: readonly TrafficUsage[],
  terms: TrafficTerms,
): string[] {
  if (level === 'account') return [terms.accountId]
  if (level === 'group') return Object.keys(terms.groups).sort()
  const members = scoped.flatMap((entry) => memberOf(level, entry, terms) ?? [])
  return [...new Set(members)].sort()
}

function daysOf(
  rule: BandwidthRule,
  usage: readonly TrafficUsage[],
  span: Interval,
  zone: string,
): Day[] {
  return daysBetween(span.startMs, span.endMs, zone).map((day) => {
    const all = slotsOf(rule, usage, day)
    const slots = rule.missingSlot === 'zero' ? all : all.filter(({ isReported }) => isReported)
    let moved = 0n
    for (const { inBytes, outBytes } of slots) {
      if (rule.direction !== 'out') moved += inBytes
      if (rule.direction !== 'in') moved += outBytes
    }
    const isValid = rule.validDay === 'all' || moved > rule.validDay.aboveBytes
    return { slots, takesPart: isValid && slots.length > 0 }
  })
}

function slotsOf(rule: BandwidthRule, usage: readonly TrafficUsage[], day: Interval): Slot[] {
  const slots: Slot[] = []
  const ofDay = usage.filter(({ startMs }) => holds(day, startMs))
  for (let startMs = day.startMs; startMs < day.endMs; startMs += SLOT_MS) {
    const mine = ofDay.filter((entry) =>
      holds({ startMs, endMs: startMs + SLOT_MS }, entry.startMs),
    )
    const into = mine.filter(({ direction }) => direction === 'in')
    const out = mine.filter(({ direction }) => direction === 'out')
    slots.push({
      startMs,
      isReported: mine.length > 0,
      inBytes: bytesOf(into),
      outBytes: bytesOf(out),
      inBits: bitsOf(rule, into, startMs),
      outBits: bitsOf(rule, out, startMs),
    })
  }
  return slots
}

function bytesOf(usage: readonly TrafficUsage[]): Bytes {
  let sum = 0n
  for (const { bytes } of usage) sum += bytes
  return sum
}

/** Bits of a slot; by its highest minute, the sum of the highest of each that is measured apart. */
function bitsOf(
  { slot, level }: BandwidthRule,
  usage: readonly TrafficUsage[],
  startMs: EpochMs,
): bigint {
  if (slot === 'mean') return bytesOf(usage) * 8n
  // Members of a group are addresses of their own; every other level is measured as one.
  const apart = (entry: TrafficUsage) => (level === 'group' ? entry.resourceId : '')
  let bits = 0n
  for (const member of new Set(usage.map(apart))) {
    let highest = 0n
    for (let atMs = startMs; atMs < startMs + SLOT_MS; atMs += MINUTE_MS) {
      const minute = usage.filter((entry) => apart(entry) === member && entry.startMs === atMs)
      const bps = (bytesOf(minute) * 8n) / 60n
      if (bps > highest) highest = bps
    }
    bits += highest * 300n
  }
  return bits
}

function bitsIn(slot: Slot, side: Side): bigint {
  if (side === 'in') return slot.inBits
  if (side === 'out') return slot.outBits
  if (side === 'sum') return slot.inBits + slot.outBits
  return slot.inBits > slot.outBits ? slot.inBits : slot.outBits
}

/** Highest first; of equal ones the earliest. */
function sorted(points: readonly Point[]): Point[] {
  return [...points].sort((a, b) => {
    if (a.bits !== b.bits) return a.bits > b.bits ? -1 : 1
    return a.startMs - b.startMs
  })
}

/** The highest that is left without so many of the highest, and of equal ones the earliest. */
function withoutHighest(points: readonly Point[], dropped: number): Point[] {
  const found = sorted(points)[dropped]
  if (found === undefined) return []
  return sorted(points.filter(({ bits }) => bits === found.bits)).slice(0, 1)
}

function dropsOf(count: number, { percent, rounding }: BandwidthRule['rank']): number {
  // Packs write whole percents.
  const hundredths = count * percent
  if (rounding === 'floor') return Math.floor(hundredths / 100)
  if (rounding === 'ceil') return Math.ceil(hundredths / 100)
  return Math.floor((hundredths + 50) / 100)
}

function rank(rule: BandwidthRule, days: readonly Day[], side: Side): Ranking {
  const taking = days
    .filter(({ takesPart }) => takesPart)
    .map(({ slots }) => slots.map((slot) => ({ startMs: slot.startMs, bits: bitsIn(slot, side) })))
  const slots = taking.flat().length
  const peaks = taking.flatMap((points) => withoutHighest(points, 0))
  const result = (points: readonly Point[], count = 1, dropped = 0): Ranking => ({
    side,
    points,
    count,
    slots,
    dropped,
  })
  switch (rule.mode) {
    case 'daily-peak':
    case 'mean-of-daily-peaks':
      return result(peaks, taking.length)
    case 'sum-of-daily-peaks':
      return result(peaks)
    case 'fourth-highest-daily-peak':
      return result(withoutHighest(peaks, 3))
    case 'top-5-mean': {
      const top = sorted(peaks).slice(0, 5)
      return result(top, top.length)
    }
    case 'mean-of-daily-95': {
      const drops = taking.map((points) => dropsOf(points.length, rule.rank))
      const found = taking.flatMap((points, at) => withoutHighest(points, drops[at] ?? 0))
      return result(
        found,
        taking.length,
        drops.reduce((sum, count) => sum + count, 0),
      )
    }
    case 'monthly-95': {
      const dropped = dropsOf(slots, rule.rank)
      return result(withoutHighest(taking.flat(), dropped), 1, dropped)
    }
  }
}

function bpsOf({ points, count }: Ranking): bigint {
  let bits = 0n
  for (const point of points) bits += point.bits
  return bits / (300n * BigInt(Math.max(count, 1)))
}

/** Compares two results without rounding: bits of one × count of the other. */
function isHigher(a: Ranking, b: Ranking): boolean {
  const total = ({ points }: Ranking) => points.reduce((sum, { bits }) => sum + bits, 0n)
  return total(a) * BigInt(Math.max(b.count, 1)) > total(b) * BigInt(Math.max(a.count, 1))
}

function choose(rule: BandwidthRule, days: readonly Day[]): Ranking {
  if (rule.direction !== 'max-of-both') return rank(rule, days, rule.direction)
  const out = rank(rule, days, 'out')
  const into = rank(rule, days, 'in')
  return isHigher(into, out) ? into : out
}

function lineOf(
  rule: BandwidthRule,
  member: string,
  days: readonly Day[],
  span: Interval,
  pack: RulePack,
  part: PartOf,
): BandwidthBillLine {
  const ranking = choose(rule, days)
  const bps = bpsOf(ranking)
  const validDays = days.filter(({ takesPart }) => takesPart).length
  const inTime = [...ranking.points].sort((a, b) => a.startMs - b.startMs)
  return {
    type: 'bandwidth',
    rule: rule.name,
    member,
    start: new Date(span.startMs).toISOString(),
    end: new Date(span.endMs).toISOString(),
    mode: rule.mode,
    direction: ranking.side,
    bps: String(bps),
    commitBps: String(rule.commitBps),
    billedBps: String(bps > rule.commitBps ? bps : rule.commitBps),
    slots: ranking.slots,
    dropped: ranking.dropped,
    validDays,
    days: days.length,
    samples: inTime.map(({ startMs, bits }) => ({
      time: new Date(startMs).toISOString(),
      bps: String(bits / 300n),
    })),
    unit: rule.radix === 1000 ? 'Mbps' : 'Mibps',
    price: formatMoney(rule.price),
    amount: formatMoney(amountOf(rule, bps, { days: validDays, of: days.length }, part)),
    currency: pack.currency,
  }
}

/** The commitment at its price, what is above at its own; shares of days, then one rounding. */
function amountOf(rule: BandwidthRule, bps: bigint, valid: PartOf, part: PartOf): bigint {
  const above = bps > rule.commitBps ? bps - rule.commitBps : 0n
  const share = rule.proRata === 'valid-days' ? valid : { days: 1, of: 1 }
  const inForce = rule.partialMonth === 'share' ? part : { days: 1, of: 1 }
  const mega = rule.radix === 1000 ? 1_000_000n : 1_048_576n
  // All over one denominator: mega × days of the period × days of the month.
  const committed = rule.commitBps * rule.price * BigInt(share.of)
  const over = above * (rule.overagePrice ?? rule.price) * BigInt(share.days)
  return divRound(
    (committed + over) * BigInt(inForce.days),
    mega * BigInt(share.of) * BigInt(inForce.of),
  )
}
