import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { divRound } from '../core/money.ts'
import { GB } from '../core/units.ts'
import type { TrafficRule } from './rules.ts'
import { slots, SLOT_MS, trafficCases, wallClock } from './traffic-cases.suite.ts'
import { rateTraffic } from './traffic-rating.ts'
import type { TrafficLine } from './traffic-usage.ts'

test('a line covers its whole local day or month, as far as the period goes', () => {
  fc.assert(
    fc.property(trafficCases, ({ rule, usage, basis }) => {
      const { period, zone } = basis
      const label = (ms: number) => wallClock(ms, zone).slice(0, rule.period === 'day' ? 10 : 7)
      for (const { startMs, endMs } of rateTraffic(rule, usage, basis)) {
        expect(label(endMs - 1)).toBe(label(startMs))
        expect(startMs === period.startMs || label(startMs - 1) !== label(startMs)).toBe(true)
        expect(endMs === period.endMs || label(endMs) !== label(startMs)).toBe(true)
      }
    }),
  )
})

test('lines ascend by start, member and tier, and none is without bytes', () => {
  fc.assert(
    fc.property(trafficCases, ({ rule, usage, basis }) => {
      const lines = rateTraffic(rule, usage, basis)
      const keys = lines.map((line) => `${line.startMs} ${line.memberId} ${line.tierIndex}`)
      expect(keys).toEqual([...new Set(keys)].sort())
      expect(lines.some((line) => line.rawBytes === 0n && line.billedBytes === 0n)).toBe(false)
    }),
  )
})

test('the order of usage changes nothing', () => {
  fc.assert(
    fc.property(trafficCases, fc.infiniteStream(fc.nat()), ({ rule, usage, basis }, keys) => {
      const shuffled = usage
        .map((entry) => ({ entry, key: keys.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ entry }) => entry)
      expect(rateTraffic(rule, shuffled, basis)).toEqual(rateTraffic(rule, usage, basis))
    }),
  )
})

test('an entry that is split in two changes nothing', () => {
  fc.assert(
    fc.property(trafficCases, fc.bigInt({ min: 0n, max: 40n }), ({ rule, usage, basis }, share) => {
      const split = usage.flatMap((entry) => {
        const first = entry.bytes < share ? entry.bytes : share
        return [
          { ...entry, bytes: first },
          { ...entry, bytes: entry.bytes - first },
        ]
      })
      expect(rateTraffic(rule, split, basis)).toEqual(rateTraffic(rule, usage, basis))
    }),
  )
})

test('what the lines hold is what was measured, byte for byte', () => {
  fc.assert(
    fc.property(trafficCases, ({ rule, usage, basis }) => {
      const whole = { ...rule, level: 'account' as const, windows: [], freeBelowBytesPerDay: 0n }
      const lines = rateTraffic({ ...whole, scope: {} }, usage, basis)
      const sum = (bytes: readonly bigint[]) => bytes.reduce((total, one) => total + one, 0n)
      expect(sum(lines.map((line) => line.rawBytes))).toBe(sum(usage.map((one) => one.bytes)))
      for (const startMs of new Set(lines.map((line) => line.startMs))) {
        const ofSpan = lines.filter((line) => line.startMs === startMs)
        const { numerator, denominator } = rule.overhead
        expect(sum(ofSpan.map((line) => line.billedBytes))).toBe(
          divRound(sum(ofSpan.map((line) => line.rawBytes)) * numerator, denominator),
        )
      }
    }),
  )
})

function amountOf(lines: readonly TrafficLine[]): bigint {
  return lines.reduce((sum, line) => sum + line.amount, 0n)
}

test('more bytes never cost less under graduated tiers', () => {
  fc.assert(
    fc.property(
      trafficCases,
      fc.nat(),
      fc.bigInt({ min: 1n, max: 90n }),
      (given, position, bytes) => {
        const { usage, basis } = given
        fc.pre(usage.length > 0)
        const rule = { ...given.rule, tiering: 'graduated' as const }
        const grown = usage.map((entry, index) =>
          index === position % usage.length ? { ...entry, bytes: entry.bytes + bytes } : entry,
        )
        expect(amountOf(rateTraffic(rule, grown, basis))).toBeGreaterThanOrEqual(
          amountOf(rateTraffic(rule, usage, basis)),
        )
      },
    ),
  )
})

/** Adds up bytes and amounts per member. */
function totals(lines: readonly TrafficLine[]) {
  const found = new Map<string, { raw: bigint; billed: bigint; amount: bigint }>()
  for (const { memberId, rawBytes, billedBytes, amount } of lines) {
    const sum = found.get(memberId) ?? { raw: 0n, billed: 0n, amount: 0n }
    found.set(memberId, {
      raw: sum.raw + rawBytes,
      billed: sum.billed + billedBytes,
      amount: sum.amount + amount,
    })
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
}

// A whole price per byte leaves nothing to round, so that amounts add up as exactly as bytes do.
test('adjacent periods add up at a flat price without overhead, wherever they meet', () => {
  const withCut = trafficCases.chain((given) =>
    slots(given.basis).map((cutMs) => ({ ...given, cutMs })),
  )
  fc.assert(
    fc.property(withCut, ({ usage, basis, cutMs, ...given }) => {
      const rule: TrafficRule = {
        ...given.rule,
        radix: 1000,
        tiers: [{ upToBytes: null, price: 3n * GB }],
        overhead: { numerator: 1n, denominator: 1n },
        freeBelowBytesPerDay: 0n,
      }
      const { startMs, endMs } = basis.period
      const parts = [
        { startMs, endMs: cutMs },
        { startMs: cutMs, endMs },
      ].flatMap((period) => rateTraffic(rule, usage, { ...basis, period }))
      expect(totals(parts)).toEqual(totals(rateTraffic(rule, usage, basis)))
    }),
  )
})

test('daily lines of periods that meet at midnight are those of the whole, under any rule', () => {
  fc.assert(
    fc.property(trafficCases, ({ usage, basis, ...given }) => {
      const rule = { ...given.rule, period: 'day' as const }
      const { startMs, endMs } = basis.period
      // Three days after the start, the clock of some stages has changed: midnight is looked for.
      let cutMs = startMs + 3 * 86_400_000 - 3_600_000
      while (!wallClock(cutMs, basis.zone).endsWith('00:00')) cutMs += SLOT_MS
      const parts = [
        { startMs, endMs: cutMs },
        { startMs: cutMs, endMs },
      ].flatMap((period) => rateTraffic(rule, usage, { ...basis, period }))
      expect(parts).toEqual(rateTraffic(rule, usage, basis))
    }),
  )
})
