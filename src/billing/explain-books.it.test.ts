import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import type { MemoryRow } from '../../test/support/memory-usage.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import { explainBillLine } from './explain-line.ts'
import type { Explanation } from './explanation.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const NOV_1 = Date.UTC(2026, 9, 31, 16)
const DEC_1 = NOV_1 + 30 * DAY_MS

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
})
afterEach(() => world.close())

async function addAccount(letter: string, pack?: string): Promise<Partial<MemoryRow>> {
  const writer = world.catalog.as('test')
  const [accountId, projectId, resourceId] = [`acc-${letter}1`, `org-${letter}1`, `ucdn-${letter}1`]
  await writer.createAccount({ id: accountId, name: letter, defaultProjectId: projectId })
  // Before there is anything to bill, so that the whole month is billed by it.
  if (pack !== undefined) {
    const choice = { account: accountId, meter: 'cdn', pack, groups: {}, actor: 'test' } as const
    await world.charges.desk.switch(choice)
  }
  await writer.createResource({
    id: resourceId,
    meter: 'cdn',
    account: accountId,
    name: `${letter}.example.com`,
  })
  return { accountId, projectId, resourceId }
}

function moved(batch: number, minuteMs: number, bytes: bigint, own: Partial<MemoryRow>): void {
  world.rows.push({
    batch,
    meter: 'cdn',
    accountId: '',
    resourceId: '',
    projectId: '',
    area: 'cn',
    billingRegion: own.area ?? 'cn',
    province: 'beijing',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes,
    ...own,
  })
}

async function explainAll(id: string): Promise<Explanation[]> {
  const stored = await world.desk.get(id)
  if (stored === undefined) throw new Error(`no bill ${id}`)
  const deps = { store: world.store, usage: world.usage, modes: world.charges.desk }
  const found: Explanation[] = []
  for (const [index, line] of stored.bill.lines.entries()) {
    const { number, zone, explanation } = await explainBillLine(id, index + 1, deps)
    expect([number, zone]).toEqual([index + 1, 'Asia/Shanghai'])
    expect(explanation.line).toEqual(line)
    expect([explanation.steps, explanation.agrees]).toEqual([explanation.steps, true])
    found.push(explanation)
  }
  return found
}

test('volumes with a package and late usage are explained as the books billed them', async () => {
  const own = await addAccount('a')
  await world.catalog.as('test').createTrafficPackage({
    id: 'pkg-a1',
    account: 'acc-a1',
    area: 'cn',
    size: String(4n * GIB),
    paid: { amount: '3.5', currency: 'CNY' },
  })
  moved(1, OCT_1 + HOUR_MS, 10n * GIB, own)
  moved(1, OCT_1 + 3 * DAY_MS, 2n * GIB, own)
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  const october = await explainAll('acc-a1.cdn.2026-10')
  expect(october.map(({ type }) => type).sort()).toEqual(['package', 'traffic', 'traffic'])
  const first = october.find(({ type }) => type === 'traffic')
  expect(first).toMatchObject({
    days: [
      {
        measuredBytes: String(10n * GIB),
        takenBytes: String(4n * GIB),
        packages: [{ packageId: 'pkg-a1', bytes: String(4n * GIB) }],
      },
    ],
  })
  moved(7, OCT_1 + 2 * HOUR_MS, 5n * GIB, own)
  await world.closing.closeSettled()
  moved(8, OCT_1 + 3 * HOUR_MS, 1n * GIB, own)
  await world.closing.closeSettled()
  expect(await explainAll('acc-a1.cdn.2026-10')).toEqual(october)
  world.clock.ms = DEC_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  const november = await explainAll('acc-a1.cdn.2026-11')
  expect(november.map(({ type }) => type)).toEqual(['adjustment', 'adjustment'])
})

test('days that one look for late usage adjusts are each explained by what that day brought', async () => {
  const own = await addAccount('c', 'generic-traffic')
  const other = await addAccount('d', 'generic-traffic')
  moved(1, OCT_1 + HOUR_MS, 10n * GIB, own)
  moved(1, OCT_1 + DAY_MS, 10n * GIB, own)
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  // Another account's late usage of the same days causes none of this.
  moved(6, OCT_1 + 2 * HOUR_MS, GIB, other)
  moved(7, OCT_1 + 2 * HOUR_MS, 5n * GIB, own)
  moved(8, OCT_1 + 3 * HOUR_MS, 5n * GIB, own)
  moved(8, OCT_1 + DAY_MS + HOUR_MS, 3n * GIB, own)
  moved(9, OCT_1 + DAY_MS + HOUR_MS, 2n * GIB, own)
  await world.closing.closeSettled()
  world.clock.ms = DEC_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  const late = (await explainAll('acc-c1.cdn.2026-11')).filter((each) => each.type === 'adjustment')
  expect(late.map(({ cause }) => [cause.start, cause.batches, cause.batchCount])).toEqual([
    [new Date(OCT_1).toISOString(), [7, 8], 2],
    [new Date(OCT_1 + DAY_MS).toISOString(), [8, 9], 2],
  ])
  expect(late.map(({ steps }) => steps[0])).toEqual([
    expect.stringContaining('which came with batches 7, 8, makes'),
    expect.stringContaining('which came with batches 8, 9, makes'),
  ])
})

test('a percentile that late usage moved twice is explained before and after each time', async () => {
  const own = await addAccount('b', 'generic-95')
  const busy = (batch: number, bytes: bigint) => {
    for (let slot = 0; slot < 447; slot += 1) {
      moved(batch, OCT_1 + slot * 5 * MINUTE_MS, bytes, own)
    }
  }
  busy(1, 15_000_000_000n)
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  const october = await explainAll('acc-b1.cdn.2026-10')
  for (const batch of [6, 7]) {
    busy(batch, 3_750_000_000n)
    await world.closing.closeSettled()
  }
  expect(await explainAll('acc-b1.cdn.2026-10')).toEqual(october)
  world.clock.ms = DEC_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  const moves = (await explainAll('acc-b1.cdn.2026-11')).filter(({ type }) => type === 'adjustment')
  expect(moves).toMatchObject([
    {
      cause: {
        start: new Date(OCT_1).toISOString(),
        end: new Date(NOV_1).toISOString(),
        batches: [6],
      },
      before: { throughBatch: 1, line: { bps: '400000000' } },
      after: { throughBatch: 6, line: { bps: '500000000' } },
    },
    {
      cause: { batches: [7], batchCount: 1 },
      before: { throughBatch: 6, line: { bps: '500000000' } },
      after: { throughBatch: 7, line: { bps: '600000000' } },
    },
  ])
})
