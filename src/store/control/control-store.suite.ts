import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Catalog, createCatalog } from '../../catalog/catalog.ts'
import { DAY_MS, MINUTE_MS, floorTo } from '../../core/period.ts'
import { type ControlStore, openControlStore } from './control-store.ts'
import { createMasterKeys } from './master-key.ts'
import { migrate } from './migrate.ts'
import { packageTerms } from './migrations/0005-package-terms.ts'
import { exclusiveEnds } from './migrations/0012-exclusive-ends.ts'
import { MIGRATIONS } from './migrations/list.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
const THIS_MINUTE_MS = floorTo(NOW_MS, MINUTE_MS)
const newKey = () => randomBytes(32).toString('base64')

interface World {
  readonly store: ControlStore
  readonly catalog: Catalog
  readonly clock: { ms: number; nowMs(): number }
  readonly location: string
  /** Opens the same database once more, as another node would. */
  readonly again: (keys?: readonly string[]) => Promise<ControlStore>
  readonly close: () => Promise<void>
}

async function openWorld(location: string, keys: readonly string[]): Promise<World> {
  const clock = {
    ms: NOW_MS,
    nowMs() {
      return this.ms
    },
  }
  const opened: ControlStore[] = []
  const again = async (other: readonly string[] = keys) => {
    const store = await openControlStore(location, { clock, masterKeys: createMasterKeys(other) })
    opened.push(store)
    return store
  }
  const store = await again()
  const catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  const close = async () => {
    for (const each of opened) await each.close()
  }
  return { store, catalog, clock, location, again, close }
}

/** The guarantees of the control store; `newLocation` names an empty database each time. */
export function controlStoreSuite(newLocation: () => Promise<string>): void {
  const keys = [newKey()]
  let world: World
  beforeEach(async () => {
    world = await openWorld(await newLocation(), keys)
  })
  afterEach(() => world.close())

  schemaTests(() => world)
  changeTests(() => world)
  readerTests(() => world)
  attributionTests(() => world)
  secretTests(() => world, keys)
  listTests(() => world)
}

async function schemaOf(store: ControlStore): Promise<unknown> {
  const tables = await store.db.introspection.getTables()
  return tables
    .map(({ name, columns }) => ({ name, columns: columns.map((column) => column.name) }))
    .sort((a, b) => a.name.localeCompare(b.name))
}

