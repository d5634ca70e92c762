import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DAY_MS } from '../core/period.ts'
import { type ControlStore, openControlStore } from '../store/control/control-store.ts'
import { createMasterKeys } from '../store/control/master-key.ts'
import { type Catalog, type CatalogWriter, createCatalog } from './catalog.ts'
import type { TrafficPackage } from './model.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
const clock = { nowMs: () => NOW_MS }
let folder: string
let store: ControlStore
let catalog: Catalog
let writer: CatalogWriter
/** Up to where every cdn book is closed. */
let closedMs: number | null

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-packages-'))
  closedMs = null
  store = await openControlStore(join(folder, 'control.db'), {
    clock,
    masterKeys: createMasterKeys([Buffer.alloc(32, 7).toString('base64')]),
    closedUntil: async (_db, _account, meter) => (meter === 'cdn' ? closedMs : null),
  })
  catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  writer = catalog.as('test')
  for (const name of ['acme', 'other']) {
    await writer.createAccount({ name })
    await writer.createProject({ account: name, name: 'video' })
    await writer.createResource({ meter: 'cdn', account: name, name: `${name}.example` })
    await writer.createResource({ meter: 'mna', account: name, name: 'van' })
  }
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const PLAIN = { account: 'acme', area: 'cn', size: '1 TB' } as const
const device = (more: object = {}) =>
  writer.createTrafficPackage({
    account: 'acme',
    meter: 'mna',
    size: '20 GB',
    resources: ['van'],
    startAt: NOW_MS,
    endAt: NOW_MS + 30 * DAY_MS,
    ...more,
  })

test('everything that can be said of a package is kept', async () => {
  const acme = await catalog.rows.accounts.find({ name: 'acme' })
  const video = await catalog.rows.projects.find({ accountId: acme?.id ?? '', name: 'video' })
  const domain = await catalog.rows.resources.find({ name: 'acme.example' })
  const made = await writer.createTrafficPackage({
    id: 'pkg-all',
    account: 'acme',
    areas: ['cn', 'abroad'],
    kinds: null,
    projects: ['video'],
    resources: ['ACME.example'],
    windows: ['00:00-08:00', '22:30-24:00'],
    size: '9223372036854775807',
    purchasedAt: NOW_MS - DAY_MS,
    startAt: NOW_MS,
    firstUseMonths: 6,
    // More nano than 64 bits hold.
    paid: { amount: '123456789012345678.000000001', currency: 'CNY' },
    offer: 'night-6-months',
  })
  const expected: TrafficPackage = {
    id: 'pkg-all',
    accountId: made.accountId,
    meter: 'cdn',
    areas: ['abroad', 'cn'],
    kinds: null,
    projectIds: [video?.id ?? ''],
    resourceIds: [domain?.id ?? ''],
    windows: [
      { fromMinute: 0, toMinute: 480 },
      { fromMinute: 1350, toMinute: 1440 },
    ],
    sizeBytes: 2n ** 63n - 1n,
    purchasedMs: NOW_MS - DAY_MS,
    startMs: NOW_MS,
    endMs: null,
    firstUseMonths: 6,
    paid: { amount: 123456789012345678000000001n, currency: 'CNY' },
    refundedMs: null,
    refundAmount: null,
    offer: 'night-6-months',
  }
  expect(made).toEqual(expected)
  expect(await catalog.rows.trafficPackages.get('pkg-all')).toEqual(expected)
  expect(await store.reader.trafficPackages(made.accountId)).toEqual([expected])
})

test('what a package always was is what it is when nothing else is said', async () => {
  expect(await writer.createTrafficPackage({ ...PLAIN, kind: 'dynamic' })).toMatchObject({
    meter: 'cdn',
    areas: ['cn'],
    kinds: ['dynamic'],
    projectIds: null,
    resourceIds: null,
    windows: [],
    firstUseMonths: null,
    paid: null,
    refundedMs: null,
    refundAmount: null,
    offer: null,
  })
})

