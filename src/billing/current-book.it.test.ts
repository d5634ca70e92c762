import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import type { MemoryRow } from '../../test/support/memory-usage.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import type { BookBalance } from './balance.ts'
import type { BookStore } from './book-keeping.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const NOV_1 = Date.UTC(2026, 9, 31, 16)
const KEY = { accountId: 'acc-1', meter: 'cdn' as const }

const OWN = `name: own
version: 1
description: One for a GiB.
currency: CNY
rules: [{ type: traffic, name: out, period: day, price: "1" }]
`

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
})
afterEach(() => world.close())

/** Makes an account with a domain, billed by a pack from its first day on. */
async function createAccount(pack: string | null = null, number = 1): Promise<void> {
  const writer = world.catalog.as('test')
  const account = `acc-${number}`
  await writer.createAccount({ id: account, name: account, defaultProjectId: `org-${number}` })
  if (pack !== null) {
    await world.charges.desk.switch({ account, meter: 'cdn', pack, groups: {}, actor: 'test' })
  }
  const name = `${number}.example.com`
  await writer.createResource({ id: `ucdn-${number}`, meter: 'cdn', account, name })
}

async function createPackage(id: string, gib: bigint, more: object = {}): Promise<void> {
  const terms = { id, account: 'acc-1', area: 'cn' as const, size: String(gib * GIB), ...more }
  await world.catalog.as('test').createTrafficPackage(terms)
}

function moved(batch: number, minuteMs: number, bytes: bigint, more: Partial<MemoryRow> = {}) {
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: 'acc-1',
    resourceId: 'ucdn-1',
    projectId: 'org-1',
    area: 'cn',
    billingRegion: 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes,
    ...more,
  })
}

/** The balance as another node that remembers nothing reads it. */
async function readBalance(): Promise<BookBalance> {
  return await world.openLive().live.balance(KEY)
}

function spent({ monthToDate }: BookBalance): bigint {
  return monthToDate.reduce((sum, { amount }) => sum + amount, 0n)
}

/**
 * Reads the balance while late usage waits and again once it is booked: both must be the same.
 *
 * Shape: the balance, and how many adjustments were booked in between.
 */
async function readTwice(): Promise<{ waiting: BookBalance; adjustments: number }> {
  const waiting = await readBalance()
  const { days, adjustments } = await world.closing.closeSettled()
  expect(days).toBe(0)
  expect(await readBalance()).toEqual(waiting)
  return { waiting, adjustments }
}

