import { expect, test } from 'vitest'
import { createRandom } from '../example/random.ts'
import { addDays, FIVE_MINUTES_MS, HOUR_MS, type Interval, localDays } from '../core/period.ts'
import type { Slot } from '../rating/bandwidth-usage.ts'
import { forecastSlots, slotsFrom } from './forecast-slots.ts'

const ZONE = 'Asia/Shanghai'
const BEGIN = Date.parse('2026-10-01T00:00:00+08:00')
const DAY_SLOTS = 288

function daysFrom(startMs: number, count: number): Interval[] {
  return localDays({ startMs, endMs: addDays(startMs, count, ZONE) }, ZONE)
}

function slotsOf(
  days: readonly Interval[],
  bytesOf: (day: number, slot: number) => bigint,
): Slot[] {
  return days.flatMap(({ startMs }, day) =>
    Array.from({ length: DAY_SLOTS }, (_, slot) => ({
      startMs: startMs + slot * FIVE_MINUTES_MS,
      inBytes: 0n,
      outBytes: bytesOf(day, slot),
    })),
  )
}

test('weeks that repeat go on slot by slot, to the byte', () => {
  const bytesOf = (day: number, slot: number) => BigInt(((day % 7) + 1) * (slot + 1))
  const days = daysFrom(BEGIN, 28)
  const ahead = daysFrom(BEGIN, 44).slice(28)
  const members = [{ memberId: 'a', slots: slotsOf(days, bytesOf) }]
  const expected = [{ memberId: 'a', slots: slotsOf(ahead, (day, slot) => bytesOf(day, slot)) }]
  const forecast = forecastSlots({ days, members }, ahead)
  for (const way of ['expected', { draw: 0 }, { draw: 7 }] as const) {
    expect(forecast?.(way)).toEqual(expected)
  }
})

test('each week to come repeats a week of the last four, the latest first', () => {
  // All weeks move alike, so that no level is changed, but each at another slot.
  const days = daysFrom(BEGIN, 28)
  const ahead = daysFrom(BEGIN, 63).slice(28)
  const members = [
    {
      memberId: 'a',
      slots: slotsOf(days, (day, slot) => (slot === Math.floor(day / 7) ? 1000n : 0n)),
    },
  ]
  const [found] = forecastSlots({ days, members }, ahead)?.('expected') ?? []
  const peaks = ahead.map(({ startMs, endMs }) => {
    const peak = found?.slots.find(
      (slot) => slot.startMs >= startMs && slot.startMs < endMs && slot.outBytes > 0n,
    )
    return ((peak?.startMs ?? 0) - startMs) / FIVE_MINUTES_MS
  })
  const week = (slot: number) => Array.from({ length: 7 }, () => slot)
  expect(peaks).toEqual([...week(3), ...week(2), ...week(1), ...week(0), ...week(3)])
})

test('a level that has changed since then moves every slot with it', () => {
  const days = daysFrom(BEGIN, 56)
  const ahead = daysFrom(BEGIN, 84).slice(56)
  // Ten times as much for the last three weeks; the fourth week to come repeats one from before.
  const members = [{ memberId: 'a', slots: slotsOf(days, (day) => (day < 35 ? 100n : 1000n)) }]
  const [found] = forecastSlots({ days, members }, ahead)?.('expected') ?? []
  const bytes = (found?.slots ?? []).map(({ outBytes }) => Number(outBytes))
  expect(Math.min(...bytes)).toBeGreaterThan(900)
  expect(Math.max(...bytes)).toBeLessThan(1100)
})

test('with fewer than fourteen days nothing is foretold', () => {
  const days = daysFrom(BEGIN, 13)
  const members = [{ memberId: 'a', slots: slotsOf(days, () => 1n) }]
  expect(forecastSlots({ days, members }, daysFrom(BEGIN, 14).slice(13))).toBeNull()
})

