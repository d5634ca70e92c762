import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DAY_MS } from '../core/period.ts'
import { type ControlStore, openControlStore } from '../store/control/control-store.ts'
import { createMasterKeys } from '../store/control/master-key.ts'
import { type Catalog, type CatalogWriter, createCatalog } from './catalog.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
const clock = { nowMs: () => NOW_MS }
let folder: string
let store: ControlStore
let catalog: Catalog
let writer: CatalogWriter

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-catalog-'))
  const masterKeys = createMasterKeys([Buffer.alloc(32, 7).toString('base64')])
  store = await openControlStore(join(folder, 'control.db'), { clock, masterKeys })
  catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  writer = catalog.as('test')
  await writer.createAccount({ name: 'acme' })
  await writer.createAccount({ name: 'other' })
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const domain = (account: string, name: string) => ({ meter: 'cdn', account, name }) as const
const device = (account: string, name: string) => ({ meter: 'mna', account, name }) as const

test('one domain or address cannot be measured twice, whoever asks', async () => {
  await writer.createResource(domain('acme', 'a.example'))
  await expect(writer.createResource(domain('other', 'A.EXAMPLE'))).rejects.toMatchObject({
    code: 'conflict',
    field: 'name',
    // Which account has it is nobody's business.
    message: 'cdn resource a.example exists already.',
  })
})

test('two accounts may call their gateways the same, one account may not', async () => {
  await writer.createResource(device('acme', 'gateway'))
  await writer.createResource(device('other', 'gateway'))
  await expect(writer.createResource(device('acme', 'gateway'))).rejects.toMatchObject({
    code: 'conflict',
  })
})

test('a gateway is not handed to an account that has one of its name', async () => {
  const mine = await writer.createResource(device('acme', 'gateway'))
  await writer.createResource(device('other', 'gateway'))
  const handover = { account: 'other', project: 'Default' }
  await expect(writer.moveResource(mine.id, handover)).rejects.toMatchObject({ code: 'conflict' })
})

test('a handed-over domain belongs to the other account from then on', async () => {
  const mine = await writer.createResource({
    ...domain('acme', 'a.example'),
    createdAt: NOW_MS - DAY_MS,
  })
  const moved = await writer.moveResource(mine.id, { account: 'other', project: 'Default' })
  const spans = await store.attributions()
  expect(spans.map((span) => span.accountId)).toEqual([mine.accountId, moved.accountId])
})

test('a name is free for a new bearer only after the time of the former', async () => {
  const former = await writer.createResource({
    ...domain('acme', 'a.example'),
    createdAt: NOW_MS - 3 * DAY_MS,
  })
  await writer.deleteResource(former.id, { atTime: NOW_MS - DAY_MS })
  const overlapping = { ...domain('other', 'a.example'), createdAt: NOW_MS - 2 * DAY_MS }
  await expect(writer.createResource(overlapping)).rejects.toMatchObject({ field: 'createdAt' })
  await writer.createResource({
    ...domain('other', 'a.example'),
    createdAt: NOW_MS - DAY_MS + 60_000,
  })
})

test('a root account has exactly one default project, whichever is made the default', async () => {
  const account = await catalog.rows.accounts.find({ name: 'acme' })
  const accountId = account?.id ?? ''
  const second = await writer.createProject({ account: 'acme', name: 'second' })
  await writer.updateProject(second.id, { isDefault: true })
  const page = await catalog.rows.projects.list({ accountId }, { limit: 10, cursor: null })
  expect(page.items.map(({ name, isDefault }) => [name, isDefault])).toEqual(
    expect.arrayContaining([
      ['Default', false],
      ['second', true],
    ]),
  )
})

test('a sub-account has no projects and no sub-accounts of its own', async () => {
  const child = await writer.createAccount({ name: 'child', parent: 'acme' })
  const projects = await catalog.rows.projects.list(
    { accountId: child.id },
    { limit: 10, cursor: null },
  )
  expect(projects.items).toEqual([])
  await expect(writer.createAccount({ name: 'grandchild', parent: 'child' })).rejects.toMatchObject(
    {
      code: 'conflict',
      field: 'parent',
    },
  )
})

