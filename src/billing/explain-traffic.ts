import { formatInstant } from '../catalog/versions.ts'
import { divRound } from '../core/money.ts'
import { formatZoned } from '../core/period-text.ts'
import type { Interval } from '../core/period.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import { formatOverhead } from '../rating/pack-quantities.ts'
import type { TrafficRule } from '../rating/rules.ts'
import { rateTraffic } from '../rating/traffic-rating.ts'
import { createMemberOf } from '../rating/traffic-scope.ts'
import { selectTraffic } from '../rating/traffic-sums.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { BillDraw, TrafficBillLine } from './bill.ts'
import type { BookTerms } from './book.ts'
import { toChargeLine } from './charge-line.ts'
import type { ExplainedDay, ExplainedTier, TrafficExplanation } from './explanation.ts'
import { intervalOf } from './period-names.ts'

/** What is known of a closed day: its usage, and what was left of it to be priced. */
export interface TracedDay extends Interval {
  readonly throughBatch: number
  /** As finely as it was read; of all rules and members. */
  readonly measured: readonly TrafficUsage[]
  /** What packages and refilling volumes left, as it was kept with the day. */
  readonly priced: readonly TrafficUsage[]
  readonly packages: readonly BillDraw[]
}

/**
 * Explains a line by volume: what its days measured, what packages took, and the arithmetic from
 * the bytes that were left to the amount.
 *
 * Shape: days ascending and inside the line's span; tiers ascending, those without bytes left out.
 * Errors: none; `agrees` is false when the days do not come to the line.
 */
export function explainTraffic(
  line: TrafficBillLine,
  rule: TrafficRule,
  terms: BookTerms,
  days: readonly TracedDay[],
): TrafficExplanation {
  const period = intervalOf(line)
  const basis = { accountId: terms.accountId, zone: terms.zone, groups: terms.groups, period }
  const memberOf = createMemberOf(rule.level, basis)
  const ofMember = (usage: readonly TrafficUsage[], day: Interval): TrafficUsage[] =>
    selectTraffic(rule, usage, { ...basis, period: day }).filter(
      (entry) => memberOf(entry) === line.member,
    )
  // Free days were left out before packages drew; what is left of the others may be little.
  const ofRest = { ...rule, freeBelowBytesPerDay: 0n }
  const priced = days.flatMap((day) => day.priced)
  const lines = rateTraffic(ofRest, priced, basis)
    .filter(({ memberId }) => memberId === line.member)
    .map((rated) => toChargeLine({ ...rated, type: 'traffic' }, terms.pack))
    .filter((rated): rated is TrafficBillLine => rated.type === 'traffic')
  const tiers = lines.map((each) => tierOf(each, rule))
  return {
    type: 'traffic',
    line,
    days: days.map((day) =>
      explainDay(day, {
        measured: ofMember(day.measured, day),
        priced: selectTraffic(ofRest, day.priced, { ...basis, period: day }).filter(
          (entry) => memberOf(entry) === line.member,
        ),
        slotZone: days.length === 1 ? terms.zone : null,
      }),
    ),
    tiers,
    steps: stepsOf(line, rule, lines),
    agrees: lines.some((each) => canonicalJson(each) === canonicalJson(line)),
  }
}

function tierOf(
  { tier, rawBytes, billedBytes, price, amount }: TrafficBillLine,
  rule: TrafficRule,
) {
  const upToBytes = rule.tiers[tier - 1]?.upToBytes ?? null
  return {
    tier,
    upToBytes: upToBytes === null ? null : String(upToBytes),
    rawBytes,
    billedBytes,
    price,
    amount,
  } satisfies ExplainedTier
}

interface DayParts {
  readonly measured: readonly TrafficUsage[]
  readonly priced: readonly TrafficUsage[]
  /** In which the day's slots are told; null: they are left out. */
  readonly slotZone: string | null
}

function explainDay(day: TracedDay, { measured, priced, slotZone }: DayParts): ExplainedDay {
  const keys = [...new Set([...measured, ...priced].map(keyOf))].sort()
  const [all, rest] = [sumBytes(measured), sumBytes(priced)]
  return {
    start: formatInstant(day.startMs),
    end: formatInstant(day.endMs),
    throughBatch: day.throughBatch,
    measuredBytes: String(all),
    takenBytes: String(all - rest),
    pricedBytes: String(rest),
    resources: keys.map((key) => {
      const [resource = '', project = ''] = key.split(' ')
      const own = (usage: readonly TrafficUsage[]) =>
        String(sumBytes(usage.filter((entry) => keyOf(entry) === key)))
      return { resource, project, measuredBytes: own(measured), pricedBytes: own(priced) }
    }),
    packages: day.packages,
    slots: slotZone === null ? null : slotsOf(measured, slotZone),
  }
}

function keyOf({ resourceId, projectId }: TrafficUsage): string {
  return `${resourceId} ${projectId}`
}

function sumBytes(usage: readonly TrafficUsage[]): bigint {
  return usage.reduce((sum, { bytes }) => sum + bytes, 0n)
}

function slotsOf(usage: readonly TrafficUsage[], zone: string): NonNullable<ExplainedDay['slots']> {
  const sums = new Map<string, { startMs: number; resource: string; bytes: bigint }>()
  for (const { startMs, resourceId: resource, bytes } of usage) {
    const key = `${resource} ${startMs}`
    const sum = sums.get(key)?.bytes ?? 0n
    sums.set(key, { startMs, resource, bytes: sum + bytes })
  }
  return [...sums.values()]
    .sort((a, b) => a.startMs - b.startMs || (a.resource < b.resource ? -1 : 1))
    .map(({ startMs, resource, bytes }) => ({
      time: formatInstant(startMs),
      local: formatZoned(startMs, zone),
      resource,
      bytes: String(bytes),
    }))
}

function stepsOf(
  line: TrafficBillLine,
  rule: TrafficRule,
  lines: readonly TrafficBillLine[],
): string[] {
  const raw = lines.reduce((sum, { rawBytes }) => sum + BigInt(rawBytes), 0n)
  const { numerator, denominator } = rule.overhead
  const billed = divRound(raw * numerator, denominator)
  const unitBytes = line.unit === 'GB' ? 'GB of 10^9' : 'GiB of 2^30'
  const overhead =
    numerator === denominator
      ? []
      : [
          `${raw} bytes × ${numerator}/${denominator} = ${billed} bytes ` +
            `(overhead ${formatOverhead(rule.overhead)}, rounded once)`,
        ]
  const ofTiers =
    rule.tiering === 'volume' ? 'the tier that is reached prices all' : 'each tier prices its part'
  return [
    `${raw} bytes of ${line.member} were left to be priced by rule ${rule.name}`,
    ...overhead,
    ...(rule.tiers.length === 1 ? [] : [`${rule.tiers.length} tiers: ${ofTiers}`]),
    ...lines.map(
      (each) =>
        `tier ${each.tier}: ${each.billedBytes} bytes × ${each.price} ${each.currency} ÷ ` +
        `${unitBytes} bytes = ${each.amount} ${each.currency}`,
    ),
    `the line is tier ${line.tier}: ${line.amount} ${line.currency}`,
  ]
}