function schemaTests(world: () => World): void {
  test('opening again applies no step', async () => {
    expect(world().store.migrated).toEqual(MIGRATIONS.map((step) => step.name))
    expect((await world().again()).migrated).toEqual([])
  })
  test('a package of an older release says what it always meant', async () => {
    const { store, catalog } = world()
    const { id: accountId } = await catalog.as('test').createAccount({ name: 'old' })
    // The table as 0001-catalog.ts makes it, with a row of that time.
    const added = ['meter', 'project_ids', 'resource_ids', 'windows', 'first_use_months']
    added.push('paid_amount', 'paid_currency', 'refunded_ms', 'refund_amount', 'offer')
    const alter = () => store.db.schema.alterTable('traffic_packages')
    await alter().renameColumn('areas', 'area').execute()
    await alter().renameColumn('kinds', 'kind').execute()
    for (const column of added) await alter().dropColumn(column).execute()
    const columns = 'id, account_id, area, kind, size_bytes, purchased_ms, start_ms, end_ms'
    await sql`insert into traffic_packages (${sql.raw(columns)})
      values ('pkg-old', ${accountId}, 'abroad', 'dynamic', 5, 1, 2, 3)`.execute(store.db)
    await store.db.transaction().execute((trx) => packageTerms.up(trx, store.backend))
    expect(await catalog.rows.trafficPackages.get('pkg-old')).toEqual({
      id: 'pkg-old',
      accountId,
      meter: 'cdn',
      areas: ['abroad'],
      kinds: ['dynamic'],
      projectIds: null,
      resourceIds: null,
      windows: [],
      sizeBytes: 5n,
      purchasedMs: 1,
      startMs: 2,
      endMs: 3,
      firstUseMonths: null,
      paid: null,
      refundedMs: null,
      refundAmount: null,
      offer: null,
    })
  })
  test('refilling volumes of an older release live on; those of deleted addresses ended', async () => {
    const { store, catalog } = world()
    const writer = catalog.as('test')
    const { id: accountId } = await writer.createAccount({ name: 'old' })
    const ids: string[] = []
    for (const name of ['192.0.2.1', '192.0.2.2']) {
      const { id } = await writer.createResource({ meter: 'eip', account: 'old', name })
      ids.push(id)
    }
    const [living = '', deleted = ''] = ids
    const { deletedMs } = await writer.deleteResource(deleted)
    // The table as 0001-catalog.ts makes it, with rows of that time.
    await store.db.schema.dropTable('exclusive_packages').execute()
    await sql`create table exclusive_packages (id text primary key, account_id text not null,
      resource_id text not null unique, size_bytes bigint not null, reset_policy text not null,
      created_ms bigint not null)`.execute(store.db)
    for (const [id, resourceId] of [
      ['utp-a', living],
      ['utp-b', deleted],
    ]) {
      await sql`insert into exclusive_packages
        values (${id}, ${accountId}, ${resourceId}, 5, 'Month', 1)`.execute(store.db)
    }
    await store.db.transaction().execute((trx) => exclusiveEnds.up(trx, store.backend))
    const { exclusivePackages } = catalog.rows
    const kept = { accountId, sizeBytes: 5n, resetPolicy: 'Month', createdMs: 1 }
    expect(await exclusivePackages.get('utp-a')).toEqual({
      ...kept,
      id: 'utp-a',
      resourceId: living,
      deletedMs: null,
    })
    expect(await exclusivePackages.get('utp-b')).toMatchObject({ resourceId: deleted, deletedMs })
    // An address has one at a time, and may have another one after it.
    const volume = { resource: living, size: '1GiB', resetPolicy: 'Day' } as const
    await expect(writer.createExclusivePackage(volume)).rejects.toMatchObject({ code: 'conflict' })
    await writer.deleteExclusivePackage('utp-a')
    const { id } = await writer.createExclusivePackage(volume)
    const page = await exclusivePackages.list({ deletedMs: null }, { limit: 9, cursor: null })
    expect(page.items.map((item) => item.id)).toEqual([id])
    const twin = sql`insert into exclusive_packages
      values ('utp-c', ${accountId}, ${living}, 5, 'Month', 1, null)`
    await expect(twin.execute(store.db)).rejects.toThrow(/unique|duplicate/i)
  })
  // A crash may come after a step's statements and before its record on databases of the past.
  test('every step may run again and changes nothing', async () => {
    const { store } = world()
    const before = await schemaOf(store)
    for (const step of MIGRATIONS) {
      await store.db.transaction().execute((trx) => step.up(trx, store.backend))
    }
    expect(await schemaOf(store)).toEqual(before)
    expect(await store.revision()).toBe(1)
  })
  test('a database of a newer release is refused by the name of its step', async () => {
    const { store, clock } = world()
    await store.db.insertInto('migrations').values({ name: '9999-x', applied_ms: 1 }).execute()
    await expect(migrate(store.db, store.backend, MIGRATIONS, clock)).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('9999-x'),
    })
  })
}

