import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { octoberDay } from '../../test/support/bills.ts'
import { type BatchedUsage, explainedBook } from '../../test/support/explained-book.ts'
import { FIVE_MINUTES_MS, HOUR_MS } from '../core/period.ts'
import { GB, GIB } from '../core/units.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import { explainLine } from './explain-line.ts'
import type { BandwidthExplanation, TrafficExplanation } from './explanation.ts'

const HEAD = `
name: book
version: 1
description: Rules for a book that is explained.
currency: CNY
rules:`

const DAILY = `${HEAD}
  - type: traffic
    name: by-day
    level: account
    scope: { directions: [out] }
    overhead: 10%
    unit: GiB
    tiering: graduated
    period: day
    tiers:
      - { upTo: 100GiB, price: "0.20" }
      - { price: "0.10" }
`

const MONTHLY = `${HEAD}
  - type: traffic
    name: by-month
    level: resource
    scope: { directions: [out] }
    overhead: 0%
    unit: GB
    tiering: volume
    period: month
    tiers:
      - { upTo: 100GB, price: "0.20" }
      - { price: "0.10" }
`

const RANKED = `${HEAD}
  - type: bandwidth
    name: p95
    level: account
    mode: monthly-95
    slot: mean
    direction: out
    validDay: all
    missingSlot: zero
    rank: { percent: 5, rounding: floor }
    unit: Mbps
    commit: 0Mbps
    price: "3.10"
    proRata: none
    partialMonth: share
  - type: bandwidth
    name: peak
    level: resource
    mode: daily-peak
    slot: mean
    direction: in
    validDay: all
    missingSlot: zero
    unit: Mbps
    commit: 0Mbps
    price: "0.10"
    proRata: none
`

const START = Date.parse(octoberDay(1).start)

function moved(day: number, slot: number, bytes: bigint, more: Partial<BatchedUsage> = {}) {
  return {
    startMs: START + (day - 1) * 24 * HOUR_MS + slot * FIVE_MINUTES_MS,
    resourceId: 'ucdn-a',
    projectId: 'org-1',
    area: 'cn' as const,
    billingRegion: more.area ?? ('cn' as const),
    province: '',
    kind: 'static' as const,
    direction: 'out' as const,
    bytes,
    batch: 1,
    ...more,
  }
}

const PACKAGE: PrepaidPackage = {
  id: 'pkg-1',
  sizeBytes: 30n * GIB,
  areas: ['cn'],
  kinds: ['static'],
  projectIds: null,
  resourceIds: null,
  windows: [],
  purchasedMs: START,
  startMs: START,
  validity: { type: 'unlimited' },
}

async function explained<T>(book: Awaited<ReturnType<typeof explainedBook>>, line: number) {
  return (await explainLine(book.bill.bill.id, line, book.deps)) as T
}

