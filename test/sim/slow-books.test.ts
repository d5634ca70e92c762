/** What the oracle of the books says about worlds that are small enough to be done by hand. */
import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../src/core/period.ts'
import { GB, GIB } from '../../src/core/units.ts'
import { parseRulePack } from '../../src/rating/rule-pack.ts'
import type { SimBook, SimPackage, SimRecord, SimResource } from './books-world.ts'
import { simulateBooks, type SlowBooks } from './slow-books.ts'

const at = (text: string) => Date.parse(`${text}+08:00`)

function packOf(rules: string, packages = '{}') {
  const head = 'name: p\nversion: 1\ndescription: p\ncurrency: CNY\n'
  return parseRulePack(`${head}rules:\n${rules}\npackages: ${packages}`, 'p.yaml')
}

/** 0.20 for a GiB, 10 % added, each day by itself. */
const DAILY = packOf('  - { type: traffic, name: t, overhead: 10%, period: day, price: "0.20" }')
/** 0.80 for a GiB, each address and day by itself, below 1 GiB free. */
const ADDRESS = packOf(
  '  - { type: traffic, name: t, level: resource, freeBelowPerDay: 1GiB, period: day, price: "0.80" }',
)
const MONTHLY = packOf(
  '  - { type: traffic, name: t, unit: GB, tiers: [{ upTo: 10GB, price: "1" }, { price: "0.5" }] }',
)
const P95 = packOf('  - { type: bandwidth, name: b, mode: monthly-95, price: "0.5" }')

const BEGIN = at('2027-11-01T00:00')

function resource(id: string, more: Partial<SimResource> = {}): SimResource {
  return {
    id,
    kind: 'static',
    createdMs: BEGIN,
    registeredMs: BEGIN,
    replayedMs: null,
    projects: [{ fromMs: BEGIN, value: 'p1' }],
    payModes: [{ fromMs: BEGIN, value: 'Traffic' }],
    ...more,
  }
}

function moved(time: string, bytes: bigint, more: Partial<SimRecord> = {}): SimRecord {
  const minuteMs = at(time)
  const where = { billingRegion: 'cn', province: 'beijing' } as const
  const place = { ...where, direction: 'out', resourceId: 'r' } as const
  const arrivedMs = minuteMs + MINUTE_MS
  return { id: `${time} ${bytes}`, minuteMs, arrivedMs, ...place, bytes, ...more }
}

function bought(id: string, start: string, sizeBytes: bigint): SimPackage {
  const any = { areas: null, kinds: null, projectIds: null, resourceIds: null, windows: [] }
  const startMs = at(start)
  const when = { purchasedMs: startMs, startMs, refundedMs: null }
  return { id, sizeBytes, ...any, ...when, validity: { type: 'unlimited' } }
}

/** Closes each day at 13:00 on the next and books late usage a minute later, until `until`. */
function live(until: string, book: Partial<SimBook>): SlowBooks {
  const steps: SimBook['steps'][number][] = []
  for (let atMs = BEGIN + DAY_MS + 13 * HOUR_MS; atMs <= at(until); atMs += DAY_MS) {
    steps.push({ kind: 'close', atMs }, { kind: 'adjust', atMs: atMs + MINUTE_MS })
  }
  return simulateBooks({
    accountId: 'acc',
    meter: 'cdn',
    zone: 'Asia/Shanghai',
    resources: [resource('r')],
    groups: {},
    firstPack: DAILY,
    switches: [],
    packages: [],
    exclusive: [],
    records: [],
    settleMs: 12 * HOUR_MS,
    steps,
    ...book,
  })
}

/** Lines of closed days as `2027-11-01 t/acc 1.10`. */
function dayLines({ days }: SlowBooks): string[] {
  return days.flatMap(({ startMs, lines }) =>
    lines.map(({ rule, member, amount }) => {
      const local = new Date(startMs + 8 * HOUR_MS).toISOString().slice(0, 10)
      return `${local} ${rule}/${member} ${amount}`
    }),
  )
}

