import { expect, test } from 'vitest'
import { diffCatalog, formatDiff } from './diff.ts'
import type { CatalogSnapshot } from './diff-draft.ts'
import { parseManifest } from './manifest.ts'

const CREATED_MS = Date.UTC(2026, 0, 1)
const ACCOUNT = {
  id: 'acc-1',
  number: 50_000_001,
  brandId: 'brand-1',
  parentId: null,
  name: 'acme',
  email: 'a@acme.example',
  zone: 'Asia/Shanghai',
  createdMs: CREATED_MS,
}
const RESOURCE = {
  id: 'ucdn-1',
  meter: 'cdn',
  accountId: 'acc-1',
  projectId: 'org-1',
  name: 'a.example',
  region: 'cn-bj2',
  zone: 'cn-bj2-02',
  kind: 'static',
  gatewayType: 0,
  payMode: 'Traffic',
  createdMs: CREATED_MS,
  deletedMs: null,
} as const
const SOURCE = {
  meters: ['cdn'],
  accountId: null,
  expects: 'continuous',
  createdMs: 1,
} as const
const EIP = { ...RESOURCE, id: 'eip-1', meter: 'eip', name: '192.0.2.1' } as const
const project = (id: string, name: string, isDefault: boolean) => ({
  id,
  accountId: 'acc-1',
  name,
  isDefault,
  createdMs: CREATED_MS,
})

const NOW: CatalogSnapshot = {
  brands: [
    {
      id: 'brand-1',
      name: 'Weir',
      hosts: [],
      radixCn: 1024,
      radixAbroad: 1024,
      zone: 'Asia/Shanghai',
      responseAliases: true,
      createdMs: CREATED_MS,
    },
  ],
  regions: [
    { region: 'hk', regionId: 1, name: 'Hong Kong', isDefault: true, zones: ['hk-02', 'hk-03'] },
  ],
  accounts: [
    ACCOUNT,
    { ...ACCOUNT, id: 'acc-2', number: 50_000_002, name: 'acme-sub', parentId: 'acc-1' },
    { ...ACCOUNT, id: 'acc-3', number: 50_000_003, name: 'other' },
  ],
  projects: [project('org-1', 'Default', true), project('org-2', 'video', false)],
  resources: [RESOURCE, EIP, { ...RESOURCE, id: 'ucdn-9', accountId: 'acc-3', name: 'o.example' }],
  trafficPackages: [
    {
      id: 'pkg-1',
      accountId: 'acc-1',
      meter: 'cdn',
      areas: ['cn'],
      kinds: ['static'],
      projectIds: null,
      resourceIds: null,
      windows: [],
      sizeBytes: 10n ** 13n,
      purchasedMs: CREATED_MS,
      startMs: CREATED_MS,
      endMs: null,
      firstUseMonths: null,
      paid: null,
      refundedMs: null,
      refundAmount: null,
      offer: null,
    },
  ],
  exclusivePackages: [
    {
      id: 'utp-1',
      accountId: 'acc-1',
      resourceId: 'eip-1',
      sizeBytes: 10n ** 9n,
      resetPolicy: 'Month',
      createdMs: CREATED_MS,
      deletedMs: null,
    },
  ],
  sources: [
    { id: 'src-1', name: 'edge', ...SOURCE, active: true },
    { id: 'src-2', name: 'gone', ...SOURCE, active: false },
  ],
}

function plan(text: string, prune = false): string[] {
  const diff = diffCatalog(parseManifest(text, 'catalog.yaml'), NOW, { prune })
  return formatDiff(diff).split('\n')
}

test('a file that says what is already so changes nothing', () => {
  const lines = plan(`
brands: [{ name: Weir, radixCn: 1024 }]
regions: [{ region: hk, name: Hong Kong, zones: [hk-02, hk-03] }]
accounts:
  - { name: acme, brand: Weir, projects: [{ name: Default, default: true }, { name: video }] }
  - { name: acme-sub, parent: acme }
resources:
  - { meter: cdn, name: A.example, account: acme, createdAt: '2026-01-01T00:00:30Z' }
  - { meter: eip, name: 192.0.2.1, account: acme-sub, project: Default, payMode: Traffic }
packages:
  - { type: traffic, id: pkg-1, account: acme, area: cn, size: 10TB, endAt: null }
  - { type: exclusive, resource: 192.0.2.1, size: 1 GB, resetPolicy: Month }
sources: [{ name: edge, meters: [cdn] }]
`)
  expect(lines).toEqual(['0 changes, 11 unchanged'])
})

