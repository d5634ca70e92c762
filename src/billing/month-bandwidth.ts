import { chunksOf } from '../core/chunks.ts'
import type { Interval } from '../core/period.ts'
import { localDays } from '../core/period.ts'
import { type BandwidthLine, rateBandwidth } from '../rating/bandwidth-line.ts'
import {
  planRanks,
  type RankedSlot,
  type RankPlan,
  rateRanked,
} from '../rating/bandwidth-ranked.ts'
import type { InForce } from '../rating/bandwidth-price.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { BandwidthRule, Rule } from '../rating/rules.ts'
import type { BookTerms } from './book.ts'
import type { BooksUsage, RankedMember, RankedUsage } from './books-usage.ts'
import { memberGroups } from './member-groups.ts'
import type { RatedLine } from './rate-period.ts'
import { groupBy, readSlots } from './read-days.ts'
import { slotQueryOf } from './slot-query.ts'

/** Part of a month that was billed by one pack. */
export interface BandwidthStretch {
  readonly terms: BookTerms
  /** What is ranked. */
  readonly interval: Interval
  /** How long the pack was in force, where that is not the interval: a month that is not over. */
  readonly inForce?: Interval
}

/** Accounts that are asked for at once. */
const ACCOUNTS_MAX = 500

/** The rules that rank the slots of a month. */
export function monthlyBandwidthRules(rules: readonly Rule[]): BandwidthRule[] {
  return rules.filter(
    (rule): rule is BandwidthRule => rule.type === 'bandwidth' && rule.mode !== 'daily-peak',
  )
}

interface Wanted {
  readonly stretch: BandwidthStretch
  readonly rule: BandwidthRule
  readonly plan: RankPlan | null
  /** By member, then direction. */
  readonly ranked: Map<string, Map<RankPlan['directions'][number]['ranked'], RankedSlot>>
}

/**
 * Ranks the slots of months for many books, where the usage is kept if the rule allows it.
 *
 * Shape: lines in the order of the stretches and of their rules.
 * Limits: as many questions as there are different rules and stretches, not as there are accounts.
 */
export async function rateMonthlyBandwidth(
  month: Interval,
  stretches: readonly BandwidthStretch[],
  usage: BooksUsage & RankedUsage,
  throughBatch: number | null,
): Promise<ReadonlyMap<BandwidthStretch, readonly RatedLine[]>> {
  const wanted = stretches.flatMap((stretch) =>
    monthlyBandwidthRules(stretch.terms.pack.rules).map((rule): Wanted => {
      const plan = planRanks(rule, stretch.interval, stretch.terms.zone)
      return { stretch, rule, plan, ranked: new Map() }
    }),
  )
  await readRanks(wanted, usage, throughBatch)
  const rest = wanted.filter(({ plan }) => plan === null)
  const lines = new Map(stretches.map((stretch): [BandwidthStretch, RatedLine[]] => [stretch, []]))
  for (const [, group] of groupBy(rest, ({ stretch }) => intervalKey(stretch))) {
    const asked = group.map(({ stretch, rule }) => ({ terms: stretch.terms, rules: [rule] }))
    const [first] = group
    if (first === undefined) continue
    const found = await readSlots(asked, first.stretch.interval, usage, throughBatch)
    for (const { stretch, rule } of group) {
      const members = found.get(stretch.terms.accountId)?.get(rule.name) ?? []
      lines.get(stretch)?.push(...rateSlots(month, stretch, rule, members))
    }
  }
  for (const entry of wanted) {
    if (entry.plan === null) continue
    lines.get(entry.stretch)?.push(...rankedLines(month, entry, entry.plan))
  }
  return inRuleOrder(lines)
}

/** Ranks slots that are at hand, by one rule. */
export function rateSlots(
  month: Interval,
  stretch: BandwidthStretch,
  rule: BandwidthRule,
  members: readonly MemberUsage[],
): RatedLine[] {
  const { terms, interval } = stretch
  const inForce = inForceOf(month, stretch)
  return [...memberGroups(rule, members, terms)].flatMap(([memberId, own]) => {
    const rated = { members: own, period: interval, zone: terms.zone, inForce }
    return named(rateBandwidth(rule, rated), rule, memberId)
  })
}

function intervalKey({ interval: { startMs, endMs } }: BandwidthStretch): string {
  return `${startMs} ${endMs}`
}

function inForceOf(
  month: Interval,
  { terms, interval, inForce = interval }: BandwidthStretch,
): InForce {
  return {
    days: localDays(inForce, terms.zone).length,
    of: localDays(month, terms.zone).length,
  }
}

function named(
  lines: readonly BandwidthLine[],
  rule: BandwidthRule,
  memberId: string,
): RatedLine[] {
  return lines.map((line) => ({
    ...line,
    type: 'bandwidth' as const,
    ruleName: rule.name,
    memberId,
  }))
}

async function readRanks(
  wanted: readonly Wanted[],
  usage: RankedUsage,
  throughBatch: number | null,
): Promise<void> {
  const questions = wanted.flatMap((entry) =>
    (entry.plan?.directions ?? []).map(({ ranked, read }) => {
      const { samples: _, ...members } = slotQueryOf(entry.rule)
      const dropped = entry.plan?.dropped ?? 0
      const query = { ...members, ...entry.stretch.interval, direction: read, dropped }
      return { entry, ranked, query, key: JSON.stringify([query, entry.stretch.terms.meter]) }
    }),
  )
  for (const [, group] of groupBy(questions, ({ key }) => key)) {
    for (const some of chunksOf(group, ACCOUNTS_MAX)) {
      const [first] = some
      if (first === undefined) continue
      const { meter } = first.entry.stretch.terms
      const accountIds = [...new Set(some.map(({ entry }) => entry.stretch.terms.accountId))]
      const scope = { meter, accountIds, throughBatch }
      const found = await usage.rankedSlots({ ...first.query, ...scope })
      for (const { entry, ranked } of some) {
        keepRanks(entry, ranked, found.get(entry.stretch.terms.accountId) ?? [])
      }
    }
  }
}

function keepRanks(
  { ranked }: Wanted,
  direction: RankPlan['directions'][number]['ranked'],
  found: readonly RankedMember[],
): void {
  for (const slot of found) {
    const slots = ranked.get(slot.memberId) ?? new Map<typeof direction, RankedSlot>()
    ranked.set(slot.memberId, slots.set(direction, slot))
  }
}

function rankedLines(
  month: Interval,
  { stretch, rule, ranked }: Wanted,
  plan: RankPlan,
): RatedLine[] {
  const { terms } = stretch
  // An account always has its line, since a commitment is owed for nothing, too.
  const ids = rule.level === 'account' ? [terms.accountId] : [...ranked.keys()].sort()
  return ids.flatMap((memberId) =>
    named(
      [rateRanked(rule, plan, ranked.get(memberId) ?? new Map(), inForceOf(month, stretch))],
      rule,
      memberId,
    ),
  )
}

function inRuleOrder(
  lines: ReadonlyMap<BandwidthStretch, readonly RatedLine[]>,
): ReadonlyMap<BandwidthStretch, readonly RatedLine[]> {
  return new Map(
    [...lines].map(([stretch, list]) => {
      const names = stretch.terms.pack.rules.map(({ name }) => name)
      const sorted = list.toSorted((a, b) => names.indexOf(a.ruleName) - names.indexOf(b.ruleName))
      return [stretch, sorted]
    }),
  )
}
