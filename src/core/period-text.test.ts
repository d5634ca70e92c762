import { describe, expect, test } from 'vitest'
import { HOUR_MS } from './period.ts'
import { parsePeriod } from './period-text.ts'

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
