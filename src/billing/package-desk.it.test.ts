import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testPackageDesk } from '../../test/support/packages.ts'
import { type Catalog, createCatalog } from '../catalog/catalog.ts'
import { DAY_MS } from '../core/period.ts'
import { type ControlStore, openControlStore } from '../store/control/control-store.ts'
import { createMasterKeys } from '../store/control/master-key.ts'
import type { PackageDesk, PackageOrder } from './package-desk.ts'

/** 16:30:15.700 in Shanghai. */
const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15, 700)
const clock = { ms: NOW_MS, nowMs: () => clock.ms }
let folder: string
let store: ControlStore
let catalog: Catalog
let desk: PackageDesk
let used: Map<string, bigint>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-desk-'))
  clock.ms = NOW_MS
  const masterKeys = createMasterKeys([Buffer.alloc(32, 7).toString('base64')])
  store = await openControlStore(join(folder, 'control.db'), { clock, masterKeys })
  catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  const writer = catalog.as('test')
  await writer.createAccount({ name: 'acme' })
  await writer.createAccount({ name: 'acme-sub', parent: 'acme' })
  await writer.createResource({ meter: 'mna', account: 'acme', name: 'van' })
  used = new Map()
  desk = testPackageDesk(catalog, clock, used)
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

function buy(order: Partial<PackageOrder> = {}) {
  const plain = { account: 'acme', meter: 'cdn', offer: 'cn-100gib-year', resources: null } as const
  return desk.buy({ ...plain, actor: 'account acc-1', ...order })
}

test('a package is what was offered, from this second on, at the price of the offer', async () => {
  const bought = await buy()
  expect(await catalog.rows.trafficPackages.get(bought.id)).toMatchObject({
    meter: 'cdn',
    areas: ['cn'],
    kinds: ['static'],
    sizeBytes: 100n << 30n,
    purchasedMs: Date.UTC(2026, 10, 21, 8, 30, 15),
    startMs: Date.UTC(2026, 10, 21, 8, 30, 15),
    endMs: Date.UTC(2027, 10, 21, 8, 30, 15),
    paid: { amount: 18_000_000_000n, currency: 'CNY' },
    refundedMs: null,
    offer: 'cn-100gib-year',
  })
  const [entry] = (await catalog.rows.audit.list({}, { limit: 1, cursor: null })).items
  expect(entry).toMatchObject({ actor: 'account acc-1', action: 'traffic-package.create' })
})

test('windows and months from the first use are part of an offer', async () => {
  expect(await buy({ offer: 'cn-night-1tib' })).toMatchObject({
    windows: [{ fromMinute: 0, toMinute: 480 }],
    endMs: null,
    firstUseMonths: 6,
  })
})

test('each call buys another one, and a sub-account buys for its parent', async () => {
  const first = await buy()
  const second = await buy({ account: 'acme-sub' })
  expect(second.id).not.toBe(first.id)
  expect(second.accountId).toBe(first.accountId)
})

test('a package of a gateway pays for that gateway alone, one at a time', async () => {
  const order = { meter: 'mna', offer: 'DEVICE_1_FLOW_20G', resources: ['van'] } as const
  const van = await catalog.rows.resources.find({ name: 'van' })
  expect(await buy(order)).toMatchObject({ resourceIds: [van?.id], areas: null, kinds: null })
  await expect(buy(order)).rejects.toMatchObject({ code: 'conflict', field: 'resources' })
  // At the second at which it ends, the next may begin.
  clock.ms = Date.UTC(2026, 11, 21, 8, 30, 14, 999)
  await expect(buy(order)).rejects.toMatchObject({ code: 'conflict' })
  clock.ms += 1
  await buy(order)
})

test('a list of offers says what there is, in the currency of its pack', async () => {
  const { offers, pack } = await desk.offers('acme', 'mna')
  expect(pack.currency).toBe('CNY')
  expect(offers.map(({ name }) => name)).toContain('DEVICE_3_FLOW_100G')
  expect((await desk.offers('acme', 'eip')).offers).toEqual([])
})

describe('giving back', () => {
  test('an unused package goes back for what was paid, and is not deleted', async () => {
    const { id } = await buy()
    clock.ms += DAY_MS
    expect(await desk.refund(id, 'ops')).toMatchObject({
      refundedMs: NOW_MS + DAY_MS,
      refundAmount: 18_000_000_000n,
    })
    const [entry] = (await catalog.rows.audit.list({}, { limit: 1, cursor: null })).items
    expect(entry).toMatchObject({ actor: 'ops', action: 'traffic-package.refund', target: id })
  })

  test('one whose price nobody knows goes back for nothing', async () => {
    const terms = { account: 'acme', area: 'cn', size: '1 TB' } as const
    const { id } = await catalog.as('ops').createTrafficPackage(terms)
    expect(await desk.refund(id, 'ops')).toMatchObject({ paid: null, refundAmount: 0n })
  })

  test('a package of which one byte is gone, that is over, or is back, stays as it is', async () => {
    const [drawn, ended, given] = [await buy(), await buy(), await buy()]
    used.set(drawn.id, 1n)
    await desk.refund(given.id, 'ops')
    await expect(desk.refund(drawn.id, 'ops')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('1 bytes were drawn from it') as string,
    })
    await expect(desk.refund(given.id, 'ops')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining(
        'was given back at 2026-11-21T08:30:15.700Z already',
      ) as string,
    })
    clock.ms = Date.UTC(2027, 10, 21, 8, 30, 15)
    await expect(desk.refund(ended.id, 'ops')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('it ended at 2027-11-21T08:30:00.000Z') as string,
    })
    await expect(desk.refund('pkg-none', 'ops')).rejects.toMatchObject({ code: 'not_found' })
  })
})
