import { expect, test } from 'vitest'
import { burnPackages } from './package-burn.ts'
import { type BurnKey, DEFAULT_BURN_ORDER } from './package-order.ts'
import type { PackageUsage, PrepaidPackage } from './package-terms.ts'

const HOUR = 3_600_000
const ZONE = 'Asia/Shanghai'
/** Local midnight of the first day; hours below count from here, so that 24 is the second day. */
const FIRST_DAY = Date.parse('2026-05-01T00:00:00+08:00')
const at = (hour: number) => FIRST_DAY + hour * HOUR

interface Sketch extends Partial<Omit<PrepaidPackage, 'validity'>> {
  readonly id: string
  readonly size: bigint
  readonly start?: number
  /** End in hours; null: unlimited; `use`: this many hours from its first use. */
  readonly end: number | null | { readonly use: number } | { readonly months: number }
}

function pack({ size, start = 0, end, ...rest }: Sketch): PrepaidPackage {
  return {
    areas: null,
    kinds: null,
    projectIds: null,
    resourceIds: null,
    windows: [],
    sizeBytes: size,
    purchasedMs: at(start),
    startMs: at(start),
    validity: validityOf(end),
    ...rest,
  }
}

function validityOf(end: Sketch['end']): PrepaidPackage['validity'] {
  if (end === null) return { type: 'unlimited' }
  if (typeof end === 'number') return { type: 'from-purchase', endMs: at(end) }
  return 'use' in end
    ? { type: 'from-first-use', spanMs: end.use * HOUR }
    : { type: 'from-first-use', spanMonths: end.months }
}

type Moved = readonly [hour: number, bytes: bigint, labels?: Partial<PackageUsage>]

function moved([hour, bytes, labels]: Moved): PackageUsage {
  return {
    startMs: at(hour),
    area: 'cn',
    billingRegion: labels?.area ?? 'cn',
    kind: 'static',
    projectId: 'p1',
    resourceId: 'r1',
    bytes,
    ...labels,
  }
}

/** `day:package=bytes` for each posting, `-` for arrears. */
function burn(
  packages: readonly Sketch[],
  usage: readonly Moved[],
  order: readonly BurnKey[] = DEFAULT_BURN_ORDER,
) {
  return burnPackages(packages.map(pack), usage.map(moved), { zone: ZONE, order })
    .postings.map(({ dayMs, packageId, bytes }) => {
      return `${(dayMs - FIRST_DAY) / (24 * HOUR)}:${packageId ?? '-'}=${bytes}`
    })
    .join(' ')
}

const STATIC = { kinds: ['static'] } as const
const DYNAMIC = { kinds: ['dynamic'] } as const
const AT = (billingRegion: PackageUsage['billingRegion']) =>
  ({ area: billingRegion === 'cn' ? 'cn' : 'abroad', billingRegion }) as const
/** Abroad as a whole until hour 90, one region until hour 50. */
const UNIFIED = { id: 'unified', size: 100n, end: 90, areas: ['abroad'] } as const
const APAC1 = { id: 'zone', size: 50n, end: 50, areas: ['apac1'] } as const
const OFF_PEAK = { windows: [{ fromMinute: 22 * 60, toMinute: 6 * 60 }] }