describe('a line of traffic', () => {
  // Day 1: 60 + 90 GiB out, of which the package takes its 30. 120 × 1.1 = 132 GiB:
  // tier 1 is 100 GiB × 0.20 = 20.00, tier 2 is 32 GiB × 0.10 = 3.20.
  const usage = [
    moved(1, 3, 60n * GIB),
    moved(1, 100, 90n * GIB, { resourceId: 'ucdn-b' }),
    moved(1, 100, 7n * GIB, { direction: 'in' }),
    moved(1, 100, 9n * GIB, { resourceId: 'ucdn-unbilled' }),
    moved(1, 200, 55n * GIB, { batch: 2 }),
    moved(3, 5, 10n * GIB),
  ]

  test('is followed from its slots over packages, overhead and tiers to the amount', async () => {
    const book = await explainedBook(DAILY, usage, [PACKAGE])
    const one = await explained<TrafficExplanation>(book, 1)
    expect(one.agrees).toBe(true)
    expect(one.line).toMatchObject({ tier: 1, amount: '20.00' })
    expect(one.tiers).toEqual([
      {
        tier: 1,
        upToBytes: String(100n * GIB),
        // 100 of 132 GiB as they were before the overhead: 97,612,893,090.9 bytes, to the nearest.
        rawBytes: '97612893091',
        billedBytes: String(100n * GIB),
        price: '0.20',
        amount: '20.00',
      },
      {
        tier: 2,
        upToBytes: null,
        rawBytes: String(120n * GIB - 97_612_893_091n),
        billedBytes: String(32n * GIB),
        price: '0.10',
        amount: '3.20',
      },
    ])
    expect(one.days).toMatchObject([
      {
        start: octoberDay(1).start,
        throughBatch: 1,
        measuredBytes: String(150n * GIB),
        takenBytes: String(30n * GIB),
        pricedBytes: String(120n * GIB),
        packages: [{ packageId: 'pkg-1', bytes: String(30n * GIB) }],
        slots: [
          {
            time: '2026-09-30T16:15:00.000Z',
            local: '2026-10-01T00:15+08:00',
            resource: 'ucdn-a',
            bytes: String(60n * GIB),
          },
          {
            time: '2026-10-01T00:20:00.000Z',
            local: '2026-10-01T08:20+08:00',
            resource: 'ucdn-b',
            bytes: String(90n * GIB),
          },
        ],
      },
    ])
    expect(one.steps).toEqual([
      '128849018880 bytes of acc-example were left to be priced by rule by-day',
      '128849018880 bytes × 11/10 = 141733920768 bytes (overhead 10%, rounded once)',
      '2 tiers: each tier prices its part',
      'tier 1: 107374182400 bytes × 0.20 CNY ÷ GiB of 2^30 bytes = 20.00 CNY',
      'tier 2: 34359738368 bytes × 0.10 CNY ÷ GiB of 2^30 bytes = 3.20 CNY',
      'the line is tier 1: 20.00 CNY',
    ])
  })

  test('of a month shows each day and resource that it was made of', async () => {
    const month = [
      moved(1, 3, 60n * GB),
      moved(2, 3, 70n * GB),
      moved(2, 9, 5n * GB, { resourceId: 'ucdn-b' }),
    ]
    const book = await explainedBook(MONTHLY, month)
    const one = await explained<TrafficExplanation>(book, 1)
    // 130 GB reach the second tier, which prices all of them: 13.00.
    expect(one.line).toMatchObject({ member: 'ucdn-a', tier: 2, amount: '13.00' })
    expect(one.agrees).toBe(true)
    expect(one.days.map(({ pricedBytes, slots }) => [pricedBytes, slots])).toEqual([
      [String(60n * GB), null],
      [String(70n * GB), null],
      ['0', null],
    ])
    expect(one.days[1]?.resources.map(({ resource }) => resource)).toEqual(['ucdn-a'])
  })

  test('does not agree when usage that it was made of is gone', async () => {
    const book = await explainedBook(DAILY, usage, [PACKAGE])
    const poorer = await explainedBook(DAILY, usage.slice(1), [PACKAGE])
    const deps = { ...book.deps, usage: poorer.deps.usage }
    expect((await explainLine(book.bill.bill.id, 1, deps)).agrees).toBe(false)
  })
})

describe('a line of bandwidth', () => {
  // 3 days are 864 slots, of which 43 (43.2 rounded down) are dropped. 44 slots of the first day
  // moved 1 to 44 times 37.5 MB, which is 1 to 44 Mbps: the 43 highest go, 1 Mbps is left.
  const ramp = Array.from({ length: 44 }, (_, index) =>
    moved(1, index, BigInt(index + 1) * 37_500_000n),
  )

  test('shows the slots around its sample, those dropped above it, and its price', async () => {
    const book = await explainedBook(RANKED, ramp)
    const at = book.bill.bill.lines.findIndex(
      (line) => line.type === 'bandwidth' && line.rule === 'p95',
    )
    const one = await explained<BandwidthExplanation>(book, at + 1)
    expect(one.agrees).toBe(true)
    // 3 of 31 days in force: 1 Mbps × 3.10 × 3/31 = 0.30.
    expect(one.line).toMatchObject({ bps: '1000000', slots: 864, dropped: 43, amount: '0.30' })
    const near = one.ranking.filter(({ rank }) => rank >= 42 && rank <= 45)
    expect(near).toEqual([
      {
        rank: 42,
        time: '2026-09-30T16:10:00.000Z',
        local: '2026-10-01T00:10+08:00',
        bps: '3000000',
        isReported: true,
        isDropped: true,
        isSample: false,
      },
      expect.objectContaining({ rank: 43, bps: '2000000', isDropped: true }),
      expect.objectContaining({ rank: 44, bps: '1000000', isDropped: false, isSample: true }),
      expect.objectContaining({ rank: 45, bps: '0', isReported: false }),
    ])
    expect(one.ranking.map(({ rank }) => rank)).toEqual([
      1, 2, 3, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
    ])
    expect(one.steps).toEqual([
      '864 slots count, 43 highest are dropped (monthly-95, out)',
      '1000000 at 2026-09-30T16:00:00.000Z = 1000000 bit/s',
      'billed: the higher of 1000000 and the commitment 0 = 1000000 bit/s',
      'shares: 3/31 days in force',
      '1000000 × 3.10 × 3/31 ÷ 1000000 bit/s per Mbps = 0.30 CNY',
    ])
  })

  test('of a day is explained from that day alone', async () => {
    const inbound = [moved(2, 7, 75_000_000n, { direction: 'in' }), moved(3, 7, 1n)]
    const book = await explainedBook(RANKED, inbound)
    const at = book.bill.bill.lines.findIndex(
      (line) => line.type === 'bandwidth' && line.rule === 'peak',
    )
    const one = await explained<BandwidthExplanation>(book, at + 1)
    expect(one.agrees).toBe(true)
    // 75 MB in 5 minutes are 2 Mbps.
    expect(one).toMatchObject({
      line: { bps: '2000000', amount: '0.20', start: octoberDay(2).start },
      members: ['ucdn-a'],
      days: [{ sample: { time: '2026-10-01T16:35:00.000Z', bps: '2000000' } }],
    })
  })
})

