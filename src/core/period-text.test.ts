import { describe, expect, test } from 'vitest'
import { HOUR_MS } from './period.ts'
import { formatZoned, hasClockChange, parsePeriod } from './period-text.ts'

const shown = (text: string, zone: string) => {
  const { startMs, endMs } = parsePeriod(text, zone)
  return [new Date(startMs).toISOString(), (endMs - startMs) / HOUR_MS]
}

describe('a period is a month or a day of its zone', () => {
  // Hours by hand: days of the month × 24, one less or more where clocks change.
  test.each([
    ['2026-11', 'Asia/Shanghai', '2026-10-31T16:00:00.000Z', 720],
    ['2026-11', 'UTC', '2026-11-01T00:00:00.000Z', 720],
    ['2026-12', 'UTC', '2026-12-01T00:00:00.000Z', 744],
    ['2028-02', 'Asia/Kolkata', '2028-01-31T18:30:00.000Z', 696],
    ['2026-03', 'America/New_York', '2026-03-01T05:00:00.000Z', 743],
    ['2026-11-20', 'Asia/Kolkata', '2026-11-19T18:30:00.000Z', 24],
    ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00.000Z', 23],
    ['2026-11-01', 'America/New_York', '2026-11-01T04:00:00.000Z', 25],
    ['2028-02-29', 'UTC', '2028-02-29T00:00:00.000Z', 24],
  ])('%s in %s', (text, zone, start, hours) => {
    expect(shown(text, zone)).toEqual([start, hours])
  })

  test.each(['2026', '2026-13', '2026-00', '2026-11-31', '2026-02-29', '2026-1', '0001-01', ''])(
    '"%s" is none',
    (text) => {
      expect(() => parsePeriod(text, 'Asia/Shanghai')).toThrow(
        'Name the period as 2026-11 or 2026-11-20.',
      )
    },
  )
})

describe('a local time with its offset', () => {
  test.each([
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', '2026-10-25T02:30+02:00'],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', '2026-10-25T02:30+01:00'],
    ['2026-11-01T06:30:00Z', 'America/New_York', '2026-11-01T01:30-05:00'],
    ['2026-04-04T15:00:00Z', 'Australia/Lord_Howe', '2026-04-05T01:30+10:30'],
    ['2026-10-17T12:35:00Z', 'Asia/Kathmandu', '2026-10-17T18:20+05:45'],
    ['2026-10-17T12:35:59Z', 'America/St_Johns', '2026-10-17T10:05-02:30'],
    ['1969-12-31T23:59:59.999Z', 'UTC', '1969-12-31T23:59+00:00'],
  ])('%s in %s is %s', (instant, zone, text) => {
    expect(formatZoned(Date.parse(instant), zone)).toBe(text)
  })

  test.each([
    ['2026-10-24T12:00:00Z', 'Europe/Berlin', false],
    ['2026-10-24T22:00:00Z', 'Europe/Berlin', true],
    ['2026-10-25T22:59:00Z', 'Europe/Berlin', true],
    ['2026-10-25T23:00:00Z', 'Europe/Berlin', false],
    ['2026-03-29T12:00:00Z', 'Europe/Berlin', true],
    // Half an hour back at 02:00.
    ['2026-04-05T00:00:00Z', 'Australia/Lord_Howe', true],
    // Clocks went back at midnight: 23:00 happened twice on the day that ended there.
    ['2021-10-30T03:30:00Z', 'America/Asuncion', false],
    ['2026-10-17T12:35:00Z', 'Asia/Shanghai', false],
  ])('clocks change on the day of %s in %s: %s', (instant, zone, isChanged) => {
    expect(hasClockChange(Date.parse(instant), zone)).toBe(isChanged)
  })
})