describe('usage that came into a closed day is in the balance before it is booked', () => {
  test('priced as its adjustment will be', async () => {
    await createAccount()
    moved(1, OCT_1 + HOUR_MS, 10n * GIB)
    world.clock.ms = OCT_1 + 2 * DAY_MS
    await world.closing.closeSettled()
    // 11 GiB with headers, at 0.20.
    expect(spent(await readBalance())).toBe(2_200_000_000n)
    moved(2, OCT_1 + 2 * HOUR_MS, 5n * GIB)
    const { waiting, adjustments } = await readTwice()
    expect(spent(waiting)).toBe(3_300_000_000n)
    expect(adjustments).toBe(1)
  })

  test('drawn from what is left of its packages, day after day, and open days after it', async () => {
    await createAccount()
    await createPackage('pkg-1', 10n)
    moved(1, OCT_1 + HOUR_MS, GIB)
    moved(1, OCT_1 + DAY_MS + HOUR_MS, GIB)
    world.clock.ms = OCT_1 + 3 * DAY_MS
    await world.closing.closeSettled()
    moved(1, OCT_1 + 2 * DAY_MS + HOUR_MS, 4n * GIB)
    expect((await readBalance()).packages).toMatchObject([{ leftBytes: 4n * GIB }])
    moved(2, OCT_1 + DAY_MS + 2 * HOUR_MS, 2n * GIB)
    moved(3, OCT_1 + 2 * HOUR_MS, 3n * GIB)
    const { waiting, adjustments } = await readTwice()
    // 2 were drawn, 5 come late, 3 are left for the 4 of the day that is open.
    expect(waiting.packages).toMatchObject([{ usedBytes: 10n * GIB, leftBytes: 0n }])
    expect(spent(waiting)).toBe(220_000_000n)
    expect(adjustments).toBe(2)
    const entry = waiting.packages[0]?.package
    expect(entry && (await world.live.packageBalance(KEY, entry)).usedBytes).toBe(10n * GIB)
  })

  test('rounded together with what was ordered of its day', async () => {
    const text = `${OWN}packages: { arrears: { quantum: 1GiB, rounding: up } }\n`
    await world.charges.packs.add({ file: 'own.yaml', text }, 'test')
    await createAccount('own')
    moved(1, OCT_1 + HOUR_MS, GIB / 2n)
    world.clock.ms = OCT_1 + 2 * DAY_MS
    await world.closing.closeSettled()
    moved(2, OCT_1 + 2 * HOUR_MS, GIB / 4n)
    expect(spent((await readTwice()).waiting)).toBe(1_000_000_000n)
    moved(3, OCT_1 + 3 * HOUR_MS, GIB / 2n)
    expect(spent((await readTwice()).waiting)).toBe(2_000_000_000n)
  })

  test('in what a month that is not billed yet leaves to be priced by tiers', async () => {
    const rules = OWN.replace('period: day, price: "1"', 'period: month, price: "1"')
    await world.charges.packs.add({ file: 'own.yaml', text: rules }, 'test')
    await createAccount('own')
    moved(1, OCT_1 + HOUR_MS, 3n * GIB)
    world.clock.ms = OCT_1 + 2 * DAY_MS
    await world.closing.closeSettled()
    moved(2, OCT_1 + 2 * HOUR_MS, 4n * GIB)
    expect(spent((await readTwice()).waiting)).toBe(7_000_000_000n)
  })

  test('where it moves the percentile of a month that has its bill, once for two days', async () => {
    await createAccount('generic-95')
    // 446 of 8,928 slots are dropped: the highest 447 slots are alike, all others idle.
    const slots = (batch: number, bytes: bigint) => {
      for (let slot = 0; slot < 447; slot += 1) moved(batch, OCT_1 + slot * 5 * MINUTE_MS, bytes)
    }
    slots(1, 15_000_000_000n)
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    await world.closing.closeSettled()
    // November's commitment.
    expect(spent(await readBalance())).toBe(50_000_000_000n)
    // Two days get more: 500 instead of 400 Mbps, 100 more at 0.60.
    slots(2, 3_750_000_000n)
    const { waiting, adjustments } = await readTwice()
    expect(adjustments).toBe(2)
    expect(spent(waiting)).toBe(110_000_000_000n)
  })

  test.each([null, 'ucloud-cdn'])('of a day before the book began, by %s', async (pack) => {
    world.clock.ms = OCT_1 + 3 * DAY_MS
    await createAccount(pack)
    await world.closing.closeSettled()
    world.clock.ms += 3 * DAY_MS
    await world.closing.closeSettled()
    const found = { id: 'ucdn-1b', meter: 'cdn', account: 'acc-1', name: '1b.example.com' } as const
    await world.catalog.as('test').createResource({ ...found, createdAt: OCT_1 })
    moved(1, OCT_1 + DAY_MS + HOUR_MS, 10n * GIB, { resourceId: 'ucdn-1b' })
    const { waiting, adjustments } = await readTwice()
    expect([spent(waiting), adjustments]).toEqual([2_200_000_000n, 1])
  })
})

test('late usage of others is not in it, nor of a month whose bill will carry it', async () => {
  await createAccount()
  await createAccount(null, 2)
  moved(1, OCT_1 + HOUR_MS, 10n * GIB)
  world.clock.ms = NOV_1 - 12 * HOUR_MS
  await world.closing.closeSettled()
  const calm = await readBalance()
  moved(2, OCT_1 + 2 * HOUR_MS, 5n * GIB, { accountId: 'acc-2', resourceId: 'ucdn-2' })
  expect(await readBalance()).toEqual(calm)
  // In November, while the last day of October waits for noon, October's bill is still to come.
  world.clock.ms = NOV_1 + HOUR_MS
  moved(3, OCT_1 + 2 * HOUR_MS, 5n * GIB)
  expect(spent((await readTwice()).waiting)).toBe(0n)
})

