import { expect, test } from 'vitest'
import { parseRulePack } from './rule-pack.ts'
import { findUnpriced } from './unpriced-parts.ts'

const ALL = 'apac1, apac2, apac3, eu-na, me-africa, latam, abroad-other'

/** Traffic rules of these scopes, as a file has them. */
function rulesOf(...scopes: readonly string[]) {
  const head = 'name: p\nversion: 1\ndescription: p\ncurrency: CNY\nrules:\n'
  const rules = scopes.map(
    (scope, index) => `  - { type: traffic, name: r${index}, scope: { ${scope} }, price: "1" }\n`,
  )
  return parseRulePack(head + rules.join(''), 'p.yaml').rules
}

test.each<[title: string, scopes: readonly string[], found: readonly string[]]>([
  ['one price for everything', [''], []],
  ['cn alone', ['areas: [cn]'], []],
  ['abroad as a whole', ['areas: [abroad]'], []],
  [
    'one region',
    ['areas: [apac1]'],
    ['static+dynamic apac2 apac3 eu-na me-africa latam abroad-other'],
  ],
  [
    'one region, and cn',
    ['areas: [apac1, cn]', 'areas: [latam]'],
    ['static+dynamic apac2 apac3 eu-na me-africa abroad-other'],
  ],
  [
    'all regions, but not what is in none that is known',
    ['areas: [apac1, apac2, apac3]', 'areas: [eu-na, me-africa, latam]'],
    ['static+dynamic abroad-other'],
  ],
  ['every part', [`areas: [${ALL}]`], []],
  [
    'every part of one kind, one of the other',
    [`areas: [${ALL}], kinds: [static]`, 'areas: [abroad-other], kinds: [dynamic]'],
    ['dynamic apac1 apac2 apac3 eu-na me-africa latam'],
  ],
  [
    'regions of one kind, the other as a whole',
    ['areas: [latam], kinds: [static]', 'areas: [abroad], kinds: [dynamic]'],
    ['static apac1 apac2 apac3 eu-na me-africa abroad-other'],
  ],
])('what nobody pays for where %s has a price', (_title, scopes, found) => {
  const told = findUnpriced(rulesOf(...scopes)).map(
    ({ kinds, areas }) => `${kinds.join('+')} ${areas.join(' ')}`,
  )
  expect(told).toEqual(found)
})