test.each<[string, readonly Sketch[], readonly Moved[], string]>([
  ['no package: all is in arrears', [], [[1, 5n]], '0:-=5'],
  ['nothing moved: nothing is posted', [{ id: 'a', size: 9n, end: null }], [[1, 0n]], ''],
  [
    // 30 + 50 of 100 on the first day; of the next day's 40 only 20 are left.
    'postings are summed by local day, arrears last',
    [{ id: 'a', size: 100n, end: 99 }],
    [
      [1, 30n],
      [23, 50n],
      [24, 40n],
    ],
    '0:a=80 1:a=20 1:-=20',
  ],
  [
    'it begins at its start and has ended at its end',
    [{ id: 'a', size: 100n, start: 2, end: 4 }],
    [
      [1, 1n],
      [2, 2n],
      [3, 3n],
      [4, 4n],
    ],
    '0:a=5 0:-=5',
  ],
  [
    // Of apac1's 70 its own package, which ends first, gives 50. The other 20, eu-na's 40 and the
    // 10 of nobody knows where are the unified one's: 70 of its 100. What is of cn is nobody's.
    'abroad: the region first, what is left of it and all others from the unified package',
    [UNIFIED, APAC1],
    [
      [1, 70n, AT('apac1')],
      [2, 40n, AT('eu-na')],
      [3, 10n, AT('abroad')],
      [4, 5n, AT('cn')],
    ],
    '0:unified=70 0:zone=50 0:-=5',
  ],
  [
    // eu-na's 130 take the unified 100 first, in time: apac1 has its own 50 of 60 then.
    'a region package never pays for another region, nor for what no region is known of',
    [UNIFIED, APAC1],
    [
      [1, 130n, AT('eu-na')],
      [2, 60n, AT('apac1')],
      [3, 9n, AT('abroad')],
    ],
    '0:unified=100 0:zone=50 0:-=49',
  ],
  [
    // By expiry, whatever its scope: the unified 100 end first here, and apac1's 50 pay for 20.
    'a unified package that ends sooner goes before the region',
    [{ ...UNIFIED, end: 40 }, APAC1],
    [[1, 120n, AT('apac1')]],
    '0:unified=100 0:zone=20',
  ],
  [
    // 12 moved: the unlimited 5, then 4 of the one that ends at 50, then 3 of the other.
    'unlimited, then the earlier end',
    [
      { id: 'late', size: 9n, end: 90 },
      { id: 'soon', size: 4n, end: 50 },
      { id: 'ever', size: 5n, end: null },
    ],
    [[1, 12n]],
    '0:ever=5 0:late=3 0:soon=4',
  ],
  [
    // 6 static and 6 dynamic; 8 of each size 8 would do, but each kind has only its own.
    'static and dynamic packages never offset each other',
    [
      { id: 's', size: 4n, end: 90, ...STATIC },
      { id: 'd', size: 20n, end: 50, ...DYNAMIC },
    ],
    [
      [1, 6n],
      [1, 6n, { kind: 'dynamic' }],
    ],
    '0:d=6 0:s=4 0:-=2',
  ],
  [
    'areas, projects and resources pay for their own',
    [
      { id: 'cn', size: 9n, end: 90, areas: ['cn'] },
      { id: 'p2', size: 9n, end: 91, projectIds: ['p2'] },
      { id: 'r3', size: 9n, end: 92, resourceIds: ['r3'] },
    ],
    [
      [1, 1n],
      [1, 2n, { area: 'abroad', projectId: 'p2' }],
      [1, 3n, { area: 'abroad', resourceId: 'r3' }],
      [1, 4n, { area: 'abroad' }],
    ],
    '0:cn=1 0:p2=2 0:r3=3 0:-=4',
  ],
  [
    // Open from 22:00 until 06:00: the slots of 5 h, 22 h and 24 h, not those of 6 h and 21 h.
    'an off-peak package pays in its local hours only',
    [{ id: 'night', size: 100n, end: null, ...OFF_PEAK }],
    [
      [5, 1n],
      [6, 2n],
      [21, 4n],
      [22, 8n],
      [24, 16n],
    ],
    '0:night=9 0:-=6 1:night=16',
  ],
  [
    // First used at 3 h for 10 hours: 12 h is inside, 13 h is not, though 80 bytes are left.
    'from first use: the clock starts with the first byte, not with the purchase',
    [{ id: 'a', size: 100n, end: { use: 10 } }],
    [
      [3, 10n],
      [12, 10n],
      [13, 10n],
    ],
    '0:a=20 0:-=10',
  ],
  [
    // First used 1 May 03:00, so it ends on 1 June 03:00: 31 days are 744 hours.
    'from first use: calendar months',
    [{ id: 'a', size: 100n, end: { months: 1 } }],
    [
      [3, 1n],
      [746, 2n],
      [747, 4n],
    ],
    '0:a=1 31:a=2 31:-=4',
  ],
  [
    // b is not started and waits behind a. Used at 2 h when a is empty, it ends at 12 h, before c.
    'from first use: it ranks by its end once that is known',
    [
      { id: 'a', size: 1n, end: 11 },
      { id: 'b', size: 5n, end: { use: 10 }, purchasedMs: at(-1) },
      { id: 'c', size: 9n, start: 3, end: 20 },
    ],
    [
      [2, 3n],
      [4, 2n],
      [5, 2n],
    ],
    '0:a=1 0:b=5 0:c=1',
  ],
  [
    // b is used at 2 h and ends at 12 h, before c: at 4 h it goes first, though c has an end too.
    'from first use: it moves ahead as soon as its end is known',
    [
      { id: 'b', size: 9n, end: { use: 10 } },
      { id: 'c', size: 9n, start: 3, end: 20 },
    ],
    [
      [2, 1n],
      [4, 2n],
    ],
    '0:b=3',
  ],
  [
    // b waits behind any until it is used, so any gives 1 + 4 and b pays for no static byte; of the
    // dynamic 5, which b may not take, none is left to pay for.
    'from first use: while unused it waits, even where a wider one is used up',
    [
      { id: 'any', size: 5n, end: 60 },
      { id: 'b', size: 5n, end: { use: 50 }, ...STATIC },
    ],
    [
      [1, 1n],
      [2, 4n],
      [3, 5n, { kind: 'dynamic' }],
    ],
    '0:any=5 0:-=5',
  ],
])('%s', (_title, packages, usage, wanted) => {
  expect(burn(packages, usage)).toBe(wanted)
  expect(burn([...packages].reverse(), [...usage].reverse())).toBe(wanted)
})

