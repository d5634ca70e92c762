/** That a simulated year has in it what it is made for, and that its books add up. */
import { beforeAll, expect, test } from 'vitest'
import { parseMoney } from '../../src/core/money.ts'
import { DAY_MS, localDays } from '../../src/core/period.ts'
import type { SimBook } from './books-world.ts'
import { simulateBooks, type SlowBooks } from './slow-books.ts'
import { holds, monthOf } from './slow-time.ts'
import { sumOf } from './slow-traffic.ts'
import { takenUsage } from './slow-usage.ts'
import { YEAR_PACKS } from './year-packs.ts'
import { createYear, FULL_YEAR, SMALL_YEAR, ZONES } from './year-world.ts'

let worlds: readonly SimBook[]
let books: readonly SlowBooks[]
beforeAll(() => {
  worlds = createYear(SMALL_YEAR)
  books = worlds.map(simulateBooks)
})

const total = (lines: readonly { readonly amount: string }[]) =>
  lines.reduce((sum, { amount }) => sum + parseMoney(amount, 'amount'), 0n)

test('the same seed makes the same year, another seed another', () => {
  const short = { ...SMALL_YEAR, accounts: 2, days: 40 }
  expect(createYear(short)).toEqual(createYear(short))
  expect(createYear(short)).not.toEqual(createYear({ ...short, seed: 2 }))
})

test('the full year has every meter, zone, pack and kind of change in it', () => {
  const full = createYear({ ...FULL_YEAR, recordsPerDay: 1 })
  const seen = new Set<string>()
  for (const world of full) {
    seen.add(world.meter).add(world.zone).add(world.firstPack.name)
    for (const { pack } of world.switches) seen.add(pack.name)
    for (const { billingRegion } of world.records) seen.add(billingRegion)
    for (const { validity, refundedMs, areas } of world.packages) {
      seen.add(validity.type)
      if (areas !== null) seen.add(`for ${areas.join(' and ')}`)
      if (refundedMs !== null) seen.add('refund')
    }
    for (const { resetPolicy, deletedMs } of world.exclusive) {
      seen.add(resetPolicy)
      if (deletedMs !== undefined) seen.add('taken away')
    }
  }
  const packs = YEAR_PACKS.map(({ name }) => name)
  const rest = ['cdn', 'eip', 'mna', 'from-purchase', 'from-first-use', 'unlimited', 'refund']
  const places = [
    'abroad',
    'apac1',
    'eu-na',
    'for abroad',
    'for apac1',
    'for apac1 and cn',
    'for abroad-other',
  ]
  for (const one of [...ZONES, ...packs, ...rest, ...places, 'Day', 'Month', 'Year', 'taken away'])
    expect(seen).toContain(one)
})

test('29 February and days of 23 and 25 hours are lived through', () => {
  const leap = books
    .flatMap(({ days }) => days)
    .map(({ startMs }) => new Date(startMs).toISOString())
  expect(leap.some((start) => start.startsWith('2028-02-29'))).toBe(true)
  const hours = books.flatMap(({ days }) =>
    days.map(({ startMs, endMs }) => (endMs - startMs) / 3_600_000),
  )
  expect([...new Set(hours)].sort((a, b) => a - b)).toEqual([23, 23.5, 24, 24.5, 25])
})

test('usage comes late, twice, and before its owner is known', () => {
  const records = worlds.flatMap((world) => world.records)
  expect(records.length).toBeGreaterThan(new Set(records.map(({ id }) => id)).size)
  expect(records.some((one) => one.arrivedMs - one.minuteMs > 20 * DAY_MS)).toBe(true)
  expect(records.every((one) => one.arrivedMs - one.minuteMs < 35 * DAY_MS)).toBe(true)
  const replayed = worlds.flatMap((world) =>
    world.resources.flatMap(({ replayedMs }) =>
      takenUsage(world).filter(({ takenMs }) => takenMs === replayedMs),
    ),
  )
  expect(replayed.length).toBeGreaterThan(0)
})

test('every way in which the books may move is taken', () => {
  const days = books.flatMap((book) => book.days)
  const lines = books.flatMap((book) => book.adjustments.flatMap((each) => each.lines))
  expect(days.some(({ absorptions }) => absorptions.length > 0)).toBe(true)
  expect(days.some(({ covered }) => covered.length > 0)).toBe(true)
  expect(days.some(({ orders }) => orders.length > 1)).toBe(true)
  expect(new Set(lines.map((line) => line.of))).toEqual(new Set(['day', 'month']))
  expect(lines.some(({ amount }) => amount.startsWith('-'))).toBe(true)
  expect(books.some(({ days: own }) => new Set(own.map(({ pack }) => pack)).size > 2)).toBe(true)
})

test('bytes are neither made nor lost: used = drawn + settled + still owed', () => {
  for (const book of books) {
    const { usedBytes, drawnBytes, settledBytes } = book.ledger
    expect(usedBytes).toBe(drawnBytes + settledBytes + book.arrearsBytes)
    const moves = [...book.days, ...book.adjustments]
    expect(sumOf(moves.flatMap(({ draws }) => draws))).toBe(usedBytes)
  }
})

test('bills hold all money once: what was charged is the sum of the months and the open days', () => {
  for (const book of books) {
    const closed = book.months.flatMap(({ lines, adjustments }) => [...lines, ...adjustments])
    const openDays = book.days.filter(
      ({ startMs }) => !book.months.some((one) => holds(one, startMs)),
    )
    const names = new Set(book.months.map(({ month }) => month))
    const openNow = book.adjustments.filter(({ month }) => !names.has(month))
    const lines = [
      ...closed,
      ...openDays.flatMap((day) => day.lines),
      ...openNow.flatMap((each) => each.lines),
    ]
    const charged = Object.values(book.ledger.charged)
    expect(total(lines)).toBe(charged.reduce((sum, text) => sum + parseMoney(text, 'charged'), 0n))
  }
})

test('days follow each other without a gap, and months are whole but for the first', () => {
  for (const [index, book] of books.entries()) {
    const zone = worlds[index]?.zone ?? 'UTC'
    const [first, last] = [book.days[0], book.days.at(-1)]
    const span = { startMs: first?.startMs ?? 0, endMs: last?.endMs ?? 0 }
    const days = book.days.map(({ startMs, endMs }) => ({ startMs, endMs }))
    expect(days).toEqual(localDays(span, zone))
    for (const month of book.months.slice(1))
      expect(month).toMatchObject(monthOf(month.startMs, zone))
  }
})

test('a book that is closed once, at the end, has the same sums where nothing was late', () => {
  const [world] = createYear({ ...SMALL_YEAR, accounts: 1, days: 100 })
  if (world === undefined) throw new Error('there is a first world')
  const onTime = {
    ...world,
    records: world.records.map((one) => ({ ...one, arrivedMs: one.minuteMs })),
  }
  const resources = onTime.resources.map((one) => ({ ...one, registeredMs: one.createdMs }))
  const punctual = { ...onTime, resources }
  const often = simulateBooks(punctual)
  const once = simulateBooks({ ...punctual, steps: world.steps.slice(-2) })
  expect(often.adjustments).toEqual([])
  expect(once.months.map(({ totals }) => totals)).toEqual(often.months.map(({ totals }) => totals))
  expect(once.ledger).toEqual(often.ledger)
})
