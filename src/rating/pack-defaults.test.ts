import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashPack, LATER_FIELDS, type LaterField } from './hash-pack.ts'
import { canonicalJson } from './pack-hash.ts'
import { parseRulePack, type RulePack } from './rule-pack.ts'

const read = (file: string): string =>
  readFileSync(new URL(`testdata/${file}`, import.meta.url), 'utf8')
const smallest = (): RulePack => parseRulePack(read('smallest.yaml'), 'smallest')

/*
 * Bills are computed again years later from the text of their pack, so a default that was released
 * never changes: a better one is another value, which packs name. What stands in smallest.json is
 * added to when the schema gets a field, and otherwise never edited.
 */
test('every default is what it was when it was released', () => {
  expect(JSON.parse(canonicalJson(smallest()))).toEqual(JSON.parse(read('smallest.json')))
})

// Never edit what is expected: list the new field in LATER_FIELDS.
test('a pack that says nothing of later fields keeps its hash', () => {
  expect(hashPack(smallest())).toBe(
    '6652797d74f1b5c9d06b1874593066bdcb34b3d4541c0a1c43e2a4b3cbcf3567',
  )
})

test('every later field is listed with the default that the schema gives it', () => {
  for (const { sections, name, fallback } of LATER_FIELDS) {
    const found = sections(smallest()).map((section): unknown => Reflect.get(section, name))
    expect([name, new Set(found)]).toEqual([name, new Set([fallback])])
  }
})

describe('a field that joins the schema', () => {
  /** The pack as a schema with more fields reads it. */
  const grown = (floor: bigint, section: object): RulePack => {
    const pack = smallest()
    return {
      ...pack,
      rules: pack.rules.map((rule) => (rule.type === 'traffic' ? { ...rule, floor } : rule)),
      packages: { ...pack.packages, ...section },
    }
  }
  const later: readonly LaterField[] = [
    {
      sections: ({ rules }) => rules.filter(({ type }) => type === 'traffic'),
      name: 'floor',
      fallback: 5n,
    },
    { sections: ({ packages }) => [packages], name: 'gifts', fallback: { max: 3 } },
    {
      sections: ({ packages }) => ('gifts' in packages ? [packages.gifts as object] : []),
      name: 'unit',
      fallback: 'GB',
    },
  ]

  test('leaves the hash alone where it has its default, also inside a later section', () => {
    const pack = grown(5n, { gifts: { max: 3, unit: 'GB' } })
    expect(hashPack(pack, later)).toBe(hashPack(smallest()))
    // A pack is only read here.
    expect(pack.packages).toHaveProperty('gifts.unit', 'GB')
  })

  test('changes the hash by whatever else it says', () => {
    const hashes = new Map<string, string>()
    fc.assert(
      fc.property(
        fc.bigInt({ min: 4n, max: 6n }),
        fc.integer({ min: 2, max: 4 }),
        fc.constantFrom('GB', 'GiB'),
        (floor, max, unit) => {
          const said = `${floor} ${max} ${unit}`
          const hash = hashPack(grown(floor, { gifts: { max, unit } }), later)
          expect(hash === hashPack(smallest())).toBe(said === '5 3 GB')
          expect(hashes.get(said) ?? hash).toBe(hash)
          hashes.set(said, hash)
        },
      ),
    )
    expect(new Set(hashes.values()).size).toBe(hashes.size)
  })
})
