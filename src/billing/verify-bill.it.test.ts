import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import { createMemoryUsage, type MemoryRow } from '../../test/support/memory-usage.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import { walkBooks } from '../store/control/book-audit.ts'
import { verifyBill } from './verify-bill.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const NOV_1 = Date.UTC(2026, 9, 31, 16)
const BILL = 'acc-a1.cdn.2026-10'

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
  const writer = world.catalog.as('test')
  await writer.createAccount({ id: 'acc-a1', name: 'A', defaultProjectId: 'org-a1' })
  const domain = { id: 'ucdn-a1', meter: 'cdn', account: 'acc-a1', name: 'a.example.com' } as const
  await writer.createResource(domain)
  await writer.createTrafficPackage({
    id: 'pkg-a1',
    account: 'acc-a1',
    area: 'cn',
    size: String(15n * GIB),
  })
  for (let day = 0; day < 4; day += 1) moved(day + 1, OCT_1 + day * DAY_MS + HOUR_MS, 5n * GIB)
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
})
afterEach(() => world.close())

function moved(batch: number, minuteMs: number, bytes: bigint, more: Partial<MemoryRow> = {}) {
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: 'acc-a1',
    resourceId: 'ucdn-a1',
    projectId: 'org-a1',
    area: 'cn',
    billingRegion: more.area ?? 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes,
    ...more,
  })
}

async function checksOf(id: string): Promise<string[]> {
  return (await world.desk.verify(id)).findings.map(({ check }) => check)
}

test('an untouched bill verifies, before and after late usage', async () => {
  expect(await checksOf(BILL)).toEqual([])
  moved(9, OCT_1 + 2 * HOUR_MS, GIB)
  await world.closing.closeSettled()
  expect(await checksOf(BILL)).toEqual([])
  expect((await walkBooks(world.control.db)).findings).toEqual([])
})

test('a bill that there is not is an error that says where to look', async () => {
  await expect(world.desk.verify('acc-a1.cdn.2031-01')).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('weir bill list'),
  })
})

describe('what somebody changed is found:', () => {
  const update = (kind: string, column: string, value: ReturnType<typeof sql>) =>
    sql`update book_records set ${sql.ref(column)} = ${value} where kind = ${kind}
      and (kind = 'bill' or ref = '2026-10-02')`.execute(world.control.db)

  test('the amount of a line of a day', async () => {
    await update(
      'day',
      'content',
      sql`replace(content, '"bytes":"5368709120"', '"bytes":"5368709121"')`,
    )
    expect(await checksOf(BILL)).toEqual([
      'day 2026-10-02: hash',
      'day 2026-10-02: computed again',
      `bill ${BILL}: computed again`,
    ])
    const { findings } = await walkBooks(world.control.db)
    expect(findings.map(({ check }) => check)).toEqual([
      'book of account acc-a1, cdn: record 2 (day 2026-10-02) is as it was kept',
    ])
  })

  test('a day with a hash that fits what it was changed to', async () => {
    await update('day', 'hash', sql`${'f'.repeat(64)}`)
    expect(await checksOf(BILL)).toEqual(['day 2026-10-02: hash', `bill ${BILL}: computed again`])
    expect((await walkBooks(world.control.db)).findings).toHaveLength(2)
  })

  test('the total of the bill', async () => {
    await update('bill', 'content', sql`replace(content, '"amount":"1.10"', '"amount":"0.10"')`)
    expect(await checksOf(BILL)).toEqual([`bill ${BILL}: hash`, `bill ${BILL}: computed again`])
  })

  test('usage that is gone', async () => {
    const usage = createMemoryUsage(world.rows.filter(({ batch }) => batch !== 2))
    const { store, charges } = world
    const verified = await verifyBill(BILL, { store, usage, modes: charges.desk })
    expect(verified.findings.map(({ check }) => check)).toEqual([
      'day 2026-10-02: usage',
      'day 2026-10-02: computed again',
      `bill ${BILL}: usage`,
    ])
  })

  test('usage that was slipped in under an old batch', async () => {
    moved(2, OCT_1 + DAY_MS + 3 * HOUR_MS, GIB)
    expect(await checksOf(BILL)).toContain('day 2026-10-02: usage')
  })

  test('an entry of the ledger', async () => {
    const { manifest } = (await world.desk.get(BILL))?.bill ?? { manifest: undefined }
    const sequence = manifest?.ledger.sequence ?? 0
    expect(sequence).toBeGreaterThan(0)
    await sql`update ledger_postings set hash = 'x' where sequence = ${sequence}`.execute(
      world.control.db,
    )
    expect(await checksOf(BILL)).toEqual([`ledger entry ${sequence}`])
  })
})

test('a record that was taken out of the middle breaks the chain', async () => {
  await sql`delete from book_records where ref = '2026-10-02'`.execute(world.control.db)
  const { findings } = await walkBooks(world.control.db)
  expect(findings.map(({ check }) => check)).toEqual([
    'book of account acc-a1, cdn: record 3 (day 2026-10-03) follows from the record before',
  ])
})
