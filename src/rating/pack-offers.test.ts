import { describe, expect, test } from 'vitest'
import { readShippedRules } from '../config/rule-files.ts'
import { toPackFile } from './pack-file.ts'
import { hashPack } from './hash-pack.ts'
import type { PackageOffer } from './pack-offers.ts'
import { checkRulePack, formatProblem, parseRulePack } from './rule-pack.ts'

/** A pack with these offers, one line each from line 8 on. */
function packWith(...offers: readonly string[]): string {
  return `name: a
version: 1
description: A pack.
currency: CNY
rules: [{ type: traffic, name: flat, price: "1" }]
packages:
  offers:
${offers.map((offer) => `    - ${offer}`).join('\n')}
`
}

function offersOf(...offers: readonly string[]): readonly PackageOffer[] {
  return parseRulePack(packWith(...offers), 'a.yaml').packages.offers
}

function complaintsOf(...offers: readonly string[]): string[] {
  const { problems } = checkRulePack(packWith(...offers))
  return problems.map((problem) => formatProblem('a.yaml', problem))
}

test('an offer has the documented defaults', () => {
  expect(offersOf('{ name: a, size: 1GiB, months: 12, price: "1.5" }')).toEqual([
    {
      name: 'a',
      sizeBytes: 1n << 30n,
      areas: null,
      kinds: null,
      windows: [],
      months: 12,
      from: 'purchase',
      resourcesMax: null,
      price: 1_500_000_000n,
    },
  ])
})

test('an offer says what it says', () => {
  const text =
    '{ name: VENDOR_20G, size: 20GB, areas: [cn, abroad], kinds: [static], months: 6, ' +
    'from: first-use, windows: ["22:00-08:00"], resources: 3, price: "9" }'
  expect(offersOf(text)).toEqual([
    {
      name: 'VENDOR_20G',
      sizeBytes: 20n * 10n ** 9n,
      areas: ['abroad', 'cn'],
      kinds: ['static'],
      windows: [{ fromMinute: 1320, toMinute: 480 }],
      months: 6,
      from: 'first-use',
      resourcesMax: 3,
      price: 9_000_000_000n,
    },
  ])
  const [unlimited] = offersOf('{ name: a, size: 1GB, unlimited: true, price: "9" }')
  expect(unlimited?.months).toBeNull()
})

test('a pack written out with every default offers the same', () => {
  const { file, text } = readShippedRules('ucloud-cdn')
  const pack = parseRulePack(text, file)
  // JSON is YAML.
  const again = parseRulePack(JSON.stringify(toPackFile(pack)), 'again.yaml')
  expect(pack.packages.offers.length).toBeGreaterThan(5)
  expect(hashPack(again)).toBe(hashPack(pack))
})

const END = 'months: 1, price: "1" }'

describe('wrong offers are named with file, line, column and field', () => {
  test.each<[string, readonly string[], string]>([
    [
      'a price that is a float',
      ['{ name: a, size: 1GB, months: 1, price: 18.00 }'],
      'a.yaml:8:47: packages.offers[0].price: is a number, which may have lost digits; put it in quotes: "18"',
    ],
    [
      'no size',
      [`{ name: a, ${END}`],
      'a.yaml:8:7: packages.offers[0].size: is missing; it must be a volume above 0 such as "100GiB"',
    ],
    [
      'nothing in it',
      [`{ name: a, size: 0GB, ${END}`],
      'a.yaml:8:24: packages.offers[0].size: must be a volume above 0 such as "100GiB", not "0GB"',
    ],
    [
      'a region beside abroad, which has it',
      [`{ name: a, size: 1GB, areas: [apac1, abroad], ${END}`],
      'a.yaml:8:36: packages.offers[0].areas: names apac1 beside abroad, which takes it in already; keep one of the two',
    ],
    [
      'no word about its end',
      ['{ name: a, size: 1GB, price: "1" }'],
      'a.yaml:8:7: packages.offers[0].months: is missing; write how many months it lasts, or unlimited: true',
    ],
    [
      'two words about its end',
      [`{ name: a, size: 1GB, unlimited: true, ${END}`],
      'a.yaml:8:40: packages.offers[0].unlimited: cannot stand beside months; keep one of the two',
    ],
    [
      'a first use of what never ends',
      ['{ name: a, size: 1GB, unlimited: true, from: first-use, price: "1" }'],
      'a.yaml:8:52: packages.offers[0].from: means nothing with unlimited, which never ends; leave it out',
    ],
    [
      'half a month',
      ['{ name: a, size: 1GB, months: 0.5, price: "1" }'],
      'a.yaml:8:37: packages.offers[0].months: must be a whole number of months, such as 1, not 0.5',
    ],
    [
      'windows that overlap',
      [`{ name: a, size: 1GB, windows: ["00:00-08:00", "07:00-09:00"], ${END}`],
      'a.yaml:8:54: packages.offers[0].windows[1]: overlaps windows[0]; join the two',
    ],
    [
      'a name that is there',
      [
        `{ name: a, size: 1GB, ${END}`,
        `{ name: b, size: 1GB, ${END}`,
        `{ name: a, size: 2GB, ${END}`,
      ],
      'a.yaml:10:15: packages.offers[2].name: repeats the name of offers[0]; an order could mean either',
    ],
    [
      'a name that no command line could take',
      [`{ name: a b, size: 1GB, ${END}`],
      'a.yaml:8:15: packages.offers[0].name: must be letters, digits, hyphens and underscores, as in cn-100gib-year',
    ],
    [
      'an unknown key',
      [`{ name: a, size: 1GB, colour: red, ${END}`],
      'a.yaml:8:29: packages.offers[0].colour: is not known here; known are name, size, areas, kinds, windows, months, unlimited, from, resources, price',
    ],
  ])('%s', (_title, offers, complaint) => {
    expect(complaintsOf(...offers)).toEqual([complaint])
  })
})

// Source: tencent.md §3.6: 1 GB is 1000 MB; 1, 2, 3 and 5 devices; one calendar month.
test.each([
  ['DEVICE_1_FLOW_20G', 20_000, 1],
  ['DEVICE_2_FLOW_50G', 50_000, 2],
  ['DEVICE_3_FLOW_100G', 100_000, 3],
  ['DEVICE_5_FLOW_500G', 500_000, 5],
])('%s is %s MB for at most %s devices and one month', (name, megabytes, resourcesMax) => {
  const { file, text } = readShippedRules('tencent-mna')
  const found = parseRulePack(text, file).packages.offers.find((offer) => offer.name === name)
  expect(found).toMatchObject({
    sizeBytes: BigInt(megabytes) * 10n ** 6n,
    resourcesMax,
    months: 1,
    from: 'purchase',
    areas: null,
  })
})