test('a list by area or kind has every package that pays there', async () => {
  const add = (id: string, said: object) =>
    writer.createTrafficPackage({ id, account: 'acme', size: '1 TB', ...said })
  await add('pkg-cn', { area: 'cn' })
  await add('pkg-abroad', { area: 'abroad', kind: 'dynamic' })
  await add('pkg-both', { areas: ['cn', 'abroad'], kinds: ['static', 'dynamic'] })
  await add('pkg-any', { areas: null, kinds: null })
  await device({ id: 'pkg-device' })
  const idsOf = async (filter: object) => {
    const page = await catalog.rows.trafficPackages.list(filter, { limit: 10, cursor: null })
    return page.items.map(({ id }) => id).sort()
  }
  expect(await idsOf({ meter: 'cdn', area: 'cn' })).toEqual(['pkg-any', 'pkg-both', 'pkg-cn'])
  await add('pkg-latam', { areas: ['latam', 'cn'] })
  await add('pkg-apac', { areas: ['apac1', 'apac2'] })
  expect(await idsOf({ meter: 'cdn', area: 'cn' })).toContain('pkg-latam')
  expect(await idsOf({ meter: 'cdn', area: 'apac1' })).toEqual([
    'pkg-abroad',
    'pkg-any',
    'pkg-apac',
    'pkg-both',
  ])
  await add('pkg-other', { areas: ['abroad-other', 'cn'] })
  expect(await idsOf({ meter: 'cdn', area: 'abroad-other' })).toEqual([
    'pkg-abroad',
    'pkg-any',
    'pkg-both',
    'pkg-other',
  ])
  expect(await idsOf({ meter: 'cdn', area: 'apac1' })).not.toContain('pkg-other')
  expect(await idsOf({ meter: 'cdn', area: 'abroad' })).toEqual([
    'pkg-abroad',
    'pkg-any',
    'pkg-apac',
    'pkg-both',
    'pkg-latam',
    'pkg-other',
  ])
  expect(await idsOf({ meter: 'cdn', kind: 'dynamic' })).toEqual([
    'pkg-abroad',
    'pkg-any',
    'pkg-both',
  ])
  expect(await idsOf({ meter: 'mna' })).toEqual(['pkg-device'])
})

describe('a package names only what its account has', () => {
  test.each<[string, object, string]>([
    ['an unknown project', { projects: ['video', 'nowhere'] }, 'projects[1]'],
    ['a domain that is another account’s', { resources: ['other.example'] }, 'resources[0]'],
    ['a gateway, for domains', { resources: ['van'] }, 'resources[0]'],
  ])('%s is not found', async (_title, said, field) => {
    await expect(writer.createTrafficPackage({ ...PLAIN, ...said })).rejects.toMatchObject({
      code: 'not_found',
      field,
    })
  })

  test('nor another account’s project or resource by id', async () => {
    const owner = await catalog.rows.accounts.find({ name: 'other' })
    const accountId = owner?.id ?? ''
    const project = await catalog.rows.projects.find({ accountId, name: 'video' })
    const resource = await catalog.rows.resources.find({ accountId, meter: 'cdn' })
    for (const [said, field] of [
      [{ projects: [project?.id ?? ''] }, 'projects[0]'],
      [{ resources: [resource?.id ?? ''] }, 'resources[0]'],
    ] as const) {
      await expect(
        writer.createTrafficPackage({
          ...PLAIN,
          projects: null,
          resources: null,
          ...said,
        } as never),
      ).rejects.toMatchObject({ code: 'not_found', field })
    }
  })

  test('a resource by name and by id is one resource', async () => {
    const found = await catalog.rows.resources.find({ name: 'acme.example' })
    const resources = ['acme.example', found?.id ?? '']
    await expect(writer.createTrafficPackage({ ...PLAIN, resources })).rejects.toMatchObject({
      code: 'parameter_invalid',
      field: 'resources[1]',
    })
  })
})

