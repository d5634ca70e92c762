import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type DrawablePackage,
  drawDown,
  drawdownIntervals,
  type IntervalUsage,
} from './package-drawdown.ts'

const MINUTE = 60_000

/** Times in minutes; `end` null: never expires. */
function pack(id: string, size: number, start: number, end: number | null, purchased = start) {
  return {
    id,
    sizeBytes: BigInt(size),
    purchasedMs: purchased * MINUTE,
    startMs: start * MINUTE,
    endMs: end === null ? null : end * MINUTE,
  }
}

/** What each package gives when `usage` bytes move in each interval that the packages cut. */
function draw(packages: readonly DrawablePackage[], until: number, usage: readonly number[]) {
  const intervals = drawdownIntervals(packages, until * MINUTE)
  expect(intervals).toHaveLength(usage.length)
  const moved = intervals.map((interval, index) => ({
    ...interval,
    bytes: BigInt(usage[index] ?? 0),
  }))
  const { draws, arrearsBytes } = drawDown(packages, moved)
  const given = draws.map((entry) => `${entry.package.id}:${entry.usedBytes}`).join(' ')
  return `${given} arrears:${arrearsBytes}`
}

test.each([
  ['no package, no interval', [], [], 'arrears:0'],
  ['inside one package', [pack('a', 100, 0, 50)], [30, 0], 'a:30 arrears:0'],
  ['beyond it: arrears', [pack('a', 100, 0, 50)], [130, 0], 'a:100 arrears:30'],
  ['after its end: arrears, its rest is lost', [pack('a', 100, 0, 50)], [30, 5], 'a:30 arrears:5'],
  [
    'the earlier end is drawn first',
    [pack('late', 100, 0, 90), pack('soon', 100, 0, 50)],
    [130, 0, 0],
    'soon:100 late:30 arrears:0',
  ],
  [
    'one that never ends is drawn before any dated one',
    [pack('dated', 100, 0, 50), pack('ever', 100, 0, null)],
    [130, 0],
    'ever:100 dated:30 arrears:0',
  ],
  [
    'same end: earlier purchase first, then id',
    [pack('c', 10, 0, 50, -1), pack('b', 10, 0, 50), pack('a', 10, 0, 50)],
    [15, 0],
    'c:10 a:5 b:0 arrears:0',
  ],
  [
    'a package takes nothing that moved before its start',
    [pack('a', 10, 0, 90), pack('b', 100, 20, 50)],
    [30, 5, 0, 0],
    'b:5 a:10 arrears:20',
  ],
])('%s', (_title, packages, usage, expected) => {
  expect(draw(packages, 100, usage).trim()).toBe(expected)
})

test('cuts are whole minutes, ascending, and end at the given moment', () => {
  const packages = [
    { ...pack('a', 1, 0, 10), startMs: 59_999, endMs: 10 * MINUTE + 1 },
    pack('b', 1, 20, null),
  ]
  expect(drawdownIntervals(packages, 30 * MINUTE)).toEqual([
    { startMs: 0, endMs: 10 * MINUTE },
    { startMs: 10 * MINUTE, endMs: 20 * MINUTE },
    { startMs: 20 * MINUTE, endMs: 30 * MINUTE },
  ])
})

const packages = fc.uniqueArray(
  fc.record({
    id: fc.string({ minLength: 1, maxLength: 3 }),
    sizeBytes: fc.bigInt({ min: 0n, max: 1000n }),
    purchasedMs: fc.integer({ min: 0, max: 10 }),
    startMs: fc.integer({ min: 0, max: 100 }).map((minute) => minute * MINUTE),
    endMs: fc.option(fc.integer({ min: 0, max: 200 }).map((minute) => minute * MINUTE)),
  }),
  { selector: ({ id }) => id, maxLength: 6 },
)
const volumes = fc.array(fc.bigInt({ min: 0n, max: 2000n }), { minLength: 13, maxLength: 13 })

function usageOf(packs: readonly DrawablePackage[], bytes: readonly bigint[]): IntervalUsage[] {
  return drawdownIntervals(packs, 150 * MINUTE).map((interval, index) => ({
    ...interval,
    bytes: bytes[index] ?? 0n,
  }))
}

test('every byte is drawn once or in arrears, and no package gives more than it has', () => {
  fc.assert(
    fc.property(packages, volumes, (packs, bytes) => {
      const usage = usageOf(packs, bytes)
      const { draws, arrearsBytes } = drawDown(packs, usage)
      const drawn = draws.reduce((sum, entry) => sum + entry.usedBytes, 0n)
      expect(drawn + arrearsBytes).toBe(usage.reduce((sum, entry) => sum + entry.bytes, 0n))
      for (const entry of draws) {
        expect(entry.usedBytes).toBeLessThanOrEqual(entry.package.sizeBytes)
        expect(entry.usedBytes).toBeGreaterThanOrEqual(0n)
      }
    }),
  )
})

test('the order in which packages are listed changes nothing', () => {
  fc.assert(
    fc.property(packages, volumes, (packs, bytes) => {
      const usage = usageOf(packs, bytes)
      expect(drawDown([...packs].reverse(), usage)).toEqual(drawDown(packs, usage))
    }),
  )
})

test('another package never adds arrears', () => {
  fc.assert(
    fc.property(packages, volumes, (packs, bytes) => {
      fc.pre(packs.length > 0)
      const usage = usageOf(packs, bytes)
      const all = drawDown(packs, usage).arrearsBytes
      const fewer = drawDown(packs.slice(1), usage).arrearsBytes
      expect(all).toBeLessThanOrEqual(fewer)
    }),
  )
})
