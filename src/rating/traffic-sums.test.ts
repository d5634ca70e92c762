import { describe, expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { GB, type Bytes } from '../core/units.ts'
import type { DayWindow, Scope, TrafficRule } from './rules.ts'
import { sumTraffic, type TrafficSum } from './traffic-sums.ts'
import type { TrafficBasis, TrafficUsage } from './traffic-usage.ts'

const at = (text: string): number => Date.parse(text)

function rule(fields: Partial<TrafficRule> = {}): TrafficRule {
  return {
    type: 'traffic',
    name: 'out',
    level: 'account',
    scope: {},
    windows: [],
    overhead: { numerator: 1n, denominator: 1n },
    freeBelowBytesPerDay: 0n,
    radix: 1000,
    tiering: 'graduated',
    tiers: [{ upToBytes: null, price: 1n }],
    period: 'month',
    ...fields,
  }
}

function usage(bytes: Bytes, fields: Partial<TrafficUsage> = {}): TrafficUsage {
  return {
    startMs: at('2026-06-10T12:00:00+08:00'),
    resourceId: 'r1',
    projectId: 'p1',
    area: 'cn',
    billingRegion: fields.area ?? 'cn',
    province: 'zhejiang',
    kind: 'static',
    direction: 'out',
    bytes,
    ...fields,
  }
}

function basis(start: string, end: string, zone = 'Asia/Shanghai'): TrafficBasis {
  return { accountId: 'acc', period: { startMs: at(start), endMs: at(end) }, zone }
}

const JUNE = basis('2026-06-01T00:00:00+08:00', '2026-07-01T00:00:00+08:00')

/** `member start/end: bytes`, times in UTC. */
function show(sums: readonly TrafficSum[]): string[] {
  return sums.map(({ memberId, startMs, endMs, rawBytes }) => {
    const [start, end] = [startMs, endMs].map((ms) => new Date(ms).toISOString().slice(0, 16))
    return `${memberId} ${start}/${end}: ${rawBytes}`
  })
}

function total(sums: readonly TrafficSum[]): bigint {
  return sums.reduce((bytes, sum) => bytes + sum.rawBytes, 0n)
}

describe('times of day', () => {
  const night: DayWindow = { fromMinute: 23 * 60, toMinute: 7 * 60 }
  const noon: DayWindow = { fromMinute: 12 * 60, toMinute: 13 * 60 }

  /** Entries of 1, 2, 4, … bytes, so that a sum tells which of them were priced. */
  function series(starts: readonly string[]): TrafficUsage[] {
    return starts.map((start, index) => usage(1n << BigInt(index), { startMs: at(start) }))
  }

  const moved = series([
    '2026-06-10T00:00:00+08:00', // 1
    '2026-06-10T06:55:00+08:00', // 2
    '2026-06-10T07:00:00+08:00', // 4
    '2026-06-10T12:00:00+08:00', // 8
    '2026-06-10T12:59:00+08:00', // 16
    '2026-06-10T13:00:00+08:00', // 32
    '2026-06-10T22:55:00+08:00', // 64
    '2026-06-10T23:00:00+08:00', // 128
    '2026-06-10T23:59:00+08:00', // 256
  ])

  test.each<[string, DayWindow[], bigint]>([
    ['none: at any time', [], 511n],
    ['12:00 to 13:00', [noon], 8n + 16n],
    ['23:00 to 07:00, around midnight', [night], 1n + 2n + 128n + 256n],
    ['two of them', [noon, night], 1n + 2n + 8n + 16n + 128n + 256n],
    ['two that overlap count once', [noon, { fromMinute: 720, toMinute: 1440 }], 504n],
    ['00:00 to 24:00', [{ fromMinute: 0, toMinute: 1440 }], 511n],
    ['12:00 to 12:00, all the way around', [{ fromMinute: 720, toMinute: 720 }], 511n],
    ['23:00 to 24:00', [{ fromMinute: 1380, toMinute: 1440 }], 128n + 256n],
    ['23:00 to 00:00', [{ fromMinute: 1380, toMinute: 0 }], 128n + 256n],
  ])('%s', (_title, windows, expected) => {
    expect(total(sumTraffic(rule({ windows }), moved, JUNE))).toBe(expected)
  })

  // New York springs from 02:00 to 03:00 at 07:00Z on 8 March and falls from 02:00 to 01:00 at
  // 06:00Z on 1 November; Lord Howe moves by half an hour, from 02:00 to 02:30 at 15:30Z on 3
  // October and from 02:00 to 01:30 at 15:00Z on 4 April.
  test.each<[string, string, string[], number, number, bigint]>([
    [
      'an hour that is skipped holds nothing',
      'America/New_York',
      ['2026-03-08T06:55:00Z', '2026-03-08T07:00:00Z'],
      120,
      180,
      0n,
    ],
    [
      'after the skipped hour the new clock counts',
      'America/New_York',
      ['2026-03-08T06:55:00Z', '2026-03-08T07:00:00Z', '2026-03-08T08:00:00Z'],
      180,
      240,
      2n,
    ],
    [
      'an hour that is repeated counts both times',
      'America/New_York',
      ['2026-11-01T04:55:00Z', '2026-11-01T05:00:00Z', '2026-11-01T06:55:00Z', '2026-11-01T07:00Z'],
      60,
      120,
      2n + 4n,
    ],
    [
      'half an hour that is skipped holds nothing',
      'Australia/Lord_Howe',
      ['2026-10-03T15:25:00Z', '2026-10-03T15:30:00Z'],
      120,
      150,
      0n,
    ],
    [
      'half an hour that is repeated counts both times',
      'Australia/Lord_Howe',
      ['2026-04-04T14:25:00Z', '2026-04-04T14:30:00Z', '2026-04-04T15:25:00Z', '2026-04-04T15:30Z'],
      90,
      120,
      2n + 4n,
    ],
    [
      'a half-hour zone has its own midnight',
      'Asia/Kolkata',
      ['2026-06-09T18:25:00Z', '2026-06-09T18:30:00Z', '2026-06-09T19:30:00Z'],
      0,
      60,
      2n,
    ],
  ])('%s', (_title, zone, starts, fromMinute, toMinute, expected) => {
    const year = basis('2026-01-02T00:00:00Z', '2026-12-30T00:00:00Z', zone)
    const windows = [{ fromMinute, toMinute }]
    expect(total(sumTraffic(rule({ windows }), series(starts), year))).toBe(expected)
  })
})

describe('free days', () => {
  const floor = { freeBelowBytesPerDay: GB }

  test('below the limit a day is free; at the limit all of it is billed', () => {
    const moved = [
      usage(999_999_999n, { resourceId: 'below' }),
      usage(600_000_000n, { resourceId: 'at' }),
      usage(400_000_000n, { resourceId: 'at' }),
    ]
    const byResource = rule({ ...floor, level: 'resource', period: 'day' })
    expect(show(sumTraffic(byResource, moved, JUNE))).toEqual([
      'at 2026-06-09T16:00/2026-06-10T16:00: 1000000000',
    ])
  })

  test('each resource is looked at alone, whatever the level is', () => {
    const moved = ['a', 'b', 'c'].map((resourceId) => usage(900_000_000n, { resourceId }))
    expect(sumTraffic(rule(floor), moved, JUNE)).toEqual([])
    const more = [...moved, usage(100_000_000n, { resourceId: 'b' })]
    expect(total(sumTraffic(rule(floor), more, JUNE))).toBe(GB)
  })

  // 0.6 GB before and 0.6 GB after midnight in Shanghai, 16:00Z, are two days below one GB.
  test.each([
    ['Asia/Shanghai', 0n],
    ['UTC', 1_200_000_000n],
  ])('days are those of %s', (zone, expected) => {
    const moved = ['2026-06-10T15:55:00Z', '2026-06-10T16:00:00Z'].map((start) =>
      usage(600_000_000n, { startMs: at(start) }),
    )
    const sums = sumTraffic(rule(floor), moved, { ...JUNE, zone })
    expect(total(sums)).toBe(expected)
  })

  test('raw bytes in scope decide: neither overhead nor the other direction counts', () => {
    const overhead = { numerator: 11n, denominator: 10n }
    const out = rule({ ...floor, overhead, scope: { directions: ['out'] } })
    const moved = [usage(950_000_000n), usage(950_000_000n, { direction: 'in' })]
    expect(sumTraffic(out, moved, JUNE)).toEqual([])
  })

  // 0.6 GB by day and 0.6 GB by night are a day of 1.2 GB, of which the window prices one half.
  test('windows choose what is priced of a day, not how large it is', () => {
    const night = rule({ ...floor, windows: [{ fromMinute: 0, toMinute: 420 }] })
    const early = { startMs: at('2026-06-10T03:00:00+08:00') }
    const moved = [usage(600_000_000n), usage(600_000_000n, early)]
    expect(total(sumTraffic(night, moved, JUNE))).toBe(600_000_000n)
  })
})

describe('scope', () => {
  const moved = [
    usage(1n),
    usage(2n, { area: 'abroad', province: 'unknown' }),
    usage(4n, { province: 'beijing' }),
    usage(8n, { kind: 'dynamic' }),
    usage(16n, { direction: 'in' }),
    usage(32n, { province: 'beijing', kind: 'dynamic', direction: 'in' }),
  ]

  test.each<[Scope, bigint]>([
    [{}, 63n],
    [{ areas: ['cn'] }, 61n],
    [{ areas: ['abroad'] }, 2n],
    [{ areas: ['abroad', 'cn'] }, 63n],
    [{ provinces: ['beijing'] }, 36n],
    [{ provinces: ['beijing', 'unknown'] }, 38n],
    [{ kinds: ['dynamic'] }, 40n],
    [{ directions: ['out'] }, 15n],
    [{ directions: ['in'], kinds: ['static'] }, 16n],
    [{ areas: ['cn'], provinces: ['beijing'], kinds: ['dynamic'], directions: ['in'] }, 32n],
    [{ areas: ['abroad'], provinces: ['beijing'] }, 0n],
  ])('%o', (scope, expected) => {
    expect(total(sumTraffic(rule({ scope }), moved, JUNE))).toBe(expected)
  })
})

describe('members', () => {
  const moved = [
    usage(1n),
    usage(2n, { resourceId: 'r2' }),
    usage(4n, { resourceId: 'r3', projectId: 'p2' }),
  ]
  const month = '2026-05-31T16:00/2026-06-30T16:00'

  test.each<[TrafficRule['level'], string[]]>([
    ['account', [`acc ${month}: 7`]],
    ['project', [`p1 ${month}: 3`, `p2 ${month}: 4`]],
    ['resource', [`r1 ${month}: 1`, `r2 ${month}: 2`, `r3 ${month}: 4`]],
    ['group', [`east ${month}: 5`]],
  ])('of level %s are summed and tiered alone', (level, expected) => {
    const groups = { west: [], east: ['r3', 'r1', 'r1'] }
    const sums = sumTraffic(rule({ level }), moved, { ...JUNE, groups })
    expect(show(sums)).toEqual(expected)
  })

  test('a resource of no group is left to other rules', () => {
    expect(sumTraffic(rule({ level: 'group' }), moved, JUNE)).toEqual([])
  })

  test('a resource in two groups is refused, since it would be billed twice', () => {
    const groups = { east: ['r1'], west: ['r2', 'r1'] }
    const rate = () => sumTraffic(rule({ level: 'group' }), moved, { ...JUNE, groups })
    expect(rate).toThrow(AppError)
    expect(rate).toThrow('groups: r1 is in east and in west; leave it in one of them.')
  })
})

describe('periods', () => {
  test('usage outside is not looked at, and the end is outside', () => {
    const starts = ['2026-05-31T15:55:00Z', '2026-05-31T16:00:00Z', '2026-06-30T16:00:00Z']
    const moved = starts.map((start, index) => usage(1n << BigInt(index), { startMs: at(start) }))
    expect(total(sumTraffic(rule(), moved, JUNE))).toBe(2n)
  })

  test('lines name the local month, cut to what was rated', () => {
    const starts = ['2026-06-20T00:00:00Z', '2026-07-01T00:00:00Z', '2026-08-02T00:00:00Z']
    const moved = starts.map((start, index) => usage(1n << BigInt(index), { startMs: at(start) }))
    const summer = basis('2026-06-15T00:00:00+08:00', '2026-08-10T00:00:00+08:00')
    expect(show(sumTraffic(rule(), moved, summer))).toEqual([
      'acc 2026-06-14T16:00/2026-06-30T16:00: 1',
      'acc 2026-06-30T16:00/2026-07-31T16:00: 2',
      'acc 2026-07-31T16:00/2026-08-09T16:00: 4',
    ])
  })

  // 23 hours from 05:00Z to 04:00Z, and 25 hours from 04:00Z to 05:00Z.
  test.each([
    ['2026-03-08', '2026-03-08T05:00/2026-03-09T04:00'],
    ['2026-11-01', '2026-11-01T04:00/2026-11-02T05:00'],
  ])('the day of %s is as long as its clock makes it', (date, span) => {
    const year = basis('2026-01-01T05:00:00Z', '2027-01-01T05:00:00Z', 'America/New_York')
    const daily = rule({ period: 'day' })
    const moved = [usage(1n, { startMs: at(`${date}T12:00:00Z`) })]
    expect(show(sumTraffic(daily, moved, year))).toEqual([`acc ${span}: 1`])
  })

  test('a period without time has no lines', () => {
    const none = basis('2026-06-10T12:00:00+08:00', '2026-06-10T12:00:00+08:00')
    expect(sumTraffic(rule(), [usage(1n)], none)).toEqual([])
  })
})

test('negative usage is a bug of the caller', () => {
  expect(() => sumTraffic(rule(), [usage(-1n)], JUNE)).toThrow('r1 moved -1 bytes')
})
