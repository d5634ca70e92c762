import { expect, test } from 'vitest'
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
const RULES = 'rules: [{ type: traffic, name: flat, price: "1" }]\n'

/** A sound pack whose last line says this instead; without it, that would be line 5 or 6. */
function withLine(line: string): string {
  const key = line.slice(0, line.indexOf(':') + 1)
  const head = HEAD.split('\n').filter((each) => !each.startsWith(key))
  return `${head.join('\n')}${RULES}${line}\n`
}

test('a sound pack is no error', () => {
  expect(complaints(withLine('meters: [cdn]'))).toEqual([])
})

// What `withLine` adds is line 6, or line 5 where it takes the place of another.
test.each<[what: string, text: string, expected: readonly string[]]>([
  [
    'no YAML at all',
    'name: [\n',
    [
      'a.yaml:2:1: is no YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ],
  [
    'two values for one key',
    'name: a\nname: b\n',
    ['a.yaml:2:1: is no YAML: Map keys must be unique'],
  ],
  [
    'an alias that leads nowhere',
    'name: *nobody\n',
    ['a.yaml:1:1: is no YAML: Unresolved alias (the anchor must be set before the alias): nobody'],
  ],
  [
    'a tag that nobody knows',
    'name: !secret a\n',
    ['a.yaml:1:7: is no YAML: Unresolved tag: !secret'],
  ],
  [
    'an empty file',
    '',
    [
      'a.yaml:1:1: name: is missing; it must be a name such as cn-static',
      'a.yaml:1:1: version: is missing; it must be a whole number such as 2, or a version such as 1.2.0',
      'a.yaml:1:1: description: is missing; it must be a line that says what the pack is for',
      'a.yaml:1:1: currency: is missing; it must be a currency code such as CNY',
      'a.yaml:1:1: rules: is missing; it must be a list of rules',
    ],
  ],
  [
    'a list instead of a pack',
    '- a\n',
    ['a.yaml:1:1: must be a rule pack: name, version, description, currency and rules'],
  ],
  [
    'an unknown key',
    `${HEAD}colour: red\n${RULES}`,
    [
      'a.yaml:5:1: colour: is not known here; known are name, version, description, currency, source, meters, rules, packages',
    ],
  ],
  [
    'a name that no command could take',
    withLine('name: My Pack'),
    ['a.yaml:5:7: name: must be small letters, digits and hyphens, as in cn-static'],
  ],
  [
    'a version with four parts',
    withLine('version: 1.2.0.3'),
    [
      'a.yaml:5:10: version: must be a whole number such as 2, or a version such as 1.2.0, not "1.2.0.3"',
    ],
  ],
  [
    'a version of nothing',
    withLine('version: 0'),
    ['a.yaml:5:10: version: must be a whole number such as 2, or a version such as 1.2.0, not 0'],
  ],
  [
    'a version that YAML takes for a float',
    withLine('version: 1.10'),
    ['a.yaml:5:10: version: must be a whole number such as 2, or a version such as 1.2.0, not 1.1'],
  ],
  [
    'a currency by its sign',
    withLine('currency: ¥'),
    ['a.yaml:5:11: currency: must be a currency code of three capital letters, such as CNY'],
  ],
  [
    'an unknown meter',
    withLine('meters: [cdn, dns]'),
    ['a.yaml:6:15: meters[1]: must be one of cdn, eip, mna, not "dns"'],
  ],
  [
    'a zone, which is the account’s,',
    withLine('zone: Asia/Shanghai'),
    [
      'a.yaml:6:1: zone: is not known here; known are name, version, description, currency, source, meters, rules, packages',
    ],
  ],
  [
    'a time of settlement, which is the operator’s,',
    withLine('settle: 12:00'),
    [
      'a.yaml:6:1: settle: is not known here; known are name, version, description, currency, source, meters, rules, packages',
    ],
  ],
  ['no rules', `${HEAD}rules: []\n`, ['a.yaml:5:8: rules: needs at least one rule']],
  [
    'a rule that is no section',
    `${HEAD}rules: [flat]`,
    ['a.yaml:5:9: rules[0]: must be a rule: a section with type, name and more'],
  ],
  [
    'an unknown sort key of packages',
    withLine('packages: { burnOrder: [oldest] }'),
    [
      'a.yaml:6:25: packages.burnOrder[0]: must be one of unlimited-first, unlimited-last, earliest-expiry, earliest-purchase, smallest-size, narrowest-scope, id, not "oldest"',
    ],
  ],
  [
    'a contradiction in the order of packages',
    withLine('packages: { burnOrder: [unlimited-first, unlimited-last] }'),
    ['a.yaml:6:24: packages.burnOrder: has unlimited-first and unlimited-last; keep one of them'],
  ],
  [
    'sort keys behind the id',
    withLine('packages: { burnOrder: [id, smallest-size] }'),
    [
      'a.yaml:6:24: packages.burnOrder: has keys behind id, which leaves nothing for them to decide; put id last',
    ],
  ],
  [
    'arrears that nobody ever pays',
    withLine('packages: { arrears: { absorb: never, bill: carry } }'),
    [
      'a.yaml:6:45: packages.arrears.bill: must be daily-order: what no package absorbs and no order bills is never paid',
    ],
  ],
  [
    'a quantum of nothing',
    withLine('packages: { arrears: { quantum: 0B } }'),
    ['a.yaml:6:33: packages.arrears.quantum: must be a volume above 0 such as "1GiB", not "0B"'],
  ],
])('%s is told by file, line, column and field', (_what, text, expected) => {
  expect(complaints(text)).toEqual(expected)
})

test('aliases that grow without limit are refused, not followed', () => {
  const bomb = Array.from({ length: 9 }, (_, at) => `a${at}: &a${at} [${`*a${at - 1},`.repeat(9)}]`)
  const text = [...bomb.slice(1), ''].join('\n').replace(/\*a0/g, 'x')
  expect(complaints(text)).toEqual([
    'a.yaml:1:1: is no YAML: Excessive alias count indicates a resource exhaustion attack',
  ])
})

test('a mistake in what an alias stands for is told where it is written', () => {
  const tiers = 'tiers: [{ upTo: 1TB, price: "2" }]'
  const text = `${HEAD}rules:\n  - { type: traffic, name: a, scope: { areas: [cn] }, ${tiers.replace('[', '&t [')} }
  - { type: traffic, name: b, scope: { areas: [abroad] }, tiers: *t }\n`
  const message = 'must be left out in the last tier, so that every byte has a price'
  expect(complaints(text)).toEqual([
    `a.yaml:6:74: rules[0].tiers[0].upTo: ${message}`,
    `a.yaml:6:74: rules[1].tiers[0].upTo: ${message}`,
  ])
})
