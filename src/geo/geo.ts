import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { isIPv4, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { ipv4Prefixes, ipv6Prefixes, type Prefix } from './prefixes.ts'
import { type RangeList, readIpv4Ranges, readIpv6Ranges } from './ranges.ts'
import { type GeoRegion, UNKNOWN_REGION } from './region.ts'

interface GeoDatabase {
  readonly version: string
  readonly ipv4: RangeList<number>
  readonly ipv6: RangeList<bigint>
}

let loaded: GeoDatabase | undefined

/**
 * Names the attribution, such as `ip2region-2.3.0-1a2b3c4d`: the package that brings the addresses,
 * and a hash of what Weir makes of every one of them. It changes with the files, and likewise when
 * a country is placed into another billing region.
 */
export function geoVersion(): string {
  return database().version
}

/**
 * Writes every known prefix to a file, for the engine's `ip_trie` dictionary.
 *
 * Shape: tab-separated lines of prefix, billing region, province, isp; no header; IPv4 first.
 * Prefixes cover both address spaces, and of those that hold an address the longest counts.
 * Source: docs/explanation/attribution.md, which also says what IPv6 transition addresses mean.
 */
export async function writeGeoPrefixes(path: string): Promise<{ rows: number }> {
  const { ipv4, ipv6 } = database()
  const lines: string[] = []
  addLines(ipv4Prefixes(ipv4), ipv4.table)
  addLines(ipv6Prefixes(ipv6), ipv6.table)
  await writeFile(path, lines.join(''))
  return { rows: lines.length }

  function addLines(prefixes: Iterable<Prefix>, table: readonly GeoRegion[]): void {
    const tails = table.map(
      ({ billingRegion, province, isp }) => `\t${billingRegion}\t${province}\t${isp}\n`,
    )
    for (const prefix of prefixes) lines.push(prefix.text + (tails[prefix.region] ?? ''))
  }
}

/**
 * Looks one address up, as the dictionary would.
 *
 * Errors: none; text that is no address is unknown.
 */
export function lookup(address: string): GeoRegion {
  const { ipv4, ipv6 } = database()
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address
  if (isIPv4(mapped)) {
    const number = mapped.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    return regionAt(ipv4, number)
  }
  if (!isIPv6(address)) return UNKNOWN_REGION
  const number = ipv6Number(address)
  if (number >> 32n === 0xffffn) return regionAt(ipv4, Number(number & 0xffffffffn))
  return regionAt(ipv6, number >> 64n)
}

function regionAt<Address extends number | bigint>(
  ranges: RangeList<Address>,
  address: Address,
): GeoRegion {
  let low = 0
  let high = ranges.starts.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((ranges.starts[middle] as Address) <= address) low = middle
    else high = middle - 1
  }
  return ranges.table[ranges.regions[low] ?? 0] ?? UNKNOWN_REGION
}

function ipv6Number(address: string): bigint {
  // The URL parser writes every spelling as hex groups, dotted tails included.
  const host = new URL(`http://[${address.split('%')[0] ?? ''}]/`).hostname.slice(1, -1)
  const [head = '', tail] = host.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(8 - front.length - back.length).fill('0')
  return [...front, ...zeros, ...back].reduce(
    (sum, group) => (sum << 16n) + BigInt(`0x${group}`),
    0n,
  )
}

function database(): GeoDatabase {
  if (loaded !== undefined) return loaded
  const manifest = createRequire(import.meta.url).resolve('ip2region/package.json')
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  const ipv4 = readIpv4Ranges(readFileSync(join(manifest, '../data/ip2region.db')))
  const ipv6 = readIpv6Ranges(readFileSync(join(manifest, '../data/ipv6wry.db')))
  loaded = { version: `ip2region-${version}-${hashRanges(ipv4, ipv6).slice(0, 8)}`, ipv4, ipv6 }
  return loaded
}

/** Hashes where every address is. */
export function hashRanges(ipv4: RangeList<number>, ipv6: RangeList<bigint>): string {
  const hash = createHash('sha256')
  hash.update(Float64Array.from(ipv4.starts)).update(BigUint64Array.from(ipv6.starts))
  for (const { regions, table } of [ipv4, ipv6]) {
    hash.update(Uint32Array.from(regions)).update(JSON.stringify(table))
  }
  return hash.digest('hex')
}
