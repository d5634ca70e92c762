import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Moved,
  MOVED_ACCOUNTS,
  MOVED_END,
  MOVED_METERS,
  MOVED_START,
  MOVED_ZONE,
  type MovedWorld,
  openMovedWorld,
} from '../../../test/support/moved-usage.ts'
import type { BooksRankQuery, BooksUsage, RankedUsage } from '../../billing/books-usage.ts'
import { ratePeriod } from '../../billing/rate-period.ts'
import { NANO } from '../../core/money.ts'
import { FIVE_MINUTES_MS, floorTo, HOUR_MS, localDays, MINUTE_MS } from '../../core/period.ts'
import { rateBandwidth } from '../../rating/bandwidth-line.ts'
import type { BandwidthRule } from '../../rating/rules.ts'
import { createBooksReader } from './books-reader.ts'

let world: MovedWorld
let reader: BooksUsage & RankedUsage

beforeAll(async () => {
  world = await openMovedWorld(11)
  reader = createBooksReader(world.engine)
})

afterAll(() => world.close())

const DAYS = { startMs: MOVED_START, endMs: MOVED_END }
const SLOTS = (MOVED_END - MOVED_START) / FIVE_MINUTES_MS
const ACCOUNTS = ['acc-1', 'acc-2', 'acc-none']

// Through which load usage counts; null: everything, answered by the rollups.
const LOADS = [null, 0, 1] as const

function scopeOf(meter: Moved['meter'], load: (typeof LOADS)[number], accountIds = ACCOUNTS) {
  return { meter, accountIds, throughBatch: load === null ? null : world.batchOf(meter, load) }
}

function counted(meter: Moved['meter'], load: (typeof LOADS)[number], accountIds = ACCOUNTS) {
  return world.moved.filter(
    (each) =>
      each.meter === meter &&
      each.load <= (load ?? Infinity) &&
      accountIds.includes(each.account) &&
      each.atMs >= MOVED_START &&
      each.atMs < MOVED_END,
  )
}

/** Adds values up by key; zero sums are left out. */
function sumBy<T>(list: readonly T[], key: (item: T) => string, value: (item: T) => bigint) {
  const sums = new Map<string, bigint>()
  for (const item of list) sums.set(key(item), (sums.get(key(item)) ?? 0n) + value(item))
  return new Map([...sums].filter(([, sum]) => sum !== 0n))
}

describe.each(MOVED_METERS)('volumes of %s', (meter) => {
  const [, second = 0, third = 0] = localDays(DAYS, MOVED_ZONE).map(({ startMs }) => startMs)
  const onSlots = { grain: '5min', cutsMs: [MOVED_START, second, third] } as const
  const onMinutes = {
    grain: 'minute',
    cutsMs: [MOVED_START, second + 7 * MINUTE_MS, third],
  } as const
  const cases = LOADS.flatMap((load) => [
    { load, ...onSlots, byProvince: true, byRegion: false },
    { load, ...onSlots, byProvince: true, byRegion: true },
    { load, ...onSlots, byProvince: false, byRegion: true },
    { load, ...onMinutes, byProvince: false, byRegion: false },
    { load, ...onMinutes, byProvince: false, byRegion: true },
    ...(['account', 'project', 'resource'] as const).flatMap((members) => [
      { load, ...onSlots, byProvince: false, byRegion: false, members },
      { load, ...onMinutes, byProvince: false, byRegion: true, members },
      { load, ...onSlots, byProvince: true, byRegion: true, members },
    ]),
  ])
  test.each(cases)('are what was reported: %o', async ({ load, ...given }) => {
    const { cutsMs, byProvince, byRegion } = given
    const { members } = { members: 'resource', ...given }
    const query = { ...scopeOf(meter, load), endMs: MOVED_END, ...given }
    const found = await reader.traffic(query)
    const entries = [...found].flatMap(([account, list]) => list.map((u) => ({ account, ...u })))
    const keys = entries.map((u) =>
      [u.account, u.startMs, u.resourceId, u.projectId, u.area, u.billingRegion, u.kind]
        .concat(u.province)
        .join(),
    )
    const cutOf = (atMs: number) => cutsMs.filter((cut) => cut <= atMs).at(-1)
    for (const direction of ['out', 'in'] as const) {
      const expected = sumBy(
        counted(meter, load),
        (e) => {
          const resource = members === 'resource' ? e.resource : ''
          const project = members === 'account' ? '' : e.project
          const owner = [e.account, cutOf(e.atMs), resource, project, e.area]
          const region = byRegion ? e.region : e.area
          return [...owner, region, e.kind, byProvince ? e.province : ''].join()
        },
        (e) => e[direction],
      )
      const own = entries.flatMap((u, index) =>
        u.direction === direction ? [[keys[index] ?? '', u.bytes] as const] : [],
      )
      expect(new Map(own)).toEqual(expected)
      expect(own.length).toBe(expected.size)
    }
    // Ordered by the key, and out before in.
    const order = keys.map((key, index) => `${key} ${entries[index]?.direction === 'in'}`)
    expect(order).toEqual(order.toSorted())
    expect(found.has('acc-none')).toBe(false)
  })
})

