import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { NANO } from '../core/money.ts'
import type { ResetPolicy } from '../core/period.ts'
import { type ExclusiveTerms, rateExclusive, shareExclusive } from './exclusive-period.ts'

const GB = 1_000_000_000n
const ZONE = 'Asia/Shanghai'
const at = (text: string) => Date.parse(`${text}+08:00`)

function terms(resetPolicy: ResetPolicy, created: string, size = 10n * GB): ExclusiveTerms {
  const price = { price: (8n * NANO) / 10n, radix: 1000 } as const
  return { sizeBytes: size, resetPolicy, createdMs: at(created), zone: ZONE, ...price }
}

/** Local days (year-month-day) on which the periods of these moments begin. */
function starts(of: ExclusiveTerms, moments: readonly string[]): string[] {
  return rateExclusive(
    of,
    moments.map((text) => ({ startMs: at(text), bytes: 1n })),
  ).map(({ startMs }) => new Date(startMs + 8 * 3_600_000).toISOString().slice(0, 16))
}

test('each period has its own volume, and what was left of the last is gone', () => {
  // 10 GB a month from the 15th at 0.80 for one GB. January uses 4 and leaves 6. February uses 12:
  // 2 beyond, 1.60, though 6 were left before. March uses 10 exactly: nothing beyond.
  const usage = [
    { startMs: at('2026-01-15T00:00'), bytes: 1n * GB },
    { startMs: at('2026-02-14T23:59'), bytes: 3n * GB },
    { startMs: at('2026-02-15T00:00'), bytes: 5n * GB },
    { startMs: at('2026-03-01T00:00'), bytes: 7n * GB },
    { startMs: at('2026-03-20T00:00'), bytes: 10n * GB },
  ]
  expect(rateExclusive(terms('Month', '2026-01-15T00:00'), usage)).toEqual([
    {
      startMs: at('2026-01-15T00:00'),
      endMs: at('2026-02-15T00:00'),
      usedBytes: 4n * GB,
      coveredBytes: 4n * GB,
      excessBytes: 0n,
      excessAmount: 0n,
    },
    {
      startMs: at('2026-02-15T00:00'),
      endMs: at('2026-03-15T00:00'),
      usedBytes: 12n * GB,
      coveredBytes: 10n * GB,
      excessBytes: 2n * GB,
      excessAmount: (16n * NANO) / 10n,
    },
    {
      startMs: at('2026-03-15T00:00'),
      endMs: at('2026-04-15T00:00'),
      usedBytes: 10n * GB,
      coveredBytes: 10n * GB,
      excessBytes: 0n,
      excessAmount: 0n,
    },
  ])
})

test.each<[string, ResetPolicy, string, readonly string[], readonly string[]]>([
  [
    'a 31st: clamped where the month is short, back where it is not',
    'Month',
    '2026-01-31T10:00',
    ['2026-02-28T09:59', '2026-02-28T10:00', '2026-03-31T10:00', '2026-04-30T10:00'],
    ['2026-01-31T10:00', '2026-02-28T10:00', '2026-03-31T10:00', '2026-04-30T10:00'],
  ],
  [
    '29 February: the 28th until the next leap year',
    'Year',
    '2024-02-29T00:00',
    ['2025-02-27T23:59', '2025-02-28T00:00', '2028-02-28T00:00', '2028-02-29T00:00'],
    ['2024-02-29T00:00', '2025-02-28T00:00', '2027-02-28T00:00', '2028-02-29T00:00'],
  ],
  [
    'days begin at the time of the creation',
    'Day',
    '2026-01-01T18:30',
    ['2026-01-02T18:29', '2026-01-02T18:30', '2026-03-01T00:00'],
    ['2026-01-01T18:30', '2026-01-02T18:30', '2026-02-28T18:30'],
  ],
  [
    'the minute of a creation or reset belongs to what begins in it',
    'Day',
    '2026-01-01T18:30:45',
    ['2026-01-01T18:30', '2026-01-02T18:29', '2026-01-02T18:30'],
    ['2026-01-01T18:30', '2026-01-02T18:30'],
  ],
])('%s', (_title, policy, created, moments, wanted) => {
  expect(starts(terms(policy, created), moments)).toEqual(wanted)
})

