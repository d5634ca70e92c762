import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import { parseRulePack } from '../rating/rule-pack.ts'
import { type DayBasis, EMPTY_STATE } from './book.ts'
import { dayCuts } from './day-cuts.ts'

const DAY = Date.parse('2026-11-01T00:00:00+08:00')

function packOf(level: string, packages = '{}') {
  const head = 'name: p\nversion: 1\ndescription: p\ncurrency: CNY\n'
  const rules = `rules: [{ type: traffic, name: t, level: ${level}, price: "1" }]`
  return parseRulePack(`${head}${rules}\npackages: ${packages}`, 'p.yaml')
}

const PACKAGE: PrepaidPackage = {
  id: 'k',
  sizeBytes: GIB,
  areas: ['cn'],
  kinds: ['static'],
  projectIds: null,
  resourceIds: null,
  windows: [],
  purchasedMs: DAY - DAY_MS,
  startMs: DAY - DAY_MS,
  validity: { type: 'unlimited' },
}
const UNIFIED: PrepaidPackage = { ...PACKAGE, areas: ['abroad'] }
const APAC1: PrepaidPackage = { ...PACKAGE, id: 'l', areas: ['apac1'] }
const LATAM: PrepaidPackage = { ...PACKAGE, id: 'm', areas: ['latam'] }
const OTHER: PrepaidPackage = { ...PACKAGE, id: 'n', areas: ['abroad-other'] }
const BY_REGION = packOf('account, scope: { areas: [apac1] }')
const VOLUME = {
  id: 'x',
  resourceId: 'r',
  sizeBytes: GIB,
  resetPolicy: 'Month' as const,
  createdMs: DAY - 5 * DAY_MS - HOUR_MS,
}

const BASIS: DayBasis = {
  accountId: 'acc',
  meter: 'cdn',
  zone: 'Asia/Shanghai',
  pack: packOf('account'),
  packHash: '',
  groups: {},
  day: { startMs: DAY, endMs: DAY + DAY_MS },
  settledMs: DAY + DAY_MS,
  packages: [],
  exclusive: [],
  unbilled: [],
  opening: EMPTY_STATE,
}

// 288 cuts are one each five minutes; one cut is the day as a whole.
test.each<[string, number, Partial<DayBasis>]>([
  ['nothing is drawn', 1, {}],
  ['a package for one area and kind', 1, { packages: [PACKAGE] }],
  ['two for the same', 1, { packages: [PACKAGE, { ...PACKAGE, id: 'l' }] }],
  ['one for abroad as a whole, where it has one price', 1, { packages: [UNIFIED] }],
  ['packages for regions that do not meet', 1, { packages: [APAC1, LATAM] }],
  ['packages for a region, and for no known one', 1, { packages: [APAC1, OTHER], pack: BY_REGION }],
  ['no known region and abroad as a whole', 288, { packages: [UNIFIED, OTHER] }],
  ['a region and abroad as a whole', 288, { packages: [UNIFIED, APAC1] }],
  ['two regions in one package', 288, { packages: [{ ...APAC1, areas: ['apac1', 'latam'] }] }],
  [
    'abroad as a whole, where a region has its own price',
    288,
    { packages: [UNIFIED], pack: BY_REGION },
  ],
  ['a region that has its own price', 1, { packages: [APAC1], pack: BY_REGION }],
  ['a package for any area', 288, { packages: [{ ...PACKAGE, areas: null }] }],
  ['a package for both kinds', 288, { packages: [{ ...PACKAGE, kinds: ['static', 'dynamic'] }] }],
  [
    'a package for anything, of addresses, which have one area and kind',
    1,
    { meter: 'eip', packages: [{ ...PACKAGE, areas: null, kinds: null }] },
  ],
  ['a package for one project', 288, { packages: [{ ...PACKAGE, projectIds: ['p'] }] }],
  ['arrears that wait', 288, { pack: packOf('account', '{ arrears: { bill: carry } }') }],
  ['a refilling volume', 1, { meter: 'eip', exclusive: [VOLUME], pack: packOf('resource') }],
  [
    'a refilling volume, where projects are priced apart',
    288,
    { meter: 'eip', exclusive: [VOLUME], pack: packOf('project') },
  ],
])('a day is read as finely as the order of usage matters: %s', (_title, cuts, more) => {
  expect(dayCuts({ ...BASIS, ...more }).cutsMs).toHaveLength(cuts)
})

// Only who asks pays for it: usage by region is stored for reading together with provinces.
test.each<[string, boolean, Partial<DayBasis>]>([
  ['nothing', false, {}],
  ['a package for abroad as a whole', false, { packages: [UNIFIED] }],
  ['a package for anything', false, { packages: [{ ...PACKAGE, areas: null }] }],
  ['a package for a region', true, { packages: [PACKAGE, APAC1] }],
  ['a package for no known region', true, { packages: [OTHER] }],
  [
    'a price for no known region',
    true,
    { pack: packOf('account, scope: { areas: [abroad-other] }') },
  ],
  ['a price for a region', true, { pack: BY_REGION }],
  [
    'arrears that wait for any package',
    true,
    { pack: packOf('account', '{ arrears: { bill: carry } }') },
  ],
])('regions are told apart where something names one: %s', (_title, byRegion, more) => {
  expect(dayCuts({ ...BASIS, ...more }).byRegion).toBe(byRegion)
})