test('no cuts are no usage', async () => {
  const cuts = { cutsMs: [], endMs: MOVED_END, grain: '5min' } as const
  const query = { ...scopeOf('cdn', null), ...cuts, byProvince: false, byRegion: false }
  expect(await reader.traffic(query)).toEqual(new Map())
})

const MEMBERS = ['account', 'project', 'resource'] as const
const FILTERS = [
  {},
  { areas: ['cn', 'eu-na'], kinds: ['static'] },
  { provinces: ['guangdong'] },
  { areas: ['abroad'] },
  { areas: ['abroad-other'] },
  { areas: ['apac1', 'abroad-other'], kinds: ['static'] },
] as const

function isIn(each: Moved, filter: (typeof FILTERS)[number]): boolean {
  const lists: readonly [readonly string[] | undefined, ...string[]][] = [
    [
      'areas' in filter ? filter.areas : undefined,
      each.area,
      each.region === 'abroad' ? 'abroad-other' : each.region,
    ],
    ['kinds' in filter ? filter.kinds : undefined, each.kind],
    ['provinces' in filter ? filter.provinces : undefined, each.province],
  ]
  return lists.every(
    ([list, ...values]) => list === undefined || values.some((value) => list.includes(value)),
  )
}

const SLOT_CASES = MOVED_METERS.flatMap((meter) =>
  MEMBERS.flatMap((member) =>
    FILTERS.flatMap((filter) =>
      LOADS.flatMap((load) =>
        [true, false].map((samples) => ({ meter, member, filter, load, samples })),
      ),
    ),
  ),
)

test.each(SLOT_CASES)(
  'slots of $meter per $member in $filter through load $load, samples $samples, are what was reported',
  async ({ meter, member, filter, load, samples }) => {
    const scope = scopeOf(meter, load)
    const found = await reader.slots({ ...scope, ...DAYS, ...filter, member, samples })
    const moved = counted(meter, load).filter((each) => isIn(each, filter))
    const slotKey = (e: Moved) => [e.account, e[member], floorTo(e.atMs, FIVE_MINUTES_MS)].join()
    const slots = [...found].flatMap(([account, members]) =>
      members.flatMap(({ memberId, slots: list }) =>
        list.map((slot) => ({ key: [account, memberId, slot.startMs].join(), ...slot })),
      ),
    )
    expect(
      sumBy(
        slots,
        (s) => s.key,
        (s) => s.outBytes,
      ),
    ).toEqual(sumBy(moved, slotKey, (e) => e.out))
    expect(
      sumBy(
        slots,
        (s) => s.key,
        (s) => s.inBytes,
      ),
    ).toEqual(sumBy(moved, slotKey, (e) => e.in))
    const keys = slots.map(({ key }) => key)
    expect(keys).toEqual([...new Set(keys)].sort())
    expect(slots.every(({ inBytes, outBytes }) => inBytes + outBytes > 0n)).toBe(true)
    const minutes = sumBy(
      moved,
      (e) => `${slotKey(e)},${floorTo(e.atMs, MINUTE_MS)}`,
      (e) => e.out,
    )
    for (const { key, outSampleBpsMax } of slots) {
      const own = [...minutes].filter(([minute]) => minute.startsWith(`${key},`))
      const highest = own.reduce((top, [, bytes]) => (bytes > top ? bytes : top), 0n)
      expect(outSampleBpsMax).toBe(samples ? (highest * 8n) / 60n : undefined)
    }
  },
)

const REPORTED = MOVED_METERS.flatMap((meter) =>
  MEMBERS.flatMap((member) =>
    LOADS.flatMap((load) => [true, false].map((samples) => ({ meter, member, load, samples }))),
  ),
)

test.each(REPORTED)(
  'of $meter per $member through load $load, samples $samples, slots of zero bytes are there when asked for',
  async ({ meter, member, load, samples }) => {
    const query = { ...scopeOf(meter, load), ...DAYS, member, samples }
    const found = await reader.slots({ ...query, reported: true })
    const keys = [...found].flatMap(([account, members]) =>
      members.flatMap(({ memberId, slots }) =>
        slots.map(({ startMs }) => [account, memberId, startMs].join()),
      ),
    )
    const moved = counted(meter, load)
    const keyOf = (e: Moved) => [e.account, e[member], floorTo(e.atMs, FIVE_MINUTES_MS)].join()
    expect(keys).toEqual([...new Set(moved.map(keyOf))].sort())
    expect(moved.some((each) => each.out + each.in === 0n)).toBe(true)
    const withBytes = (answer: typeof found) =>
      [...answer.values()]
        .flat()
        .flatMap(({ memberId, slots }) =>
          slots
            .filter(({ inBytes, outBytes }) => inBytes + outBytes > 0n)
            .map((slot) => ({ memberId, ...slot })),
        )
    const plain = await reader.slots(query)
    expect(withBytes(found)).toEqual(withBytes(plain))
  },
)

