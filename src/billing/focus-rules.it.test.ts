import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import { brokenFocusRules, sumByPackage } from '../../test/support/focus-rules.ts'
import type { MemoryRow } from '../../test/support/memory-usage.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import { type FocusRow, toFocusRows } from './focus-rows.ts'
import { sharesOfBill } from './package-shares.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const monthMs = (index: number): number => Date.UTC(2026, 9 + index, 1) - 8 * HOUR_MS
const OCT_1 = monthMs(0)

let world: BooksHarness
let batch: number

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
  batch = 0
  const writer = world.catalog.as('test')
  await writer.createAccount({ id: 'acc-f1', name: 'rich' })
  for (const letter of ['a', 'b']) {
    const name = `${letter}.example.com`
    await writer.createResource({ id: `ucdn-${letter}`, meter: 'cdn', account: 'acc-f1', name })
  }
})
afterEach(() => world.close())

function moved(atMs: number, bytes: bigint, more: Partial<MemoryRow> = {}): void {
  batch += 1
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: 'acc-f1',
    resourceId: 'ucdn-a',
    projectId: 'org-f1',
    area: 'cn',
    billingRegion: 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs: atMs,
    bytes,
    ...more,
  })
}

async function closeUntil(atMs: number): Promise<void> {
  world.clock.ms = atMs
  await world.closing.closeSettled()
}

const billId = (index: number): string => {
  const date = new Date(Date.UTC(2026, 9 + index, 15))
  return `acc-f1.cdn.${date.toISOString().slice(0, 7)}`
}

async function rowsOf(index: number): Promise<FocusRow[]> {
  const stored = await world.desk.get(billId(index))
  if (stored === undefined) throw new Error(`no bill ${billId(index)}`)
  const shares = await sharesOfBill(stored.bill, world.store)
  const rows = toFocusRows(stored, { brand: 'Example', levelOf: () => 'account', shares })
  // What packages gave is on the bill, too: the parts are all of it, and nothing else.
  const used = sumByPackage(
    rows,
    'CommitmentDiscountQuantity',
    (row) => row.CommitmentDiscountStatus === 'Used',
  )
  const draws = stored.bill.draws.flatMap(({ packageId, bytes }) =>
    packageId === null ? [] : [[packageId, BigInt(bytes) * 10n ** 40n] as const],
  )
  expect(used).toEqual(Object.fromEntries(draws))
  return rows
}

interface Bought {
  readonly size: bigint
  readonly paid?: string
  readonly currency?: string
  readonly more?: object
}

async function buy(id: string, { size, paid, currency = 'CNY', more = {} }: Bought): Promise<void> {
  await world.catalog.as('test').createTrafficPackage({
    id,
    account: 'acc-f1',
    areas: ['cn'],
    size: String(size),
    ...(paid !== undefined && { paid: { amount: paid, currency } }),
    ...more,
  })
}

const PARTS = (row: FocusRow): boolean => row.CommitmentDiscountStatus !== null
const PURCHASES = (row: FocusRow): boolean => row.ChargeCategory === 'Purchase'

