import { chunksOf } from '../core/chunks.ts'
import type { Interval } from '../core/period.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { BandwidthRule } from '../rating/rules.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { BookTerms, DayBasis } from './book.ts'
import type { BooksUsage } from './books-usage.ts'
import { dayCuts } from './day-cuts.ts'
import { dailyBandwidthRules, type DayUsage } from './rate-day.ts'
import { slotQueryOf } from './slot-query.ts'

/** Accounts whose slots are read at once: a month of as many has about a million. */
const SLOT_ACCOUNTS_MAX = 100

/**
 * Reads what was measured on a day for many books of one meter.
 *
 * Shape: by account id; an account without usage has empty lists.
 * Limits: as many questions as there are different ways to cut the day, not as there are accounts.
 */
export async function readDays(
  bases: readonly DayBasis[],
  usage: BooksUsage,
  throughBatch: number | null,
): Promise<ReadonlyMap<string, DayUsage>> {
  const [first] = bases
  if (first === undefined) return new Map()
  const traffic = new Map<string, readonly TrafficUsage[]>()
  for (const [cuts, group] of groupBy(bases, (basis) => JSON.stringify(dayCuts(basis)))) {
    const query = JSON.parse(cuts) as ReturnType<typeof dayCuts>
    const accountIds = group.map(({ accountId }) => accountId)
    const scope = { meter: first.meter, accountIds, throughBatch }
    const found = await usage.traffic({ ...scope, ...query, endMs: first.day.endMs })
    for (const [accountId, entries] of found) traffic.set(accountId, entries)
  }
  const asked = bases.map((terms) => ({ terms, rules: dailyBandwidthRules(terms.pack.rules) }))
  const slots = await readSlots(asked, first.day, usage, throughBatch)
  return new Map(
    bases.map(({ accountId }) => [
      accountId,
      { traffic: traffic.get(accountId) ?? [], slots: slots.get(accountId) ?? new Map() },
    ]),
  )
}

/** Days of one book that are read with one question. */
const SPAN_DAYS_MAX = 31

/**
 * Reads what was measured on days of one book that follow each other, all that is loaded.
 *
 * Shape: one for each day, in order; as finely as the day that needs it most.
 */
export async function readSpan(
  bases: readonly DayBasis[],
  usage: BooksUsage,
): Promise<readonly DayUsage[]> {
  const runs: DayBasis[][] = []
  for (const basis of bases) {
    const run = runs.at(-1)
    const isAlike = run?.at(-1)?.packHash === basis.packHash
    if (run !== undefined && isAlike && run.length < SPAN_DAYS_MAX) run.push(basis)
    else runs.push([basis])
  }
  const days: DayUsage[] = []
  for (const run of runs) days.push(...(await readRun(run, usage)))
  return days
}

/** Reads days that one pack bills. */
async function readRun(
  bases: readonly DayBasis[],
  usage: BooksUsage,
): Promise<readonly DayUsage[]> {
  const [first, last] = [bases[0], bases.at(-1)]
  if (first === undefined || last === undefined) return []
  const cuts = bases.map(dayCuts)
  const scope = { meter: first.meter, accountIds: [first.accountId], throughBatch: null }
  const found = await usage.traffic({
    ...scope,
    cutsMs: cuts.flatMap(({ cutsMs }) => cutsMs),
    endMs: last.day.endMs,
    grain: cuts.some(({ grain }) => grain === 'minute') ? 'minute' : '5min',
    byProvince: cuts.some(({ byProvince }) => byProvince),
    byRegion: cuts.some(({ byRegion }) => byRegion),
  })
  const traffic = found.get(first.accountId) ?? []
  const rules = dailyBandwidthRules(first.pack.rules)
  const interval = { startMs: first.day.startMs, endMs: last.day.endMs }
  const slots = await readSlots([{ terms: first, rules }], interval, usage, null)
  const bySlot = slots.get(first.accountId) ?? new Map<string, readonly MemberUsage[]>()
  return bases.map(({ day }) => ({
    traffic: traffic.filter(isIn(day)),
    slots: new Map(
      [...bySlot].map(([name, members]) => [
        name,
        members
          .map((member) => ({ ...member, slots: member.slots.filter(isIn(day)) }))
          .filter((member) => member.slots.length > 0),
      ]),
    ),
  }))
}

function isIn({ startMs, endMs }: Interval): (entry: { readonly startMs: number }) => boolean {
  return (entry) => startMs <= entry.startMs && entry.startMs < endMs
}

/** A book's terms, and which of its bandwidth rules are to be read for. */
export interface AskedSlots {
  readonly terms: BookTerms
  readonly rules: readonly BandwidthRule[]
}

/**
 * Reads the slots that bandwidth rules rank, for many books of one meter.
 *
 * Shape: by account id, then by rule name.
 */
export async function readSlots(
  asked: readonly AskedSlots[],
  interval: Interval,
  usage: BooksUsage,
  throughBatch: number | null,
): Promise<ReadonlyMap<string, ReadonlyMap<string, readonly MemberUsage[]>>> {
  const wanted = asked.flatMap(({ terms, rules }) =>
    rules.map((rule) => ({ terms, rule, query: JSON.stringify(slotQueryOf(rule)) })),
  )
  const result = new Map<string, Map<string, readonly MemberUsage[]>>()
  for (const [query, group] of groupBy(wanted, (entry) => entry.query)) {
    const parts = JSON.parse(query) as ReturnType<typeof slotQueryOf>
    for (const some of chunksOf(group, SLOT_ACCOUNTS_MAX)) {
      const meter = some[0]?.terms.meter
      if (meter === undefined) continue
      const accountIds = [...new Set(some.map(({ terms }) => terms.accountId))]
      const found = await usage.slots({ ...parts, ...interval, meter, accountIds, throughBatch })
      for (const { terms, rule } of some) {
        const rules = result.get(terms.accountId) ?? new Map<string, readonly MemberUsage[]>()
        result.set(terms.accountId, rules.set(rule.name, found.get(terms.accountId) ?? []))
      }
    }
  }
  return result
}

/** Groups values by a text, in the order in which the texts first appear. */
export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key) ?? []
    group.push(value)
    groups.set(key, group)
  }
  return groups
}
