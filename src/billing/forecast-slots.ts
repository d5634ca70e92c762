/**
 * What will move in each five minutes: days of the last four weeks once more, weekday for weekday.
 *
 * A mean of several weeks would be smoother than any real day and rank too low, so each week to
 * come repeats one real week, the latest first, times how much the level has changed since then.
 * How far a ranking may be off is tried out: in a draw each day to come repeats the same weekday of
 * a week that is drawn from the four, and all of them lean by as much as the level may be off.
 */
import { FIVE_MINUTES_MS, floorTo, type Interval } from '../core/period.ts'
import type { MemberUsage, Slot } from '../rating/bandwidth-usage.ts'
import { type DayForecast, forecastDays, TENTH, WEEK_DAYS } from './forecast-days.ts'
import { splitDays } from './month-cost.ts'

/** What a forecast of slots is made of. */
export interface SlotHistory {
  /** Whole local days, ascending, without gaps, that end where the first day to come begins. */
  readonly days: readonly Interval[]
  readonly members: readonly MemberUsage[]
}

/** One way on: what is expected, or one of any number of draws, each the same at every call. */
export type SlotWay = 'expected' | { readonly draw: number }

const WEEKS = 4

/** A number as a fraction, so that a level that did not change leaves every byte as it was. */
interface Factor {
  readonly times: bigint
  readonly per: bigint
}

/**
 * Foretells the slots of days to come.
 *
 * Shape: null when the history is too short. Members without slots are left out. All members of a
 * draw repeat the same days, since they peak together.
 * Time: slots keep their distance from midnight; on a day that is shorter, the last are cut off.
 */
export function forecastSlots(
  { days, members }: SlotHistory,
  ahead: readonly Interval[],
): ((way: SlotWay) => MemberUsage[]) | null {
  const byDay = members.map(({ slots }) => splitDays(days, slots, ({ startMs }) => startMs))
  const totals = days.map((_day, index) =>
    byDay.reduce((total, member) => total + bytesOf(member[index] ?? []), 0n),
  )
  // At least a week, because a week to come is compared with a week that was.
  const forecast = forecastDays(totals, Math.max(ahead.length, WEEK_DAYS))
  if (forecast === null) return null
  const weeks = Math.min(WEEKS, Math.floor(days.length / WEEK_DAYS))
  const levelOf = createLevels(totals, forecast)
  return (way) => {
    const lean = leanOf(way, forecast, ahead.length)
    const models = ahead.map((_day, index) => {
      const weeksBack = 1 + chooseWeek(way, index, weeks)
      const from = days.length - weeksBack * WEEK_DAYS
      return { at: from + (index % WEEK_DAYS), level: levelOf(from) }
    })
    return members.flatMap(({ memberId }, member) => {
      const slots = ahead.flatMap((day, index) => {
        const { at, level } = models[index] ?? { at: -1, level: NONE }
        const model = days[at]
        if (model === undefined) return []
        return repeatDay(byDay[member]?.[at] ?? [], model, day, [level, lean])
      })
      return slots.length === 0 ? [] : [{ memberId, slots }]
    })
  }
}

/** Leaves the slots that begin at an instant or later. */
export function slotsFrom(members: readonly MemberUsage[], fromMs: number): MemberUsage[] {
  return members.map(({ memberId, slots }) => ({
    memberId,
    slots: slots.filter(({ startMs }) => startMs >= fromMs),
  }))
}

const NONE: Factor = { times: 0n, per: 1n }
const PARTS = 1_000_000

/** How much more a week to come is expected to move than the week that began with a day. */
function createLevels(
  totals: readonly bigint[],
  { expected }: DayForecast,
): (from: number) => Factor {
  const times = sum(expected.slice(0, WEEK_DAYS))
  return (from) => ({ times, per: sum(totals.slice(from, from + WEEK_DAYS)) })
}

/** By how much all slots of a draw are higher or lower: as the sum of the days may be. */
function leanOf(way: SlotWay, { expected, high }: DayForecast, count: number): Factor {
  const per = BigInt(PARTS)
  const whole = sum(expected.slice(0, count))
  if (way === 'expected' || whole === 0n) return { times: per, per }
  const margin = Number(sum(high.slice(0, count)) - whole) / Number(whole) / TENTH
  const share = 1 + margin * normalOf(way.draw)
  return { times: BigInt(Math.max(0, Math.round(PARTS * share))), per }
}

function chooseWeek(way: SlotWay, index: number, weeks: number): number {
  return way === 'expected'
    ? Math.floor(index / WEEK_DAYS) % weeks
    : Math.floor(scatter(way.draw, index) * weeks)
}

/** A number of a normal distribution. */
function normalOf(draw: number): number {
  const [radius, angle] = [scatter(draw, -1), scatter(draw, -2)]
  return Math.sqrt(-2 * Math.log(1 - radius)) * Math.cos(2 * Math.PI * angle)
}

/** A number in [0, 1) that looks random and is the same for the same draw and index. */
function scatter(draw: number, index: number): number {
  let mixed = Math.imul(draw + 1, 0x9e3779b1) ^ Math.imul(index + 3, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39)
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
}

function repeatDay(
  slots: readonly Slot[],
  model: Interval,
  day: Interval,
  factors: readonly Factor[],
): Slot[] {
  const times = factors.reduce((product, factor) => product * factor.times, 1n)
  const per = factors.reduce((product, factor) => product * factor.per, 1n)
  if (per === 0n) return []
  const scale = (value: bigint): bigint => (value * times) / per
  return slots.flatMap((slot) => {
    const startMs = floorTo(day.startMs + slot.startMs - model.startMs, FIVE_MINUTES_MS)
    if (startMs >= day.endMs) return []
    const { inSampleBpsMax, outSampleBpsMax } = slot
    return [
      {
        startMs,
        inBytes: scale(slot.inBytes),
        outBytes: scale(slot.outBytes),
        ...(inSampleBpsMax !== undefined && { inSampleBpsMax: scale(inSampleBpsMax) }),
        ...(outSampleBpsMax !== undefined && { outSampleBpsMax: scale(outSampleBpsMax) }),
      },
    ]
  })
}

function bytesOf(slots: readonly Slot[]): bigint {
  return slots.reduce((total, { inBytes, outBytes }) => total + inBytes + outBytes, 0n)
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n)
}
