import type { MeterName } from '../catalog/model.ts'
import type { Nano } from '../core/money.ts'
import type { Interval } from '../core/period.ts'
import { type BandwidthLine, rateBandwidth } from '../rating/bandwidth-line.ts'
import {
  planRanks,
  rateRanked,
  type RankPlan,
  type RankedSlot,
} from '../rating/bandwidth-ranked.ts'
import type { BandwidthRule, Rule, TrafficRule } from '../rating/rules.ts'
import { rateTraffic } from '../rating/traffic-rating.ts'
import { billingSpans } from '../rating/traffic-spans.ts'
import type { TrafficLine, TrafficUsage } from '../rating/traffic-usage.ts'
import type { BooksMembers, BooksTrafficQuery, BooksUsage, RankedUsage } from './books-usage.ts'
import { namesRegion } from './day-cuts.ts'
import { memberGroups } from './member-groups.ts'
import { slotQueryOf } from './slot-query.ts'
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

/** What rating reads of the measured usage. */
export type RatedUsage = Pick<BooksUsage, 'traffic' | 'slots'> & RankedUsage

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
  usage: RatedUsage,
): Promise<RatedLine[]> {
  const traffic = await readTraffic(meters, rules, rated, usage)
  const lines: RatedLine[] = []
  for (const rule of rules) {
    if (rule.type === 'traffic') {
      const found = rateTraffic(rule, traffic, rated)
      lines.push(...found.map((line) => ({ ...line, type: 'traffic' as const })))
    } else lines.push(...(await rateBandwidthRule(rule, meters, rated, usage)))
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
  usage: RatedUsage,
): Promise<TrafficUsage[]> {
  const priced = rules.filter((rule): rule is TrafficRule => rule.type === 'traffic')
  if (priced.length === 0) return []
  const windows = priced.map((rule) => rule.windows)
  const cutsMs = usageCuts(period, zone, windows)
  const { endMs } = period
  const query: Omit<BooksTrafficQuery, 'meter'> = {
    accountIds: [accountId],
    throughBatch: null,
    cutsMs,
    endMs,
    grain: isOnSlots(cutsMs, endMs) ? '5min' : 'minute',
    byProvince: priced.some((rule) => rule.scope.provinces !== undefined),
    byRegion: priced.some(namesRegion),
  }
  const found = await Promise.all(
    meters.map(async (meter) => (await usage.traffic({ ...query, meter })).get(accountId) ?? []),
  )
  return found.flat()
}

async function rateBandwidthRule(
  rule: BandwidthRule,
  meters: readonly MeterName[],
  rated: RatedPeriod,
  usage: RatedUsage,
): Promise<RatedLine[]> {
  const lines: RatedLine[] = []
  for (const span of billingSpans(rated.period, 'month', rated.zone)) {
    const queries = meters.map((meter) => ({ ...membersOf(rule, rated), ...span, meter }))
    const [only, ...others] = queries
    // What several meters measured must be summed before it is ranked.
    const plan = others.length === 0 ? planRanks(rule, span, rated.zone) : null
    const found =
      only !== undefined && plan !== null
        ? await rateByRanks(rule, plan, only, rated, usage)
        : await rateBySlots(rule, queries, { ...rated, period: span }, usage)
    for (const [memberId, list] of found) {
      const named = { type: 'bandwidth' as const, ruleName: rule.name, memberId }
      lines.push(...list.map((line) => ({ ...line, ...named })))
    }
  }
  return lines
}

type MemberLines = readonly (readonly [memberId: string, lines: readonly BandwidthLine[]])[]

function membersOf(
  rule: BandwidthRule,
  { accountId }: RatedPeriod,
): Omit<BooksMembers, 'meter' | 'startMs' | 'endMs'> {
  const { samples: _, reported: __, ...members } = slotQueryOf(rule)
  return { accountIds: [accountId], throughBatch: null, ...members }
}

async function rateBySlots(
  rule: BandwidthRule,
  queries: readonly BooksMembers[],
  rated: RatedPeriod,
  usage: RatedUsage,
): Promise<MemberLines> {
  const choice = slotQueryOf(rule)
  const found = await Promise.all(
    queries.map(
      async (query) => (await usage.slots({ ...query, ...choice })).get(rated.accountId) ?? [],
    ),
  )
  const { period, zone } = rated
  return [...memberGroups(rule, found.flat(), rated)].map(([memberId, members]) => [
    memberId,
    rateBandwidth(rule, { members, period, zone }),
  ])
}

async function rateByRanks(
  rule: BandwidthRule,
  plan: RankPlan,
  query: BooksMembers,
  { accountId }: RatedPeriod,
  usage: RatedUsage,
): Promise<MemberLines> {
  const members = new Map<string, Map<RankPlan['directions'][number]['ranked'], RankedSlot>>()
  if (rule.level === 'account') members.set(accountId, new Map())
  for (const { ranked, read } of plan.directions) {
    const { dropped } = plan
    const found = await usage.rankedSlots({ ...query, direction: read, dropped })
    for (const slot of found.get(accountId) ?? []) {
      const slots = members.get(slot.memberId) ?? new Map<typeof ranked, RankedSlot>()
      members.set(slot.memberId, slots.set(ranked, slot))
    }
  }
  return [...members].map(([memberId, slots]) => [memberId, [rateRanked(rule, plan, slots)]])
}