function adjustments({ adjustments: all }: SlowBooks): string[] {
  return all.flatMap(({ month, lines }) =>
    lines.map(({ of, before, after, amount }) => {
      const [was, is] = [before, after].map((line) => line?.amount ?? 'none')
      return `${month} ${of}: ${was} → ${is}, ${amount}`
    }),
  )
}

test('what no package took is billed with its overhead', () => {
  // 5 GiB moved, a package gives 3: 2 GiB are left, with 10 % 2.2 GiB, at 0.20 each 0.44. The next
  // day has no package any more: 1 GiB is 1.1 GiB, 0.22.
  const books = live('2027-11-04T00:00', {
    packages: [bought('k', '2027-11-01T00:00', 3n * GIB)],
    records: [moved('2027-11-01T10:00', 5n * GIB), moved('2027-11-02T10:00', GIB)],
  })
  expect(dayLines(books)).toEqual(['2027-11-01 t/acc 0.44', '2027-11-02 t/acc 0.22'])
  expect(books.days[0]?.draws).toEqual([
    { packageId: 'k', bytes: 3n * GIB },
    { packageId: null, bytes: 2n * GIB },
  ])
  const { usedBytes, drawnBytes, settledBytes, charged } = books.ledger
  expect([usedBytes, drawnBytes, settledBytes]).toEqual([6n * GIB, 3n * GIB, 3n * GIB])
  expect(charged).toEqual({ CNY: '0.66' })
})

test.each([
  // 5 GiB wait. 6 GiB bought before noon are more: nothing is ordered.
  ['larger and before noon', bought('k', '2027-11-02T11:59', 6n * GIB), []],
  ['as large as the arrears', bought('k', '2027-11-02T11:59', 5n * GIB), ['2027-11-01 t/acc 1.10']],
  ['when the day is settled', bought('k', '2027-11-02T12:00', 6n * GIB), ['2027-11-01 t/acc 1.10']],
])('a package that begins: %s', (_title, pack, lines) => {
  const books = live('2027-11-03T00:00', {
    packages: [pack],
    records: [moved('2027-11-01T10:00', 5n * GIB)],
  })
  expect(dayLines(books)).toEqual(lines)
})

test('a refilling volume anchored on the 31st is full again on 29 February', () => {
  // 5 GB on 20 February and 6 GB on the 29th before 15:00 are 11 of 10: 1 GB is left to pay. After
  // 15:00 it is full again: 6 GB are covered, and 4 of the 5 GB of 31 March before 15:00. What
  // comes in is never covered: 1 + 7 GB are to be paid.
  const books = live('2028-04-02T00:00', {
    meter: 'eip',
    firstPack: packOf(
      '  - { type: traffic, name: t, scope: { directions: [in, out] }, unit: GB, period: day, price: "1" }',
    ),
    exclusive: [
      {
        id: 'x',
        resourceId: 'r',
        sizeBytes: 10n * GB,
        resetPolicy: 'Month',
        createdMs: at('2028-01-31T15:00'),
      },
    ],
    records: [
      moved('2028-01-31T14:59', GB),
      moved('2028-02-20T10:00', 5n * GB),
      moved('2028-02-29T14:59', 6n * GB),
      moved('2028-02-29T15:00', 6n * GB),
      moved('2028-03-31T14:59', 5n * GB),
      moved('2028-03-31T15:00', 5n * GB),
      moved('2028-03-31T15:01', 7n * GB, { direction: 'in' }),
    ],
  })
  expect(dayLines(books)).toEqual([
    '2028-01-31 t/acc 1.00',
    '2028-02-29 t/acc 1.00',
    '2028-03-31 t/acc 8.00',
  ])
})