test('rows of a rich book keep the rules, and parts of ended packages add up to their prices', async () => {
  const end = new Date(OCT_1 + 20 * DAY_MS).toISOString()
  // A prime number of bytes and a price that does not divide by it: every row is rounded.
  await buy('pkg-expires', { size: 3n * GIB - 5n, paid: '10.000000007', more: { endAt: end } })
  await buy('pkg-all-used', { size: GIB + 3n, paid: '0.99', more: { endAt: end } })
  await buy('pkg-usd', { size: GIB, paid: '7', currency: 'USD', more: { kinds: ['dynamic'] } })
  await buy('pkg-free', { size: GIB, more: { areas: ['abroad'] } })
  await buy('pkg-back', {
    size: 9n * GIB,
    paid: '50',
    more: { kinds: ['dynamic'], areas: ['cn'], startAt: end },
  })
  await buy('pkg-one', { size: 5n * GIB, paid: '3', more: { resources: ['ucdn-b'] } })
  for (let day = 0; day < 40; day += 1) {
    const atMs = OCT_1 + day * DAY_MS + HOUR_MS
    moved(atMs, 100_000_003n)
    moved(atMs, 90_000_001n, { resourceId: 'ucdn-b' })
    moved(atMs, 30_000_011n, { area: 'abroad', billingRegion: 'abroad' })
    moved(atMs, 20_000_003n, { kind: 'dynamic' })
  }
  await closeUntil(OCT_1 + 25 * DAY_MS)
  const back = await world.catalog.rows.trafficPackages.get('pkg-back')
  if (back === undefined) throw new Error('no package to give back')
  await world.catalog.as('test').refundTrafficPackage(back, 48_500_000_001n)
  await closeUntil(monthMs(1) + 13 * HOUR_MS)
  // Late usage of October: it draws what is left, and the rest is billed in November.
  moved(OCT_1 + 2 * HOUR_MS, 60_000_017n)
  moved(OCT_1 + 3 * DAY_MS, 60_000_019n, { resourceId: 'ucdn-b' })
  for (const index of [2, 3]) await closeUntil(monthMs(index) + 13 * HOUR_MS)

  const rows = (await Promise.all([0, 1, 2].map(rowsOf))).flat()
  for (const row of rows) expect([row, brokenFocusRules(row)]).toEqual([row, []])

  const billed = sumByPackage(rows, 'BilledCost', () => true)
  const effective = sumByPackage(rows, 'EffectiveCost', () => true)
  const ended = ['pkg-expires', 'pkg-all-used', 'pkg-back'] as const
  for (const id of ended) expect([id, effective[id]]).toEqual([id, billed[id]])
  expect(billed['pkg-back']).toBe(1_499_999_999n * 10n ** 31n)
  expect(billed['pkg-expires']).toBe(10_000_000_007n * 10n ** 31n)
  // Those that go on cost what was used of them so far: never more than their price.
  for (const id of ['pkg-usd', 'pkg-one']) {
    expect((effective[id] ?? 0n) > 0n && (effective[id] ?? 0n) < (billed[id] ?? 0n)).toBe(true)
  }
  expect(effective['pkg-free']).toBe(0n)

  const bytes = sumByPackage(rows, 'CommitmentDiscountQuantity', PARTS)
  const bought = sumByPackage(rows, 'CommitmentDiscountQuantity', PURCHASES)
  for (const id of ['pkg-expires', 'pkg-all-used'])
    expect([id, bytes[id]]).toEqual([id, bought[id]])
  expect(
    rows.filter((row) => row.CommitmentDiscountId === 'pkg-expires' && PURCHASES(row)),
  ).toMatchObject([
    { BilledCost: '10.000000007', EffectiveCost: '0.00', ChargeFrequency: 'One-Time' },
  ])
  const kinds = (status: string) =>
    new Set(
      rows
        .filter((row) => row.CommitmentDiscountStatus === status)
        .map((row) => row.CommitmentDiscountId),
    )
  expect(kinds('Unused')).toEqual(new Set(['pkg-expires', 'pkg-back']))
  expect(kinds('Used')).toEqual(
    new Set(['pkg-expires', 'pkg-all-used', 'pkg-usd', 'pkg-free', 'pkg-back', 'pkg-one']),
  )
  // The only resource that a package pays for received all of it; otherwise nobody knows.
  const resources = rows.filter((row) => row.CommitmentDiscountStatus === 'Used')
  expect(
    new Set(resources.map((row) => `${row.CommitmentDiscountId} ${row.ResourceId}`)),
  ).toContain('pkg-one ucdn-b')
  // Late usage of October stands on November's bill as a correction of October.
  const late = rows.filter((row) => PARTS(row) && row.ChargeClass === 'Correction')
  expect(late.map((row) => [row.InvoiceId, row.ChargePeriodStart])).toContainEqual([
    billId(1),
    new Date(OCT_1).toISOString().replace('.000Z', 'Z'),
  ])
})
