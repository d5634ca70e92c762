import type { Account, Brand, Project, Resource } from '../../src/catalog/model.ts'
import type { Caller } from '../../src/api/operations/caller.ts'
import { type FakeWorld, fakeWorld } from './fakes.ts'

export { trafficPackage } from './traffic-package.ts'

/** 2026-11-21 15:34:05 in Shanghai. */
export const NOW_MS = Date.UTC(2026, 10, 21, 7, 34, 5)
/** Midnight of that day in Shanghai. */
export const TODAY_MS = Date.UTC(2026, 10, 20, 16)

const CREATED_MS = Date.UTC(2025, 0, 1)

/** The default brand, which answers every host that no other claims. */
export const BRAND: Brand = {
  id: 'brand-main',
  name: 'Main',
  hosts: [],
  radixCn: 1024,
  radixAbroad: 1000,
  zone: 'Asia/Shanghai',
  responseAliases: true,
  createdMs: CREATED_MS,
}

/** A brand with a host of its own and without the aliases of the documents' examples. */
export const PLAIN_BRAND: Brand = {
  ...BRAND,
  id: 'brand-plain',
  name: 'Plain',
  hosts: ['api.plain.example'],
  responseAliases: false,
}

function account(id: string, number: number, parentId: string | null, brandId = BRAND.id): Account {
  return {
    id,
    number,
    brandId,
    parentId,
    name: id,
    email: `${id}@example.com`,
    zone: 'Asia/Shanghai',
    createdMs: CREATED_MS,
  }
}

function project(id: string, accountId: string, isDefault: boolean): Project {
  return { id, accountId, name: `Name of ${id}`, isDefault, createdMs: CREATED_MS }
}

function key(publicKey: string, secret: string, accountId: string) {
  return {
    id: `key-${publicKey}`,
    accountId,
    publicKey,
    name: '',
    dialect: 'any' as const,
    active: true,
    createdMs: CREATED_MS,
    secret,
  }
}

/** A resource of the world; everything but its names may be overridden. */
export function resource(
  id: string,
  meter: Resource['meter'],
  projectId: string,
  rest: Partial<Resource> = {},
): Resource {
  return {
    id,
    meter,
    accountId: 'acc-a',
    projectId,
    name: `${id}.example.com`,
    region: 'cn-bj2',
    zone: '',
    kind: 'static',
    gatewayType: 0,
    payMode: 'Traffic',
    createdMs: CREATED_MS,
    deletedMs: null,
    ...rest,
  }
}

/** Adds a resource with its first version. */
export function addResource(world: FakeWorld, added: Resource): void {
  world.resources.push(added)
  world.versions.push({
    resourceId: added.id,
    fromMs: added.createdMs,
    accountId: added.accountId,
    projectId: added.projectId,
    payMode: added.payMode,
  })
}

/**
 * Two root accounts that must not see each other, a sub-account, and their resources.
 *
 * acc-a: pk-a/sk-a, projects org-a (default) and org-a2, sub-account acc-sub: pk-sub/sk-sub;
 * acc-b: pk-b/sk-b, project org-b; acc-plain of the other brand: pk-plain/sk-plain, org-plain.
 */
export function standardWorld(nowMs = NOW_MS): FakeWorld {
  const world = fakeWorld(nowMs)
  world.brands.push(BRAND, PLAIN_BRAND)
  world.accounts.push(
    account('acc-a', 1001, null),
    account('acc-sub', 1002, 'acc-a'),
    account('acc-b', 2001, null),
    account('acc-plain', 3001, null, PLAIN_BRAND.id),
  )
  world.keys.push(
    key('pk-a', 'sk-a', 'acc-a'),
    key('pk-sub', 'sk-sub', 'acc-sub'),
    key('pk-b', 'sk-b', 'acc-b'),
    key('pk-plain', 'sk-plain', 'acc-plain'),
    { ...key('pk-revoked', 'sk-revoked', 'acc-a'), active: false },
    { ...key('pk-tencent', 'sk-tencent', 'acc-a'), dialect: 'tencent' },
    { ...key('pk-ucloud', 'sk-ucloud', 'acc-a'), dialect: 'ucloud' },
  )
  world.projects.push(
    project('org-a', 'acc-a', true),
    project('org-a2', 'acc-a', false),
    project('org-b', 'acc-b', true),
    project('org-plain', 'acc-plain', true),
  )
  world.regions.push(
    {
      region: 'cn-bj2',
      regionId: 1,
      name: 'Beijing2',
      isDefault: true,
      zones: ['cn-bj2-02', 'cn-bj2-03'],
    },
    { region: 'hk', regionId: 2, name: 'Hong Kong', isDefault: false, zones: ['hk-02'] },
  )
  addResource(world, resource('ucdn-a', 'cdn', 'org-a'))
  addResource(world, resource('ucdn-a2', 'cdn', 'org-a2'))
  addResource(world, resource('eip-a', 'eip', 'org-a'))
  addResource(world, resource('mna-a', 'mna', 'org-a'))
  addResource(world, resource('ucdn-b', 'cdn', 'org-b', { accountId: 'acc-b' }))
  addResource(world, resource('eip-b', 'eip', 'org-b', { accountId: 'acc-b' }))
  addResource(world, resource('mna-b', 'mna', 'org-b', { accountId: 'acc-b' }))
  return world
}

/** The caller that a verified key of the account makes. */
export function callerOf(world: FakeWorld, accountId: string): Caller {
  const found = world.accounts.find(({ id }) => id === accountId)
  const parent = world.accounts.find(({ id }) => id === found?.parentId)
  if (found === undefined) throw new Error(`the world has no account ${accountId}`)
  return { account: found, payer: parent ?? found, brand: BRAND }
}
