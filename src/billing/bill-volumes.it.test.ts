import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BooksHarness, openBooksHarness } from '../../test/support/books-harness.ts'
import { hashLink } from '../core/hash-chain.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { Bill } from './bill.ts'

// Shanghai: midnight is 16:00 UTC of the day before.
const OCT_1 = Date.UTC(2026, 8, 30, 16)
const OCT_20 = OCT_1 + 19 * DAY_MS
const NOV_1 = OCT_1 + 31 * DAY_MS
const DEC_1 = NOV_1 + 30 * DAY_MS

let world: BooksHarness

beforeEach(async () => {
  world = await openBooksHarness(OCT_1)
  const writer = world.catalog.as('test')
  await writer.createAccount({ id: 'acc-a1', name: 'A', defaultProjectId: 'org-a1' })
  for (const number of [1, 2]) {
    const address = { meter: 'eip', account: 'acc-a1', name: `192.0.2.${number}` } as const
    await writer.createResource({ ...address, id: `eip-a${number}` })
  }
})
afterEach(() => world.close())

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

async function give(number: number, atMs: number): Promise<void> {
  const policy = number === 1 ? ('Month' as const) : ('Day' as const)
  const volume = { id: `utp-a${number}`, resource: `eip-a${number}`, size: '10GiB' }
  world.clock.ms = atMs
  await world.catalog.as('test').createExclusivePackage({ ...volume, resetPolicy: policy })
}

async function billOf(month: string): Promise<Bill> {
  const id = `acc-a1.eip.${month}`
  const stored = await world.desk.get(id)
  if (stored === undefined) throw new Error(`there is no bill ${id}`)
  expect((await world.desk.verify(id)).findings).toEqual([])
  return stored.bill
}

/** `covered used excess` of each period, in GiB, with its local begin. */
function periodsOf({ exclusive = [] }: Bill): readonly string[] {
  const gib = (bytes: string): bigint => BigInt(bytes) / GIB
  return exclusive.flatMap(({ packageId, periods }) =>
    periods.map(({ start, end, coveredBytes, usedBytes, excessBytes }) =>
      [packageId, start.slice(0, 10), end.slice(0, 10), coveredBytes, usedBytes, excessBytes]
        .map((text, index) => (index > 2 ? gib(text) : text))
        .join(' '),
    ),
  )
}

test('a bill shows each refilling package with its periods, what they covered and the excess', async () => {
  await give(2, OCT_1)
  await give(1, OCT_20)
  moved(1, OCT_20 + HOUR_MS, 7n)
  moved(1, NOV_1 + HOUR_MS, 5n)
  moved(1, NOV_1 + 20 * DAY_MS, 12n)
  world.clock.ms = NOV_1 + 13 * HOUR_MS
  await world.closing.closeSettled()
  const october = await billOf('2026-10')
  expect(october.exclusive).toEqual([
    {
      packageId: 'utp-a1',
      resourceId: 'eip-a1',
      sizeBytes: String(10n * GIB),
      resetPolicy: 'Month',
      created: '2026-10-19T16:00:00.000Z',
      deleted: null,
      periods: [
        {
          start: '2026-10-19T16:00:00.000Z',
          end: '2026-11-19T16:00:00.000Z',
          coveredBytes: String(7n * GIB),
          usedBytes: String(7n * GIB),
          excessBytes: '0',
        },
      ],
    },
    {
      packageId: 'utp-a2',
      resourceId: 'eip-a2',
      sizeBytes: String(10n * GIB),
      resetPolicy: 'Day',
      created: '2026-09-30T16:00:00.000Z',
      deleted: null,
      periods: [],
    },
  ])
  // Late usage of October is billed in November, and uses up what was left of the period.
  moved(2, OCT_20 + 2 * HOUR_MS, 2n)
  world.clock.ms = DEC_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  expect(periodsOf(await billOf('2026-11'))).toEqual([
    'utp-a1 2026-10-19 2026-11-19 3 10 4',
    'utp-a1 2026-11-19 2026-12-19 10 10 2',
  ])
  expect(periodsOf(await billOf('2026-10'))).toEqual(['utp-a1 2026-10-19 2026-11-19 7 7 0'])
})

test('a package that was taken away is shown with its end on the bill of its last month only', async () => {
  await give(1, OCT_1)
  moved(1, OCT_20, 3n)
  world.clock.ms = OCT_20 + HOUR_MS
  await world.catalog.as('test').deleteExclusivePackage('utp-a1')
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  await world.closing.closeSettled()
  // Late, of its last day, but after its end.
  moved(2, OCT_20 + 9 * HOUR_MS, 2n)
  world.clock.ms = DEC_1 + 12 * HOUR_MS
  expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
  const [volume, ...others] = (await billOf('2026-10')).exclusive ?? []
  expect([volume?.deleted, others]).toEqual(['2026-10-19T17:01:00.000Z', []])
  expect(volume?.periods.map(({ end }) => end)).toEqual(['2026-10-19T17:01:00.000Z'])
  expect(await billOf('2026-11')).not.toHaveProperty('exclusive')
})

/** Rewrites the book as an earlier release kept it: `excess` and `exclusive` were not told. */
async function makeOld(): Promise<void> {
  const { db } = world.control
  const hashes = new Map<string, string>()
  let previous = ''
  const rows = await db.selectFrom('book_records').selectAll().orderBy('sequence').execute()
  for (const { sequence, kind, content: text, hash: newHash } of rows) {
    const { excess: _, ...record } = JSON.parse(text) as Record<string, unknown>
    if (kind === 'bill') delete record['exclusive']
    let content = canonicalJson(record)
    for (const [from, to] of hashes) content = content.replaceAll(from, to)
    const hash = hashLink(previous, content)
    const changed = { content, hash, previous_hash: previous }
    await db.updateTable('book_records').set(changed).where('sequence', '=', sequence).execute()
    hashes.set(newHash, hash)
    previous = hash
  }
}

test('bills of a release that did not tell of refilling packages verify all the same', async () => {
  await give(1, OCT_1)
  moved(1, OCT_20, 13n)
  world.clock.ms = OCT_20 + 2 * DAY_MS
  await world.closing.closeSettled()
  moved(2, OCT_20, 1n)
  world.clock.ms = NOV_1 + 12 * HOUR_MS
  expect(await world.closing.closeSettled()).toMatchObject({ adjustments: 1 })
  expect(periodsOf(await billOf('2026-10'))).toEqual(['utp-a1 2026-09-30 2026-10-31 10 10 4'])
  await makeOld()
  expect(await billOf('2026-10')).not.toHaveProperty('exclusive')
})
