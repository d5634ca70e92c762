import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { addDays, DAY_MS, HOUR_MS, MINUTE_MS, monthStart } from '../core/period.ts'
import type { TrafficRule } from '../rating/rules.ts'
import { rateTraffic } from '../rating/traffic-rating.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { isOnSlots, usageCuts } from './usage-cuts.ts'

const SHANGHAI = 'Asia/Shanghai'
const DAY = Date.parse('2026-11-01T00:00:00+08:00')
const NIGHT = [{ fromMinute: 23 * 60, toMinute: 7 * 60 }]

const hours = (cuts: readonly number[]): number[] => cuts.map((cut) => (cut - DAY) / HOUR_MS)

test('without windows, every local day is one piece', () => {
  const period = { startMs: DAY + HOUR_MS, endMs: DAY + 2 * DAY_MS }
  expect(hours(usageCuts(period, SHANGHAI, [[]]))).toEqual([1, 24])
  expect(usageCuts({ startMs: DAY, endMs: DAY }, SHANGHAI, [])).toEqual([])
})

test('windows cut where they begin and end, a night also at midnight', () => {
  const period = { startMs: DAY, endMs: DAY + 2 * DAY_MS }
  expect(hours(usageCuts(period, SHANGHAI, [NIGHT, []]))).toEqual([0, 7, 23, 24, 31, 47])
})

test('a window on one minute needs more than the rollups have', () => {
  const period = { startMs: DAY, endMs: DAY + DAY_MS }
  expect(isOnSlots(usageCuts(period, SHANGHAI, [NIGHT]), period.endMs)).toBe(true)
  const odd = usageCuts(period, SHANGHAI, [[{ fromMinute: 61, toMinute: 120 }]])
  expect(hours(odd)).toEqual([0, 61 / 60, 2])
  expect(isOnSlots(odd, period.endMs)).toBe(false)
})

// The proof that summing between cuts is allowed: the bill is the same as of every single minute.
test.each(['Asia/Shanghai', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'])(
  'usage summed between cuts is rated as every minute of it, in %s',
  (zone) => {
    const startMs = monthStart(Date.parse('2026-03-15T00:00:00Z'), zone)
    const endMs = addDays(startMs, 31, zone)
    const window = fc
      .tuple(fc.nat(1439), fc.nat(1439))
      .filter(([from, to]) => from !== to)
      .map(([fromMinute, toMinute]) => ({ fromMinute, toMinute }))
    const minutes = (endMs - startMs) / MINUTE_MS
    const usage = fc.array(fc.tuple(fc.nat(minutes - 1), fc.bigInt({ min: 0n, max: 10n ** 12n })), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(fc.array(window, { maxLength: 2 }), usage, (windows, moved) => {
        const rule: TrafficRule = {
          type: 'traffic',
          name: 'night',
          level: 'account',
          scope: {},
          windows,
          overhead: { numerator: 11n, denominator: 10n },
          freeBelowBytesPerDay: 10n ** 11n,
          radix: 1024,
          tiering: 'graduated',
          tiers: [
            { upToBytes: 10n ** 12n, price: 200_000_000n },
            { upToBytes: null, price: 100_000_000n },
          ],
          period: 'day',
        }
        const each = moved.map(([minute, bytes]) => entry(startMs + minute * MINUTE_MS, bytes))
        const cuts = usageCuts({ startMs, endMs }, zone, [windows])
        const sums = new Map<number, bigint>()
        for (const { startMs: atMs, bytes } of each) {
          const cut = cuts.filter((at) => at <= atMs).at(-1) ?? startMs
          sums.set(cut, (sums.get(cut) ?? 0n) + bytes)
        }
        const summed = [...sums].map(([atMs, bytes]) => entry(atMs, bytes))
        const basis = { accountId: 'acc-1', period: { startMs, endMs }, zone }
        expect(rateTraffic(rule, summed, basis)).toEqual(rateTraffic(rule, each, basis))
      }),
      { numRuns: 30 },
    )
  },
)

function entry(startMs: number, bytes: bigint): TrafficUsage {
  return {
    startMs,
    resourceId: 'ucdn-1',
    projectId: 'org-1',
    area: 'cn',
    billingRegion: 'cn',
    province: '',
    kind: 'static',
    direction: 'out',
    bytes,
  }
}