test('a package that lasts from its first use may be spared by another, which adds arrears', () => {
  const packages: Sketch[] = [
    { id: 'any', size: 5n, start: 2, end: 60 },
    { id: 'b', size: 5n, end: { use: 50 }, ...STATIC },
  ]
  const usage: Moved[] = [
    [1, 1n],
    [2, 4n],
    [3, 5n, { kind: 'dynamic' }],
  ]
  // b is used at 1 h, ends at 51 h and so goes before any, which is left for the dynamic 5.
  expect(burn(packages, usage)).toBe('0:any=5 0:b=5')
  // x pays at 1 h. b, still unused, waits behind any, which gives 4 to static and has 1 for the 5.
  const spared: Sketch = { id: 'x', size: 1n, end: null, ...STATIC }
  expect(burn([...packages, spared], usage)).toBe('0:any=5 0:x=1 0:-=4')
})

test('a declared order decides who pays', () => {
  const packages: Sketch[] = [
    { id: 'big', size: 9n, end: 50 },
    { id: 'small', size: 3n, end: 60 },
    { id: 'mine', size: 5n, end: 70, resourceIds: ['r1'] },
  ]
  expect(burn(packages, [[1, 4n]])).toBe('0:big=4')
  expect(burn(packages, [[1, 4n]], ['smallest-size'])).toBe('0:mine=1 0:small=3')
  expect(burn(packages, [[1, 4n]], ['narrowest-scope'])).toBe('0:mine=4')
})

test('of slots that begin together, abroad comes before cn and dynamic before static', () => {
  // 5 bytes for 8: the first in the order of labels gets them, whatever was listed first.
  const usage: Moved[] = [
    [1, 2n],
    [1, 2n, { kind: 'dynamic' }],
    [1, 2n, { area: 'abroad', resourceId: 'r2' }],
    [1, 2n, { area: 'abroad', resourceId: 'r1' }],
  ]
  const packages = [pack({ id: 'a', size: 5n, end: null })]
  const options = { zone: ZONE, order: DEFAULT_BURN_ORDER }
  for (const listed of [usage, [...usage].reverse()]) {
    const { arrears } = burnPackages(packages, listed.map(moved), options)
    expect(arrears).toEqual([moved([1, 1n, { kind: 'dynamic' }]), moved([1, 2n])])
  }
})

test('balances name used, rest and first use of every package, by id', () => {
  const packages = [
    pack({ id: 'b', size: 9n, end: null, start: 2 }),
    pack({ id: 'a', size: 4n, end: null, ...DYNAMIC }),
  ]
  const options = { zone: ZONE, order: DEFAULT_BURN_ORDER }
  const usage: Moved[] = [
    [1, 1n],
    [3, 2n],
    [4, 3n],
  ]
  expect(burnPackages(packages, usage.map(moved), options).balances).toEqual([
    { packageId: 'a', usedBytes: 0n, remainingBytes: 4n, firstUseMs: null },
    { packageId: 'b', usedBytes: 5n, remainingBytes: 4n, firstUseMs: at(3) },
  ])
})

test('days of 23 hours are whole days', () => {
  // New York loses an hour on 8 March 2026: 23 hours after its midnight the next day begins.
  const midnight = Date.parse('2026-03-08T00:00:00-05:00')
  const usage = [22, 23].map((hour) => ({ ...moved([0, 1n]), startMs: midnight + hour * HOUR }))
  const options = { zone: 'America/New_York', order: DEFAULT_BURN_ORDER }
  expect(burnPackages([], usage, options).postings).toEqual([
    { dayMs: midnight, packageId: null, bytes: 1n },
    { dayMs: midnight + 23 * HOUR, packageId: null, bytes: 1n },
  ])
})

test.each<[string, readonly Sketch[], readonly Moved[]]>([
  [
    'two packages of one id',
    [
      { id: 'a', size: 1n, end: null },
      { id: 'a', size: 2n, end: null },
    ],
    [],
  ],
  ['negative usage', [], [[1, -1n]]],
])('%s are our mistake', (_title, packages, usage) => {
  expect(() => burn(packages, usage)).toThrow('assertion failed')
})