test('late usage that lifts a day above its free floor bills all of it', () => {
  // ½ GiB is free. ¾ GiB more make 1¼ GiB, all of it at 0.80: 1.00.
  const books = live('2027-12-02T00:00', {
    meter: 'eip',
    firstPack: ADDRESS,
    records: [
      moved('2027-11-01T10:00', GIB / 2n),
      moved('2027-11-01T11:00', (3n * GIB) / 4n, { arrivedMs: at('2027-11-05T10:00') }),
    ],
  })
  expect(dayLines(books)).toEqual([])
  expect(adjustments(books)).toEqual(['2027-11 day: none → 1.00, 1.00'])
  expect(books.months.map(({ totals }) => totals)).toEqual([{ CNY: '1.00' }])
})

test('late usage draws on what packages have left now, and is booked in the open month', () => {
  // Of 15 GiB the 29th takes 10 and the 30th 3. 4 GiB of the 29th come on 2 December: 2 are left,
  // 2 are billed as 2.2 GiB at 0.20: 0.44. Closed November stays as it is.
  const books = live('2028-01-02T00:00', {
    packages: [bought('k', '2027-11-01T00:00', 15n * GIB)],
    records: [
      moved('2027-11-29T10:00', 10n * GIB),
      moved('2027-11-30T10:00', 3n * GIB),
      moved('2027-11-29T09:00', 4n * GIB, { arrivedMs: at('2027-12-02T10:00') }),
    ],
  })
  expect(dayLines(books)).toEqual([])
  expect(adjustments(books)).toEqual(['2027-12 day: none → 0.44, 0.44'])
  expect(books.months.map(({ month, totals }) => [month, totals])).toEqual([
    ['2027-11', {}],
    ['2027-12', { CNY: '0.44' }],
  ])
  expect(books.packages.get('k')).toEqual({ used: 15n * GIB, firstUseMs: at('2027-11-29T10:00') })
})

test('late usage of a month that is open is in its line; of a closed one, an adjustment', () => {
  // 8 GB, and 4 GB that come late within November: 12 GB are 10 × 1 + 2 × 0.5 = 11. Another 4 GB
  // come in December: 10 + 6 × 0.5 = 13. The first tier stays as it is, the second gains 2; with
  // 1 GB a day later another 0.5.
  const books = live('2028-01-02T00:00', {
    firstPack: MONTHLY,
    records: [
      moved('2027-11-03T10:00', 8n * GB),
      moved('2027-11-04T10:00', 4n * GB, { arrivedMs: at('2027-11-20T10:00') }),
      moved('2027-11-05T10:00', 4n * GB, { arrivedMs: at('2027-12-05T10:00') }),
      moved('2027-11-05T10:00', GB, { arrivedMs: at('2027-12-06T10:00') }),
    ],
  })
  expect(books.months[0]?.monthLines.map(({ amount }) => amount)).toEqual(['10.00', '1.00'])
  expect(adjustments(books)).toEqual([
    '2027-12 month: 1.00 → 3.00, 2.00',
    '2027-12 month: 3.00 → 3.50, 0.50',
  ])
})

/** So many slots of 37.5 MB, which are 300 Mbit in 300 s: 1 Mbps each. */
function slots(from: string, count: number): SimRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const minuteMs = at(from) + index * 5 * MINUTE_MS
    return moved(from, 37_500_000n, { id: `s${index}`, minuteMs, arrivedMs: minuteMs + MINUTE_MS })
  })
}

test('a 95th of half a month is ranked on that half and costs half', () => {
  // From the 16th on 15 of 30 days: 4320 slots, of which 216 are dropped. With 217 slots of 1 Mbps
  // the result is the earliest of them; 0.5 × 15 ÷ 30 = 0.25. With 216 it is nothing.
  const world = { switches: [{ atMs: at('2027-11-15T18:00'), pack: P95 }] }
  const books = live('2027-12-02T00:00', { ...world, records: slots('2027-11-20T00:00', 217) })
  expect(books.months[0]?.monthLines).toMatchObject([
    {
      start: '2027-11-15T16:00:00.000Z',
      end: '2027-11-30T16:00:00.000Z',
      bps: '1000000',
      slots: 4320,
      dropped: 216,
      days: 15,
      samples: [{ time: '2027-11-19T16:00:00.000Z', bps: '1000000' }],
      amount: '0.25',
    },
  ])
})

