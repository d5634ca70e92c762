import type { RangeList } from './ranges.ts'

/** One CIDR prefix and the index of its region. */
export interface Prefix {
  readonly text: string
  readonly region: number
}

/** Splits IPv4 ranges into the fewest CIDR prefixes that cover each of them exactly. */
export function* ipv4Prefixes(ranges: RangeList<number>): Generator<Prefix> {
  for (const [index, first] of ranges.starts.entries()) {
    const end = ranges.starts[index + 1] ?? 2 ** 32
    let start = first
    while (start < end) {
      // The lowest set bit bounds the block by alignment, the rest of the range by size.
      let size = start === 0 ? 2 ** 32 : lowestBit(start)
      while (start + size > end) size /= 2
      yield {
        text: `${formatIpv4(start)}/${32 - Math.log2(size)}`,
        region: ranges.regions[index] ?? 0,
      }
      start += size
    }
  }
}

/** Splits IPv6 ranges, given by their upper 64 bits, into the fewest CIDR prefixes. */
export function* ipv6Prefixes(ranges: RangeList<bigint>): Generator<Prefix> {
  const top = 1n << 64n
  for (const [index, first] of ranges.starts.entries()) {
    const end = ranges.starts[index + 1] ?? top
    let start = first
    while (start < end) {
      let size = start === 0n ? top : start & -start
      while (start + size > end) size >>= 1n
      yield {
        text: `${formatIpv6(start)}/${65 - size.toString(2).length}`,
        region: ranges.regions[index] ?? 0,
      }
      start += size
    }
  }
}

function lowestBit(value: number): number {
  let bit = 1
  // Not `value & -value`: that is signed 32-bit arithmetic and fails from 128.0.0.0 on.
  while (value % (bit * 2) === 0) bit *= 2
  return bit
}

function formatIpv4(address: number): string {
  return `${Math.floor(address / 2 ** 24)}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`
}

function formatIpv6(upper: bigint): string {
  const groups = [48n, 32n, 16n, 0n].map((shift) => ((upper >> shift) & 0xffffn).toString(16))
  // Zero groups before the `::` belong to it; the engine's parser refuses four of them spelled out.
  while (groups.at(-1) === '0') groups.pop()
  return `${groups.join(':')}::`
}