describe('packages of gateways do not stack', () => {
  test('a second one for the time of the first is refused, one that follows is not', async () => {
    const first = await device()
    await expect(device({ startAt: NOW_MS + 29 * DAY_MS, endAt: null })).rejects.toMatchObject({
      code: 'conflict',
      field: 'resources',
      message: expect.stringContaining(`has package ${first.id} until 2026-12-21`) as string,
    })
    await device({ startAt: NOW_MS + 30 * DAY_MS, endAt: NOW_MS + 60 * DAY_MS })
    // Nor may the first one grow into the second.
    const endAt = NOW_MS + 31 * DAY_MS
    await expect(writer.updateTrafficPackage(first.id, { endAt })).rejects.toMatchObject({
      code: 'conflict',
      field: 'endAt',
    })
  })

  test('one that was given back is in nobody’s way', async () => {
    const first = await device()
    await writer.refundTrafficPackage(first, 0n)
    expect(await device()).toMatchObject({ resourceIds: first.resourceIds })
  })

  test('other gateways, and packages of domains, may overlap', async () => {
    await device()
    await writer.createResource({ meter: 'mna', account: 'acme', name: 'boat' })
    await device({ resources: ['boat'] })
    const domain = { ...PLAIN, resources: ['acme.example'] }
    const first = await writer.createTrafficPackage(domain)
    const second = await writer.createTrafficPackage(domain)
    expect(second.resourceIds).toEqual(first.resourceIds)
  })
})

describe('what is closed stays as it was billed', () => {
  const created = { ...PLAIN, startAt: NOW_MS - 30 * DAY_MS, endAt: NOW_MS + 30 * DAY_MS }

  test('an end is moved to the closed time at the earliest', async () => {
    const { id } = await writer.createTrafficPackage(created)
    closedMs = NOW_MS - DAY_MS
    await expect(writer.updateTrafficPackage(id, { endAt: closedMs - 1 })).rejects.toMatchObject({
      code: 'conflict',
      field: 'endAt',
      message: expect.stringContaining('days until 2026-11-20T08:30:15.000Z are closed') as string,
    })
    expect(await writer.updateTrafficPackage(id, { endAt: closedMs })).toMatchObject({
      endMs: closedMs,
    })
    expect(await writer.updateTrafficPackage(id, { endAt: null })).toMatchObject({ endMs: null })
  })

  test('an end that lies in it already may be said again', async () => {
    const endAt = NOW_MS - 20 * DAY_MS
    const { id } = await writer.createTrafficPackage({ ...created, endAt })
    closedMs = NOW_MS - DAY_MS
    expect(await writer.updateTrafficPackage(id, { endAt })).toMatchObject({ endMs: endAt })
  })

  test('books of other meters are other books', async () => {
    const { id } = await device({ startAt: NOW_MS - 30 * DAY_MS })
    closedMs = NOW_MS - DAY_MS
    const endAt = NOW_MS - 10 * DAY_MS
    expect(await writer.updateTrafficPackage(id, { endAt })).toMatchObject({ endMs: endAt })
  })

  test('a package may begin there all the same', async () => {
    closedMs = NOW_MS - DAY_MS
    expect(await writer.createTrafficPackage(created)).toMatchObject({
      startMs: NOW_MS - 30 * DAY_MS,
    })
  })
})

test('an end takes the place of months from the first use', async () => {
  const { id } = await writer.createTrafficPackage({ ...PLAIN, firstUseMonths: 12 })
  const endAt = NOW_MS + DAY_MS
  expect(await writer.updateTrafficPackage(id, { endAt })).toMatchObject({
    endMs: endAt,
    firstUseMonths: null,
  })
})

describe('a package that was given back', () => {
  test('says when and for how much, and never changes again', async () => {
    const paid = { amount: '99.90', currency: 'CNY' }
    const held = await writer.createTrafficPackage({ ...PLAIN, paid })
    const given = await writer.refundTrafficPackage(held, 99_900_000_000n)
    expect(given).toEqual({ ...held, refundedMs: NOW_MS, refundAmount: 99_900_000_000n })
    expect(await catalog.rows.trafficPackages.get(held.id)).toEqual(given)
    for (const again of [
      () => writer.refundTrafficPackage(held, 99_900_000_000n),
      () => writer.updateTrafficPackage(held.id, { endAt: null }),
    ]) {
      await expect(again()).rejects.toMatchObject({ code: 'conflict' })
    }
  })

  test('is not given back on terms that were changed meanwhile', async () => {
    const judged = await writer.createTrafficPackage(PLAIN)
    await writer.updateTrafficPackage(judged.id, { endAt: NOW_MS + DAY_MS })
    await expect(writer.refundTrafficPackage(judged, 0n)).rejects.toMatchObject({
      code: 'conflict',
    })
  })
})
