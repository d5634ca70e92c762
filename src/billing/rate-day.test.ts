import { describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import { parseRulePack } from '../rating/rule-pack.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { type BookState, type DayBasis, EMPTY_STATE } from './book.ts'
import { formatState, parseState, recordText } from './day-record.ts'
import { NO_USAGE, rateDay } from './rate-day.ts'

const DAY = Date.parse('2026-11-01T00:00:00+08:00')
const UNIFIED =
  '  - { type: traffic, name: abroad, scope: { areas: [abroad] }, period: day, price: "2" }\n'
const BY_REGION = `  - { type: traffic, name: apac1, scope: { areas: [apac1] }, period: day, price: "5" }
  - { type: traffic, name: latam, scope: { areas: [latam] }, period: day, price: "9" }
`

const OTHER =
  '  - { type: traffic, name: other, scope: { areas: [abroad-other] }, period: day, price: "7" }\n'

function packOf(rules: string, arrears = '{}') {
  const head = 'name: p\nversion: 1\ndescription: p\ncurrency: CNY\n'
  return parseRulePack(`${head}rules:\n${rules}packages: { arrears: ${arrears} }\n`, 'p.yaml')
}

function prepaid(areas: PrepaidPackage['areas'], sizeBytes: bigint, day = 0): PrepaidPackage {
  const startMs = DAY + day * DAY_MS
  return {
    id: areas?.join('+') ?? 'any',
    sizeBytes,
    areas,
    kinds: null,
    projectIds: null,
    resourceIds: null,
    windows: [],
    purchasedMs: startMs,
    startMs,
    validity: { type: 'unlimited' },
  }
}

function moved(
  hour: number,
  billingRegion: TrafficUsage['billingRegion'],
  bytes: bigint,
): TrafficUsage {
  const owner = { resourceId: 'r', projectId: 'p' }
  const what = { province: '', kind: 'static', direction: 'out' } as const
  return { startMs: DAY + hour * HOUR_MS, ...owner, area: 'abroad', billingRegion, ...what, bytes }
}

function rate(
  pack: DayBasis['pack'],
  traffic: readonly TrafficUsage[],
  { day = 0, opening = EMPTY_STATE, packages = [] as readonly PrepaidPackage[] } = {},
) {
  const startMs = DAY + day * DAY_MS
  const basis: DayBasis = {
    accountId: 'acc',
    meter: 'cdn',
    zone: 'Asia/Shanghai',
    pack,
    packHash: '',
    groups: {},
    day: { startMs, endMs: startMs + DAY_MS },
    settledMs: startMs + DAY_MS,
    packages,
    exclusive: [],
    unbilled: [],
    opening,
  }
  return rateDay(basis, { ...NO_USAGE, traffic })
}

/** As a book has it between two days. */
const overnight = (state: BookState): BookState => parseState(formatState(state))

const lines = ({ lines: list }: ReturnType<typeof rate>): string[] =>
  list.map((line) =>
    line.type === 'traffic' ? `${line.ruleName} ${line.rawBytes / GIB} ${line.amount}` : '',
  )
const absorbed = ({ absorptions }: ReturnType<typeof rate>) =>
  absorptions.map(({ packageId, bytes }) => `${packageId} ${bytes / GIB}`)

describe('arrears that are carried keep their region', () => {
  const pack = packOf(UNIFIED, '{ bill: carry }')
  // 3 GiB of apac1 on two days, 4 of latam and 2 of nobody knows where on the first.
  const first = rate(pack, [
    moved(1, 'apac1', 2n * GIB),
    moved(1, 'latam', 4n * GIB),
    moved(1, 'abroad', 2n * GIB),
  ])
  const second = rate(pack, [moved(25, 'apac1', GIB)], {
    day: 1,
    opening: overnight(first.closing),
  })
  const third = (packages: readonly PrepaidPackage[]) =>
    rate(pack, [], { day: 2, opening: overnight(second.closing), packages })

  test('a larger package for apac1 takes what apac1 owes, and nothing else', () => {
    const after = third([prepaid(['apac1'], 4n * GIB, 2)])
    expect(absorbed(after)).toEqual(['apac1 3'])
    expect(after.closing.arrears.map((one) => `${one.billingRegion} ${one.bytes / GIB}`)).toEqual([
      'abroad 2',
      'latam 4',
    ])
  })

  test('one for latam takes what latam owes: 4, so that it must be larger than those', () => {
    expect(absorbed(third([prepaid(['latam'], 5n * GIB, 2)]))).toEqual(['latam 4'])
    expect(absorbed(third([prepaid(['latam'], 4n * GIB, 2)]))).toEqual([])
    expect(absorbed(third([prepaid(['eu-na'], 99n * GIB, 2)]))).toEqual([])
  })

  test('a unified one takes all 9, or nothing', () => {
    expect(absorbed(third([prepaid(['abroad'], 10n * GIB, 2)]))).toEqual(['abroad 9'])
    expect(absorbed(third([prepaid(['abroad'], 9n * GIB, 2)]))).toEqual([])
  })
})

describe('what packages leave is priced by region', () => {
  const usage = [
    moved(1, 'apac1', 3n * GIB),
    moved(2, 'latam', 4n * GIB),
    moved(3, 'abroad', 2n * GIB),
  ]

  test('by one price for all that is abroad', () => {
    // 9 GiB at 2.
    expect(lines(rate(packOf(UNIFIED), usage))).toEqual(['abroad 9 18000000000'])
  })

  test('by the price of each region; where nobody knows it, by none', () => {
    // 3 GiB at 5 and 4 at 9.
    expect(lines(rate(packOf(BY_REGION), usage))).toEqual([
      'apac1 3 15000000000',
      'latam 4 36000000000',
    ])
  })

  test('by the price of no known region, which prices nothing else', () => {
    // 2 GiB at 7, beside 3 at 5 and 4 at 9.
    expect(lines(rate(packOf(BY_REGION + OTHER), usage))).toEqual([
      'apac1 3 15000000000',
      'latam 4 36000000000',
      'other 2 14000000000',
    ])
    expect(lines(rate(packOf(OTHER), usage))).toEqual(['other 2 14000000000'])
    expect(lines(rate(packOf(OTHER), [moved(1, 'apac1', GIB), moved(2, 'latam', GIB)]))).toEqual([])
  })

  test('a package for no known region gives to nothing else', () => {
    const packages = [prepaid(['abroad-other'], 5n * GIB)]
    const day = rate(packOf(BY_REGION + OTHER), usage, { packages })
    expect(lines(day)).toEqual(['apac1 3 15000000000', 'latam 4 36000000000'])
    expect(day.closing.balances.map(({ usedBytes }) => usedBytes / GIB)).toEqual([2n])
  })

  test('an order of what no region is known of is rounded alone, and kept as it always was', () => {
    const halves = [moved(1, 'apac1', GIB / 2n), moved(2, 'abroad', GIB / 2n)]
    const day = rate(packOf(BY_REGION + OTHER, '{ quantum: 1GiB, rounding: up }'), halves)
    expect(lines(day)).toEqual(['apac1 1 5000000000', 'other 1 7000000000'])
    // Records that exist say `abroad` of it; so do those to come.
    expect(recordText({ orders: day.orders, remainder: day.remainder })).toBe(
      '{"orders":[{"area":"abroad","arrearsBytes":"536870912","kind":"static",' +
        '"orderedBytes":"1073741824"},{"area":"apac1","arrearsBytes":"536870912",' +
        '"kind":"static","orderedBytes":"1073741824"}],"remainder":[{"area":"abroad",' +
        '"bytes":"1073741824","direction":"out","kind":"static","projectId":"p","province":"",' +
        '"resourceId":"r","startMs":1793462400000},{"area":"abroad","billingRegion":"apac1",' +
        '"bytes":"1073741824","direction":"out","kind":"static","projectId":"p","province":"",' +
        '"resourceId":"r","startMs":1793462400000}]}',
    )
  })

  test('what a unified package gives to the first of them is not priced', () => {
    // 5 GiB: the 3 of apac1 and 2 of latam, in time; 2 of latam are left.
    const packages = [prepaid(['abroad'], 5n * GIB)]
    expect(lines(rate(packOf(BY_REGION), usage, { packages }))).toEqual(['latam 2 18000000000'])
  })

  test('orders in whole gibibytes are whole for each price', () => {
    // Up: half a GiB of each is a whole one of each, and not the two halves one of latam's.
    const halves = [moved(1, 'apac1', GIB / 2n), moved(2, 'latam', GIB / 2n)]
    const quantum = '{ quantum: 1GiB, rounding: up }'
    const byRegion = rate(packOf(BY_REGION, quantum), halves)
    expect(lines(byRegion)).toEqual(['apac1 1 5000000000', 'latam 1 9000000000'])
    expect(byRegion.orders.map(({ area }) => area)).toEqual(['apac1', 'latam'])
    // By one price they are one order of one GiB.
    const unified = rate(packOf(UNIFIED, quantum), halves)
    expect(lines(unified)).toEqual(['abroad 1 2000000000'])
    expect(unified.orders.map(({ area }) => area)).toEqual(['abroad'])
  })
})