test('a day across a change of clocks resets at the same wall-clock time, 23 hours later', () => {
  // New York loses an hour on 8 March 2026 at 02:00.
  const of = { ...terms('Day', '2026-03-01T00:00'), zone: 'America/New_York' }
  const createdMs = Date.parse('2026-03-01T00:00:00-05:00')
  const [period] = rateExclusive({ ...of, createdMs }, [
    { startMs: Date.parse('2026-03-08T12:00:00-04:00'), bytes: 1n },
  ])
  expect(period?.endMs).toBe(Date.parse('2026-03-09T00:00:00-04:00'))
  expect((period?.endMs ?? 0) - (period?.startMs ?? 0)).toBe(23 * 3_600_000)
})

test('the amount is rounded once for the period, not once for each entry', () => {
  // 0.8 nano for one byte: three bytes cost 2.4, rounded 2; one by one they would cost 3.
  const usage = [1, 2, 3].map((minute) => ({
    startMs: at('2026-01-01T00:00') + minute * 60_000,
    bytes: 1n,
  }))
  const [period] = rateExclusive(terms('Month', '2026-01-01T00:00', 0n), usage)
  expect(period?.excessAmount).toBe(2n)
})

test('GB are the radix’s', () => {
  const of = { ...terms('Month', '2026-01-01T00:00', 0n), radix: 1024 } as const
  const [period] = rateExclusive(of, [{ startMs: at('2026-01-02T00:00'), bytes: 1n << 30n }])
  expect(period?.excessAmount).toBe((8n * NANO) / 10n)
})

test('usage from before the package is our mistake', () => {
  const early = [{ startMs: at('2025-12-31T23:59'), bytes: 1n }]
  expect(() => rateExclusive(terms('Month', '2026-01-01T00:00'), early)).toThrow('assertion failed')
})

const volume = fc.bigInt({ min: 0n, max: 100n })

test('closing in steps inside of a period adds up to closing it at once', () => {
  fc.assert(
    fc.property(volume, volume, volume, volume, (size, used, first, second) => {
      const a = shareExclusive(size, used, first)
      const b = shareExclusive(size, used + first, second)
      expect(shareExclusive(size, used, first + second)).toEqual({
        coveredBytes: a.coveredBytes + b.coveredBytes,
        excessBytes: a.excessBytes + b.excessBytes,
      })
    }),
  )
})

const minute = fc.integer({ min: 0, max: 200_000 })
const usages = fc.array(fc.record({ minute, bytes: volume }), { maxLength: 20 })

test('a walk byte by byte, refilled at each reset, covers and exceeds the same', () => {
  fc.assert(
    fc.property(usages, fc.bigInt({ min: 0n, max: 300n }), (list, size) => {
      const of = terms('Day', '2026-01-01T06:30', size)
      const usage = list.map((one) => ({
        startMs: of.createdMs + one.minute * 60_000,
        bytes: one.bytes,
      }))
      const walked = new Map<number, { covered: bigint; excess: bigint }>()
      for (const { startMs, bytes } of usage) {
        // Shanghai has no daylight saving: every period is 24 hours.
        const day = Math.floor((startMs - of.createdMs) / 86_400_000)
        const sums = walked.get(day) ?? { covered: 0n, excess: 0n }
        walked.set(day, sums)
        for (let left = bytes; left > 0n; left -= 1n) {
          if (sums.covered < size) sums.covered += 1n
          else sums.excess += 1n
        }
      }
      const rated = rateExclusive(of, usage)
      expect(rated).toHaveLength(walked.size)
      for (const period of rated) {
        const sums = walked.get((period.startMs - of.createdMs) / 86_400_000)
        expect([period.coveredBytes, period.excessBytes]).toEqual([sums?.covered, sums?.excess])
        expect(period.usedBytes).toBe(period.coveredBytes + period.excessBytes)
      }
      expect(rateExclusive(of, [...usage].reverse())).toEqual(rated)
    }),
  )
})
