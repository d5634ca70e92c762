import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ipv4Prefixes, ipv6Prefixes } from './prefixes.ts'

const TABLE = [{ area: 'cn', province: 'others', isp: 'others' }] as const

function texts(starts: number[]): string[] {
  const regions = starts.map((_, index) => index)
  return [...ipv4Prefixes({ starts, regions, table: TABLE })].map(
    ({ text, region }) => `${text}=${region}`,
  )
}

test('ranges become the fewest prefixes, across the sign bit and to the very ends', () => {
  expect(texts([0])).toEqual(['0.0.0.0/0=0'])
  expect(texts([0, 2 ** 31])).toEqual(['0.0.0.0/1=0', '128.0.0.0/1=1'])
  expect(texts([0, 0xffffffff]).at(-1)).toBe('255.255.255.255/32=1')
  expect(texts([0, 0x0a000000, 0x0a000003, 0x0b000000]).slice(2, 4)).toEqual([
    '10.0.0.0/31=1',
    '10.0.0.2/32=1',
  ])
})

test('IPv6 ranges of the upper 64 bits become prefixes of at most 64 bits', () => {
  const starts = [0n, 0x2400_0000_0000_0000n, 0x2400_0001_0002_0003n]
  const found = [...ipv6Prefixes({ starts, regions: [0, 1, 2], table: TABLE })].map((p) => p.text)
  expect(found[0]).toBe('::/3')
  expect(found).toContain('2400::/32')
  expect(found).toContain('2400:1:2:2::/64')
})

test('every address of every range is covered exactly once, in order', () => {
  const starts = fc
    .uniqueArray(fc.integer({ min: 1, max: 0xffffffff }), { maxLength: 20 })
    .map((list) => [0, ...list.sort((a, b) => a - b)])
  fc.assert(
    fc.property(starts, (list) => {
      let next = 0
      for (const { text, region } of ipv4Prefixes({
        starts: list,
        regions: list.map((_, index) => index),
        table: TABLE,
      })) {
        const [address = '', length] = text.split('/')
        const start = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
        expect(start).toBe(next)
        next = start + 2 ** (32 - Number(length))
        expect(start).toBeGreaterThanOrEqual(list[region] ?? 0)
        expect(next).toBeLessThanOrEqual(list[region + 1] ?? 2 ** 32)
      }
      expect(next).toBe(2 ** 32)
    }),
  )
})
