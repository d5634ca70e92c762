import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { geoVersion, lookup, writeGeoPrefixes } from './geo.ts'
import { readIpv4Ranges, readIpv6Ranges } from './ranges.ts'
import { regionOfIpv4, regionOfIpv6 } from './region.ts'

const require = createRequire(import.meta.url)
const directory = mkdtempSync(join(tmpdir(), 'weir-geo-'))
const session = new Session(join(directory, 'db'))

interface Searcher {
  setIpv4Ins(ipv4: Searcher): void
  search(address: string, parse: boolean): Record<string, string> | null
}

beforeAll(async () => {
  const path = join(directory, 'geo.tsv')
  await writeGeoPrefixes(path)
  await run('CREATE DATABASE d')
  await run(
    'CREATE TABLE d.prefixes (prefix String, billing_region String, province String, isp String) ENGINE = Memory',
  )
  await run(`INSERT INTO d.prefixes SELECT * FROM file('${path}', TSV)`)
  await run(`CREATE DICTIONARY d.geo (prefix String, billing_region String, province String, isp String)
    PRIMARY KEY prefix SOURCE(CLICKHOUSE(DB 'd' TABLE 'prefixes')) LAYOUT(IP_TRIE) LIFETIME(0)`)
})

afterAll(() => {
  session.cleanup()
  rmSync(directory, { recursive: true })
})

async function run(sql: string): Promise<string> {
  return (await session.queryAsync(sql, { format: 'TSV' })).text()
}

function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state
  }
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}

function addresses(): string[] {
  const next = randomNumbers(20261121)
  const list: string[] = []
  for (let index = 0; index < 10_000; index += 1) {
    list.push(dotted(next()))
  }
  const heads = [0x2400, 0x2408, 0x2409, 0x240e, 0x2001, 0x2a00, 0x2600, 0x2c0f, 0xfe80, 0x3fff]
  for (let index = 0; index < 10_000; index += 1) {
    const head = (heads[next() % heads.length] ?? 0).toString(16)
    // Never 2001:0::/32 (Teredo) nor an interface id with 5efe (ISATAP): the package resolves
    // those by the IPv4 address inside them, Weir does not.
    const groups = Array.from({ length: 7 }, () => ((next() >>> 8) % 0x5ef0) + 1)
    list.push(`${head}:${groups.map((group) => group.toString(16)).join(':')}`)
  }
  return list
}

test('the dictionary, the lookup and the package itself agree on 20,000 random addresses', async () => {
  const Ipv4 = require('ip2region/dist/lib/ipv4.js').default as new () => Searcher
  const Ipv6 = require('ip2region/dist/lib/ipv6.js').default as new () => Searcher
  const ipv4 = new Ipv4()
  const ipv6 = new Ipv6()
  ipv6.setIpv4Ins(ipv4)
  const list = addresses()
  const path = join(directory, 'addresses.tsv')
  writeFileSync(path, list.join('\n'))
  const found = await run(
    `SELECT dictGet('d.geo', ('billing_region', 'province', 'isp'), toIPv6(address)) AS r, r.1, r.2, r.3
     FROM file('${path}', TSV, 'address String')`,
  )
  const rows = found.trimEnd().split('\n')
  expect(rows).toHaveLength(list.length)
  for (const [index, address] of list.entries()) {
    const raw = (address.includes(':') ? ipv6 : ipv4).search(address, false)
    const place = lookup(address)
    const { area, billingRegion } = place
    // The package joins the names of an IPv6 place: a territory is not told from its country then.
    const want = address.includes(':')
      ? { ...regionOfIpv6(raw?.['cArea'] ?? '', raw?.['aArea'] ?? ''), billingRegion }
      : regionOfIpv4(raw?.['region'] ?? '')
    expect({ address, ...place }).toEqual({ address, ...want })
    const [, region, province, isp] = (rows[index] ?? '').split('\t')
    expect({ address, area, billingRegion: region, province, isp }).toEqual({ address, ...place })
  }
})

test('the dictionary says of the first and last address of every range what the lookup says', async () => {
  const data = join(require.resolve('ip2region/package.json'), '../data')
  const ipv4 = readIpv4Ranges(readFileSync(join(data, 'ip2region.db'))).starts
  const ipv6 = readIpv6Ranges(readFileSync(join(data, 'ipv6wry.db'))).starts
  const list = [
    ...ipv4.flatMap((start) => [start, start - 1]).map((number) => dotted(number >>> 0)),
    ...ipv6
      .flatMap((start) => [start, start - 1n])
      .map((upper) => BigInt.asUintN(64, upper).toString(16).padStart(16, '0'))
      .map((hex) => `${hex.replace(/(.{4})(?!$)/g, '$1:')}:1:2:3:4`),
  ]
  expect(list.length).toBeGreaterThan(200_000)
  const path = join(directory, 'edges.tsv')
  writeFileSync(path, list.join('\n'))
  const found = await run(
    `SELECT dictGet('d.geo', ('billing_region', 'province', 'isp'), toIPv6(address)) AS r,
  concat(r.1, ' ', r.2, ' ', r.3) FROM file('${path}', TSV, 'address String')
SETTINGS max_threads = 1`,
  )
  const wrong = found
    .trimEnd()
    .split('\n')
    .map((row, index) => {
      const { billingRegion, province, isp } = lookup(list[index] ?? '')
      const want = `${billingRegion} ${province} ${isp}`
      return row.endsWith(`\t${want}`) ? null : `${list[index]}: ${row}, not ${want}`
    })
  expect(wrong).toHaveLength(list.length)
  expect(wrong.filter((text) => text !== null)).toEqual([])
})

test('an IPv4 address written as mapped IPv6 is found as IPv4', async () => {
  const found = await run(
    `SELECT dictGet('d.geo', 'province', toIPv6('::ffff:202.96.134.133')), dictGet('d.geo', 'province', toIPv6('::ffff:ca60:8685'))`,
  )
  expect(found.trim()).toBe('guangdong\tguangdong')
})

test('the version names the package and the content', () => {
  expect(geoVersion()).toMatch(/^ip2region-2\.3\.0-[0-9a-f]{8}$/)
})
