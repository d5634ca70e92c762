import { expect, test } from 'vitest'
import { DEFAULT_BURN_ORDER } from './package-order.ts'
import type { PackageUsage, PrepaidPackage } from './package-terms.ts'
import { runTimeline } from './package-timeline.ts'

const HOUR = 3_600_000
const MIDNIGHT = Date.parse('2026-05-01T00:00:00+08:00')
const at = (hour: number) => MIDNIGHT + hour * HOUR
const OPTIONS = {
  zone: 'Asia/Shanghai',
  order: DEFAULT_BURN_ORDER,
  absorb: 'larger-package',
} as const

function pack(id: string, sizeBytes: bigint, start: number, end: number): PrepaidPackage {
  const scope = { areas: null, kinds: null, projectIds: null, resourceIds: null, windows: [] }
  return {
    ...scope,
    id,
    sizeBytes,
    purchasedMs: at(start),
    startMs: at(start),
    validity: { type: 'from-purchase', endMs: at(end) },
  }
}

function moved(hour: number, bytes: bigint): PackageUsage {
  const labels = {
    area: 'cn',
    billingRegion: 'cn',
    kind: 'static',
    projectId: 'p',
    resourceId: 'r',
  } as const
  return { startMs: at(hour), ...labels, bytes }
}

/** Two days told as postings, absorptions, rests and what is owed at the end. */
function run(packages: readonly PrepaidPackage[], usage: readonly PackageUsage[]) {
  const interval = { startMs: at(0), endMs: at(48) }
  const result = runTimeline(interval, packages, usage, OPTIONS)
  const day = (dayMs: number) => (dayMs - MIDNIGHT) / (24 * HOUR)
  const total = (list: readonly PackageUsage[]) => list.reduce((sum, { bytes }) => sum + bytes, 0n)
  return [
    ...result.postings.map((one) => `${day(one.dayMs)}:${one.packageId ?? '-'}=${one.bytes}`),
    ...result.absorptions.map((one) => `${one.packageId} pays ${total(one.absorbed)}`),
    ...result.balances.map((one) => `${one.packageId} has ${one.remainingBytes}`),
    `owed ${total(result.arrears)}`,
  ].join(', ')
}

test.each<[string, readonly PrepaidPackage[], readonly PackageUsage[], string]>([
  [
    // 100 of 130 from the old; 30 owed. The new 50 pays 30 at once, and 15 of the next day.
    'arrears are absorbed by a larger package, and later usage is drawn from its rest',
    [pack('old', 100n, 0, 99), pack('new', 50n, 20, 99)],
    [moved(5, 130n), moved(25, 15n)],
    '0:old=100, 0:-=30, 1:new=15, new pays 30, new has 5, old has 0, owed 0',
  ],
  [
    // The new 30 is not larger than 30: its whole volume goes to the next day.
    'an equal package leaves the arrears and keeps its volume',
    [pack('old', 100n, 0, 99), pack('new', 30n, 20, 99)],
    [moved(5, 130n), moved(25, 15n)],
    '0:old=100, 0:-=30, 1:new=15, new has 15, old has 0, owed 30',
  ],
  [
    // At 20 h 30 are owed. The one that ends earlier is too small; the other pays.
    'of packages that begin together, the first in the burn order that is larger pays',
    [pack('a', 60n, 20, 99), pack('b', 70n, 20, 90), pack('c', 20n, 20, 80)],
    [moved(5, 30n)],
    '0:-=30, b pays 30, a has 60, b has 40, c has 20, owed 0',
  ],
  [
    // A slot that begins with the package is paid for as usage, after the arrears before it.
    'what moves as the package begins is no arrears',
    [pack('a', 10n, 20, 99)],
    [moved(19, 8n), moved(20, 8n)],
    '0:a=2, 0:-=14, a pays 8, a has 0, owed 6',
  ],
  [
    // The interval ends at 48 h: that purchase belongs to the next one.
    'a package that begins as the interval ends pays nothing in it',
    [pack('a', 10n, 48, 99)],
    [moved(47, 8n)],
    '1:-=8, a has 10, owed 8',
  ],
  [
    'postings of a day that a purchase cuts are summed',
    [pack('z', 10n, 0, 99), pack('a', 1n, 12, 20)],
    [moved(1, 4n), moved(13, 4n)],
    '0:a=1, 0:z=7, a has 0, z has 3, owed 0',
  ],
])('%s', (_title, packages, usage, wanted) => {
  expect(run(packages, usage)).toBe(wanted)
  expect(run([...packages].reverse(), [...usage].reverse())).toBe(wanted)
})

test('usage outside of the interval is our mistake', () => {
  expect(() => run([], [moved(48, 1n)])).toThrow('assertion failed')
  expect(() => run([], [moved(-1, 1n)])).toThrow('assertion failed')
})
