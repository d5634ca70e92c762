import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type Moved,
  MOVED_ACCOUNTS,
  MOVED_END,
  MOVED_METERS,
  MOVED_START,
  type MovedWorld,
  openMovedWorld,
} from '../../../test/support/moved-usage.ts'
import type { BooksUsage, UsageOrigin } from '../../billing/books-usage.ts'
import { floorTo, MINUTE_MS } from '../../core/period.ts'
import { createBooksReader } from './books-reader.ts'
import { renderLate } from './late-usage.ts'
import { TABLES } from './tables.ts'

let world: MovedWorld
let reader: BooksUsage & UsageOrigin

beforeAll(async () => {
  world = await openMovedWorld(12)
  reader = createBooksReader(world.engine)
})

afterAll(() => world.close())

const DAYS = { startMs: MOVED_START, endMs: MOVED_END }
const QUARTER_MS = 15 * MINUTE_MS

/** Above any batch of the world. */
const FORGED = Number.MAX_SAFE_INTEGER

const isInside = ({ atMs }: Moved): boolean => atMs >= MOVED_START && atMs < MOVED_END

async function hashOf(meter: Moved['meter'], accountId: string): Promise<string | undefined> {
  const query = { meter, accountIds: [accountId], ...DAYS, throughBatch: FORGED }
  return (await reader.proofs(query)).get(accountId)?.hash
}

describe.each(MOVED_METERS)('late usage of %s', (meter) => {
  test.each([
    [0, 2],
    [0, 1],
    [1, 2],
    [2, 2],
  ])('after load %i through load %i is where it moved', async (after, through) => {
    const found = await reader.late(meter, DAYS, {
      after: world.batchOf(meter, after),
      through: world.batchOf(meter, through),
    })
    const late = world.moved.filter(
      (each) => each.meter === meter && isInside(each) && each.load > after && each.load <= through,
    )
    const keys = late.map((each) => `${each.account} ${floorTo(each.atMs, QUARTER_MS)}`)
    expect(found.map((each) => `${each.accountId} ${each.startMs}`)).toEqual(
      [...new Set(keys)].sort(),
    )
    expect(MOVED_ACCOUNTS.some((id) => keys.some((key) => key.startsWith(id)))).toBe(
      after < through,
    )
  })

  test('of one account, looked for by its resources, has the last batch of each quarter', async () => {
    for (const accountId of [...MOVED_ACCOUNTS, 'acc-none']) {
      const own = world.moved.filter((each) => each.meter === meter && each.account === accountId)
      const newest = new Map<number, number>()
      for (const { atMs, load } of own.filter((each) => isInside(each) && each.load > 0)) {
        const startMs = floorTo(atMs, QUARTER_MS)
        newest.set(startMs, Math.max(world.batchOf(meter, load), newest.get(startMs) ?? 0))
      }
      const expected = [...newest].sort(([a], [b]) => a - b)
      const accounts = await reader.lateAccounts(meter, DAYS, world.batchOf(meter, 0))
      expect(accounts?.has(accountId)).toBe(expected.length > 0)
      const batches = { after: world.batchOf(meter, 0), through: FORGED }
      const resourceIds = [...new Set(own.map(({ resource }) => resource))]
      for (const whose of [{ accountIds: [accountId] }, { accountIds: [accountId], resourceIds }]) {
        const found = await reader.late(meter, DAYS, batches, whose)
        expect(found.map(({ startMs, batch }) => [startMs, batch])).toEqual(expected)
        expect(found.every((each) => each.accountId === accountId)).toBe(true)
      }
    }
  })

  test.each([
    [0, 2],
    [1, 2],
    [2, 2],
  ])('after load %i through load %i names the batches of each account', async (after, through) => {
    for (const accountId of [...MOVED_ACCOUNTS, 'acc-none']) {
      const found = await reader.batches({
        meter,
        accountId,
        ...DAYS,
        afterBatch: world.batchOf(meter, after),
        throughBatch: world.batchOf(meter, through),
        namedMax: 1,
      })
      const own = world.moved.filter(
        (each) => each.meter === meter && each.account === accountId && isInside(each),
      )
      const loads = own.map(({ load }) => load).filter((load) => load > after && load <= through)
      const numbers = [...new Set(loads)]
        .sort((a, b) => a - b)
        .map((load) => world.batchOf(meter, load))
      expect(found).toEqual({ numbers: numbers.slice(0, 1), count: numbers.length })
    }
  })

  test('is looked for without reading what was loaded before', async () => {
    const parameters = {
      after: world.batchOf(meter, 2),
      through: FORGED,
      start: MOVED_START / 1000,
      end: MOVED_END / 1000,
    }
    const plan = await world.engine.text(
      // Otherwise granules are left out while others are read, and the plan does not tell.
      `EXPLAIN indexes = 1 ${renderLate(meter)}
SETTINGS use_skip_indexes_on_data_read = 0 FORMAT TSVRaw`,
      parameters,
    )
    const index = plan.slice(plan.indexOf('batch_range'))
    expect(index).toMatch(/^batch_range[\s\S]*?Granules: 0\/\d+/)
  })
})