function changeTests(world: () => World): void {
  test('a change that fails half way leaves nothing behind', async () => {
    const { store, catalog } = world()
    await expect(
      store.catalog.change(async (rows) => {
        await rows.regions.insert({
          region: 'cn-zj',
          regionId: 7,
          name: 'Zhejiang',
          isDefault: false,
          zones: ['cn-zj-01'],
        })
        throw new Error('stop')
      }),
    ).rejects.toThrow('stop')
    expect(await catalog.rows.regions.get('cn-zj')).toBeUndefined()
  })
  test('changes made at once happen one after the other', async () => {
    const { catalog } = world()
    const names = Array.from({ length: 20 }, (_, index) => `account ${index}`)
    const made = await Promise.all(names.map((name) => catalog.as('test').createAccount({ name })))
    const numbers = made.map((account) => account.number).sort((a, b) => a - b)
    expect(numbers).toEqual(names.map((_, index) => 50_000_001 + index))
  })
  test('volumes beyond 2^53 and instants keep every digit', async () => {
    const { catalog } = world()
    await catalog.as('test').createAccount({ name: 'acme' })
    const made = await catalog.as('test').createTrafficPackage({
      account: 'acme',
      area: 'cn',
      size: 9_223_372_036_854_775_807n,
      startAt: '2026-01-01T00:00:00.123+08:00',
    })
    const kept = await catalog.rows.trafficPackages.get(made.id)
    expect(kept).toEqual(made)
    expect(kept?.sizeBytes).toBe(9_223_372_036_854_775_807n)
    expect(kept?.startMs).toBe(Date.UTC(2025, 11, 31, 16, 0, 0, 123))
  })
  test('only changes of whom usage belongs to move the attribution revision', async () => {
    const { store, catalog } = world()
    const writer = catalog.as('test')
    const moved = async (change: () => Promise<unknown>) => {
      const before = await store.revision()
      await change()
      return (await store.revision()) - before
    }
    expect(await moved(() => writer.createAccount({ name: 'acme' }))).toBe(1)
    expect(await moved(() => writer.createKey({ account: 'acme' }))).toBe(0)
    expect(await moved(() => writer.createBrand({ name: 'b', hosts: ['b.example'] }))).toBe(0)
    const domain = { meter: 'cdn', account: 'acme', name: 'a.example' } as const
    expect(await moved(() => writer.createResource(domain))).toBe(1)
    expect(await moved(() => writer.createProject({ account: 'acme', name: 'p' }))).toBe(1)
    const resource = await catalog.rows.resources.find({ name: 'a.example' })
    const id = resource?.id ?? ''
    expect(await moved(() => writer.moveResource(id, { project: 'p' }))).toBe(1)
    expect(await moved(() => writer.moveResource(id, { project: 'p' }))).toBe(0)
    expect(await moved(() => writer.deleteResource(id))).toBe(1)
  })
  // The rules refuse these first; the database is the second line.
  test('the database itself refuses a second living bearer of a name', async () => {
    const { store, catalog } = world()
    await catalog.as('test').createAccount({ name: 'acme' })
    const made = await catalog
      .as('test')
      .createResource({ meter: 'cdn', account: 'acme', name: 'a.example' })
    const insertTwin = (rows: Catalog['rows']) =>
      rows.resources.insert({ ...made, id: 'ucdn-twin' })
    await expect(store.catalog.change(insertTwin)).rejects.toThrow(/unique/i)
    await catalog.as('test').deleteResource(made.id)
    await expect(store.catalog.change(insertTwin)).resolves.toBeUndefined()
  })
}