test('what was loaded while its day was being closed is in the day, once', async () => {
  await world.close()
  let isLoading = false
  world = await openBooksHarness(OCT_1, undefined, {
    onStep: (step) => {
      if (step === 'close.repair.after' && isLoading) moved(2, OCT_1 + 2 * HOUR_MS, 5n * GIB)
      if (step === 'close.repair.after') isLoading = false
    },
  })
  await createAccount()
  moved(1, OCT_1 + HOUR_MS, 10n * GIB)
  world.clock.ms = OCT_1 + DAY_MS + 12 * HOUR_MS
  isLoading = true
  expect(await world.closing.closeSettled()).toMatchObject({ days: 1, adjustments: 0 })
  expect(await world.store.lateMark('cdn')).toBe(1)
  const { waiting, adjustments } = await readTwice()
  expect([spent(waiting), adjustments]).toEqual([3_300_000_000n, 0])
})

describe('late usage that is booked while a balance is read counts once', () => {
  const reads = [
    'lateMark',
    'books',
    'facts',
    'dayRecords',
    'adjustments',
    'billOf',
    'adjustmentsBooked',
  ] as const
  test.each(reads.flatMap((name) => [1, 2, 3].map((call) => [name, call] as const)))(
    'before %s is asked for the %ith time',
    async (name, call) => {
      await createAccount()
      await createPackage('pkg-1', 12n)
      for (const day of [0, 1]) moved(1, OCT_1 + day * DAY_MS + HOUR_MS, 4n * GIB)
      world.clock.ms = OCT_1 + 3 * DAY_MS
      await world.closing.closeSettled()
      for (const day of [0, 1]) moved(2, OCT_1 + day * DAY_MS + 2 * HOUR_MS, 5n * GIB)
      const calm = await readBalance()
      // 18 GiB, 12 of them from the package; 6.6 GiB with headers, at 0.20.
      expect(spent(calm)).toBe(1_320_000_000n)
      let count = 0
      const original = world.store[name] as (...input: unknown[]) => Promise<unknown>
      const interrupted = async (...input: unknown[]): Promise<unknown> => {
        count += 1
        if (count === call) await world.closing.closeSettled()
        return await original(...input)
      }
      const store: BookStore = { ...world.store, [name]: interrupted }
      expect(await world.openLive(store).live.balance(KEY)).toEqual(calm)
      await world.closing.closeSettled()
      expect(await readBalance()).toEqual(calm)
    },
  )
})

test('a balance that is remembered is a second old at most, where nobody says what is loaded', async () => {
  await createAccount()
  await createAccount(null, 2)
  for (const number of [1, 2]) {
    const own = { accountId: `acc-${number}`, resourceId: `ucdn-${number}` }
    moved(1, OCT_1 + HOUR_MS, 10n * GIB, own)
  }
  world.clock.ms = OCT_1 + 2 * DAY_MS
  await world.closing.closeSettled()
  // Nobody's usage is late, says the other account's balance; then one's own is remembered.
  await world.live.balance({ ...KEY, accountId: 'acc-2' })
  world.clock.ms += 199
  moved(2, OCT_1 + 2 * HOUR_MS, 5n * GIB)
  expect(spent(await world.live.balance(KEY))).toBe(2_200_000_000n)
  world.clock.ms += 799
  expect(spent(await world.live.balance(KEY))).toBe(2_200_000_000n)
  world.clock.ms += 1
  expect(spent(await world.live.balance(KEY))).toBe(3_300_000_000n)
})

test('a load is in sight at once where it was made', async () => {
  await createAccount()
  moved(1, OCT_1 + HOUR_MS, 10n * GIB)
  world.clock.ms = OCT_1 + 2 * DAY_MS
  await world.closing.closeSettled()
  expect(spent(await world.live.balance(KEY))).toBe(2_200_000_000n)
  moved(2, OCT_1 + 2 * HOUR_MS, 5n * GIB)
  world.live.forget()
  expect(spent(await world.live.balance(KEY))).toBe(3_300_000_000n)
})
