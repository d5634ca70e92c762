import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TrafficRule } from './rules.ts'
import { trafficCases, wallClock } from './traffic-cases.suite.ts'
import { rateTraffic } from './traffic-rating.ts'
import type { TrafficBasis, TrafficLine, TrafficUsage } from './traffic-usage.ts'

// The oracle shares nothing with the product but the shape of its input. It asks the machine for
// the wall clock of each entry as text, and takes bytes one by one.

function isOpenAt(clock: string, windows: TrafficRule['windows']): boolean {
  const [hour = '', minute = ''] = clock.slice(11).split(':')
  const now = Number(hour) * 60 + Number(minute)
  const open = new Set<number>()
  for (const { fromMinute, toMinute } of windows) {
    const last = toMinute > fromMinute ? toMinute : toMinute + 1440
    for (let at = fromMinute; at < last; at += 1) open.add(at % 1440)
  }
  return windows.length === 0 || open.has(now)
}

function matches<T>(list: readonly T[] | undefined, value: T): boolean {
  return list === undefined || list.some((one) => one === value)
}

function memberOf(entry: TrafficUsage, rule: TrafficRule): string | undefined {
  if (rule.level === 'account') return 'acc'
  if (rule.level === 'project') return entry.projectId
  if (rule.level === 'resource') return entry.resourceId
  return { r1: 'g1', r2: 'g1', r3: 'g2' }[entry.resourceId]
}

/** Rounds a fraction by looking at what is left over. */
function halfUp(numerator: bigint, denominator: bigint): bigint {
  const rest = numerator % denominator
  return (numerator - rest) / denominator + (rest + rest >= denominator ? 1n : 0n)
}

/** The tier that holds the place `numerator ÷ denominator` on the line of billed bytes. */
function tierAt(rule: TrafficRule, numerator: bigint, denominator: bigint): number {
  return rule.tiers.findIndex(
    ({ upToBytes }) => upToBytes === null || numerator <= upToBytes * denominator,
  )
}

function oracleLines(rule: TrafficRule, bytes: bigint): string[] {
  const billed = halfUp(bytes * rule.overhead.numerator, rule.overhead.denominator)
  const raws = rule.tiers.map(() => 0n)
  const bills = rule.tiers.map(() => 0n)
  const reached = tierAt(rule, billed, 1n)
  for (let byte = 1n; byte <= billed; byte += 1n) {
    const index = rule.tiering === 'volume' ? reached : tierAt(rule, byte, 1n)
    bills[index] = (bills[index] ?? 0n) + 1n
  }
  for (let byte = 1n; byte <= bytes; byte += 1n) {
    // The middle of this raw byte is at (byte − ½) × billed ÷ raw.
    const middle = (2n * byte - 1n) * billed
    const index = rule.tiering === 'volume' ? reached : tierAt(rule, middle, 2n * bytes)
    raws[index] = (raws[index] ?? 0n) + 1n
  }
  return rule.tiers.flatMap(({ price }, index) => {
    const raw = raws[index] ?? 0n
    const bill = bills[index] ?? 0n
    if (raw === 0n && bill === 0n) return []
    const amount = halfUp(bill * price, rule.radix === 1000 ? 10n ** 9n : 2n ** 30n)
    return [`${index}: ${raw} > ${bill} @ ${price} = ${amount}`]
  })
}

/** Every line as text, unordered. */
function oracle(rule: TrafficRule, usage: readonly TrafficUsage[], basis: TrafficBasis): string[] {
  const { scope } = rule
  const day = (entry: TrafficUsage) => wallClock(entry.startMs, basis.zone).slice(0, 10)
  const seen = usage.filter(
    (entry) =>
      (scope.areas === undefined ||
        scope.areas.some(
          (area) =>
            area === entry.billingRegion ||
            (area === 'abroad' && entry.billingRegion !== 'cn') ||
            (area === 'abroad-other' && entry.billingRegion === 'abroad'),
        )) &&
      matches(scope.provinces, entry.province) &&
      matches(scope.kinds, entry.kind) &&
      matches(scope.directions, entry.direction),
  )
  const sums = new Map<string, bigint>()
  for (const entry of seen) {
    const ofDay = seen
      .filter((other) => other.resourceId === entry.resourceId && day(other) === day(entry))
      .reduce((sum, other) => sum + other.bytes, 0n)
    const member = memberOf(entry, rule)
    if (member === undefined || ofDay < rule.freeBelowBytesPerDay) continue
    if (!isOpenAt(wallClock(entry.startMs, basis.zone), rule.windows)) continue
    const span = rule.period === 'day' ? day(entry) : day(entry).slice(0, 7)
    sums.set(`${span} ${member}`, (sums.get(`${span} ${member}`) ?? 0n) + entry.bytes)
  }
  return [...sums].flatMap(([key, sum]) => oracleLines(rule, sum).map((line) => `${key} ${line}`))
}

function show(line: TrafficLine, { period: unit }: TrafficRule, zone: string): string {
  const span = wallClock(line.startMs, zone).slice(0, unit === 'day' ? 10 : 7)
  const { memberId, tierIndex, rawBytes, billedBytes, price, amount } = line
  return `${span} ${memberId} ${tierIndex}: ${rawBytes} > ${billedBytes} @ ${price} = ${amount}`
}

test('every line is what an oracle finds that takes each byte in its hand', () => {
  fc.assert(
    fc.property(trafficCases, ({ rule, usage, basis }) => {
      const lines = rateTraffic(rule, usage, basis)
      const shown = lines.map((line) => show(line, rule, basis.zone))
      expect(shown.sort()).toEqual(oracle(rule, usage, basis).sort())
    }),
    { numRuns: 1000 },
  )
})
