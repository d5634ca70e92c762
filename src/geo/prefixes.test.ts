import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ipv4Prefixes, ipv6Prefixes } from './prefixes.ts'
import { UNKNOWN_REGION } from './region.ts'

const TABLE = [UNKNOWN_REGION]

function texts(starts: number[], regions = starts.map((_, index) => index)): string[] {
  return [...ipv4Prefixes({ starts, regions, table: TABLE })].map(
    ({ text, region }) => `${text}=${region}`,
  )
}

test('ranges become the fewest prefixes, across the sign bit and to the very ends', () => {
  expect(texts([0])).toEqual(['0.0.0.0/0=0'])
  expect(texts([0, 2 ** 31])).toEqual(['0.0.0.0/0=0', '128.0.0.0/1=1'])
  expect(texts([0, 0xffffffff])).toEqual(['0.0.0.0/0=0', '255.255.255.255/32=1'])
  expect(texts([0, 0x0a000000, 0x0a000003, 0x0b000000], [0, 1, 2, 0])).toEqual([
    '0.0.0.0/0=0',
    '10.0.0.0/8=2',
    '10.0.0.0/30=1',
    '10.0.0.3/32=2',
  ])
})

test('a region with holes is one prefix, and one for each hole', () => {
  const holes = [0x0a000000, 0x14000000, 0xc0000000]
  const starts = [0, ...holes.flatMap((start) => [start, start + 2 ** 24])]
  expect(texts(starts, [0, 1, 0, 1, 0, 1, 0])).toEqual([
    '0.0.0.0/0=0',
    '10.0.0.0/8=1',
    '20.0.0.0/8=1',
    '192.0.0.0/8=1',
  ])
})

test('IPv6 ranges of the upper 64 bits become prefixes of at most 64 bits', () => {
  const starts = [0n, 0x2400_0000_0000_0000n, 0x2400_0001_0002_0003n, 0x2400_0001_0002_0004n]
  const found = ipv6Prefixes({ starts, regions: [0, 1, 2, 0], table: TABLE })
  expect([...found].map(({ text, region }) => `${text}=${region}`)).toEqual([
    '::/0=0',
    '2400::/32=1',
    '2400:1::/47=1',
    '2400:1:2::/62=1',
    '2400:1:2:3::/64=2',
  ])
})

/** What the longest of the prefixes that hold an address says. */
function longestMatch(prefixes: readonly { text: string; region: number }[], address: number) {
  const matches = prefixes.filter(({ text }) => {
    const [dotted = '', length] = text.split('/')
    const start = dotted.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
    return start <= address && address < start + 2 ** (32 - Number(length))
  })
  const lengthOf = ({ text }: { text: string }): number => Number(text.split('/')[1])
  return matches.toSorted((a, b) => lengthOf(b) - lengthOf(a))[0]?.region
}

test('every address has the region of its range by the longest match', () => {
  const range = fc.record({ start: fc.integer({ min: 1, max: 0xffffffff }), region: fc.nat(3) })
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), fc.nat(3), (others, first) => {
      const ranges = [{ start: 0, region: first }, ...others]
        .toSorted((a, b) => a.start - b.start)
        .filter(({ start }, index, list) => list[index - 1]?.start !== start)
      const starts = ranges.map(({ start }) => start)
      const regions = ranges.map(({ region }) => region)
      const prefixes = [...ipv4Prefixes({ starts, regions, table: TABLE })]
      for (const [index, start] of starts.entries()) {
        const end = starts[index + 1] ?? 2 ** 32
        for (const address of [start, Math.floor((start + end - 1) / 2), end - 1]) {
          expect(longestMatch(prefixes, address)).toBe(regions[index])
        }
      }
      expect(new Set(prefixes.map(({ text }) => text)).size).toBe(prefixes.length)
    }),
  )
})
