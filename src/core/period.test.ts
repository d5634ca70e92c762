import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addDays,
  ceilTo,
  DAY_MS,
  dayStart,
  floorTo,
  fromLocal,
  HOUR_MS,
  isZone,
  localDays,
  monthStart,
  resetPeriod,
  toLocal,
  wallClockAfter,
} from './period.ts'

const at = (text: string): number => Date.parse(text)
const iso = (instantMs: number): string => new Date(instantMs).toISOString()

/** A half-hour zone, both kinds of DST, a zone that skipped a day, and the vendors'. */
const ZONES = [
  'Asia/Shanghai',
  'Asia/Kolkata',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'UTC',
]

test.each([
  ['Asia/Shanghai', true],
  ['UTC', true],
  ['Mars/Olympus', false],
  ['', false],
])('%s is a zone: %s', (zone, known) => {
  expect(isZone(zone)).toBe(known)
})

describe('local days', () => {
  test.each([
    ['Asia/Shanghai', '2026-03-01T15:59:59Z', '2026-02-28T16:00:00.000Z'],
    ['Asia/Shanghai', '2026-03-01T16:00:00Z', '2026-03-01T16:00:00.000Z'],
    ['Asia/Kolkata', '2026-03-01T18:29:59Z', '2026-02-28T18:30:00.000Z'],
    ['America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00.000Z'],
    ['America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00.000Z'],
  ])('in %s the day of %s starts at %s', (zone, instant, start) => {
    expect(iso(dayStart(at(instant), zone))).toBe(start)
  })

  test.each([
    ['Asia/Shanghai', '2026-03-08T12:00:00Z', 24],
    ['America/New_York', '2026-03-08T12:00:00Z', 23],
    ['America/New_York', '2026-11-01T12:00:00Z', 25],
    ['Australia/Lord_Howe', '2026-04-04T20:00:00Z', 24.5],
  ])('in %s the day of %s has %d hours', (zone, instant, hours) => {
    const start = dayStart(at(instant), zone)
    expect((addDays(start, 1, zone) - start) / HOUR_MS).toBe(hours)
  })

  test('a leap day is a day', () => {
    const days = localDays(
      { startMs: at('2028-02-28T00:00Z'), endMs: at('2028-03-01T00:00Z') },
      'UTC',
    )
    expect(days.map(({ startMs }) => iso(startMs).slice(0, 10))).toEqual([
      '2028-02-28',
      '2028-02-29',
    ])
  })

  test('an empty or reversed interval has no days', () => {
    expect(localDays({ startMs: 5, endMs: 5 }, 'UTC')).toEqual([])
    expect(localDays({ startMs: 6, endMs: 5 }, 'UTC')).toEqual([])
  })

  test.each(ZONES)('in %s days follow each other without gap or overlap', (zone) => {
    const instant = fc.integer({ min: at('2011-06-01T00:00Z'), max: at('2030-01-01T00:00Z') })
    fc.assert(
      fc.property(instant, (startMs) => {
        const days = localDays({ startMs, endMs: startMs + 3 * DAY_MS }, zone)
        expect(days[0]?.startMs).toBeLessThanOrEqual(startMs)
        expect(days.at(-1)?.endMs).toBeGreaterThanOrEqual(startMs + 3 * DAY_MS)
        for (const day of days) expect(day.endMs).toBeGreaterThan(day.startMs)
        const ends = days.slice(0, -1).map(({ endMs }) => endMs)
        expect(days.slice(1).map((day) => day.startMs)).toEqual(ends)
      }),
      { numRuns: 50 },
    )
  })
})

test.each([
  ['Asia/Shanghai', '2026-03-31T15:59:59Z', '2026-02-28T16:00:00.000Z'],
  ['Asia/Shanghai', '2026-03-31T16:00:00Z', '2026-03-31T16:00:00.000Z'],
])('in %s the month of %s starts at %s', (zone, instant, start) => {
  expect(iso(monthStart(at(instant), zone))).toBe(start)
})

test.each(ZONES)('in %s an instant survives the way to the wall clock and back', (zone) => {
  const second = fc.integer({
    min: at('2012-06-01T00:00Z') / 1000,
    max: at('2030-01-01T00:00Z') / 1000,
  })
  fc.assert(
    fc.property(second, (seconds) => {
      const back = fromLocal(toLocal(seconds * 1000, zone), zone)
      // An hour that happens twice reads as its first occurrence.
      expect([0, HOUR_MS, HOUR_MS / 2]).toContain(seconds * 1000 - back)
    }),
    { numRuns: 50 },
  )
})

