import { describe, expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { parseRulePack } from './rule-pack.ts'

function complaints(text: string): string[] {
  try {
    parseRulePack(text, 'a.yaml')
  } catch (error) {
    if (error instanceof AppError && error.code === 'parameter_invalid') {
      return error.message.split('\n')
    }
    throw error
  }
  return []
}

const HEAD = 'name: a\nversion: 1\ndescription: d\ncurrency: CNY\n'
const FLAT = 'type: traffic, name: flat, price: "1"'
const LINE = 'type: bandwidth, name: line, mode: monthly-95, price: "1"'

/** The first rule is line 6, and its first key stands in column 7. */
const rules = (...entries: readonly string[]): string =>
  `${HEAD}rules:\n${entries.map((entry) => `  - { ${entry} }\n`).join('')}`

describe('one rule', () => {
  test.each([FLAT, LINE])('{ %s } is sound', (entry) => {
    expect(complaints(rules(entry))).toEqual([])
  })

  test.each<[what: string, entry: string, expected: string]>([
    [
      'a rule of an unknown type',
      'type: volume, name: flat',
      'a.yaml:6:13: rules[0].type: must be traffic or bandwidth, not "volume"',
    ],
    [
      'a rule without a type',
      'name: flat',
      'a.yaml:6:5: rules[0].type: is missing; it must be traffic or bandwidth',
    ],
    [
      'an unknown key of a rule',
      `${FLAT}, prize: 1`,
      'a.yaml:6:46: rules[0].prize: is not known here; known are type, name, level, scope, windows, overhead, freeBelowPerDay, unit, tiering, price, tiers, period',
    ],
    [
      'a price as a float',
      'type: traffic, name: flat, price: 0.135',
      'a.yaml:6:41: rules[0].price: is a number, which may have lost digits; put it in quotes: "0.135"',
    ],
    [
      'a price as a whole number',
      'type: traffic, name: flat, price: 1',
      'a.yaml:6:41: rules[0].price: is a number, which may have lost digits; put it in quotes: "1"',
    ],
    [
      'a price in another notation',
      'type: traffic, name: flat, price: 1e-12',
      'a.yaml:6:41: rules[0].price: is a number, which may have lost digits; put it in quotes: "0.135"',
    ],
    [
      'a price with a sign of its currency',
      'type: traffic, name: flat, price: ¥1',
      'a.yaml:6:41: rules[0].price: must be an amount of 0 or more with at most nine decimals, such as "0.135", not "¥1"',
    ],
    [
      'a negative price',
      'type: traffic, name: flat, price: "-1"',
      'a.yaml:6:41: rules[0].price: must be an amount of 0 or more with at most nine decimals, such as "0.135", not "-1"',
    ],
    [
      'a price with more decimals than money has',
      'type: traffic, name: flat, price: "0.0000000001"',
      'a.yaml:6:41: rules[0].price: must be an amount of 0 or more with at most nine decimals, such as "0.135", not "0.0000000001"',
    ],
    [
      'no price',
      'type: traffic, name: flat',
      'a.yaml:6:5: rules[0].price: is missing; write a price such as "0.135", or tiers',
    ],
    [
      'a price beside tiers',
      `${FLAT}, tiers: [{ price: "1" }]`,
      'a.yaml:6:41: rules[0].price: cannot stand beside tiers; keep one of the two',
    ],
    [
      'a float deep in a tier',
      'type: traffic, name: flat, tiers: [{ upTo: 1TB, price: 0.1 }, { price: "0.1" }]',
      'a.yaml:6:62: rules[0].tiers[0].price: is a number, which may have lost digits; put it in quotes: "0.1"',
    ],
    [
      'tiers that do not ascend',
      'type: traffic, name: t, tiers: [{ upTo: 2TB, price: "2" }, { upTo: 2TB, price: "2" }, { price: "1" }]',
      'a.yaml:6:74: rules[0].tiers[1].upTo: must be above 2TB, where the tier begins',
    ],
    [
      'a tier without end before the last',
      'type: traffic, name: t, tiers: [{ price: "2" }, { price: "1" }]',
      'a.yaml:6:39: rules[0].tiers[0].upTo: is missing; only the last tier is without end',
    ],
    [
      'a last tier with an end',
      'type: traffic, name: t, tiers: [{ upTo: 1TB, price: "2" }]',
      'a.yaml:6:47: rules[0].tiers[0].upTo: must be left out in the last tier, so that every byte has a price',
    ],
    [
      'no tier',
      'type: traffic, name: t, tiers: []',
      'a.yaml:6:38: rules[0].tiers: is empty; write at least one tier, or a price',
    ],
    [
      'a volume without a unit',
      `${FLAT}, freeBelowPerDay: 1000`,
      'a.yaml:6:63: rules[0].freeBelowPerDay: must be a volume such as "10TB" or "1GiB", not 1000',
    ],
    [
      'a volume in bits',
      `${FLAT}, freeBelowPerDay: 1Gb`,
      'a.yaml:6:63: rules[0].freeBelowPerDay: must be a volume such as "10TB" or "1GiB", not "1Gb"',
    ],
    [
      'an overhead as a factor',
      `${FLAT}, overhead: 1.1`,
      'a.yaml:6:56: rules[0].overhead: must be what is added, such as "10%" or "1/10", not 1.1',
    ],
    [
      'a window without an end',
      `${FLAT}, windows: ["23:00"]`,
      'a.yaml:6:56: rules[0].windows[0]: must be a part of the day such as "23:00-07:00", not "23:00"',
    ],
    [
      'a window of the whole day',
      `${FLAT}, windows: ["00:00-24:00"]`,
      'a.yaml:6:56: rules[0].windows[0]: must be a part of the day such as "23:00-07:00", not "00:00-24:00"',
    ],
    [
      'an unknown area',
      `${FLAT}, scope: { areas: [us] }`,
      'a.yaml:6:63: rules[0].scope.areas[0]: must be one of cn, abroad, apac1, apac2, apac3, eu-na, me-africa, latam, abroad-other, not "us"',
    ],
    [
      'a region beside abroad, which has it',
      `${FLAT}, scope: { areas: [abroad, latam] }`,
      'a.yaml:6:62: rules[0].scope.areas: names latam beside abroad, which takes it in already; keep one of the two',
    ],
    [
      'a province twice',
      `${FLAT}, scope: { provinces: [anhui, anhui] }`,
      'a.yaml:6:66: rules[0].scope.provinces: names something twice',
    ],
    [
      'an empty scope list',
      `${FLAT}, scope: { kinds: [] }`,
      'a.yaml:6:62: rules[0].scope.kinds: is empty, which would match nothing; leave it out to match everything',
    ],
    [
      'directions in the scope of a bandwidth rule',
      `${LINE}, scope: { directions: [out] }`,
      'a.yaml:6:75: rules[0].scope.directions: is not known here; known are areas, provinces, kinds',
    ],
    [
      'a bandwidth in bytes',
      `${LINE}, commit: 100MB`,
      'a.yaml:6:74: rules[0].commit: must be a bandwidth such as "100Mbps", not "100MB"',
    ],
    [
      'an unknown mode',
      'type: bandwidth, name: b, mode: p95, price: "1"',
      'a.yaml:6:39: rules[0].mode: must be one of daily-peak, monthly-95, mean-of-daily-95, mean-of-daily-peaks, fourth-highest-daily-peak, sum-of-daily-peaks, top-5-mean, not "p95"',
    ],
    [
      'a share of slots as text',
      `${LINE}, rank: { percent: 5% }`,
      'a.yaml:6:83: rules[0].rank.percent: must be a whole number of percent, such as 5, not "5%"',
    ],
    [
      'a share of slots that is no whole percent',
      `${LINE}, rank: { percent: 2.5 }`,
      'a.yaml:6:83: rules[0].rank.percent: must be a whole number of percent, such as 5, not 2.5',
    ],
    [
      'a rank where nothing is ranked',
      'type: bandwidth, name: b, mode: daily-peak, price: "1", rank: {}',
      'a.yaml:6:69: rules[0].rank: means nothing with mode daily-peak, which ranks no slots; leave it out',
    ],
    [
      'a price above no commitment',
      `${LINE}, overagePrice: "2"`,
      'a.yaml:6:80: rules[0].overagePrice: needs a commit; without one, price alone says what everything costs',
    ],
    [
      'valid days without saying who pays for the others',
      `${LINE}, validDay: { above: 0B }`,
      'a.yaml:6:5: rules[0].proRata: is missing; with validDay it must be said: none, or valid-days',
    ],
    [
      'a volume of valid days without its section',
      `${LINE}, validDay: 0B`,
      'a.yaml:6:76: rules[0].validDay: must be all, or { above: 0B }, not "0B"',
    ],
  ])('%s is told by file, line, column and field', (_what, entry, expected) => {
    expect(complaints(rules(entry))).toEqual([expected])
  })
})

describe('several rules', () => {
  test.each<[what: string, entries: readonly string[], expected: readonly string[]]>([
    [
      'two rules of one name',
      [
        'type: traffic, name: a, price: "1", scope: { areas: [cn] }',
        'type: traffic, name: a, price: "1", scope: { areas: [abroad] }',
      ],
      [
        'a.yaml:7:28: rules[1].name: repeats the name of rules[0]; bill lines could not be told apart',
      ],
    ],
    [
      'two traffic rules for the same bytes',
      [
        'type: traffic, name: day, price: "1", windows: ["07:00-23:00"]',
        'type: traffic, name: night, price: "1", windows: ["22:59-07:00"]',
      ],
      [
        'a.yaml:7:5: rules[1]: "night" overlaps "day" (rules[0]): both would price the same usage per account; give them scopes or windows that have nothing in common',
      ],
    ],
    [
      'a region and all that is abroad',
      [
        'type: traffic, name: whole, price: "1", scope: { areas: [abroad] }',
        'type: traffic, name: apac1, price: "2", scope: { areas: [apac1] }',
        'type: traffic, name: latam, price: "3", level: resource, scope: { areas: [latam, cn] }',
      ],
      [
        'a.yaml:7:5: rules[1]: "apac1" overlaps "whole" (rules[0]): both would price the same usage per account; give them scopes or windows that have nothing in common',
      ],
    ],
    [
      'two bandwidth rules for the same slots',
      [
        `${LINE}, direction: out`,
        'type: bandwidth, name: both, mode: monthly-95, price: "1", direction: sum',
      ],
      [
        'a.yaml:7:5: rules[1]: "both" overlaps "line" (rules[0]): both would price the same usage per account; give them scopes, modes or directions that have nothing in common',
      ],
    ],
    [
      'an overlap and another mistake',
      [
        `${FLAT}, unit: TB`,
        'type: traffic, name: b, price: "1"',
        'type: traffic, name: c, price: "1"',
      ],
      [
        'a.yaml:6:52: rules[0].unit: must be one of GB, GiB, not "TB"',
        'a.yaml:8:5: rules[2]: "c" overlaps "b" (rules[1]): both would price the same usage per account; give them scopes or windows that have nothing in common',
      ],
    ],
    [
      'mistakes, in the order of the file,',
      ['type: traffic, name: A, price: 1, unit: G', `${LINE}, slot: max`],
      [
        'a.yaml:6:28: rules[0].name: must be small letters, digits and hyphens, as in cn-static',
        'a.yaml:6:38: rules[0].price: is a number, which may have lost digits; put it in quotes: "1"',
        'a.yaml:6:47: rules[0].unit: must be one of GB, GiB, not "G"',
        'a.yaml:7:72: rules[1].slot: must be one of mean, max-sample, not "max"',
      ],
    ],
  ])('%s are told by file, line, column and field', (_what, entries, expected) => {
    expect(complaints(rules(...entries))).toEqual(expected)
  })
})