describe('an adjustment', () => {
  test('shows both lines with their samples, each from what was known then', async () => {
    const first = Array.from({ length: 44 }, (_, slot) => moved(1, slot, 37_500_000n))
    // 44 slots of the second day moved twice as much: the 43 highest of all are dropped again.
    const more = Array.from({ length: 44 }, (_, slot) => moved(2, slot, 75_000_000n, { batch: 2 }))
    const moved95 = await explainedBook(RANKED, [...first, ...more])
    const { lines } = moved95.next.bill
    const at = lines.findIndex((line) => line.type === 'adjustment' && line.of === 'month')
    const one = await explainLine(moved95.next.bill.id, at + 1, moved95.deps)
    if (one.type !== 'adjustment') throw new Error('no adjustment')
    expect(one.agrees).toBe(true)
    expect(one.before).toMatchObject({
      throughBatch: 1,
      line: { bps: '1000000', samples: [{ time: '2026-09-30T16:00:00.000Z' }] },
    })
    expect(one.after).toMatchObject({
      throughBatch: 2,
      line: { bps: '2000000', samples: [{ time: '2026-10-01T16:00:00.000Z' }] },
    })
    expect(one.steps.at(-1)).toBe('0.60 − 0.30 = 0.30 CNY')
  })

  test('of traffic by the day and by the month agrees with both of its lines', async () => {
    for (const pack of [DAILY, MONTHLY]) {
      const usage = [moved(2, 3, 60n * GIB), moved(2, 8, 70n * GIB, { batch: 2 })]
      const book = await explainedBook(pack, usage, [PACKAGE])
      expect(book.next.bill.lines.length).toBeGreaterThan(0)
      for (const [index] of book.next.bill.lines.entries()) {
        const one = await explainLine(book.next.bill.id, index + 1, book.deps)
        expect(one).toMatchObject({ type: 'adjustment', agrees: true })
      }
    }
  })
})

test('whatever was used, each line of the bill and of its adjustments is explained', async () => {
  const Usage = fc.array(
    fc.record({
      day: fc.integer({ min: 1, max: 3 }),
      slot: fc.integer({ min: 0, max: 287 }),
      bytes: fc.bigInt({ min: 0n, max: 200n * GIB }),
      resourceId: fc.constantFrom('ucdn-a', 'ucdn-b', 'ucdn-unbilled'),
      direction: fc.constantFrom('in' as const, 'out' as const),
      area: fc.constantFrom('cn' as const, 'abroad' as const),
      late: fc.boolean(),
    }),
    { maxLength: 25 },
  )
  let adjusted = 0
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(DAILY, MONTHLY, RANKED), Usage, async (pack, list) => {
      const usage = list.map(({ day, slot, bytes, late, ...more }) =>
        moved(day, slot, bytes, { ...more, batch: late && day === 2 ? 2 : 1 }),
      )
      const book = await explainedBook(pack, usage, [PACKAGE])
      for (const { bill } of [book.bill, book.next]) {
        for (const [index, line] of bill.lines.entries()) {
          const one = await explainLine(bill.id, index + 1, book.deps)
          expect([one.steps, one.agrees]).toEqual([one.steps, true])
          if (line.type === 'adjustment') adjusted += 1
        }
      }
    }),
    { numRuns: 50 },
  )
  expect(adjusted).toBeGreaterThan(0)
})

test('a line that there is not is named', async () => {
  const book = await explainedBook(DAILY, [])
  await expect(explainLine('acc-nobody.cdn.2026-10', 1, book.deps)).rejects.toThrow('no bill')
  await expect(explainLine(book.bill.bill.id, 9, book.deps)).rejects.toThrow('no line 9')
})