test('a time that a DST change skips is the first instant after the gap', () => {
  const skipped = { year: 2026, month: 3, day: 8, hour: 2, minute: 30, second: 0 }
  expect(iso(fromLocal(skipped, 'America/New_York'))).toBe('2026-03-08T07:00:00.000Z')
})

describe('resets of an exclusive package', () => {
  const zone = 'Asia/Shanghai'
  test.each([
    [
      'Day',
      '2026-01-31T10:00:00+08:00',
      '2026-02-02T09:59:59+08:00',
      '2026-02-01T02:00',
      '2026-02-02T02:00',
    ],
    [
      'Day',
      '2026-01-31T10:00:00+08:00',
      '2026-02-02T10:00:00+08:00',
      '2026-02-02T02:00',
      '2026-02-03T02:00',
    ],
    [
      'Month',
      '2026-01-31T00:00:00+08:00',
      '2026-03-01T00:00:00+08:00',
      '2026-02-27T16:00',
      '2026-03-30T16:00',
    ],
    [
      'Month',
      '2026-01-31T00:00:00+08:00',
      '2026-04-30T00:00:00+08:00',
      '2026-04-29T16:00',
      '2026-05-30T16:00',
    ],
    [
      'Year',
      '2028-02-29T00:00:00+08:00',
      '2029-03-01T00:00:00+08:00',
      '2029-02-27T16:00',
      '2030-02-27T16:00',
    ],
    [
      'Year',
      '2028-02-29T00:00:00+08:00',
      '2032-03-01T00:00:00+08:00',
      '2032-02-28T16:00',
      '2033-02-27T16:00',
    ],
    [
      'Month',
      '2026-05-31T00:00:00+08:00',
      '2026-01-01T00:00:00+08:00',
      '2026-05-30T16:00',
      '2026-06-29T16:00',
    ],
  ] as const)('%s from %s: at %s since %s', (policy, anchor, instant, start, end) => {
    const period = resetPeriod(at(anchor), policy, at(instant), zone)
    expect(iso(period.startMs).slice(0, 16)).toBe(start)
    expect(iso(period.endMs).slice(0, 16)).toBe(end)
  })

  test('every instant is in exactly one period, and the next begins where it ends', () => {
    const instant = fc.integer({ min: at('2026-01-31T00:00Z'), max: at('2040-01-01T00:00Z') })
    const policy = fc.constantFrom('Day' as const, 'Month' as const, 'Year' as const)
    const anchorMs = at('2026-01-31T00:00Z')
    fc.assert(
      fc.property(instant, policy, (now, each) => {
        const period = resetPeriod(anchorMs, each, now, zone)
        expect(period.startMs).toBeLessThanOrEqual(now)
        expect(period.endMs).toBeGreaterThan(now)
        expect(resetPeriod(anchorMs, each, period.endMs, zone).startMs).toBe(period.endMs)
      }),
      { numRuns: 100 },
    )
  })
})

test.each([
  [0, 300, 0, 0],
  [1, 300, 0, 300],
  [300, 300, 300, 300],
  [-1, 300, -300, -0],
])('%d lies between multiples of %d: %d and %d', (value, step, floor, ceil) => {
  expect(floorTo(value, step)).toBe(floor)
  expect(ceilTo(value, step)).toBe(ceil)
})

test.each([
  ['an ordinary day', 'Asia/Shanghai', '2026-10-03T00:00:00+08:00', '2026-10-03T12:00:00+08:00'],
  [
    'a day of 23 hours',
    'America/New_York',
    '2026-03-08T00:00:00-05:00',
    '2026-03-08T12:00:00-04:00',
  ],
  [
    'a day of 25 hours',
    'America/New_York',
    '2026-11-01T00:00:00-04:00',
    '2026-11-01T12:00:00-05:00',
  ],
  ['half an hour', 'Australia/Lord_Howe', '2026-10-04T00:00:00+10:30', '2026-10-04T12:00:00+11:00'],
])('twelve hours after midnight the clock shows noon: %s', (_title, zone, midnight, noon) => {
  expect(wallClockAfter(Date.parse(midnight), 12 * HOUR_MS, zone)).toBe(Date.parse(noon))
})