describe.each(MOVED_METERS)('the proof of %s', (meter) => {
  test.each([0, 1, 2])('through load %i counts rows and batches up to it', async (load) => {
    const throughBatch = world.batchOf(meter, load)
    const accountIds = ['acc-1', 'acc-3', 'acc-none']
    const found = await reader.proofs({ meter, accountIds, ...DAYS, throughBatch })
    const inside = world.moved.filter((each) => each.meter === meter && isInside(each))
    for (const accountId of accountIds) {
      const own = inside.filter((each) => each.account === accountId && each.load <= load)
      const loads = [...new Set(own.map((each) => each.load))]
      const proof = found.get(accountId)
      expect(proof === undefined).toBe(own.length === 0)
      if (proof === undefined) continue
      expect(proof).toMatchObject({ throughBatch, rows: own.length, batches: loads.length })
      expect(proof.firstBatch).toBe(world.batchOf(meter, Math.min(...loads)))
      expect(proof.hash).toMatch(/^[0-9a-f]{16}$/)
    }
  })

  test('stays the same when rows are loaded in another order or merged', async () => {
    const before = await hashOf(meter, 'acc-1')
    await world.engine.command(`OPTIMIZE TABLE usage_${meter} FINAL`)
    expect(await hashOf(meter, 'acc-1')).toBe(before)
  })

  test('changes with every stored column of a row', async () => {
    const table = `usage_${meter}`
    const columns = TABLES.find(({ name }) => name === table)?.columns ?? []
    const hashes = new Map<string, bigint>()
    let before = await hashOf(meter, 'acc-1')
    for (const { name, type } of [{ name: 'none', type: '' }, ...columns]) {
      if (name === 'account' || name === 'batch') continue
      const other = type.includes('String') ? `concat(${name}, '!')` : `${name} + 60`
      const change = name === 'none' ? '' : `, ${other} AS ${name}`
      await world.engine.command(
        `INSERT INTO ${table} SELECT * REPLACE (${FORGED} AS batch${change}) FROM (
  SELECT * FROM ${table}
  WHERE account = 'acc-1' AND minute >= toDateTime(${MOVED_START / 1000} + 3600)
  ORDER BY ALL LIMIT 1)`,
      )
      const after = await hashOf(meter, 'acc-1')
      // What the row adds to the sum is its own hash.
      hashes.set(name, BigInt.asUintN(64, BigInt(`0x${after}`) - BigInt(`0x${before}`)))
      before = after
    }
    expect(hashes.size).toBe(columns.length - 1)
    expect(new Set(hashes.values()).size).toBe(hashes.size)
    await world.engine.command(`DELETE FROM ${table} WHERE batch = ${FORGED}`)
  })

  test('names the address databases that attributed it', async () => {
    const time = new Date(MOVED_START + 3 * MINUTE_MS).toISOString()
    const query = { meter, accountIds: ['acc-2'], ...DAYS, throughBatch: FORGED }
    const geoVersions = async () => (await reader.proofs(query)).get('acc-2')?.geoVersions ?? []
    expect(await geoVersions()).toEqual([])
    for (const version of ['v2', 'v1', 'v2']) {
      await world.engine.command(
        `INSERT INTO usage_${meter} (batch, account, minute, geo_version)
VALUES (${FORGED}, 'acc-2', '${time.slice(0, 19).replace('T', ' ')}', '${version}')`,
      )
    }
    expect(await geoVersions()).toEqual(['v1', 'v2'])
    await world.engine.command(`DELETE FROM usage_${meter} WHERE batch = ${FORGED}`)
  })
})

test('the last batch is the highest, 0 where nothing was loaded', async () => {
  for (const meter of MOVED_METERS) {
    expect(await reader.lastBatch(meter)).toBe(world.batchOf(meter, 2))
  }
  await world.engine.command('TRUNCATE TABLE usage_mna')
  expect(await reader.lastBatch('mna')).toBe(0)
})
