import { expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import type { CatalogSnapshot } from './diff-draft.ts'
import { diffCatalog, formatDiff } from './diff.ts'
import { parseManifest } from './manifest.ts'
import type { TrafficPackage } from './model.ts'

const DAY = Date.UTC(2026, 0, 1)

const PACKAGE: TrafficPackage = {
  id: 'pkg-1',
  accountId: 'acc-1',
  meter: 'cdn',
  areas: ['abroad', 'cn'],
  kinds: null,
  projectIds: ['org-1', 'org-2'],
  resourceIds: ['ucdn-1'],
  windows: [{ fromMinute: 0, toMinute: 480 }],
  sizeBytes: 10n ** 12n,
  purchasedMs: DAY,
  startMs: DAY,
  endMs: null,
  firstUseMonths: 6,
  paid: { amount: 99_900_000_000n, currency: 'CNY' },
  refundedMs: null,
  refundAmount: null,
  offer: 'night',
}

const ACCOUNT = {
  id: 'acc-1',
  number: 50_000_001,
  brandId: 'brand-1',
  parentId: null,
  name: 'acme',
  email: '',
  zone: 'Asia/Shanghai',
  createdMs: DAY,
}
const project = (id: string, name: string) => ({
  id,
  accountId: 'acc-1',
  name,
  isDefault: id === 'org-1',
  createdMs: DAY,
})

function snapshot(trafficPackages: readonly TrafficPackage[]): CatalogSnapshot {
  return {
    brands: [],
    regions: [],
    accounts: [ACCOUNT],
    projects: [project('org-1', 'Default'), project('org-2', 'video')],
    resources: [
      {
        id: 'ucdn-1',
        meter: 'cdn',
        accountId: 'acc-1',
        projectId: 'org-1',
        name: 'a.example',
        region: 'hk',
        zone: 'hk-02',
        kind: 'static',
        gatewayType: 0,
        payMode: 'Traffic',
        createdMs: DAY,
        deletedMs: null,
      },
    ],
    trafficPackages,
    exclusivePackages: [],
    sources: [],
  }
}

const FILE = `
packages:
  - type: traffic
    id: pkg-1
    account: acme
    meter: cdn
    areas: [cn, abroad]
    kinds: null
    projects: [video, org-1]
    resources: [a.example]
    windows: ['00:00-08:00']
    size: 1 TB
    purchasedAt: 2026-01-01T00:00:00Z
    firstUseMonths: 6
    paid: { amount: '99.90', currency: CNY }
    offer: night
`

function diffOf(text: string, packages: readonly TrafficPackage[] = [PACKAGE]) {
  return diffCatalog(parseManifest(text, 'c.yaml'), snapshot(packages), { prune: false })
}

function complaintOf(text: string): string {
  try {
    parseManifest(text, 'c.yaml')
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
  return ''
}

test('a file that says everything about a package as it is changes nothing', () => {
  expect(formatDiff(diffOf(FILE))).toBe('0 changes, 1 unchanged')
})

test('a new package is sent as the admin API takes it', () => {
  expect(diffOf(FILE, []).steps).toMatchObject([
    {
      verb: 'create',
      kind: 'traffic-package',
      body: {
        account: 'acme',
        areas: ['cn', 'abroad'],
        kinds: null,
        projects: ['video', 'org-1'],
        resources: ['a.example'],
        windows: ['00:00-08:00'],
        size: '1000000000000',
        firstUseMonths: 6,
        paid: { amount: '99.90', currency: 'CNY' },
        offer: 'night',
      },
    },
  ])
})

test.each([
  ['areas: [cn, abroad]', 'areas: [cn]', 'areas is abroad cn and cannot become cn'],
  ['areas: [cn, abroad]', 'area: cn', 'area is abroad cn and cannot become cn'],
  ['kinds: null', 'kind: static', 'kind is any and cannot become static'],
  ['projects: [video, org-1]', 'projects: null', 'projects is Default video and cannot become any'],
  ['[a.example]', '[ucdn-9]', 'resources is a.example and cannot become ucdn-9'],
  ['00:00-08', '00:00-07', 'windows is 00:00-08:00 and cannot become 00:00-07:00'],
  ['firstUseMonths: 6', 'firstUseMonths: 7', 'firstUseMonths is 6 and cannot become 7'],
  ["'99.90'", "'99'", 'paid is 99.90 CNY and cannot become 99.00 CNY'],
  ['offer: night', 'offer: day', 'offer is night and cannot become day'],
])('of a bought package %s cannot become %s', (from, to, conflict) => {
  // The existing list is spelled as the file spells it; names where it does not.
  expect(diffOf(FILE.replace(from, to)).conflicts).toEqual([
    `package pkg-1: ${conflict}; what was bought stays; add another package.`,
  ])
})

test('a package that was given back cannot be had again', () => {
  const given = { ...PACKAGE, refundedMs: DAY, refundAmount: 0n }
  expect(diffOf(FILE, [given]).conflicts).toEqual([
    'package pkg-1 was given back for good; take it out of the file.',
  ])
})

test('packages that make no sense are named with file, line, column and field', () => {
  const complaint = complaintOf(`packages:
  - type: traffic
    id: pkg-1
    account: acme
    area: cn
    size: 1 TB
    windows:
      - 00:00-08:00
      - 07:00-09:00
    paid:
      amount: 99.9
      currency: CNY
  - type: traffic
    id: pkg-2
    account: acme
    meter: mna
    area: cn
    size: 1 TB
  - { type: traffic, id: pkg-3, account: acme, size: 1 TB }
`)
  expect(complaint.split('\n')).toEqual([
    'c.yaml:11:7 packages[0].paid.amount is a number, which may have lost digits; put it in quotes: "99.9"',
    'c.yaml:17:5 packages[1].area tells only cdn traffic apart; leave it out for mna',
    'c.yaml:19:5 packages[2].area is required for cdn: cn, abroad, a part of it, ' +
      'or areas: null for any',
  ])
  // Fields are compared with each other once each of them can be read.
  expect(
    complaintOf(`packages:
  - type: traffic
    id: pkg-1
    account: acme
    area: cn
    size: 1 TB
    windows:
      - 00:00-08:00
      - 07:00-09:00
`),
  ).toBe('c.yaml:9:9 packages[0].windows[1] overlaps windows[0]; join the two')
})

test('two packages of one gateway at one time are named before anything is applied', () => {
  const entry = (id: string, from: string, to: string) =>
    `  - { type: traffic, id: ${id}, account: acme, meter: mna, resources: [van], size: 20 GB, startAt: ${from}, endAt: ${to} }\n`
  const [a, b, c, d] = ['01', '02', '03', '04'].map((month) => `2026-${month}-01T00:00:00Z`)
  const text = (first: string, second: string) => `packages:\n${first}${second}`
  expect(
    complaintOf(text(entry('pkg-1', a ?? '', c ?? ''), entry('pkg-2', b ?? '', d ?? ''))),
  ).toBe(
    'c.yaml:3:60 packages[1].resources acme: van has package pkg-1 then; packages of gateways do not stack',
  )
  expect(
    complaintOf(text(entry('pkg-1', a ?? '', b ?? ''), entry('pkg-2', b ?? '', d ?? ''))),
  ).toBe('')
})