function readerTests(world: () => World): void {
  test('a request’s host chooses the brand; every other host gets the one without hosts', async () => {
    const { store, catalog } = world()
    await catalog.as('test').createBrand({ name: 'b', hosts: ['API.b.example'] })
    expect((await store.reader.brandOf('api.b.example')).name).toBe('b')
    expect((await store.reader.brandOf('127.0.0.1')).name).toBe('Weir')
  })
  test('a key made here works at once, and a revoked one no longer', async () => {
    const { store, catalog } = world()
    const account = await catalog.as('test').createAccount({ name: 'acme' })
    expect(await store.reader.credential('pk-12345678')).toBeUndefined()
    const pair = { account: 'acme', publicKey: 'pk-12345678', secret: 'sk-12345678' }
    const { key } = await catalog.as('test').createKey(pair)
    const credential = await store.reader.credential('pk-12345678')
    expect(credential).toEqual({ key, secret: 'sk-12345678', account })
    await catalog.as('test').revokeKey(key.id)
    expect(await store.reader.credential('pk-12345678')).toBeUndefined()
  })
  test('another node sees a change within a second', async () => {
    const { catalog, clock, again } = world()
    const other = await again()
    await catalog.as('test').createAccount({ name: 'acme' })
    const { key } = await catalog.as('test').createKey({ account: 'acme' })
    expect((await other.reader.credential(key.publicKey))?.key.id).toBe(key.id)
    await catalog.as('test').revokeKey(key.id)
    clock.ms += 1000
    expect(await other.reader.credential(key.publicKey)).toBeUndefined()
  })
  test('a sub-account uses its parent’s projects and resources; a stranger sees neither', async () => {
    const { store, catalog } = world()
    const writer = catalog.as('test')
    const root = await writer.createAccount({ name: 'root' })
    const child = await writer.createAccount({ name: 'child', parent: 'root' })
    const stranger = await writer.createAccount({ name: 'stranger' })
    const resource = await writer.createResource({
      meter: 'eip',
      account: 'child',
      name: '192.0.2.1',
    })
    expect(resource.accountId).toBe(root.id)
    for (const ref of [resource.id, '192.0.2.1']) {
      expect(await store.reader.resource(root, 'eip', ref)).toEqual(resource)
      expect(await store.reader.resource(child, 'eip', ref)).toEqual(resource)
      expect(await store.reader.resource(stranger, 'eip', ref)).toBeUndefined()
      expect(await store.reader.resource(root, 'cdn', ref)).toBeUndefined()
    }
    const [project] = await store.reader.projects(child)
    expect(project).toMatchObject({ accountId: root.id, isDefault: true, name: 'Default' })
    expect(await store.reader.resourceCount(project?.id ?? '')).toBe(1)
  })
  test('a deleted resource is found by its id, not by its name', async () => {
    const { store, catalog } = world()
    const account = await catalog.as('test').createAccount({ name: 'acme' })
    const made = await catalog
      .as('test')
      .createResource({ meter: 'cdn', account: 'acme', name: 'a.example' })
    await catalog.as('test').deleteResource(made.id)
    expect(await store.reader.resource(account, 'cdn', 'a.example')).toBeUndefined()
    const found = await store.reader.resource(account, 'cdn', made.id)
    expect(found?.deletedMs).toBe(THIS_MINUTE_MS + MINUTE_MS)
  })
  test('packages come in order of purchase, an exclusive one by its address', async () => {
    const { store, catalog } = world()
    const writer = catalog.as('test')
    const account = await writer.createAccount({ name: 'acme' })
    const buy = (purchasedAt: number) =>
      writer.createTrafficPackage({ account: 'acme', area: 'cn', size: '1 TB', purchasedAt })
    const late = await buy(NOW_MS - DAY_MS)
    const early = await buy(NOW_MS - 2 * DAY_MS)
    expect(await store.reader.trafficPackages(account.id)).toEqual([early, late])
    await writer.createResource({ meter: 'eip', account: 'acme', name: '192.0.2.1' })
    const bought = await writer.createExclusivePackage({
      resource: '192.0.2.1',
      size: '100 GB',
      resetPolicy: 'Month',
    })
    expect(await store.reader.exclusivePackage(bought.resourceId)).toEqual(bought)
    await writer.deleteExclusivePackage(bought.id)
    expect(await store.reader.exclusivePackage(bought.resourceId)).toBeUndefined()
  })
  test('a new catalog has the 33 regions and 43 zones, one of them default', async () => {
    const regions = await world().store.reader.regions()
    expect(regions).toHaveLength(33)
    expect(regions.flatMap((region) => region.zones)).toHaveLength(43)
    expect(regions.filter((region) => region.isDefault)).toHaveLength(1)
  })
  test('a source is known by its token until it is revoked', async () => {
    const { store, catalog } = world()
    const made = await catalog.as('test').createSource({ name: 'edge', meters: ['cdn'] })
    expect(await store.reader.sourceOfToken(made.token)).toEqual(made.source)
    expect(await store.reader.sourceOfToken(`${made.token}x`)).toBeUndefined()
    await catalog.as('test').revokeSource('edge')
    expect(await store.reader.sourceOfToken(made.token)).toBeUndefined()
  })
}

function attributionTests(world: () => World): void {
  test('usage before a move stays with the old project, after the end with nobody', async () => {
    const { store, catalog, clock } = world()
    const writer = catalog.as('test')
    const account = await writer.createAccount({ name: 'acme' })
    const second = await writer.createProject({ account: 'acme', name: 'second' })
    const createdAt = NOW_MS - 10 * DAY_MS
    const made = await writer.createResource({
      meter: 'eip',
      account: 'acme',
      name: '192.0.2.1',
      createdAt,
    })
    const movedMs = THIS_MINUTE_MS - 5 * DAY_MS
    await writer.moveResource(made.id, { project: second.id, fromAt: movedMs + 1234 })
    await writer.changePayMode(made.id, { payMode: 'Bandwidth' })
    clock.ms += DAY_MS
    await writer.deleteResource(made.id)
    const common = {
      meter: 'eip',
      resourceId: made.id,
      name: '192.0.2.1',
      accountId: account.id,
      kind: 'static',
      gatewayType: 0,
      region: 'cn-bj2',
    }
    const endMs = THIS_MINUTE_MS + DAY_MS + MINUTE_MS
    const first = { ...common, projectId: made.projectId, payMode: 'Traffic' }
    const moved = { ...common, projectId: second.id, payMode: 'Traffic' }
    const repaid = { ...common, projectId: second.id, payMode: 'Bandwidth' }
    expect(await store.attributions()).toEqual([
      { ...first, fromMs: floorTo(createdAt, MINUTE_MS), toMs: movedMs },
      { ...moved, fromMs: movedMs, toMs: THIS_MINUTE_MS },
      { ...repaid, fromMs: THIS_MINUTE_MS, toMs: endMs },
    ])
  })
  test('a name that is taken again never belongs to two at once', async () => {
    const { store, catalog } = world()
    const writer = catalog.as('test')
    await writer.createAccount({ name: 'acme' })
    const domain = { meter: 'cdn', account: 'acme', name: 'a.example' } as const
    const former = await writer.createResource(domain)
    await writer.deleteResource(former.id)
    const latter = await writer.createResource(domain)
    const spans = await store.attributions()
    expect(spans.map(({ resourceId, fromMs, toMs }) => [resourceId, fromMs, toMs])).toEqual([
      [former.id, THIS_MINUTE_MS, THIS_MINUTE_MS + MINUTE_MS],
      [latter.id, THIS_MINUTE_MS + MINUTE_MS, null],
    ])
  })
}