test.each([
  ['brands: [{ name: B, hosts: [b.example] }]', '+ brand B'],
  ['brands: [{ name: Weir, radixCn: 1000 }]', '~ brand Weir: radixCn 1024 → 1000'],
  ['regions: [{ region: cn-zj, name: Zhejiang, zones: [cn-zj-01] }]', '+ region cn-zj'],
  [
    'accounts: [{ name: acme, email: b@acme.example }]',
    '~ account acme: email a@acme.example → b@acme.example',
  ],
  ['accounts: [{ name: acme, projects: [{ name: web }] }]', '+ project acme/web'],
  [
    'accounts: [{ name: acme, projects: [{ name: video, default: true }] }]',
    '~ project acme/video: isDefault false → true',
  ],
  ['resources: [{ meter: cdn, name: b.example, account: acme }]', '+ resource cdn b.example'],
  [
    'resources: [{ meter: cdn, name: a.example, account: acme, project: video }]',
    '> resource cdn a.example: project Default → video',
  ],
  [
    'resources: [{ meter: eip, name: 192.0.2.1, account: acme, payMode: Bandwidth }]',
    '~ resource eip 192.0.2.1: payMode Traffic → Bandwidth',
  ],
  [
    'resources: [{ meter: cdn, name: o.example, account: acme, project: video }]',
    '> resource cdn o.example: account other → acme, project Default → video',
  ],
  [
    'packages: [{ type: traffic, id: pkg-1, account: acme, area: cn, size: 10 TB, endAt: 2027-01-01T00:00:00Z }]',
    '~ traffic-package pkg-1: endAt none → 2027-01-01T00:00:00.000Z',
  ],
  ['sources: [{ name: pop, meters: [eip] }]', '+ source pop'],
  [
    'sources: [{ name: edge, meters: [cdn], expects: sporadic }]',
    '~ source edge: expects continuous → sporadic',
  ],
])('%s is one change', (text, line) => {
  expect(plan(text)).toEqual([line, expect.stringMatching(/^1 change, \d unchanged$/)])
})

test('what cannot be changed is a conflict that names the way out', () => {
  const lines = plan(`
accounts: [{ name: acme, zone: UTC }]
resources: [{ meter: cdn, name: a.example, account: acme, kind: dynamic }]
packages: [{ type: traffic, id: pkg-1, account: acme, area: abroad, size: 1 TB }]
sources: [{ name: gone, meters: [cdn] }]
`)
  expect(lines).toEqual([
    '! account acme: zone is Asia/Shanghai and cannot become UTC; make a new account.',
    '! resource cdn a.example: kind is static and cannot become dynamic; delete it and create it anew.',
    '! package pkg-1: area is cn and cannot become abroad; what was bought stays; add another package.',
    '! package pkg-1: size is 10000000000000 and cannot become 1000000000000; what was bought stays; add another package.',
    '! source gone was revoked for good; choose another name.',
    '0 changes, 0 unchanged',
  ])
})

test('an account comes before its projects, sub-accounts, resources and their packages', () => {
  const lines = plan(`
packages: [{ type: exclusive, resource: 192.0.2.9, size: 1 GB, resetPolicy: Day }]
resources: [{ meter: eip, name: 192.0.2.9, account: new, project: p }]
accounts:
  - { name: new-sub, parent: new }
  - { name: new, projects: [{ name: main, default: true }, { name: p }] }
`)
  expect(lines.slice(0, -1)).toEqual([
    '+ account new',
    '+ project new/p',
    '+ account new-sub',
    '+ resource eip 192.0.2.9',
    '+ exclusive-package of 192.0.2.9',
  ])
})

// A file for one customer must not take another's resources away.
test('only what the file speaks for is removed, and only when asked', () => {
  const text = 'accounts: [{ name: acme }]\nresources: []\npackages: []\nsources: []'
  expect(plan(text).slice(0, -1)).toEqual([])
  expect(plan(text, true).slice(0, -1)).toEqual([
    '- exclusive-package of 192.0.2.1',
    '- resource cdn a.example',
    '- resource eip 192.0.2.1',
    '- source edge',
  ])
  expect(plan('accounts: [{ name: acme }]', true).slice(0, -1)).toEqual([])
})
