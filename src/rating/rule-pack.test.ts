import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { toPackFile } from './pack-file.ts'
import { hashPack } from './hash-pack.ts'
import { packReference } from './pack-reference.ts'
import { parseRulePack, type RulePack } from './rule-pack.ts'
import { checkTrafficRule } from './traffic-check.ts'
import { findUnpriced } from './unpriced-parts.ts'

const SHIPPED = fileURLToPath(new URL('../../rules', import.meta.url))
const NAMES = readdirSync(SHIPPED)
  .map((file) => file.replace(/\.yaml$/, ''))
  .sort()

function shipped(name: string): RulePack {
  const file = `${name}.yaml`
  return parseRulePack(readFileSync(`${SHIPPED}/${file}`, 'utf8'), file)
}

const HEAD = 'name: a\nversion: 1\ndescription: d\ncurrency: CNY\n'
const FLAT = 'type: traffic, name: flat, price: "1"'
const LINE = 'type: bandwidth, name: line, mode: monthly-95, price: "1"'

/** Lines 1 to 4 are the head, line 5 is `rules:`, the first rule is line 6. */
const rules = (...entries: string[]): string =>
  `${HEAD}rules:\n${entries.map((entry) => `  - { ${entry} }\n`).join('')}`

describe('shipped packs', () => {
  test('there are six, and each is named like its file', () => {
    expect(NAMES).toEqual([
      'generic-95',
      'generic-traffic',
      'tencent-mna',
      'ucloud-cdn',
      'ucloud-cdn-bandwidth',
      'ucloud-eip',
    ])
    expect(NAMES.map((name) => shipped(name).name)).toEqual(NAMES)
  })

  test.each(NAMES)('%s survives being written out with every default', (name) => {
    const pack = shipped(name)
    expect(parseRulePack(stringify(toPackFile(pack)), name)).toEqual(pack)
  })

  test.each(NAMES)('%s holds rules that can be rated', (name) => {
    const traffic = shipped(name).rules.filter((rule) => rule.type === 'traffic')
    expect(traffic.flatMap(checkTrafficRule)).toEqual([])
  })

  // A changed content needs a raised version: bills of the old one name the old hash.
  test.each([
    ['generic-95', '1', '9c823ba519cdd741'],
    ['generic-traffic', '1', '2d380b09b7265f89'],
    ['tencent-mna', '1', '82f22e24ef168533'],
    ['ucloud-cdn', '1', 'c891dbc7864ba7f7'],
    ['ucloud-cdn-bandwidth', '1', '7fec0046883af558'],
    ['ucloud-eip', '1', '424c517823a45185'],
  ])('%s version %s has the content it was shipped with', (name, version, hash) => {
    const pack = shipped(name)
    expect([pack.version, hashPack(pack).slice(0, 16)]).toEqual([version, hash])
  })

  test('ucloud-eip means what its comments say', () => {
    expect(shipped('ucloud-eip')).toEqual({
      name: 'ucloud-eip',
      version: '1',
      description: 'Outbound traffic of elastic IPs by the day, idle days free; example price.',
      currency: 'CNY',
      source: 'https://docs.ucloud.cn/unet/eip_price/traffic',
      meters: ['eip'],
      rules: [
        {
          type: 'traffic',
          name: 'outbound',
          level: 'resource',
          scope: { directions: ['out'] },
          windows: [],
          overhead: { numerator: 1n, denominator: 1n },
          // 2^30.
          freeBelowBytesPerDay: 1_073_741_824n,
          radix: 1024,
          tiering: 'graduated',
          // 0.80 × 10^9.
          tiers: [{ upToBytes: null, price: 800_000_000n }],
          period: 'day',
        },
      ],
      packages: {
        burnOrder: ['earliest-expiry', 'earliest-purchase', 'id'],
        arrears: { absorb: 'never', bill: 'daily-order', quantumBytes: 1n, rounding: 'down' },
        offers: [],
      },
    })
  })

  test('generic-95 means what its comments say', () => {
    expect(shipped('generic-95').rules).toEqual([
      {
        type: 'bandwidth',
        name: 'monthly-95',
        level: 'account',
        scope: {},
        mode: 'monthly-95',
        slot: 'mean',
        direction: 'max-of-both',
        validDay: 'all',
        missingSlot: 'zero',
        rank: { percent: 5, rounding: 'floor' },
        radix: 1000,
        // 100 × 10^6.
        commitBps: 100_000_000n,
        price: 500_000_000n,
        overagePrice: 600_000_000n,
        proRata: 'none',
        partialMonth: 'share',
      },
    ])
  })

  test('ucloud-cdn adds a tenth, and prices areas and kinds apart', () => {
    const told = shipped('ucloud-cdn').rules.map((rule) => [
      rule.name,
      rule.scope,
      rule.type === 'traffic' && rule.overhead,
    ])
    const tenth = { numerator: 11n, denominator: 10n }
    expect(told).toEqual([
      ['static-cn', { areas: ['cn'], kinds: ['static'], directions: ['out'] }, tenth],
      ['static-abroad', { areas: ['abroad'], kinds: ['static'], directions: ['out'] }, tenth],
      ['dynamic-cn', { areas: ['cn'], kinds: ['dynamic'], directions: ['out'] }, tenth],
      ['dynamic-abroad', { areas: ['abroad'], kinds: ['dynamic'], directions: ['out'] }, tenth],
    ])
  })

  test('ucloud-cdn-bandwidth ranks the days of the account, areas apart, and counts with 1000', () => {
    const told = shipped('ucloud-cdn-bandwidth').rules.map((rule) => [
      rule.name,
      rule.level,
      rule.scope,
      rule.type === 'bandwidth' && [rule.mode, rule.direction, rule.slot, rule.radix],
    ])
    const daily = ['daily-peak', 'out', 'mean', 1000]
    expect(told).toEqual([
      ['peak-cn', 'account', { areas: ['cn'] }, daily],
      ['peak-abroad', 'account', { areas: ['abroad'] }, daily],
    ])
  })
})