function secretTests(world: () => World, keys: readonly string[]): void {
  test('no table holds a secret or token as text', async () => {
    const { store, catalog } = world()
    const writer = catalog.as('test')
    await writer.createAccount({ name: 'acme' })
    const { secret } = await writer.createKey({ account: 'acme' })
    const { token } = await writer.createSource({ name: 'edge', meters: ['cdn'] })
    const admin = await catalog.ensureAdminToken()
    const held = JSON.stringify([
      await store.db.selectFrom('keys').selectAll().execute(),
      await store.db.selectFrom('sources').selectAll().execute(),
      await store.db.selectFrom('admin_tokens').selectAll().execute(),
      await store.db.selectFrom('audit_log').selectAll().execute(),
    ])
    for (const hidden of [secret, token, admin?.token ?? '']) {
      expect(hidden).toMatch(/.{32,}/)
      expect(held).not.toContain(hidden)
    }
  })
  test('a new master key takes over what the former one sealed', async () => {
    const { store, catalog, again } = world()
    await catalog.as('test').createAccount({ name: 'acme' })
    const { key, secret } = await catalog.as('test').createKey({ account: 'acme' })
    const next = newKey()
    await again([next, ...keys])
    const rotated = await again([next])
    expect((await rotated.reader.credential(key.publicKey))?.secret).toBe(secret)
    expect(await store.db.selectFrom('keys').select('master_key_id').execute()).toEqual([
      { master_key_id: createMasterKeys([next]).currentId },
    ])
  })
  test('a store whose secrets were sealed with a lost master key does not open', async () => {
    const { catalog, again } = world()
    await catalog.as('test').createAccount({ name: 'acme' })
    await catalog.as('test').createKey({ account: 'acme' })
    await expect(again([newKey()])).rejects.toMatchObject({ code: 'config_invalid' })
  })
}

function listTests(world: () => World): void {
  test('pages of a list hold every entry once, whatever their size', async () => {
    const { catalog } = world()
    const writer = catalog.as('test')
    await writer.createAccount({ name: 'acme' })
    const names = Array.from({ length: 25 }, (_, index) => `d${index}.example`)
    for (const name of names) await writer.createResource({ meter: 'cdn', account: 'acme', name })
    for (const limit of [1, 7, 25, 26]) {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page = await catalog.rows.resources.list({ meter: 'cdn' }, { limit, cursor })
        expect(page.items.length).toBeLessThanOrEqual(limit)
        seen.push(...page.items.map((resource) => resource.name))
        cursor = page.nextCursor
      } while (cursor !== null)
      expect(seen.sort()).toEqual([...names].sort())
    }
  })
  test.each(['x', '', 'WzEsImEiXQ==!', Buffer.from('[1,"a\' or 1=1"]').toString('base64url')])(
    'cursor %j that nobody gave out is refused',
    async (cursor) => {
      await expect(
        world().catalog.rows.resources.list({}, { limit: 1, cursor }),
      ).rejects.toMatchObject({ code: 'parameter_invalid', field: 'cursor' })
    },
  )
  test('the audit log tells who did what, newest first', async () => {
    const { catalog, clock } = world()
    clock.ms += 1
    await catalog.as('alice').createAccount({ name: 'acme' })
    clock.ms += 1
    const { key } = await catalog.as('bob').createKey({ account: 'acme' })
    const { items } = await catalog.rows.audit.list({}, { limit: 2, cursor: null })
    expect(items[0]).toMatchObject({
      actor: 'bob',
      action: 'key.create',
      target: key.id,
      before: null,
      after: { publicKey: key.publicKey },
    })
    expect(items[1]?.actor).toBe('alice')
  })
}
