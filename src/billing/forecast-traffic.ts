/**
 * What will move where: forecasts of days, spread over what their weekday consists of.
 *
 * The volumes of an area, kind and direction are foretold as one series. A day to come then has
 * the parts (times of day, resources, provinces) that the same weekday had in the last four weeks,
 * in their proportions.
 */
import type { EpochMs } from '../core/clock.ts'
import { fromLocal, type Interval, toLocal } from '../core/period.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { type DayForecast, forecastDays, WEEK_DAYS } from './forecast-days.ts'
import { splitDays } from './month-cost.ts'

/** Which of the ways on is meant. */
export type Way = keyof DayForecast

/** Usage to come, with the end of the part of the day that it moves in. */
export interface FutureUsage extends TrafficUsage {
  readonly endMs: EpochMs
}

/** What a forecast of volumes is made of. */
export interface TrafficHistory {
  /** Whole local days, ascending, without gaps, that end where the first day to come begins. */
  readonly days: readonly Interval[]
  /** Of these days, summed between cuts. */
  readonly traffic: readonly TrafficUsage[]
  readonly zone: string
  /** Where a day to come is cut. */
  readonly cutsOf: (day: Interval) => readonly EpochMs[]
}

/** Weeks whose parts a day to come is made of. */
const WEEKS = 4

/** Part of a day, the same on every day. */
type Part = Omit<TrafficUsage, 'startMs'> & { readonly minute: number }

interface Series {
  /** By place of the weekday in the history, counted from its end. */
  readonly parts: readonly (readonly Part[])[]
  readonly ahead: DayForecast
}

/**
 * Foretells the usage of days to come, one after the other.
 *
 * Shape: null when the history is too short. `day(index, way)` is the usage of the day `index`
 * days after the history; it adds up to its forecast, byte for byte.
 * Time: parts keep the time on the wall clock.
 * Limits: `count` days; the low ways of all series go together, and so do the high ones, so that
 * an interval over several series is rather too wide.
 */
export function forecastTraffic(
  { days, traffic, zone, cutsOf }: TrafficHistory,
  ahead: readonly Interval[],
): ((index: number, way: Way) => FutureUsage[]) | null {
  const groups = new Map<string, TrafficUsage[]>()
  for (const entry of traffic) {
    const key = `${entry.billingRegion} ${entry.kind} ${entry.direction}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  const series: Series[] = []
  for (const group of groups.values()) {
    const one = toSeries(days, group, zone, ahead.length)
    if (one === null) return null
    series.push(one)
  }
  return (index, way) => {
    const day = ahead[index]
    if (day === undefined) return []
    const placeOf = createPlaces(day, cutsOf(day), zone)
    return series.flatMap(({ parts, ahead: { [way]: path } }) =>
      spread(path[index] ?? 0n, parts[index % WEEK_DAYS] ?? []).map(({ minute, ...part }) => ({
        ...part,
        ...placeOf(minute),
      })),
    )
  }
}

/** Leaves what moves from an instant on; a part that is under way moves evenly. */
export function restOf(usage: readonly FutureUsage[], fromMs: EpochMs): FutureUsage[] {
  return usage.flatMap((entry) => {
    if (entry.startMs >= fromMs) return [entry]
    if (entry.endMs <= fromMs) return []
    const whole = BigInt(entry.endMs - entry.startMs)
    const bytes = (entry.bytes * BigInt(entry.endMs - fromMs)) / whole
    return [{ ...entry, startMs: fromMs, bytes }]
  })
}

function toSeries(
  days: readonly Interval[],
  traffic: readonly TrafficUsage[],
  zone: string,
  count: number,
): Series | null {
  const byDay = splitDays(days, traffic, ({ startMs }) => startMs)
  const totals = byDay.map((entries) => entries.reduce((sum, { bytes }) => sum + bytes, 0n))
  const ahead = forecastDays(totals, count)
  if (ahead === null) return null
  const recent = byDay.slice(-WEEKS * WEEK_DAYS)
  const parts = Array.from({ length: WEEK_DAYS }, (_, weekday) => {
    const same = recent.filter(
      (_day, index) => (recent.length - index) % WEEK_DAYS === (WEEK_DAYS - weekday) % WEEK_DAYS,
    )
    const sums = sumParts(same.flat(), zone)
    // A weekday that was idle for four weeks, but not for eight, has the parts of the others.
    return sums.length > 0 ? sums : sumParts(byDay.flat(), zone)
  })
  return { parts, ahead }
}

function sumParts(entries: readonly TrafficUsage[], zone: string): Part[] {
  const minuteOf = createMinutes(zone)
  const sums = new Map<string, Part>()
  for (const { startMs, ...entry } of entries) {
    const minute = minuteOf(startMs)
    const { resourceId, projectId, billingRegion, kind, province, direction } = entry
    const key = [minute, resourceId, projectId, billingRegion, kind, province, direction].join(' ')
    const bytes = (sums.get(key)?.bytes ?? 0n) + entry.bytes
    sums.set(key, { ...entry, minute, bytes })
  }
  return [...sums.values()]
}

/** Shares bytes out in proportion; the shares add up to them exactly. */
function spread(bytes: bigint, parts: readonly Part[]): Part[] {
  const whole = parts.reduce((sum, part) => sum + part.bytes, 0n)
  let weight = 0n
  let given = 0n
  return parts.flatMap((part) => {
    weight += part.bytes
    const share = whole === 0n ? 0n : (bytes * weight) / whole - given
    given += share
    return share > 0n ? [{ ...part, bytes: share }] : []
  })
}

/** Makes the function that finds the part of a day that holds a minute of the wall clock. */
function createPlaces(
  day: Interval,
  cuts: readonly EpochMs[],
  zone: string,
): (minute: number) => Interval {
  const local = toLocal(day.startMs, zone)
  const places = new Map<number, Interval>()
  return (minute) => {
    const known = places.get(minute)
    if (known !== undefined) return known
    const atMs =
      minute === local.hour * 60 + local.minute
        ? day.startMs
        : fromLocal({ ...local, hour: Math.floor(minute / 60), minute: minute % 60 }, zone)
    const index = cuts.findLastIndex((cutMs) => cutMs <= atMs)
    const place = { startMs: cuts[index] ?? day.startMs, endMs: cuts[index + 1] ?? day.endMs }
    places.set(minute, place)
    return place
  }
}

/** Reads minutes of the wall clock; most starts come again and again, and zones are slow. */
function createMinutes(zone: string): (startMs: EpochMs) => number {
  const minutes = new Map<EpochMs, number>()
  return (startMs) => {
    let minute = minutes.get(startMs)
    if (minute === undefined) {
      const local = toLocal(startMs, zone)
      minute = local.hour * 60 + local.minute
      minutes.set(startMs, minute)
    }
    return minute
  }
}
