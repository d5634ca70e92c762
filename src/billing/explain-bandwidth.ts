import { formatInstant } from '../catalog/versions.ts'
import { localDays, type Interval } from '../core/period.ts'
import { divFloor, megaBytes } from '../core/units.ts'
import { formatMoney } from '../core/money.ts'
import { formatZoned } from '../core/period-text.ts'
import { cutDays, pointsOf, type DirectedPoint } from '../rating/bandwidth-days.ts'
import { type BandwidthLine, rateBandwidth } from '../rating/bandwidth-line.ts'
import type { InForce } from '../rating/bandwidth-price.ts'
import { type MemberUsage, SLOT_SECONDS, sumSlots } from '../rating/bandwidth-usage.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { BandwidthRule } from '../rating/rules.ts'
import type { BandwidthBillLine } from './bill.ts'
import type { BookTerms } from './book.ts'
import { toChargeLine } from './charge-line.ts'
import type { BandwidthExplanation, ExplainedPeak, RankedSlot } from './explanation.ts'
import { intervalOf } from './period-names.ts'
import { memberGroups } from './member-groups.ts'

/** What a line by bandwidth was made of. */
export interface TracedSlots {
  readonly throughBatch: number
  /** Of all members that the rule knows; the line's own are chosen here. */
  readonly members: readonly MemberUsage[]
  /** The local month of the line. */
  readonly month: Interval
}

/** Slots shown at the top of the ranking, and on either side of a sample. */
const SHOWN_TOP = 3
const SHOWN_AROUND = 5

/**
 * Explains a line by bandwidth: the ranked slots around its samples, how many were dropped, and the
 * arithmetic from the bandwidth to the amount.
 *
 * Shape: the ranking holds every sample, the highest slots and five on either side of each sample.
 * Errors: none; `agrees` is false when the slots do not come to the line.
 */
export function explainBandwidth(
  line: BandwidthBillLine,
  rule: BandwidthRule,
  terms: BookTerms,
  { throughBatch, members, month }: TracedSlots,
): BandwidthExplanation {
  const period = intervalOf(line)
  const { zone } = terms
  const own = memberGroups(rule, members, terms).get(line.member) ?? []
  const usage = { members: own, period, zone }
  const inForce = inForceOf(rule, period, month, zone)
  const [rated] = rateBandwidth(rule, { ...usage, ...(inForce !== null && { inForce }) })
  const points = rated === undefined ? [] : pointsCounted(rule, usage, rated)
  const again =
    rated === undefined
      ? undefined
      : toChargeLine(
          { ...rated, type: 'bandwidth', ruleName: rule.name, memberId: line.member },
          terms.pack,
        )
  return {
    type: 'bandwidth',
    line,
    throughBatch,
    members: own.map(({ memberId }) => memberId).sort(),
    ranking: rated === undefined ? [] : rankingOf(rule, points, rated, zone),
    days: rated?.perDay.map((day) => toPeak(day, zone)) ?? [],
    notBilled: notBilledOf(rated),
    steps: stepsOf(line, rule, inForce),
    agrees: again !== undefined && canonicalJson(again) === canonicalJson(line),
  }
}

function inForceOf(
  rule: BandwidthRule,
  period: Interval,
  month: Interval,
  zone: string,
): InForce | null {
  if (rule.mode === 'daily-peak') return null
  return { days: localDays(period, zone).length, of: localDays(month, zone).length }
}

function pointsCounted(
  rule: BandwidthRule,
  usage: Parameters<typeof sumSlots>[0],
  { direction }: BandwidthLine,
): DirectedPoint[] {
  const days = cutDays(sumSlots(usage, rule), usage.period, usage.zone, rule)
  return days.filter(({ takesPart }) => takesPart).flatMap((day) => pointsOf(day, direction))
}

