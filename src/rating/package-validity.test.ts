import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { PackageValidity, PrepaidPackage } from './package-terms.ts'
import { endOf, lastSecondOf, validUntil } from './package-validity.ts'

const at = (text: string) => Date.parse(text)
const iso = (instantMs: number) => new Date(instantMs).toISOString()

function pack(validity: PackageValidity): PrepaidPackage {
  const scope = { areas: null, kinds: null, projectIds: null, resourceIds: null, windows: [] }
  return { ...scope, id: 'a', sizeBytes: 1n, purchasedMs: 0, startMs: 0, validity }
}

test('a package of one calendar month lasts, in the vendor’s words, a month less one second', () => {
  const endMs = validUntil(at('2026-01-10T10:00:00+08:00'), 1, 'Asia/Shanghai')
  expect(iso(endMs)).toBe(iso(at('2026-02-10T10:00:00+08:00')))
  expect(iso(lastSecondOf(endMs))).toBe(iso(at('2026-02-10T09:59:59+08:00')))
})

test.each([
  // A 31st that the month lacks is its last day; counted from the begin, it comes back in March.
  ['31 Jan, 1 month', '2026-01-31T00:00:00+08:00', 1, '2026-02-28T00:00:00+08:00'],
  ['31 Jan, 2 months', '2026-01-31T00:00:00+08:00', 2, '2026-03-31T00:00:00+08:00'],
  ['31 Jan, 3 months', '2026-01-31T00:00:00+08:00', 3, '2026-04-30T00:00:00+08:00'],
  ['31 Dec, into a leap year', '2027-12-31T23:59:59+08:00', 2, '2028-02-29T23:59:59+08:00'],
  ['29 Feb, 12 months', '2028-02-29T12:00:00+08:00', 12, '2029-02-28T12:00:00+08:00'],
  ['29 Feb, 48 months', '2028-02-29T12:00:00+08:00', 48, '2032-02-29T12:00:00+08:00'],
  // The day is the local one: 20:00 UTC on the 30th is already the 31st in Shanghai.
  ['a 31st only locally', '2026-01-30T20:00:00Z', 1, '2026-02-27T20:00:00Z'],
  ['12 months', '2026-05-05T08:30:00+08:00', 12, '2027-05-05T08:30:00+08:00'],
  ['120 months', '2026-05-05T08:30:00+08:00', 120, '2036-05-05T08:30:00+08:00'],
])('%s', (_title, from, months, wanted) => {
  expect(iso(validUntil(at(from), months, 'Asia/Shanghai'))).toBe(iso(at(wanted)))
})

test('daylight saving keeps the wall clock: that month is an hour shorter', () => {
  // New York goes from UTC-5 to UTC-4 on 8 March 2026.
  const endMs = validUntil(at('2026-02-20T10:00:00-05:00'), 1, 'America/New_York')
  expect(iso(endMs)).toBe(iso(at('2026-03-20T10:00:00-04:00')))
})

test.each([0, -1, 1.5])('%s months are our mistake', (months) => {
  expect(() => validUntil(0, months, 'UTC')).toThrow('assertion failed')
})

test('more months never end earlier, and every end keeps the local time of day', () => {
  const instant = fc.integer({ min: 0, max: 2_000_000_000 }).map((second) => second * 1000)
  fc.assert(
    fc.property(instant, fc.integer({ min: 1, max: 30 }), (from, months) => {
      const endMs = validUntil(from, months, 'Asia/Kolkata')
      expect(validUntil(from, months + 1, 'Asia/Kolkata')).toBeGreaterThan(endMs)
      expect((endMs - from) % 86_400_000).toBe(0)
    }),
    { numRuns: 50 },
  )
})

test.each<[string, PackageValidity, number | null, number | null]>([
  ['from purchase: declared', { type: 'from-purchase', endMs: 7 }, null, 7],
  ['from purchase: use changes nothing', { type: 'from-purchase', endMs: 7 }, 3, 7],
  ['unlimited: none', { type: 'unlimited' }, 3, null],
  ['from first use: none yet', { type: 'from-first-use', spanMs: 5 }, null, null],
  ['from first use: a span', { type: 'from-first-use', spanMs: 5 }, 3, 8],
  // 1970-01-01 plus one month is 1970-02-01, 31 days later.
  ['from first use: months', { type: 'from-first-use', spanMonths: 1 }, 0, 31 * 86_400_000],
])('end %s', (_title, validity, firstUseMs, wanted) => {
  expect(endOf(pack(validity), firstUseMs, 'UTC')).toBe(wanted)
})
