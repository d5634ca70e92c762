import type { RangeList } from './ranges.ts'

/** One CIDR prefix and the index of its region, for addresses that no longer prefix has. */
export interface Prefix {
  readonly text: string
  readonly region: number
}

/** Finds the fewest IPv4 prefixes that give every address its region by the longest match. */
export function ipv4Prefixes(ranges: RangeList<number>): Generator<Prefix> {
  return fewestPrefixes(ranges, {
    zero: 0,
    halves: Array.from({ length: 32 }, (_, depth) => 2 ** (31 - depth)),
    add: (one, other) => one + other,
    format: formatIpv4,
  })
}

/** The same for IPv6 ranges, given by their upper 64 bits. */
export function ipv6Prefixes(ranges: RangeList<bigint>): Generator<Prefix> {
  return fewestPrefixes(ranges, {
    zero: 0n,
    halves: Array.from({ length: 64 }, (_, depth) => 1n << BigInt(63 - depth)),
    add: (one, other) => one + other,
    format: formatIpv6,
  })
}

interface Addresses<Address> {
  readonly zero: Address
  /** Half the size of a block, by the length of its prefix. */
  readonly halves: readonly Address[]
  readonly add: (one: Address, other: Address) => Address
  readonly format: (start: Address) => string
}

/** A block of addresses: of one region, or of two halves. */
interface Block {
  /** Number of the set of regions that its prefix may have in an answer of the fewest prefixes. */
  readonly set: number
  readonly halves: readonly [Block, Block] | null
}

/**
 * Chooses prefixes: from the smallest blocks upwards, a block may have the regions that both of its
 * halves may have, or else those of either; from the largest downwards, a block needs a prefix
 * where it may not have the region of the block around it.
 *
 * A third of what apart ranges would need: looking an address up, which every line of a log does,
 * takes the longer the more there are.
 *
 * Source: R. Draves et al., Constructing Optimal IP Routing Tables, INFOCOM 1999.
 */
function* fewestPrefixes<Address extends number | bigint>(
  { starts, regions }: RangeList<Address>,
  { zero, halves, add, format }: Addresses<Address>,
): Generator<Prefix> {
  const sets = createSets()
  function build(first: number, last: number, start: Address, depth: number): Block {
    if (first === last) return { set: sets.ofOne(regions[first] ?? 0), halves: null }
    const middle = add(start, halves[depth] ?? zero)
    let upper = last
    while ((starts[upper] ?? zero) > middle) upper -= 1
    const isCut = starts[upper] === middle
    const low = build(first, isCut ? upper - 1 : upper, start, depth + 1)
    const high = build(upper, last, middle, depth + 1)
    return { set: sets.join(low.set, high.set), halves: [low, high] }
  }
  function* choose(
    block: Block,
    around: number | null,
    start: Address,
    depth: number,
  ): Generator<Prefix> {
    const isKept = around !== null && sets.has(block.set, around)
    const region = isKept ? around : sets.first(block.set)
    if (!isKept) yield { text: `${format(start)}/${depth}`, region }
    if (block.halves === null) return
    yield* choose(block.halves[0], region, start, depth + 1)
    yield* choose(block.halves[1], region, add(start, halves[depth] ?? zero), depth + 1)
  }
  yield* choose(build(0, starts.length - 1, zero, 0), null, zero, 0)
}

/** Sets of regions by number; few are different, and joining two of them is done once. */
function createSets() {
  const members: (readonly number[])[] = []
  const numbers = new Map<string, number>()
  const joined = new Map<string, number>()
  const single = new Map<number, number>()
  function numberOf(set: readonly number[]): number {
    const key = set.join()
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, members.length)
    return members.push(set) - 1
  }
  function joinAnew(one: number, other: number): number {
    const [a, b] = [members[one] ?? [], members[other] ?? []]
    const both = a.filter((region) => b.includes(region))
    return numberOf(both.length > 0 ? both : [...a, ...b].sort((x, y) => x - y))
  }
  return {
    ofOne(region: number): number {
      const set = single.get(region) ?? numberOf([region])
      single.set(region, set)
      return set
    },
    join(one: number, other: number): number {
      if (one === other) return one
      const key = one < other ? `${one} ${other}` : `${other} ${one}`
      const set = joined.get(key) ?? joinAnew(one, other)
      joined.set(key, set)
      return set
    },
    has: (set: number, region: number): boolean => members[set]?.includes(region) ?? false,
    first: (set: number): number => members[set]?.[0] ?? 0,
  }
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