function rankingOf(
  rule: BandwidthRule,
  points: readonly DirectedPoint[],
  { samples, dropped }: BandwidthLine,
  zone: string,
): RankedSlot[] {
  // Of equal slots the latest rank first: they are the ones that are dropped.
  const ranked = points.toSorted((a, b) =>
    a.slotBits === b.slotBits ? b.startMs - a.startMs : a.slotBits > b.slotBits ? -1 : 1,
  )
  const chosen = new Set(samples.map(({ startMs }) => startMs))
  const places = ranked.flatMap(({ startMs }, index) => (chosen.has(startMs) ? [index] : []))
  const isShown = (index: number): boolean =>
    index < SHOWN_TOP || places.some((place) => Math.abs(place - index) <= SHOWN_AROUND)
  // Only this mode drops the highest of the whole month; others drop within days or not at all.
  const droppedMax = rule.mode === 'monthly-95' ? dropped : 0
  return ranked.flatMap(({ startMs, slotBits, isReported }, index): RankedSlot[] =>
    isShown(index)
      ? [
          {
            rank: index + 1,
            time: formatInstant(startMs),
            local: formatZoned(startMs, zone),
            bps: String(divFloor(slotBits, SLOT_SECONDS)),
            isReported,
            isDropped: index < droppedMax,
            isSample: chosen.has(startMs),
          },
        ]
      : [],
  )
}

function toPeak(day: BandwidthLine['perDay'][number], zone: string): ExplainedPeak {
  const { startMs, endMs, takesPart, slots, dropped, sample } = day
  return {
    start: formatInstant(startMs),
    end: formatInstant(endMs),
    takesPart,
    slots,
    dropped,
    sample:
      sample === null
        ? null
        : {
            time: formatInstant(sample.startMs),
            local: formatZoned(sample.startMs, zone),
            bps: String(sample.bps),
          },
  }
}

function notBilledOf(rated: BandwidthLine | undefined): BandwidthExplanation['notBilled'] {
  const other = rated?.notBilled ?? null
  return other === null ? null : { direction: other.direction, bps: String(other.bps) }
}

function stepsOf(line: BandwidthBillLine, rule: BandwidthRule, inForce: InForce | null): string[] {
  const mega = megaBytes(rule.radix)
  const above = BigInt(line.billedBps) - rule.commitBps
  const overage = formatMoney(rule.overagePrice ?? rule.price)
  const isShared = inForce !== null && rule.partialMonth === 'share' && inForce.days !== inForce.of
  const shares = [
    ...(rule.proRata === 'none' ? [] : [`${line.validDays}/${line.days} valid days`]),
    ...(isShared ? [`${inForce.days}/${inForce.of} days in force`] : []),
  ]
  const days = rule.proRata === 'none' ? '' : ` × ${line.validDays}/${line.days}`
  const month = isShared ? ` × ${inForce.days}/${inForce.of}` : ''
  const committed = `${rule.commitBps} × ${line.price}`
  const priced = `${above} × ${overage}${days}`
  const sum = rule.commitBps === 0n ? priced : `(${committed} + ${priced})`
  return [
    `${line.slots} slots count, ${line.dropped} highest are dropped (${rule.mode}, ${line.direction})`,
    `${samplesOf(line, rule)} = ${line.bps} bit/s`,
    `billed: the higher of ${line.bps} and the commitment ${rule.commitBps} = ${line.billedBps} bit/s`,
    ...(shares.length === 0 ? [] : [`shares: ${shares.join(', ')}`]),
    `${sum}${month} ÷ ${mega} bit/s per ${line.unit} = ${line.amount} ${line.currency}`,
  ]
}

function samplesOf({ samples }: BandwidthBillLine, { mode }: BandwidthRule): string {
  if (samples.length === 0) return 'no sample'
  const list = samples.map(({ time, bps }) => `${bps} at ${time}`).join(' + ')
  if (samples.length === 1) return list
  return mode === 'sum-of-daily-peaks' ? list : `mean of ${list}`
}