test('a late slot ranks a closed month again, with both samples', () => {
  const late = moved('2027-11-25T12:00', 37_500_000n, { arrivedMs: at('2027-12-05T12:00') })
  const books = live('2028-01-02T00:00', {
    switches: [{ atMs: at('2027-11-15T18:00'), pack: P95 }],
    records: [...slots('2027-11-20T00:00', 216), late],
  })
  // The 217th highest of 4320 was idle, the first of them at the beginning.
  expect(books.months[0]?.monthLines).toMatchObject([{ bps: '0', amount: '0.00' }])
  expect(adjustments(books)).toEqual(['2027-12 month: 0.00 → 0.25, 0.25'])
  const [line] = books.adjustments[0]?.lines ?? []
  expect([line?.before, line?.after]).toMatchObject([
    { samples: [{ time: '2027-11-15T16:00:00.000Z', bps: '0' }] },
    { samples: [{ time: '2027-11-19T16:00:00.000Z', bps: '1000000' }] },
  ])
})

test('of several pay modes of a day the last decides the next day, and none its own', () => {
  const books = live('2027-11-05T00:00', {
    meter: 'eip',
    firstPack: ADDRESS,
    resources: [
      resource('r', {
        payModes: [
          { fromMs: BEGIN, value: 'Traffic' },
          { fromMs: at('2027-11-01T09:00'), value: 'Traffic' },
          { fromMs: at('2027-11-01T10:00'), value: 'Bandwidth' },
          { fromMs: at('2027-11-02T23:59'), value: 'ShareBandwidth' },
          // In force with the day that begins then.
          { fromMs: at('2027-11-03T00:00'), value: 'Traffic' },
        ],
      }),
    ],
    records: ['01', '02', '03'].map((day) => moved(`2027-11-${day}T12:00`, 2n * GIB)),
  })
  // 2 GiB at 0.80.
  expect(dayLines(books)).toEqual(['2027-11-01 t/r 1.60', '2027-11-03 t/r 1.60'])
})

test('of several charge modes of a day the last is in force from the next midnight on', () => {
  const books = live('2027-11-05T00:00', {
    switches: [
      { atMs: at('2027-11-01T09:00'), pack: P95 },
      { atMs: at('2027-11-01T10:00'), pack: ADDRESS },
      // The beginning of a day is a part of it.
      { atMs: at('2027-11-03T00:00'), pack: DAILY },
    ],
    records: ['01', '02', '03', '04'].map((day) => moved(`2027-11-${day}T00:00`, 2n * GIB)),
  })
  // 2.2 GiB at 0.20, or 2 GiB at 0.80; the 4th is not settled yet.
  expect(dayLines(books)).toEqual([
    '2027-11-01 t/acc 0.44',
    '2027-11-02 t/r 1.60',
    '2027-11-03 t/r 1.60',
  ])
})

test('what is sent twice counts once, and what was refused counts when it is taken in', () => {
  const twice = moved('2027-11-01T10:00', GIB)
  const early = moved('2027-11-01T11:00', 2n * GIB, { resourceId: 'new' })
  const books = live('2027-11-08T00:00', {
    resources: [
      resource('r'),
      resource('new', { registeredMs: at('2027-11-03T08:00'), replayedMs: at('2027-11-04T08:00') }),
    ],
    records: [twice, { ...twice, arrivedMs: at('2027-11-05T10:00') }, early, early],
  })
  // 1.1 GiB at 0.20 on time; 2.2 GiB more on the 4th.
  expect(dayLines(books)).toEqual(['2027-11-01 t/acc 0.22'])
  expect(adjustments(books)).toEqual(['2027-11 day: 0.22 → 0.66, 0.44'])
  expect(books.adjustments[0]?.atMs).toBe(at('2027-11-04T13:01'))
})
