import { Kysely } from 'kysely'
import { expect, test } from 'vitest'
import { createAddressBooks } from './books.ts'
import { at, NOW_MS, openBooks } from './book-store-world.suite.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS } from './migrations/list.ts'
import { createPostgresDialect } from './postgres.ts'
import { createSqliteDialect } from './sqlite.ts'
import type { ControlDatabase } from './tables.ts'

const NOV_1 = at('2026-11-01T00:00')
const NOV_2 = at('2026-11-02T00:00')
const NOV_3 = at('2026-11-03T00:00')

async function openOld(location: string): Promise<Kysely<ControlDatabase>> {
  const backend = location.startsWith('postgres') ? 'postgres' : 'sqlite'
  const dialect =
    backend === 'postgres' ? createPostgresDialect(location) : createSqliteDialect(location)
  const db = new Kysely<ControlDatabase>({ dialect })
  const before = MIGRATIONS.filter(({ name }) => name < '0007')
  await migrate(db, backend, before, { nowMs: () => NOW_MS })
  return db
}

async function insertAccounts(db: Kysely<ControlDatabase>, ids: readonly string[]) {
  const zone = 'Asia/Shanghai'
  const brand = {
    name: 'b',
    hosts: '[]',
    radix_cn: 1,
    radix_abroad: 1,
    response_aliases: 0,
  } as const
  await db
    .insertInto('brands')
    .values({ ...brand, id: 'brand', zone, created_ms: 1 })
    .execute()
  for (const [index, id] of ids.entries()) {
    const account = { name: id, email: '', number: index, brand_id: 'brand', parent_id: null }
    await db
      .insertInto('accounts')
      .values({ ...account, id, zone, created_ms: 1 })
      .execute()
    await db
      .insertInto('projects')
      .values({ id: `org-${id}`, account_id: id, name: 'p', is_default: 1, created_ms: 1 })
      .execute()
  }
}

async function insertAddress(db: Kysely<ControlDatabase>, id: string, accountId: string) {
  const row = {
    id,
    meter: 'eip',
    account_id: accountId,
    project_id: `org-${accountId}`,
    name: id,
    name_scope: '',
    region: '',
    zone: '',
    kind: 'static',
    gateway_type: 0,
    pay_mode: 'Traffic',
    created_ms: NOV_1,
    deleted_ms: null,
  }
  await db.insertInto('resources').values(row).execute()
}

/** What becomes of days that were closed before there were books. */
export function migrationTests(newLocation: () => Promise<string>): void {
  test('days that were closed before there were books are kept, those that were charged', async () => {
    const location = await newLocation()
    const old = await openOld(location)
    await insertAccounts(old, ['acc-a', 'acc-b'])
    await insertAddress(old, 'eip-1', 'acc-a')
    await insertAddress(old, 'eip-2', 'acc-b')
    const day = {
      end_ms: NOV_2,
      start_ms: NOV_1,
      quantity_gb: 3n,
      charged: 1,
      closed_ms: 5,
    } as const
    const bytes = 2n ** 62n + 1n
    await old
      .insertInto('closed_days')
      .values([
        { ...day, resource_id: 'eip-1', bytes },
        { ...day, resource_id: 'eip-1', start_ms: NOV_2, end_ms: NOV_3, bytes: 7n },
        { ...day, resource_id: 'eip-2', bytes: 9n },
        { ...day, resource_id: 'eip-2', start_ms: NOV_2, end_ms: NOV_3, bytes: 8n, charged: 0 },
        // Nobody knows any more whose it was.
        { ...day, resource_id: 'eip-gone', bytes: 6n },
      ])
      .execute()
    await old.destroy()

    const { store } = await openBooks(location)
    const rows = await store.db
      .selectFrom('address_days')
      .select(['account_id', 'resource_id', 'start_ms', 'end_ms', 'bytes'])
      .orderBy('resource_id')
      .orderBy('start_ms')
      .execute()
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['acc-a', 'eip-1', NOV_1, NOV_2, bytes],
      ['acc-a', 'eip-1', NOV_2, NOV_3, 7],
      ['acc-b', 'eip-2', NOV_1, NOV_2, 9],
    ])
    expect(await store.db.selectFrom('closed_days').selectAll().execute()).toHaveLength(5)
    const closed = createAddressBooks(store.db)
    const days = await closed.closedDays('acc-a', 'eip-1', { startMs: NOV_1, endMs: NOV_2 })
    expect(days).toEqual([{ startMs: NOV_1, endMs: NOV_2, quantityGb: 3n }])
    const foreign = { startMs: 0, endMs: NOV_3 }
    expect(await closed.closedDays('acc-b', 'eip-1', foreign)).toEqual([])
    await store.close()
  })
}
