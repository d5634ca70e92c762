import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { CUSTOMER } from '../../test/support/bills.ts'
import { fakeBooksUsage } from '../../test/support/explained-book.ts'
import { day, packageOf, packOf, usageAt, ZONE } from '../../test/support/forecast-world.ts'
import { FIVE_MINUTES_MS, HOUR_MS, localDays } from '../core/period.ts'
import { rateBandwidth } from '../rating/bandwidth-line.ts'
import { rateTraffic } from '../rating/traffic-rating.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { type BookTerms, type DayBasis, EMPTY_STATE } from './book.ts'
import { amountOf } from './charge-line.ts'
import { costOfMonth, type MonthPlan, slotsWithin, splitDays } from './month-cost.ts'
import { memberGroups } from './member-groups.ts'
import { readSlots } from './read-days.ts'

const MONTH = { startMs: day('2026-10-01'), endMs: day('2026-11-01') }
const KEY = { accountId: CUSTOMER.id, meter: 'cdn' as const }

const EVERYTHING = packOf(`
  - type: traffic
    name: daily
    level: resource
    scope: { directions: [out] }
    freeBelowPerDay: 500MB
    unit: GB
    period: day
    price: "2"
  - type: traffic
    name: monthly
    level: project
    scope: { directions: [in] }
    unit: GB
    tiering: graduated
    period: month
    tiers:
      - { upTo: 5GB, price: "1" }
      - { price: "0.5" }
  - { type: bandwidth, name: peak, level: account, mode: daily-peak, direction: out, price: "3" }
  - { type: bandwidth, name: p95, level: resource, mode: monthly-95, direction: in, price: "4" }
`)

function termsOf(pack: BookTerms['pack']): BookTerms {
  return { ...KEY, zone: ZONE, pack, packHash: pack.name, groups: {} }
}

function planOf(terms: BookTerms, packages: DayBasis['packages'] = []): MonthPlan {
  return {
    month: MONTH,
    days: localDays(MONTH, ZONE),
    basisOf: (atDay, opening) => ({
      ...terms,
      day: atDay,
      settledMs: atDay.endMs,
      packages,
      exclusive: [],
      unbilled: [],
      opening,
    }),
    opening: EMPTY_STATE,
    closed: [],
  }
}

async function slotsOf(terms: BookTerms, traffic: readonly TrafficUsage[]) {
  const usage = fakeBooksUsage(traffic.map((entry) => ({ ...entry, batch: 1 })))
  const rules = terms.pack.rules.filter((rule) => rule.type === 'bandwidth')
  const read = await readSlots([{ terms, rules }], MONTH, usage, null)
  return (_terms: BookTerms, interval: { startMs: number; endMs: number }) =>
    new Map(
      [...(read.get(KEY.accountId) ?? [])].map(([name, members]) => [
        name,
        slotsWithin(members, interval),
      ]),
    )
}

const entry = fc
  .record({
    slot: fc.integer({ min: 0, max: 31 * 288 - 1 }),
    resourceId: fc.constantFrom('r', 's'),
    projectId: fc.constantFrom('p', 'q'),
    direction: fc.constantFrom('in' as const, 'out' as const),
    bytes: fc.bigInt({ min: 0n, max: 3_000_000_000n }),
  })
  .map(({ slot, ...rest }) => usageAt(MONTH.startMs + slot * FIVE_MINUTES_MS, rest))

test('without packages a month costs what its usage is rated at as a whole', async () => {
  const terms = termsOf(EVERYTHING)
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (traffic) => {
      const cost = costOfMonth(planOf(terms), { traffic, slots: await slotsOf(terms, traffic) })
      const slots = (await slotsOf(terms, traffic))(terms, MONTH)
      const basis = { ...KEY, groups: {}, period: MONTH, zone: ZONE }
      const lines = EVERYTHING.rules.flatMap((rule): readonly { amount: bigint }[] =>
        rule.type === 'traffic'
          ? rateTraffic(rule, traffic, basis)
          : [...memberGroups(rule, slots.get(rule.name) ?? [], basis).values()].flatMap((members) =>
              rateBandwidth(rule, { members, period: MONTH, zone: ZONE }),
            ),
      )
      const amount = cost.lines.reduce((sum, line) => sum + amountOf(line), 0n)
      expect(amount).toBe(lines.reduce((sum, line) => sum + line.amount, 0n))
    }),
    { numRuns: 30 },
  )
})

