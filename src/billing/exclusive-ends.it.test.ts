import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const OCT_2 = OCT_1 + DAY_MS
const NOV_1 = Date.UTC(2026, 9, 31, 16)
const KEY = { accountId: 'acc-a1', meter: 'eip' as const }

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
  const writer = world.catalog.as('test')
  await writer.createAccount({ id: 'acc-a1', name: 'A', defaultProjectId: 'org-a1' })
  const address = { meter: 'eip', account: 'acc-a1', name: '192.0.2.1' } as const
  await writer.createResource({ ...address, id: 'eip-a1' })
  await give('utp-a1', '10GiB')
})
afterEach(() => world.close())

async function give(id: string, size: string, createdAt = world.clock.ms): Promise<void> {
  const volume = { id, resource: 'eip-a1', size, createdAt, resetPolicy: 'Month' } as const
  await world.catalog.as('test').createExclusivePackage(volume)
}

async function takeAway(id: string, atMs: number): Promise<void> {
  world.clock.ms = atMs
  await world.catalog.as('test').deleteExclusivePackage(id)
}

function moved(batch: number, minuteMs: number, gib: bigint): void {
  world.rows.push({
    batch,
    meter: 'eip',
    accountId: 'acc-a1',
    resourceId: 'eip-a1',
    projectId: 'org-a1',
    area: 'cn',
    billingRegion: 'cn',
    province: 'others',
    kind: 'static',
    direction: 'out',
    minuteMs,
    bytes: gib * GIB,
  })
}

/** What volumes covered and what was priced, day by day, in GiB. */
async function closedDays(): Promise<readonly string[]> {
  expect((await world.closing.closeSettled()).failed).toEqual([])
  const days = await world.store.dayRecords(KEY, { startMs: OCT_1, endMs: NOV_1 })
  return days
    .map(({ record: { covered, draws } }) =>
      [...covered, ...draws].map((one) => `${one.packageId} ${one.bytes / GIB}`).join(', '),
    )
    .filter((text) => text !== '')
}

describe('a refilling volume that is taken away', () => {
  test('still covers what moved before on days that are not closed, and nothing after', async () => {
    moved(1, OCT_1 + HOUR_MS, 3n)
    moved(1, OCT_2 + 9 * HOUR_MS, 2n)
    // The minute in which it is taken away is still covered.
    moved(1, OCT_2 + 10 * HOUR_MS, 1n)
    moved(1, OCT_2 + 10 * HOUR_MS + MINUTE_MS, 4n)
    await takeAway('utp-a1', OCT_2 + 10 * HOUR_MS + 30_000)
    expect((await world.live.balance(KEY)).exclusive).toEqual([])
    world.clock.ms = OCT_2 + 3 * DAY_MS
    expect(await closedDays()).toEqual(['utp-a1 3', 'utp-a1 3, null 4'])
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    await world.closing.closeSettled()
    expect((await world.desk.verify('acc-a1.eip.2026-10')).findings).toEqual([])
  })

  test('covers late usage of its time, of which its day was closed', async () => {
    moved(1, OCT_1 + HOUR_MS, 3n)
    world.clock.ms = OCT_2 + 12 * HOUR_MS
    await world.closing.closeSettled()
    await takeAway('utp-a1', OCT_2 + 13 * HOUR_MS)
    moved(2, OCT_1 + 2 * HOUR_MS, 5n)
    expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
    const [late] = await world.store.adjustments(KEY, { startMs: OCT_1, endMs: NOV_1 })
    expect(late?.record.covered).toEqual([{ packageId: 'utp-a1', bytes: 5n * GIB }])
  })

  test('makes place for another one, which covers from then on, also with an old anchor', async () => {
    moved(1, OCT_1 + HOUR_MS, 3n)
    moved(1, OCT_2 + 9 * HOUR_MS, 2n)
    moved(1, OCT_2 + 11 * HOUR_MS, 7n)
    await takeAway('utp-a1', OCT_2 + 10 * HOUR_MS)
    await give('utp-a2', '6GiB', OCT_1)
    const { exclusive } = await world.live.balance(KEY)
    expect(exclusive.map(({ volume }) => volume.id)).toEqual(['utp-a2'])
    world.clock.ms = OCT_2 + 3 * DAY_MS
    expect(await closedDays()).toEqual(['utp-a1 3', 'utp-a1 2, utp-a2 6, null 1'])
    world.clock.ms = NOV_1 + 12 * HOUR_MS
    await world.closing.closeSettled()
    expect((await world.desk.verify('acc-a1.eip.2026-10')).findings).toEqual([])
  })

  test('ends with its address, and covers what that moved until then', async () => {
    moved(1, OCT_1 + HOUR_MS, 3n)
    world.clock.ms = OCT_2 + HOUR_MS
    await world.catalog.as('test').deleteResource('eip-a1')
    expect((await world.live.balance(KEY)).exclusive).toEqual([])
    world.clock.ms = OCT_2 + 3 * DAY_MS
    expect(await closedDays()).toEqual(['utp-a1 3'])
  })
})