test.each([
  [
    'account',
    () => writer.createResource,
    { ...domain('nobody', 'a.example') },
    'not_found',
    'account',
  ],
  [
    'region',
    () => writer.createResource,
    { ...domain('acme', 'b.example'), region: 'cn-zj' },
    'not_found',
    'region',
  ],
  [
    'zone',
    () => writer.createResource,
    { ...domain('acme', 'b.example'), zone: 'hk-02' },
    'parameter_invalid',
    'zone',
  ],
  [
    'name',
    () => writer.createResource,
    { meter: 'eip', account: 'acme', name: 'x' } as const,
    'parameter_invalid',
    'name',
  ],
  [
    'id',
    () => writer.createResource,
    { ...domain('acme', 'b.example'), id: 'eip-1' },
    'parameter_invalid',
    'id',
  ],
  [
    'project',
    () => writer.createResource,
    { ...domain('acme', 'b.example'), project: 'x' },
    'not_found',
    'project',
  ],
  [
    'future',
    () => writer.createResource,
    { ...domain('acme', 'b.example'), createdAt: NOW_MS + 1 },
    'parameter_invalid',
    'createdAt',
  ],
])(
  'a resource with a wrong %s is refused at that field',
  async (_title, create, input, code, field) => {
    await expect(create()(input)).rejects.toMatchObject({ code, field })
  },
)

test('a region that only examples know works once the operator adds it', async () => {
  await writer.addRegion({ region: 'cn-zj', name: 'Zhejiang', zones: ['cn-zj-01'] })
  const made = await writer.createResource({ ...domain('acme', 'b.example'), region: 'cn-zj' })
  expect(made).toMatchObject({ region: 'cn-zj', zone: 'cn-zj-01' })
})

test('a host belongs to one brand, and one brand answers all others', async () => {
  await writer.createBrand({ name: 'b', hosts: ['b.example'] })
  await expect(writer.createBrand({ name: 'c', hosts: ['B.example'] })).rejects.toMatchObject({
    field: 'hosts',
  })
  await expect(writer.createBrand({ name: 'd' })).rejects.toMatchObject({ field: 'hosts' })
})

test('defaults and the first admin token are made once', async () => {
  await catalog.ensureDefaults()
  expect(await catalog.ensureAdminToken()).toBeDefined()
  expect(await catalog.ensureAdminToken()).toBeUndefined()
  const brands = await catalog.rows.brands.list({}, { limit: 10, cursor: null })
  expect(brands.items).toHaveLength(1)
})

// Otherwise nobody could make another one.
test('the last admin token cannot be revoked', async () => {
  const first = await catalog.ensureAdminToken()
  const id = first?.adminToken.id ?? ''
  await expect(writer.revokeAdminToken(id)).rejects.toMatchObject({ code: 'conflict' })
  await writer.createAdminToken({ name: 'second' })
  expect((await writer.revokeAdminToken(id)).active).toBe(false)
})

test('an elastic IP has at most one exclusive package, and is not handed over with it', async () => {
  const eip = await writer.createResource({ meter: 'eip', account: 'acme', name: '192.0.2.1' })
  const input = { resource: eip.id, size: '1 GB', resetPolicy: 'Day' } as const
  const bought = await writer.createExclusivePackage(input)
  await expect(writer.createExclusivePackage(input)).rejects.toMatchObject({ field: 'resource' })
  const handover = { account: 'other', project: 'Default' }
  await expect(writer.moveResource(eip.id, handover)).rejects.toMatchObject({ code: 'conflict' })
  const gone = await writer.deleteExclusivePackage(bought.id)
  expect(gone.deletedMs).toBeGreaterThan(bought.createdMs)
  // What it gave stays given: it is kept, and its id stays taken.
  expect(await catalog.rows.exclusivePackages.get(bought.id)).toEqual(gone)
  const again = writer.deleteExclusivePackage(bought.id)
  await expect(again).rejects.toMatchObject({ code: 'not_found' })
  const same = writer.createExclusivePackage({ ...input, id: bought.id })
  await expect(same).rejects.toMatchObject({ code: 'conflict', field: 'id' })
  expect((await writer.moveResource(eip.id, handover)).accountId).not.toBe(eip.accountId)
})

test('the exclusive package of an elastic IP ends with it', async () => {
  const eip = await writer.createResource({ meter: 'eip', account: 'acme', name: '192.0.2.1' })
  const input = { resource: eip.id, size: '1 GB', resetPolicy: 'Day' } as const
  const bought = await writer.createExclusivePackage(input)
  const { deletedMs } = await writer.deleteResource(eip.id)
  expect(await catalog.rows.exclusivePackages.get(bought.id)).toEqual({ ...bought, deletedMs })
})
