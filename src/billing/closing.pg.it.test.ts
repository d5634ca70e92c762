import { setTimeout } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import type { MemoryRow } from '../../test/support/memory-usage.ts'
import { findPostgres, startPostgres, type ThrowAwayPostgres } from '../../test/support/postgres.ts'
import { skipOrFail } from '../../test/support/programs.ts'
import { AppError } from '../core/errors.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import { walkBooks } from '../store/control/book-audit.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_28 = Date.UTC(2026, 9, 27, 16)
const NOV_1 = Date.UTC(2026, 9, 31, 16)
const DEC_1 = Date.UTC(2026, 10, 30, 16)
const KEY = { accountId: 'acc-1', meter: 'cdn' as const }

const programs = await findPostgres()

test('PostgreSQL is there to close books on', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

/** Three accounts with a domain and an address each; the second has a package, too. */
async function fillCatalog({ catalog }: BooksHarness): Promise<void> {
  const writer = catalog.as('test')
  for (const number of [1, 2, 3]) {
    const account = `acc-${number}`
    await writer.createAccount({ id: account, name: account, defaultProjectId: `org-${number}` })
    const domain = { meter: 'cdn', account, name: `d${number}.example.com` } as const
    await writer.createResource({ ...domain, id: `ucdn-${number}` })
    const address = { meter: 'eip', account, name: `192.0.2.${number}` } as const
    await writer.createResource({ ...address, id: `eip-${number}` })
  }
  const paid = { amount: '5', currency: 'CNY' }
  const size = String(25n * GIB)
  await writer.createTrafficPackage({ id: 'pkg-2', account: 'acc-2', area: 'cn', size, paid })
  const resetPolicy = 'Month'
  await writer.createExclusivePackage({ id: 'utp-3', resource: 'eip-3', size, resetPolicy })
}

function rowOf(batch: number, number: number, minuteMs: number, gib: bigint): MemoryRow {
  return {
    batch,
    meter: 'cdn',
    accountId: `acc-${number}`,
    resourceId: `ucdn-${number}`,
    projectId: `org-${number}`,
    area: 'cn',
    billingRegion: 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes: gib * GIB,
  }
}

function toAddress(row: MemoryRow): MemoryRow {
  return { ...row, meter: 'eip', resourceId: row.resourceId.replace('ucdn', 'eip') }
}

/** Days that are closed at once, from 28 October on: ends of months, days off and ordinary ones. */
const STRIDES = [1, 1, 2, 1, 1, 4, 1, 1, 9, 1, 10, 1, 1, 1]

interface Round {
  readonly atMs: number
  readonly rows: readonly MemoryRow[]
}

/** Rounds of closing, each with new usage, and from the third on also with late usage. */
function createRounds(): Round[] {
  let atMs = OCT_28
  return STRIDES.map((days, index) => {
    const fromMs = atMs
    atMs += days * DAY_MS
    const batch = index + 1
    const rows: MemoryRow[] = []
    for (let day = 0; day < days; day += 1) {
      for (const number of [1, 2, 3]) {
        const minuteMs = fromMs + day * DAY_MS + number * HOUR_MS
        const row = rowOf(batch, number, minuteMs, BigInt(number + (day % 3)))
        rows.push(row, toAddress(row))
      }
    }
    for (const number of index < 2 ? [] : [1 + (index % 3), 1 + ((index + 1) % 3)]) {
      const late = rowOf(batch, number, fromMs - 2 * DAY_MS + 5 * HOUR_MS, 2n)
      rows.push(index % 2 === 0 ? late : toAddress(late))
    }
    // Closed twelve hours after the end of the last day.
    return { atMs: atMs + 12 * HOUR_MS, rows }
  })
}

/** All that closing keeps, but for ids that are drawn by lot. */
async function keptBy({ control: { db } }: BooksHarness): Promise<readonly unknown[]> {
  const postings = db
    .selectFrom('ledger_postings')
    .select(['account_id', 'sequence', 'key', 'hash'])
  return Promise.all([
    db.selectFrom('books').selectAll().orderBy('meter').orderBy('account_id').execute(),
    db
      .selectFrom('book_records')
      .selectAll()
      .orderBy('account_id')
      .orderBy('meter')
      .orderBy('sequence')
      .execute(),
    db.selectFrom('address_days').selectAll().orderBy('resource_id').orderBy('start_ms').execute(),
    db.selectFrom('late_marks').selectAll().orderBy('meter').execute(),
    postings.orderBy('account_id').orderBy('sequence').execute(),
    db.selectFrom('ledger_heads').selectAll().orderBy('account_id').execute(),
    db
      .selectFrom('ledger_balances')
      .selectAll()
      .orderBy('account_id')
      .orderBy('unit')
      .orderBy('ledger_account')
      .execute(),
  ])
}

/** Closes until there is nothing left to do; how often another node was faster. */
async function closeAll({ closing }: BooksHarness): Promise<number> {
  for (let conflicts = 0; conflicts < 100;) {
    try {
      await closing.closeSettled()
      return conflicts
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict') throw error
      conflicts += 1
    }
  }
  throw new Error('the nodes keep each other from closing')
}

async function closeAlone(location?: string): Promise<readonly unknown[]> {
  const world = await openBooksHarness(OCT_28, location)
  await fillCatalog(world)
  for (const { atMs, rows } of createRounds()) {
    world.rows.push(...rows)
    world.clock.ms = atMs
    await world.closing.closeSettled()
  }
  const kept = await keptBy(world)
  await world.close()
  return kept
}

describe.skipIf(programs === null)('closing on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  const worlds: BooksHarness[] = []
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world.close()
  })
  afterAll(() => server?.stop())

  async function open(location: string, rows: MemoryRow[] = []): Promise<BooksHarness> {
    const world = await openBooksHarness(OCT_28, location, { rows })
    worlds.push(world)
    return world
  }

  test('days, packages, late usage and bills are closed, verify and never change', async () => {
    const world = await open(await server.createDatabase())
    await fillCatalog(world)
    world.rows.push(rowOf(1, 1, OCT_28 + HOUR_MS, 10n), rowOf(1, 2, OCT_28 + HOUR_MS, 30n))
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    // Four days of six books and a month of each.
    const first = await world.closing.closeSettled()
    expect(first).toMatchObject({ days: 24, adjustments: 0 })
    expect(first.bills).toHaveLength(6)
    const october = await world.desk.get('acc-1.cdn.2026-10')
    // 10 GiB × 1.1 at 0.20; of the other account 25 GiB are prepaid, 5 × 1.1 at 0.20 and 5 paid.
    expect(october?.bill.totals).toEqual([{ currency: 'CNY', amount: '2.20' }])
    expect((await world.desk.get('acc-2.cdn.2026-10'))?.bill).toMatchObject({
      totals: [{ currency: 'CNY', amount: '6.10' }],
      draws: [
        { packageId: 'pkg-2', bytes: String(25n * GIB) },
        { packageId: null, bytes: String(5n * GIB) },
      ],
    })
    world.rows.push(rowOf(2, 1, OCT_28 + 2 * HOUR_MS, 5n))
    expect(await world.closing.closeSettled()).toMatchObject({ days: 0, adjustments: 1, bills: [] })
    expect(await world.closing.closeSettled()).toMatchObject({ days: 0, adjustments: 0, bills: [] })
    world.clock.ms = DEC_1 + 12 * HOUR_MS
    await world.closing.closeSettled()
    const november = await world.desk.get('acc-1.cdn.2026-11')
    expect(november?.bill.totals).toEqual([{ currency: 'CNY', amount: '1.10' }])
    expect(await world.desk.get('acc-1.cdn.2026-10')).toEqual(october)
    const bills = await world.desk.list({}, { limit: 50, cursor: null })
    for (const { id } of bills.items) {
      expect(await world.desk.verify(id)).toMatchObject({ id, findings: [] })
    }
    expect(bills.items).toHaveLength(12)
    const days = await world.desk.days(KEY, { startMs: OCT_28, endMs: DEC_1 })
    expect(days.map(({ state }) => state)).toEqual(['adjusted', ...Array(33).fill('closed')])
    expect(await world.live.balance(KEY)).toMatchObject({ closedUntilMs: DEC_1, arrearsBytes: 0n })
    expect((await world.ledger.audit()).findings).toEqual([])
    expect((await walkBooks(world.control.db)).findings).toEqual([])
  })

  test('keeps the same, byte for byte, as on SQLite', async () => {
    expect(await closeAlone(await server.createDatabase())).toEqual(await closeAlone())
  })

  test('two nodes that close at once keep what one closing alone keeps', async () => {
    const alone = await closeAlone()
    let conflicts = 0
    for (let aheadMs = 0; aheadMs < 6; aheadMs += 1) {
      const location = await server.createDatabase()
      const rows: MemoryRow[] = []
      const nodes = [await open(location, rows), await open(location, rows)] as const
      await fillCatalog(nodes[0])
      for (const [index, round] of createRounds().entries()) {
        rows.push(...round.rows)
        const closings = nodes.map(async (node, which) => {
          node.clock.ms = round.atMs
          // Each is ahead of the other by turns, by a little more each time.
          if ((which + index) % 2 === 0) await setTimeout(aheadMs * 3 + (index % 4))
          return await closeAll(node)
        })
        for (const count of await Promise.all(closings)) conflicts += count
      }
      expect(await keptBy(nodes[0])).toEqual(alone)
      expect((await nodes[1].ledger.audit()).findings).toEqual([])
      expect((await walkBooks(nodes[1].control.db)).findings).toEqual([])
      for (const world of worlds.splice(0)) await world.close()
    }
    // They did get into each other's way.
    expect(conflicts).toBeGreaterThan(0)
  })

  test('usage that comes while two nodes close is billed once, in its day or as late', async () => {
    const location = await server.createDatabase()
    const rows: MemoryRow[] = []
    const nodes = [await open(location, rows), await open(location, rows)] as const
    await fillCatalog(nodes[0])
    let batch = 0
    for (let day = 0; day < 34; day += 1) {
      const nowMs = OCT_28 + (day + 1) * DAY_MS + 12 * HOUR_MS
      const closed = new AbortController()
      const loading = (async () => {
        while (!closed.signal.aborted) {
          batch += 1
          const minuteMs = nowMs - 12 * HOUR_MS - 10 * MINUTE_MS - (batch % 3) * DAY_MS
          if (minuteMs >= OCT_28) rows.push(rowOf(batch, 1 + (batch % 3), minuteMs, 1n))
          await setTimeout(1 + (batch % 4))
        }
      })()
      const closings = nodes.map(async (node) => {
        node.clock.ms = nowMs
        return await closeAll(node)
      })
      await Promise.all(closings).finally(() => closed.abort())
      await loading
    }
    // Usage is found late as long as anything is: one run more finds the last of it.
    for (const node of nodes) await closeAll(node)
    for (const number of [1, 2, 3]) {
      const wanted = rows.filter(({ accountId }) => accountId === `acc-${number}`)
      const balances = await nodes[0].ledger.balances(`acc-${number}`)
      const used = balances.find(({ ledgerAccount }) => ledgerAccount === 'usage:cdn')
      expect(used?.amount, `acc-${number}`).toBe(wanted.reduce((sum, row) => sum + row.bytes, 0n))
    }
    const bills = await nodes[0].desk.list({ meter: 'cdn' }, { limit: 50, cursor: null })
    expect(bills.items).toHaveLength(6)
    for (const { id } of bills.items) {
      expect(await nodes[1].desk.verify(id)).toMatchObject({ id, findings: [] })
    }
    expect((await nodes[0].ledger.audit()).findings).toEqual([])
    expect((await walkBooks(nodes[0].control.db)).findings).toEqual([])
  })
})