test('slots from now on leave out those before', () => {
  const members = [{ memberId: 'a', slots: slotsOf(daysFrom(BEGIN, 1), () => 1n) }]
  const [rest] = slotsFrom(members, BEGIN + 287 * FIVE_MINUTES_MS)
  expect(rest?.slots.map(({ startMs }) => startMs)).toEqual([BEGIN + 287 * FIVE_MINUTES_MS])
})

test('a draw is the same at every call, and no other draw', () => {
  const days = daysFrom(BEGIN, 28)
  const ahead = daysFrom(BEGIN, 38).slice(28)
  const members = [{ memberId: 'a', slots: slotsOf(days, (day) => BigInt(1000 + (day % 5))) }]
  const forecast = forecastSlots({ days, members }, ahead)
  expect(forecast?.({ draw: 3 })).toEqual(forecast?.({ draw: 3 }))
  expect(forecast?.({ draw: 3 })).not.toEqual(forecast?.({ draw: 4 }))
})

test('all members repeat the same days, since they peak together', () => {
  const days = daysFrom(BEGIN, 28)
  const ahead = daysFrom(BEGIN, 38).slice(28)
  const slots = slotsOf(days, (day, slot) => BigInt(((day * 37) % 11) * 1000 + slot))
  const members = ['a', 'b'].map((memberId) => ({ memberId, slots }))
  const [a, b] = forecastSlots({ days, members }, ahead)?.({ draw: 1 }) ?? []
  expect(a?.slots).toEqual(b?.slots)
})

// Months whose truth is known: an evening peak, a week, ten percent of noise on every day and five
// on every hour, whose first slot stands for it. Of 41 draws three are cut off at each end, as
// forecasts do, and what is left must hold about four of five months.
test.each([10, 15, 25])('with %i days to come the interval of a 95th holds its share', (left) => {
  const MONTHS = 60
  const DRAWS = 41
  let inside = 0
  for (let seed = 0; seed < MONTHS; seed += 1) {
    const { known, ahead, monthMs, slots } = noisyMonth(seed, left)
    const nowMs = ahead[0]?.startMs ?? 0
    const measured = slots.filter(({ startMs }) => startMs < nowMs)
    const members = [{ memberId: 'a', slots: measured }]
    const forecast = forecastSlots({ days: known, members }, ahead)
    const p95Of = (all: readonly Slot[]) => {
      const used = all.filter(({ startMs }) => startMs >= monthMs)
      const sorted = used.map(({ outBytes }) => Number(outBytes)).sort((a, b) => b - a)
      return sorted[Math.floor(used.length / 20)] ?? 0
    }
    const drawn = Array.from({ length: DRAWS }, (_, draw) =>
      p95Of([...measured, ...(forecast?.({ draw }) ?? []).flatMap((member) => member.slots)]),
    ).sort((a, b) => a - b)
    const truth = p95Of(slots)
    if ((drawn[3] ?? 0) <= truth && truth <= (drawn[DRAWS - 4] ?? 0)) inside += 1
  }
  expect(inside / MONTHS).toBeGreaterThan(0.7)
  expect(inside / MONTHS).toBeLessThan(0.95)
})

function noisyMonth(seed: number, left: number) {
  const random = createRandom(seed, `95th ${left}`)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const week = [1, 1.05, 1.1, 1, 0.9, 0.6, 0.5]
  const all = daysFrom(BEGIN, 58)
  const slots = all.flatMap(({ startMs }, day) => {
    const level = (week[day % 7] ?? 1) * (1 + 0.1 * normal())
    return Array.from({ length: 24 }, (_, hour): Slot => {
      const shape = 1 + Math.cos(((hour - 21) / 24) * 2 * Math.PI)
      const bytes = 1e9 * level * shape * (1 + 0.05 * normal())
      const outBytes = BigInt(Math.max(0, Math.round(bytes)))
      return { startMs: startMs + hour * HOUR_MS, inBytes: 0n, outBytes }
    })
  })
  const [known, ahead] = [all.slice(30 - left, 58 - left), all.slice(58 - left)]
  return { known, ahead, monthMs: all[28]?.startMs ?? 0, slots }
}
