import type { MeterName } from '../catalog/model.ts'
import type { Nano } from '../core/money.ts'
import type { Interval } from '../core/period.ts'
import { type BandwidthLine, rateBandwidth } from '../rating/bandwidth-line.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { BandwidthRule, Rule, TrafficRule } from '../rating/rules.ts'
import { rateTraffic } from '../rating/traffic-rating.ts'
import { billingSpans } from '../rating/traffic-spans.ts'
import type { TrafficLine, TrafficUsage } from '../rating/traffic-usage.ts'
import type { RatingUsageReader } from './rating-usage.ts'
import { isOnSlots, usageCuts } from './usage-cuts.ts'

/** Who is rated, and for which time. */
export interface RatedPeriod {
  readonly accountId: string
  readonly period: Interval
  /** IANA zone of days, months and windows. */
  readonly zone: string
  /** Group name → resource ids, for rules of level `group`. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/** What is rated by: the rules, and the meters whose usage they price. */
export interface RatedRules {
  readonly meters: readonly MeterName[]
  readonly rules: readonly Rule[]
}

/** A line of what usage costs. */
export type RatedLine =
  | (TrafficLine & { readonly type: 'traffic' })
  | (BandwidthLine & {
      readonly type: 'bandwidth'
      readonly ruleName: string
      readonly memberId: string
    })

/**
 * Prices the usage of an account by rules, before packages.
 *
 * Shape: lines in the order of the rules; members and spans without usage have none, but an account
 * or group always has its line of a bandwidth rule, since a commitment is owed for nothing, too.
 * Time: monthly bandwidths are ranked month by month; a month that the period cuts is ranked as far
 * as it goes.
 * Errors: what reading usage throws; `parameter_invalid` when groups overlap.
 */
export async function ratePeriod(
  { meters, rules }: RatedRules,
  rated: RatedPeriod,
  reader: RatingUsageReader,
): Promise<RatedLine[]> {
  const traffic = await readTraffic(meters, rules, rated, reader)
  const lines: RatedLine[] = []
  for (const rule of rules) {
    if (rule.type === 'traffic') {
      const found = rateTraffic(rule, traffic, rated)
      lines.push(...found.map((line) => ({ ...line, type: 'traffic' as const })))
    } else lines.push(...(await rateBandwidthRule(rule, meters, rated, reader)))
  }
  return lines
}

/** Adds up what lines cost. */
export function totalOf(lines: readonly Pick<RatedLine, 'amount'>[]): Nano {
  return lines.reduce((sum, { amount }) => sum + amount, 0n)
}

async function readTraffic(
  meters: readonly MeterName[],
  rules: readonly Rule[],
  { accountId, period, zone }: RatedPeriod,
  reader: RatingUsageReader,
): Promise<TrafficUsage[]> {
  const priced = rules.filter((rule): rule is TrafficRule => rule.type === 'traffic')
  if (priced.length === 0) return []
  const windows = priced.map((rule) => rule.windows)
  const cutsMs = usageCuts(period, zone, windows)
  const { endMs } = period
  const grain = isOnSlots(cutsMs, endMs) ? '5min' : 'minute'
  const byProvince = priced.some((rule) => rule.scope.provinces !== undefined)
  const found = await Promise.all(
    meters.map((meter) =>
      reader.trafficUsage({ accountId, meter, cutsMs, endMs, grain, byProvince }),
    ),
  )
  return found.flat()
}

async function rateBandwidthRule(
  rule: BandwidthRule,
  meters: readonly MeterName[],
  rated: RatedPeriod,
  reader: RatingUsageReader,
): Promise<RatedLine[]> {
  const { accountId, zone } = rated
  const { areas, provinces, kinds } = rule.scope
  const lines: RatedLine[] = []
  for (const span of billingSpans(rated.period, 'month', zone)) {
    const found = await Promise.all(
      meters.map((meter) =>
        reader.slotUsage({
          ...span,
          accountId,
          meter,
          member: rule.level === 'group' ? 'resource' : rule.level,
          samples: rule.slot === 'max-sample',
          ...(areas !== undefined && { areas }),
          ...(provinces !== undefined && { provinces }),
          ...(kinds !== undefined && { kinds }),
        }),
      ),
    )
    for (const [memberId, members] of groupMembers(rule, found.flat(), rated)) {
      const ranked = rateBandwidth(rule, { members, period: span, zone })
      const named = { type: 'bandwidth' as const, ruleName: rule.name, memberId }
      lines.push(...ranked.map((line) => ({ ...line, ...named })))
    }
  }
  return lines
}

/** Puts members together that are billed as one. */
function groupMembers(
  { level }: BandwidthRule,
  members: readonly MemberUsage[],
  { accountId, groups }: RatedPeriod,
): ReadonlyMap<string, readonly MemberUsage[]> {
  if (level === 'account') return new Map([[accountId, members]])
  if (level === 'group') {
    return new Map(
      Object.entries(groups).map(([name, ids]) => [
        name,
        members.filter(({ memberId }) => ids.includes(memberId)),
      ]),
    )
  }
  const found = new Map<string, MemberUsage[]>()
  for (const member of members) {
    const list = found.get(member.memberId) ?? []
    list.push(member)
    found.set(member.memberId, list)
  }
  return found
}
