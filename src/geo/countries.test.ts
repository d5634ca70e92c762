import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { BILLING_REGIONS } from '../meters/places.ts'
import { billingRegionOf, COUNTRY_REGIONS } from './countries.ts'
import { hashRanges } from './geo.ts'
import { readIpv4Ranges, readIpv6Ranges } from './ranges.ts'
import { UNKNOWN_REGION } from './region.ts'

const DATA = join(createRequire(import.meta.url).resolve('ip2region/package.json'), '../data')

/** Names of no place: addresses that nobody routes, and China, which is told apart by province. */
const NO_COUNTRY = ['0', '', '中国', '局域网', 'IANA保留地址', 'IANA特殊地址']

/** Every name that the databases have for a country, and for a territory within one. */
function namesInUse(): { countries: Set<string>; territories: Set<string> } {
  const countries = new Set<string>()
  const territories = new Set<string>()
  readIpv4Ranges(readFileSync(join(DATA, 'ip2region.db')), (text) => {
    countries.add(text.split('|')[0] ?? '')
    return UNKNOWN_REGION
  })
  readIpv6Ranges(readFileSync(join(DATA, 'ipv6wry.db')), (place) => {
    const [country = '', within = ''] = place.split(/\s+/)
    countries.add(country)
    if (country === '中国') return UNKNOWN_REGION
    if (COUNTRY_REGIONS.has(within)) territories.add(within)
    // In this file a space, not a tab, stands before what lies far from its country.
    if (/^\S+ \S+$/.test(place)) territories.add(place.split(' ')[1] ?? '')
    return UNKNOWN_REGION
  })
  return { countries, territories }
}

test('every country and territory of both databases has a billing region, and no other name', () => {
  const { countries, territories } = namesInUse()
  const named = [...countries].filter((name) => !NO_COUNTRY.includes(name))
  expect(named.length).toBeGreaterThan(240)
  expect([...new Set([...named, ...territories])].sort()).toEqual(
    [...COUNTRY_REGIONS.keys()].sort(),
  )
})

test('every billing region abroad has countries, and only places of several have none', () => {
  const regions = new Set(COUNTRY_REGIONS.values())
  expect([...regions, 'cn'].sort()).toEqual([...BILLING_REGIONS].sort())
  const open = [...COUNTRY_REGIONS].filter(([, region]) => region === 'abroad')
  expect(open.map(([name]) => name).sort()).toEqual(
    [
      '全球',
      '亚太地区',
      '大中华区',
      '东南亚地区',
      '太平洋地区',
      '美洲地区',
      '南极洲',
      '欧洲和中东地区',
      '欧洲、非洲和中东地区',
      '西北欧、南非和中东地区',
      '希腊、英伦和中非地区',
    ].sort(),
  )
})

test.each([
  ['日本', 'apac1'],
  ['韩国', 'apac1'],
  ['新加坡', 'apac1'],
  ['泰国', 'apac2'],
  ['印度尼西亚', 'apac2'],
  ['印度', 'apac3'],
  ['澳大利亚', 'apac3'],
  ['德国', 'eu-na'],
  ['俄罗斯', 'eu-na'],
  ['加拿大', 'eu-na'],
  ['土耳其', 'me-africa'],
  ['阿联酋', 'me-africa'],
  ['南非', 'me-africa'],
  ['巴西', 'latam'],
  ['墨西哥', 'latam'],
])('%s is in %s', (name, region) => {
  expect(billingRegionOf([name])).toBe(region)
})

test('the version of the attribution changes with one address, and with one place', () => {
  const tokyo = { ...UNKNOWN_REGION, area: 'abroad', billingRegion: 'apac1' } as const
  const ipv4 = { starts: [0, 16], regions: [0, 1], table: [UNKNOWN_REGION, tokyo] }
  const ipv6 = { starts: [0n, 16n], regions: [0, 1], table: [UNKNOWN_REGION, tokyo] }
  const moved = { ...tokyo, billingRegion: 'apac2' } as const
  const hashes = [
    hashRanges(ipv4, ipv6),
    hashRanges({ ...ipv4, starts: [0, 17] }, ipv6),
    hashRanges({ ...ipv4, regions: [1, 0] }, ipv6),
    hashRanges({ ...ipv4, table: [UNKNOWN_REGION, moved] }, ipv6),
    hashRanges(ipv4, { ...ipv6, starts: [0n, 1n << 63n] }),
    hashRanges(ipv4, { ...ipv6, regions: [1, 0] }),
    hashRanges(ipv4, { ...ipv6, table: [moved, UNKNOWN_REGION] }),
  ]
  expect(new Set(hashes).size).toBe(hashes.length)
  expect(hashRanges({ ...ipv4 }, { ...ipv6 })).toBe(hashes[0])
})
