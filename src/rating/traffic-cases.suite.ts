import * as fc from 'fast-check'
import { GB } from '../core/units.ts'
import type { Scope, TrafficRule } from './rules.ts'
import type { TrafficBasis, TrafficUsage } from './traffic-usage.ts'

/** Grain of the usage. */
export const SLOT_MS = 300_000

/** Five days each, and the moment in them when the clock changes or the month ends. */
const STAGES = [
  ['America/New_York', '2026-03-07T00:00-05:00', '2026-03-12T00:00-04:00', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-10-29T00:00-04:00', '2026-11-03T00:00-05:00', '2026-11-01T06:00Z'],
  ['Europe/Berlin', '2026-03-28T00:00+01:00', '2026-04-02T00:00+02:00', '2026-03-29T01:00Z'],
  ['Europe/Berlin', '2026-10-23T00:00+02:00', '2026-10-28T00:00+01:00', '2026-10-25T01:00Z'],
  ['Australia/Lord_Howe', '2026-04-02T00:00+11:00', '2026-04-07T00:00+10:30', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-01T00:00+10:30', '2026-10-06T00:00+11:00', '2026-10-03T15:30Z'],
  ['Asia/Kolkata', '2028-02-27T00:00+05:30', '2028-03-03T00:00+05:30', '2028-02-29T18:30Z'],
] as const

type Stage = (typeof STAGES)[number]

function basisOf([zone, start, end]: Stage): TrafficBasis {
  const period = { startMs: Date.parse(start), endMs: Date.parse(end) }
  return { accountId: 'acc', period, zone, groups: { g1: ['r1', 'r2'], g2: ['r3'] } }
}

/** Starts of slots in the period. */
export function slots({ period }: TrafficBasis): fc.Arbitrary<number> {
  const max = (period.endMs - period.startMs) / SLOT_MS - 1
  return fc.integer({ min: 0, max }).map((slot) => period.startMs + slot * SLOT_MS)
}

/** Half of the slots are within two hours of the change, where mistakes would show. */
function stageSlots(stage: Stage): fc.Arbitrary<number> {
  const near = fc.integer({ min: -24, max: 24 })
  return fc.oneof(
    slots(basisOf(stage)),
    near.map((slot) => Date.parse(stage[3]) + slot * SLOT_MS),
  )
}

function usageIn(stage: Stage): fc.Arbitrary<TrafficUsage[]> {
  const entry = fc.record({
    startMs: stageSlots(stage),
    resourceId: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
    projectId: fc.constantFrom('p1', 'p2'),
    billingRegion: fc.constantFrom('cn', 'abroad', 'apac1', 'latam'),
    province: fc.constantFrom('beijing', 'hainan', 'unknown'),
    kind: fc.constantFrom('static', 'dynamic'),
    direction: fc.constantFrom('in', 'out'),
    bytes: fc.bigInt({ min: 0n, max: 40n }),
  } as const)
  const placed = entry.map((one): TrafficUsage => ({
    ...one,
    area: one.billingRegion === 'cn' ? 'cn' : 'abroad',
  }))
  return fc.array(placed, { maxLength: 25 })
}

/** Bounds of few bytes, and prices that come to some nano and a fraction for each of them. */
const tiers = fc
  .tuple(
    fc.uniqueArray(fc.bigInt({ min: 1n, max: 150n }), { maxLength: 3 }),
    fc.array(fc.bigInt({ min: 0n, max: 5n * GB }), { minLength: 4, maxLength: 4 }),
  )
  .map(([bounds, prices]) =>
    [...bounds.sort((a, b) => (a < b ? -1 : 1)), null].map((upToBytes, index) => ({
      upToBytes,
      price: prices[index] ?? 0n,
    })),
  )

const minutes = fc.oneof(
  fc.integer({ min: 0, max: 1440 }),
  fc.constantFrom(0, 60, 90, 120, 150, 180, 1440),
)

/** A list of scope, or none. */
function some<const T extends string>(...values: readonly T[]): fc.Arbitrary<T[] | undefined> {
  return fc.option(fc.subarray([...values], { minLength: 1 }), { nil: undefined, freq: 2 })
}

const scopes = fc
  .record({
    areas: fc.oneof(some('cn', 'abroad'), some('cn', 'apac1', 'latam', 'abroad-other')),
    provinces: some('beijing', 'hainan', 'unknown'),
    kinds: some('static', 'dynamic'),
    directions: some('in', 'out'),
  } as const)
  .map(({ areas, provinces, kinds, directions }): Scope => ({
    ...(areas !== undefined && { areas }),
    ...(provinces !== undefined && { provinces }),
    ...(kinds !== undefined && { kinds }),
    ...(directions !== undefined && { directions }),
  }))

const rules: fc.Arbitrary<TrafficRule> = fc.record({
  type: fc.constant('traffic'),
  name: fc.constant('out'),
  level: fc.constantFrom('account', 'project', 'resource', 'group'),
  scope: scopes,
  windows: fc.array(fc.record({ fromMinute: minutes, toMinute: minutes }), { maxLength: 2 }),
  overhead: fc.oneof(
    fc.constant({ numerator: 11n, denominator: 10n }),
    fc.record({
      numerator: fc.bigInt({ min: 1n, max: 9n }),
      denominator: fc.bigInt({ min: 1n, max: 9n }),
    }),
  ),
  freeBelowBytesPerDay: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 60n })),
  radix: fc.constantFrom(1000, 1024),
  tiering: fc.constantFrom('graduated', 'volume'),
  tiers,
  period: fc.constantFrom('day', 'month'),
} as const)

/** A rule of any kind, with usage around a change of the clock or the end of a month. */
export const trafficCases = fc
  .constantFrom(...STAGES)
  .chain((stage) =>
    fc.record({ basis: fc.constant(basisOf(stage)), usage: usageIn(stage), rule: rules }),
  )

const clocks = new Map<string, Intl.DateTimeFormat>()

/** Reads the clock of the zone as text such as `2026-03-08 01:55`, without the product's help. */
export function wallClock(instantMs: number, zone: string): string {
  const options = { timeZone: zone, dateStyle: 'short', timeStyle: 'short' } as const
  const clock = clocks.get(zone) ?? new Intl.DateTimeFormat('sv-SE', options)
  clocks.set(zone, clock)
  return clock.format(instantMs)
}
