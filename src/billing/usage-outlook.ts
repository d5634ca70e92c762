import type { EpochMs } from '../core/clock.ts'
import {
  addDays,
  dayStart,
  FIVE_MINUTES_MS,
  ceilTo,
  type Interval,
  localDays,
} from '../core/period.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { BandwidthRule } from '../rating/rules.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { BookKey, BookTerms } from './book.ts'
import type { BooksUsage } from './books-usage.ts'
import { HISTORY_DAYS_MAX, knownDays } from './forecast-days.ts'
import { forecastSlots, slotsFrom, type SlotWay } from './forecast-slots.ts'
import { forecastTraffic, type FutureUsage, restOf, type Way } from './forecast-traffic.ts'
import { type MonthUsage, slotsWithin, splitDays } from './month-cost.ts'
import { readSlots } from './read-days.ts'
import { type Askers, readTraffic, windowsOf } from './stretch-usage.ts'
import { usageCuts } from './usage-cuts.ts'

/** What was measured of an account's meter, and what is foretold to follow. */
export interface UsageOutlook {
  /** What was measured ends here, what is foretold begins. */
  readonly nowMs: EpochMs
  readonly measured: readonly TrafficUsage[]
  /** Whole local days before today that are known. */
  readonly known: readonly Interval[]
  /** Whole local days; the first is today. */
  readonly ahead: readonly Interval[]
  /** Of the day `index` after today; today's is its rest. Null: the history is too short. */
  readonly future: ((index: number, way: Way) => FutureUsage[]) | null
}

/** Whose outlook is read, and how far. */
export interface OutlookQuery extends BookKey {
  readonly zone: string
  readonly nowMs: EpochMs
  /** What was measured is wanted from here on, at least. */
  readonly fromMs: EpochMs
  /** What is foretold is wanted until here. */
  readonly untilMs: EpochMs
  readonly askers: Askers
}

/** Weeks of slots that are repeated. */
const SLOT_DAYS = 28

/**
 * Reads eight weeks of history and foretells volumes from them.
 *
 * Time: now is rounded up to whole five minutes, the grain of what is read quickly: what moves in
 * between is neither measured nor foretold, so that nothing counts twice.
 */
export async function readOutlook(
  usage: Pick<BooksUsage, 'traffic'>,
  query: OutlookQuery,
): Promise<UsageOutlook> {
  const { zone, askers, untilMs } = query
  const nowMs = ceilTo(query.nowMs, FIVE_MINUTES_MS)
  const todayMs = dayStart(nowMs, zone)
  const beganMs = addDays(todayMs, -HISTORY_DAYS_MAX, zone)
  const interval = { startMs: Math.min(beganMs, dayStart(query.fromMs, zone)), endMs: nowMs }
  const measured = await readTraffic(usage, query, interval, zone, askers)
  const days = localDays({ startMs: beganMs, endMs: todayMs }, zone)
  const byDay = splitDays(days, measured, ({ startMs }) => startMs)
  const known = knownDays(
    days.map((day, index) => ({ day, traffic: byDay[index] ?? [] })),
    ({ traffic }) => traffic.reduce((sum, { bytes }) => sum + bytes, 0n),
  )
  const ahead = localDays({ startMs: todayMs, endMs: untilMs }, zone)
  const windows = windowsOf(askers)
  const history = {
    days: known.map(({ day }) => day),
    traffic: known.flatMap(({ traffic }) => traffic),
    zone,
    cutsOf: (day: Interval) => usageCuts(day, zone, windows),
  }
  const forecast = forecastTraffic(history, ahead)
  return {
    nowMs,
    measured,
    known: history.days,
    ahead,
    future:
      forecast &&
      ((index, way) => {
        const day = forecast(index, way)
        return index === 0 ? restOf(day, nowMs) : day
      }),
  }
}

/**
 * Reads the slots that terms ask for in a month, and foretells the rest of it for those that are
 * to go on.
 */
export async function readSlotOutlook(
  usage: BooksUsage,
  month: Interval,
  terms: { readonly all: readonly BookTerms[]; readonly ahead: ReadonlySet<string> },
  outlook: UsageOutlook,
): Promise<(way: SlotWay) => MonthUsage['slots']> {
  const found = new Map<string, SlotsOfWay>()
  for (const each of terms.all) {
    if (found.has(each.packHash)) continue
    const days = terms.ahead.has(each.packHash) ? outlook.known.slice(-SLOT_DAYS) : []
    found.set(each.packHash, await readSlotsOf(usage, month, each, days, outlook))
  }
  return (way) => {
    const slots = new Map([...found].map(([hash, slotsOf]) => [hash, slotsOf(way)]))
    return ({ packHash }, interval) => {
      const rules = [...(slots.get(packHash) ?? [])]
      return new Map(rules.map(([name, members]) => [name, slotsWithin(members, interval)]))
    }
  }
}

type SlotsOfWay = (way: SlotWay) => ReadonlyMap<string, readonly MemberUsage[]>

async function readSlotsOf(
  usage: BooksUsage,
  month: Interval,
  terms: BookTerms,
  days: readonly Interval[],
  { nowMs, ahead }: UsageOutlook,
): Promise<SlotsOfWay> {
  const rules = terms.pack.rules.filter((rule): rule is BandwidthRule => rule.type === 'bandwidth')
  const startMs = Math.min(days[0]?.startMs ?? month.startMs, month.startMs)
  const interval = { startMs, endMs: Math.min(nowMs, month.endMs) }
  const isRead = rules.length > 0 && interval.endMs > startMs
  const answer = isRead ? await readSlots([{ terms, rules }], interval, usage, null) : null
  const measured = answer?.get(terms.accountId) ?? new Map<string, readonly MemberUsage[]>()
  const rest = ahead.filter((day) => day.startMs < month.endMs)
  const parts = rules.map(({ name }) => {
    const members = measured.get(name) ?? []
    return { name, members, forecast: forecastSlots({ days, members }, rest) }
  })
  return (way) =>
    new Map(
      parts.map(({ name, members, forecast }) => [
        name,
        joinMembers(members, forecast === null ? [] : slotsFrom(forecast(way), nowMs)),
      ]),
    )
}

/** Puts what a member moved and what it will move into one list. */
function joinMembers(
  measured: readonly MemberUsage[],
  future: readonly MemberUsage[],
): MemberUsage[] {
  const slots = new Map(measured.map((member) => [member.memberId, member.slots]))
  for (const { memberId, slots: more } of future) {
    slots.set(memberId, [...(slots.get(memberId) ?? []), ...more])
  }
  return [...slots].map(([memberId, all]) => ({ memberId, slots: all }))
}