/** All slots of each member in order of time, also those in which nothing moved. */
function allSlots(moved: readonly Moved[], { member, direction }: BooksRankQuery) {
  const keyOf = (each: Moved) => `${each.account} ${each[member]}`
  const active = moved.filter((each) => each.out + each.in > 0n)
  return [...new Set(active.map(keyOf))].map((key) => {
    const own = active.filter((each) => keyOf(each) === key)
    const slots = Array.from({ length: SLOTS }, (_, index) => {
      const startMs = MOVED_START + index * FIVE_MINUTES_MS
      const inside = own.filter(({ atMs }) => floorTo(atMs, FIVE_MINUTES_MS) === startMs)
      const out = inside.reduce((sum, each) => sum + each.out, 0n)
      const into = inside.reduce((sum, each) => sum + each.in, 0n)
      const higher = out > into ? out : into
      const bytes = { out, in: into, sum: out + into, 'max-per-slot': higher }[direction]
      return { startMs, bytes, isReported: inside.length > 0 }
    })
    const sorted = slots.map(({ bytes }) => bytes).sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    return { key, slots, sorted }
  })
}

describe.each(['out', 'in', 'sum', 'max-per-slot'] as const)('ranked by %s', (direction) => {
  const cases = MOVED_METERS.flatMap((meter) =>
    MEMBERS.flatMap((member, index) =>
      LOADS.map((load) => ({ meter, member, load, filter: FILTERS[index] ?? {} })),
    ),
  )
  test.each(cases)('$meter per $member through load $load, in $filter', async (given) => {
    const { meter, member, load, filter } = given
    const accounts = [...MOVED_ACCOUNTS]
    const query = { ...scopeOf(meter, load, accounts), ...DAYS, ...filter, member, direction }
    const moved = counted(meter, load, accounts).filter((each) => isIn(each, filter))
    const members = allSlots(moved, { ...query, dropped: 0 })
    members.sort((a, b) => (a.key < b.key ? -1 : 1))
    for (const dropped of [0, 5, 60, SLOTS - 1]) {
      const found = await reader.rankedSlots({ ...query, dropped })
      const told = [...found].flatMap(([account, list]) =>
        list.map(({ memberId, ...slot }) => ({ key: `${account} ${memberId}`, ...slot })),
      )
      // Of equal slots the earliest.
      const expected = members.map(({ key, slots, sorted }) => ({
        key,
        ...slots.find(({ bytes }) => bytes === sorted[dropped]),
      }))
      expect(told).toEqual(expected)
    }
  })
})

describe('lines of a monthly percentile', () => {
  const base: BandwidthRule = {
    type: 'bandwidth',
    name: '95',
    level: 'resource',
    scope: {},
    mode: 'monthly-95',
    slot: 'mean',
    direction: 'out',
    validDay: 'all',
    missingSlot: 'zero',
    rank: { percent: 5, rounding: 'floor' },
    radix: 1000,
    commitBps: 0n,
    price: NANO,
    overagePrice: null,
    proRata: 'none',
    partialMonth: 'share',
  }
  test.each(
    MEMBERS.flatMap((level) =>
      (['out', 'in', 'sum', 'max-per-slot', 'max-of-both'] as const).flatMap((direction) =>
        [{}, { directions: ['out'] as const, areas: ['cn'] as const }].map((scope) => ({
          level,
          direction,
          scope,
        })),
      ),
    ),
  )('per $level by $direction in $scope are those of all slots', async (change) => {
    const rule = { ...base, ...change }
    const [accountId, zone] = ['acc-1', MOVED_ZONE]
    // From the first of the month on: the months of a period are ranked one by one.
    const period = { startMs: MOVED_START + 24 * HOUR_MS, endMs: MOVED_END }
    const rated = { accountId, zone, period, groups: {} }
    const lines = await ratePeriod({ meters: ['cdn'], rules: [rule] }, rated, reader)
    const query = { meter: 'cdn', accountIds: [accountId], throughBatch: null, ...period } as const
    const areas = 'areas' in change.scope ? { areas: change.scope.areas } : {}
    const asked = { ...query, ...areas, member: change.level, samples: false }
    const members = (await reader.slots(asked)).get(accountId) ?? []
    const expected = members.flatMap((member) =>
      rateBandwidth(rule, { members: [member], period, zone }).map((line) => ({
        ...line,
        memberId: member.memberId,
      })),
    )
    const withoutDays = (list: typeof expected) =>
      list.map(({ notBilled, ...line }) => ({
        ...line,
        perDay: [],
        notBilled: notBilled && { ...notBilled, perDay: [] },
      }))
    const found = lines.flatMap((line) => (line.type === 'bandwidth' ? [line] : []))
    expect(withoutDays(found)).toEqual(
      withoutDays(expected).map((line) => ({ ...line, type: 'bandwidth', ruleName: '95' })),
    )
    expect(found.length).toBeGreaterThan(0)
  })
})