describe('a pack that leaves everything out that may be left out', () => {
  test('has the documented defaults', () => {
    const pack = parseRulePack(rules(FLAT, LINE), 'a.yaml')
    expect(toPackFile(pack)).toEqual({
      name: 'a',
      version: '1',
      description: 'd',
      currency: 'CNY',
      meters: ['cdn', 'eip', 'mna'],
      rules: [
        {
          type: 'traffic',
          name: 'flat',
          level: 'account',
          scope: { directions: ['out'] },
          windows: [],
          overhead: '0%',
          freeBelowPerDay: '0B',
          unit: 'GiB',
          tiering: 'graduated',
          price: '1.00',
          period: 'month',
        },
        {
          type: 'bandwidth',
          name: 'line',
          level: 'account',
          scope: {},
          mode: 'monthly-95',
          slot: 'mean',
          direction: 'out',
          validDay: 'all',
          missingSlot: 'zero',
          rank: { percent: 5, rounding: 'floor' },
          unit: 'Mbps',
          commit: '0bps',
          price: '1.00',
          proRata: 'none',
          partialMonth: 'share',
        },
      ],
      packages: {
        burnOrder: ['unlimited-first', 'earliest-expiry', 'earliest-purchase', 'id'],
        arrears: {
          absorb: 'larger-package',
          bill: 'daily-order',
          quantum: '1B',
          rounding: 'down',
        },
        offers: [],
      },
    })
  })

  test('may be read back from what is written out', () => {
    const pack = parseRulePack(rules(FLAT, LINE), 'a.yaml')
    expect(parseRulePack(stringify(toPackFile(pack)), 'b.yaml')).toEqual(pack)
  })
})

