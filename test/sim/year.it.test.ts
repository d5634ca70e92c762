/**
 * The product lives through a simulated year, and its books must be those of the oracle.
 *
 * `WEIR_YEAR_ACCOUNTS=200` lives through it with so many accounts instead of a few, without crashes
 * where they are many; `WEIR_YEAR_SEED` lives through another one.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClosingStep } from '../../src/billing/closing-deps.ts'
import type { BooksHarness } from '../support/books-harness.ts'
import { type BalanceProbe, oracleBalance, probesOf } from './year-balances.ts'
import { oraclePicture, productPicture } from './year-books.ts'
import { createCrashes } from './year-crashes.ts'
import { liveYear } from './year-drive.ts'
import { rowsOf, findUnbalanced } from './year-rows.ts'
import { createYear, SMALL_YEAR } from './year-world.ts'
import { simulateBooks } from './slow-books.ts'

// Three are the fewest among which there is each meter.
const { WEIR_YEAR_ACCOUNTS: accounts = '3', WEIR_YEAR_SEED: seed = '3' } = process.env
const books = createYear({ ...SMALL_YEAR, accounts: Number(accounts), seed: Number(seed) })
const HOURS = { timeout: 6 * 3_600_000 }

const STEPS: readonly ClosingStep[] = [
  'close.begin.after',
  'close.repair.after',
  'close.read.after',
  'close.day.before',
  'close.day.after',
  'adjust.read.after',
  'adjust.before',
  'adjust.after',
  'adjust.mark.before',
  'close.month.read.after',
  'close.month.before',
  'close.month.after',
]
const probes: BalanceProbe[] = []
let world: BooksHarness

beforeAll(async () => {
  world = await liveYear(books, { probes: books.flatMap((book) => probesOf(book, probes)) })
}, HOURS.timeout)
afterAll(() => world.close())

describe(`a year of ${books.length} accounts`, () => {
  test.each(books.map((book) => [`${book.accountId}, ${book.meter}, ${book.zone}`, book] as const))(
    'every day, adjustment, bill and balance is what the oracle says: %s',
    async (_title, book) => {
      expect(await productPicture(book, world)).toEqual(oraclePicture(book, simulateBooks(book)))
    },
  )

  test('live balances are what the oracle says at the instant', HOURS, () => {
    expect(probes.length).toBe(books.length * 4)
    for (const { book, atMs, said } of probes) {
      const name = `${book.accountId} at ${new Date(atMs).toISOString()}`
      expect({ name, ...said }).toEqual({ name, ...oracleBalance(book, atMs) })
    }
  })

  test('every bill verifies', HOURS, async () => {
    const { items } = await world.desk.list({}, { limit: 100_000, cursor: null })
    expect(items.length).toBeGreaterThanOrEqual(books.length * 12)
    for (const { id } of items) {
      const { findings, checks } = await world.desk.verify(id)
      expect({ id, findings }).toEqual({ id, findings: [] })
      expect(checks).toBeGreaterThan(10)
    }
  })

  test('the ledger sums to zero, posting by posting, and its chains hold', HOURS, async () => {
    expect((await world.ledger.audit()).findings).toEqual([])
    expect(await findUnbalanced(world.control.db)).toEqual([])
  })

  test('closing again changes nothing', HOURS, async () => {
    const before = await rowsOf(world.control.db)
    expect(await world.closing.closeSettled()).toEqual({
      days: 0,
      adjustments: 0,
      bills: [],
      rebuilt: [],
      failed: [],
    })
    expect(await rowsOf(world.control.db)).toEqual(before)
  })
})

test.skipIf(books.length > 20)(
  'with crashes at every step and statement the books are the same, byte for byte',
  HOURS,
  async () => {
    const crashes = createCrashes({ seed: 1, steps: 0.03, reads: 0.001, writes: 0.02 })
    const crashed = await liveYear(books, { crashes })
    try {
      expect(await rowsOf(crashed.control.db)).toEqual(await rowsOf(world.control.db))
      for (const step of STEPS) expect(crashes.counts).toContainEqual([step, expect.any(Number)])
      // Some hundred of each account, and every fifth or so within a transaction.
      const total = [...crashes.counts.values()].reduce((sum, count) => sum + count, 0)
      expect(total).toBeGreaterThan(books.length * 100)
      expect(crashes.counts.get('InsertQueryNode')).toBeGreaterThan(books.length * 20)
    } finally {
      await crashed.close()
    }
  },
)
