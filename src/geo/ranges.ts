import { type GeoRegion, regionOfIpv4, regionOfIpv6 } from './region.ts'

/**
 * Consecutive ranges that cover a whole address space: range i reaches from `starts[i]` to the
 * next start. `regions[i]` indexes `table`; neighbours never have the same region.
 */
export interface RangeList<Address> {
  readonly starts: readonly Address[]
  readonly regions: readonly number[]
  readonly table: readonly GeoRegion[]
}

interface Collector<Address> extends RangeList<Address> {
  add(start: Address, region: GeoRegion): void
}

/**
 * Reads the IPv4 file: a super block with the first and last index pointer, index entries
 * of start, end and (length, offset) of the region text. All little-endian.
 *
 * Shape: starts are 32-bit numbers, ascending, the first is 0.
 * Source: ip2region 2.3.0, dist/lib/ipv4.js.
 */
export function readIpv4Ranges(file: Buffer, regionOf = regionOfIpv4): RangeList<number> {
  const collector = createCollector<number>()
  const known = new Map<number, GeoRegion>()
  const last = file.readUInt32LE(4)
  for (let entry = file.readUInt32LE(0); entry <= last; entry += 12) {
    const pointer = file.readUInt32LE(entry + 8)
    let region = known.get(pointer)
    if (region === undefined) {
      const offset = pointer & 0xffffff
      // The text follows a 4-byte city id, which the length counts.
      region = regionOf(file.toString('utf8', offset + 4, offset + (pointer >>> 24)))
      known.set(pointer, region)
    }
    collector.add(file.readUInt32LE(entry), region)
  }
  return collector
}

/**
 * Reads the IPv6 file: a header with offset width, record count and index start, index entries of
 * the upper 64 address bits and the offset of a record (place and network, each possibly
 * elsewhere).
 *
 * Shape: starts are the upper 64 bits, ascending, the first is 0.
 * Source: ip2region 2.3.0, dist/lib/ipv6.js (the IPDB variant of qqwry).
 */
export function readIpv6Ranges(file: Buffer, regionOf = regionOfIpv6): RangeList<bigint> {
  const collector = createCollector<bigint>()
  const width = file.readInt8(6)
  const count = Number(file.readBigInt64LE(8))
  const index = Number(file.readBigInt64LE(16))
  const known = new Map<number, GeoRegion>()
  for (let entry = 0; entry < count; entry += 1) {
    const at = index + entry * (8 + width)
    const offset = file.readUIntLE(at + 8, width)
    let region = known.get(offset)
    if (region === undefined) {
      region = regionOf(...recordAt(file, offset, width))
      known.set(offset, region)
    }
    collector.add(file.readBigUInt64LE(at), region)
  }
  return collector
}

function createCollector<Address>(): Collector<Address> {
  const starts: Address[] = []
  const regions: number[] = []
  const table: GeoRegion[] = []
  const indexes = new Map<string, number>()
  return {
    starts,
    regions,
    table,
    add(start, region) {
      const key = `${region.billingRegion}/${region.province}/${region.isp}`
      let index = indexes.get(key)
      if (index === undefined) {
        index = table.push(region) - 1
        indexes.set(key, index)
      }
      if (regions.at(-1) === index) return
      starts.push(start)
      regions.push(index)
    },
  }
}

/** Mode 1 redirects the whole record, mode 2 the string at this place. */
function recordAt(
  file: Buffer,
  offset: number,
  width: number,
): readonly [place: string, network: string] {
  const mode = file.readUInt8(offset)
  if (mode === 1) return recordAt(file, file.readUIntLE(offset + 1, width), width)
  const place = stringAt(file, offset, width)
  const next = mode === 2 ? offset + 1 + width : file.indexOf(0, offset) + 1
  return [place, stringAt(file, next, width)]
}

function stringAt(file: Buffer, offset: number, width: number): string {
  const mode = file.readUInt8(offset)
  if (mode === 1 || mode === 2) return stringAt(file, file.readUIntLE(offset + 1, width), width)
  return file.toString('utf8', offset, file.indexOf(0, offset))
}