describe('the hash of a pack', () => {
  const base = shipped('ucloud-cdn')

  /** Shuffles the keys of every section; lists keep their order. */
  function shuffled(value: unknown, random: () => number): unknown {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, random))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, inner]) => ({
      at: random(),
      entry: [key, shuffled(inner, random)] as const,
    }))
    return Object.fromEntries(entries.sort((a, b) => a.at - b.at).map(({ entry }) => entry))
  }

  test('does not depend on the order of keys, nor on comments and blank lines', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (numbers) => {
        const random = (): number => numbers.next().value ?? 0
        const lines = stringify(shuffled(toPackFile(base), random), { lineWidth: 0 }).split('\n')
        const text = lines.map((line) => (random() < 0.5 ? `${line} # why\n` : line)).join('\n')
        const pack = parseRulePack(text, 'a.yaml')
        expect(hashPack(pack)).toBe(hashPack(base))
      }),
      { numRuns: 50 },
    )
  })

  test('does not depend on whether a default is written out, or on how a quantity is', () => {
    const short = rules('type: traffic, name: flat, price: "1.5", freeBelowPerDay: 1GB')
    const long = rules(
      'type: traffic, name: flat, price: "1.500", freeBelowPerDay: 1000MB, unit: GiB, overhead: 0/7',
    )
    expect(hashPack(parseRulePack(long, 'a'))).toBe(hashPack(parseRulePack(short, 'a')))
  })

  test('does not depend on the order in which a scope lists its values', () => {
    const of = (list: string): string =>
      hashPack(parseRulePack(rules(`${FLAT}, scope: { provinces: [${list}] }`), 'a'))
    expect(of('zhejiang, anhui')).toBe(of('anhui, zhejiang'))
  })

  test.each([
    ['a price', { price: '"2"' }],
    ['a unit', { unit: 'GB' }],
    ['a level', { level: 'project' }],
    ['an overhead', { overhead: '10%' }],
    ['a window', { windows: '["23:00-07:00"]' }],
    ['a free floor', { freeBelowPerDay: '1GB' }],
    ['a span', { period: 'day' }],
    ['a kind of tiers', { tiering: 'volume' }],
    ['a scope', { scope: '{ areas: [cn] }' }],
  ])('changes with %s', (_what, change) => {
    const entry = { type: 'traffic', name: 'flat', price: '"1"', ...change }
    const text = Object.entries(entry).map(([key, value]) => `${key}: ${value}`)
    const hash = hashPack(parseRulePack(rules(text.join(', ')), 'a'))
    expect(hash).not.toBe(hashPack(parseRulePack(rules(FLAT), 'a')))
  })
})

// Books name packs by hash and read them again years later: never change what is expected here.
test('a pack that was kept once says the same for ever', () => {
  const text = readFileSync(new URL('testdata/kept-1.yaml', import.meta.url), 'utf8')
  expect(hashPack(parseRulePack(text, 'kept-1')).slice(0, 16)).toBe('a59b86d7c7478370')
})

// Run with -u after a change of the schema.
test('docs/reference/rule-packs.md says what the schema says', async () => {
  await expect(packReference()).toMatchFileSnapshot('../../docs/reference/rule-packs.md')
})

test('the examples of the reference page are packs', () => {
  const found = [...packReference().matchAll(/```yaml\n([^]*?)```/g)]
  const [day, regions] = found.map(([, example = '']) => parseRulePack(example, 'example'))
  expect(day?.rules).toHaveLength(2)
  expect(regions?.rules.map(({ scope }) => scope.areas)).toEqual([
    ['apac1', 'apac2', 'apac3'],
    ['eu-na'],
    ['latam', 'me-africa'],
    ['abroad-other'],
  ])
  expect(findUnpriced(regions?.rules ?? [])).toEqual([])
  expect(regions?.packages.offers.map(({ areas }) => areas)).toEqual([['abroad'], ['apac1']])
})