test('what a package gives is not priced, and its balance goes on', () => {
  // A gigabyte on each of the 31 days at 2; a package of 10.5 GB leaves 20.5 GB, 41 yuan.
  const terms = termsOf(
    packOf(
      '  - { type: traffic, name: sent, level: account, scope: { directions: [out] }, unit: GB, period: day, price: "2" }\n',
    ),
  )
  const traffic = localDays(MONTH, ZONE).map(({ startMs }) => usageAt(startMs))
  const cost = costOfMonth(planOf(terms, [packageOf('a', 10_500_000_000n)]), {
    traffic,
    slots: () => new Map(),
  })
  expect(cost.lines).toHaveLength(21)
  expect(cost.lines.reduce((sum, line) => sum + amountOf(line), 0n)).toBe(41_000_000_000n)
  expect(cost.drawn).toEqual(new Map([['a', 10_500_000_000n]]))
  expect(cost.closing.balances[0]?.remainingBytes).toBe(0n)
})

test('days before the month move balances and cost nothing in it', () => {
  const pack = packOf(
    '  - { type: traffic, name: sent, level: account, scope: { directions: [out] }, unit: GB, period: day, price: "2" }\n',
  )
  const terms = termsOf(pack)
  const plan = planOf(terms, [packageOf('a', 1_500_000_000n)])
  const days = localDays({ startMs: day('2026-09-29'), endMs: day('2026-10-02') }, ZONE)
  const traffic = days.map(({ startMs }) => usageAt(startMs))
  // The 29th takes a gigabyte of the package, the 30th the rest and half a gigabyte that is
  // September's; what October has to pay is its first day alone.
  const cost = costOfMonth({ ...plan, days }, { traffic, slots: () => new Map() })
  expect(cost.lines.map(({ start, amount }) => [start, amount])).toEqual([
    ['2026-09-30T16:00:00.000Z', '2.00'],
  ])
})

test('what closed days left for the month is priced together with what is open', () => {
  const pack = packOf(`
  - type: traffic
    name: monthly
    level: account
    scope: { directions: [out] }
    unit: GB
    tiering: graduated
    period: month
    tiers:
      - { upTo: 15GB, price: "2" }
      - { price: "1" }
`)
  const terms = termsOf(pack)
  const interval = { startMs: MONTH.startMs, endMs: day('2026-10-11') }
  const remainder = localDays(interval, ZONE).map(({ startMs }) => usageAt(startMs))
  const days = localDays({ startMs: interval.endMs, endMs: MONTH.endMs }, ZONE)
  // Ten closed gigabytes and ten more: 15 at 2, five at 1.
  const cost = costOfMonth(
    { ...planOf(terms), days, closed: [{ terms, interval, remainder }] },
    {
      traffic: days.slice(0, 10).map(({ startMs }) => usageAt(startMs)),
      slots: () => new Map(),
    },
  )
  expect(cost.lines.map(({ amount }) => amount)).toEqual(['30.00', '5.00'])
})

test('entries are cut into days, and those of no day are left out', () => {
  const days = localDays({ startMs: MONTH.startMs, endMs: MONTH.startMs + 48 * HOUR_MS }, ZONE)
  const at = (hours: number) => MONTH.startMs + hours * HOUR_MS
  const found = splitDays(days, [at(47), at(-1), at(0), at(24), at(48)], (startMs) => startMs)
  expect(found).toEqual([[at(0)], [at(24), at(47)]])
})
