import { expect, test } from 'vitest'
import { fakeDeps, type FakeUsage } from '../../../test/support/fakes.ts'
import { callerOf, NOW_MS, standardWorld, trafficPackage } from '../../../test/support/world.ts'
import type { TrafficPackage } from '../../catalog/model.ts'
import { DAY_MS, MINUTE_MS } from '../../core/period.ts'
import { trafficTotals } from './traffic-totals.ts'

/** A package of acc-a; days relative to now, `end` null: never expires. */
function pack(
  id: string,
  size: number,
  start: number,
  end: number | null,
  rest: Partial<TrafficPackage> = {},
) {
  return trafficPackage({
    id,
    sizeBytes: BigInt(size),
    purchasedMs: NOW_MS + start * DAY_MS,
    startMs: NOW_MS + start * DAY_MS,
    endMs: end === null ? null : NOW_MS + end * DAY_MS,
    ...rest,
  })
}

/** Bytes of acc-a moved some days from now. */
function moved(days: number, bytes: number, rest: Partial<FakeUsage> = {}): FakeUsage {
  return {
    meter: 'cdn',
    accountId: 'acc-a',
    resourceId: 'ucdn-a',
    atMs: NOW_MS + days * DAY_MS,
    bytes: BigInt(bytes),
    ...rest,
  }
}

/** `cn total used left / abroad total used left`. */
async function totals(
  packages: readonly TrafficPackage[],
  usage: readonly FakeUsage[],
  kind: 'static' | 'dynamic' = 'static',
) {
  const world = standardWorld()
  world.trafficPackages.push(...packages)
  world.usage.push(...usage)
  const areas = await trafficTotals(callerOf(world, 'acc-a'), kind, fakeDeps(world))
  return areas
    .map((row) => `${row.area} ${row.totalBytes} ${row.usedBytes} ${row.leftBytes}`)
    .join(' / ')
}

test.each<[string, readonly TrafficPackage[], readonly FakeUsage[], string]>([
  ['no package: zeros, whatever moved', [], [moved(-1, 5)], 'cn 0 0 0 / abroad 0 0 0'],
  ['what moved is used', [pack('a', 100, -10, 10)], [moved(-1, 30)], 'cn 100 30 70 / abroad 0 0 0'],
  [
    'what moved before the package began is not',
    [pack('a', 100, -10, 10)],
    [moved(-11, 30)],
    'cn 100 0 100 / abroad 0 0 0',
  ],
  [
    'usage beyond the packages is in no number, and nothing is negative',
    [pack('a', 100, -10, 10)],
    [moved(-1, 130)],
    'cn 100 100 0 / abroad 0 0 0',
  ],
  [
    'an ended package counts no more, nor what it gave',
    [pack('old', 100, -20, -5), pack('new', 50, -10, 10)],
    [moved(-6, 80), moved(-1, 10)],
    'cn 50 10 40 / abroad 0 0 0',
  ],
  [
    'a package that has not begun does not count yet',
    [pack('a', 100, -10, 10), pack('b', 50, 1, 20)],
    [moved(-1, 130)],
    'cn 100 100 0 / abroad 0 0 0',
  ],
  [
    'a package without end is drawn first',
    [pack('dated', 100, -10, 10), pack('ever', 10, -10, null)],
    [moved(-1, 30)],
    'cn 110 30 80 / abroad 0 0 0',
  ],
  [
    'areas are apart',
    [pack('a', 100, -10, 10), pack('b', 50, -10, 10, { areas: ['abroad'] })],
    [moved(-1, 7), moved(-1, 9, { area: 'abroad' })],
    'cn 100 7 93 / abroad 50 9 41',
  ],
  [
    // apac1's 50 end first and give 20 to its 20; eu-na's 9 are the unified package's.
    'packages for regions abroad count there',
    [pack('a', 100, -10, 10, { areas: ['abroad'] }), pack('b', 50, -10, 5, { areas: ['apac1'] })],
    [
      moved(-1, 20, { area: 'abroad', billingRegion: 'apac1' }),
      moved(-1, 9, { area: 'abroad', billingRegion: 'eu-na' }),
    ],
    'cn 0 0 0 / abroad 150 29 121',
  ],
  [
    'what no region is known of, a package for a region does not pay for',
    [pack('b', 50, -10, 5, { areas: ['apac1'] })],
    [moved(-1, 20, { area: 'abroad' }), moved(-1, 7)],
    'cn 0 0 0 / abroad 50 0 50',
  ],
  [
    'kinds are apart',
    [pack('a', 100, -10, 10), pack('b', 50, -10, 10, { kinds: ['dynamic'] })],
    [moved(-1, 7), moved(-1, 9, { kind: 'dynamic' })],
    'cn 100 7 93 / abroad 0 0 0',
  ],
  [
    'accounts are apart',
    [pack('a', 100, -10, 10), pack('b', 50, -10, 10, { accountId: 'acc-b' })],
    [moved(-1, 7), moved(-1, 9, { accountId: 'acc-b' })],
    'cn 100 7 93 / abroad 0 0 0',
  ],
  [
    'a package of both areas is whole in both rows, and gives to either',
    [pack('a', 100, -10, 10, { areas: ['abroad', 'cn'] }), pack('b', 10, -10, 5)],
    [moved(-1, 17), moved(-1, 9, { area: 'abroad' })],
    // b ends first and gives 10 of the 17; a gives the other 7, and 9 abroad.
    'cn 110 26 84 / abroad 100 16 84',
  ],
  [
    'a package of any kind gives to dynamic traffic, too',
    [pack('a', 100, -10, 10, { kinds: null })],
    [moved(-1, 7), moved(-1, 9, { kind: 'dynamic' })],
    'cn 100 16 84 / abroad 0 0 0',
  ],
  [
    'a package that was given back takes part in nothing',
    [pack('a', 100, -10, 10, { refundedMs: NOW_MS, refundAmount: 0n }), pack('b', 50, -10, 20)],
    [moved(-1, 7)],
    'cn 50 7 43 / abroad 0 0 0',
  ],
  [
    'packages of other meters are other packages',
    [pack('a', 100, -10, 10, { meter: 'mna', areas: null, kinds: null })],
    [moved(-1, 7)],
    'cn 0 0 0 / abroad 0 0 0',
  ],
  [
    'packages for some projects, resources or times only are left out',
    [
      pack('a', 1, -10, 10, { projectIds: ['org-a'] }),
      pack('b', 2, -10, 10, { resourceIds: ['ucdn-a'] }),
      pack('c', 4, -10, 10, { windows: [{ fromMinute: 0, toMinute: 480 }] }),
      pack('d', 8, -10, null, { firstUseMonths: 12 }),
    ],
    [moved(-1, 7)],
    'cn 0 0 0 / abroad 0 0 0',
  ],
  [
    'usage of this very minute, and of clocks up to 5 minutes ahead, is live',
    [pack('a', 100, -10, 10)],
    [moved(0, 3), moved((5 * MINUTE_MS) / DAY_MS, 4)],
    'cn 100 7 93 / abroad 0 0 0',
  ],
])('%s', async (_title, packages, usage, expected) => {
  expect(await totals(packages, usage)).toBe(expected)
})

test('dynamic packages answer for dynamic traffic', async () => {
  const packages = [pack('a', 100, -10, 10), pack('b', 50, -10, 10, { kinds: ['dynamic'] })]
  const usage = [moved(-1, 7), moved(-1, 9, { kind: 'dynamic' })]
  expect(await totals(packages, usage, 'dynamic')).toBe('cn 50 9 41 / abroad 0 0 0')
})

test('a sub-account sees its parent’s totals', async () => {
  const world = standardWorld()
  world.trafficPackages.push(pack('a', 100, -10, 10))
  const [cn] = await trafficTotals(callerOf(world, 'acc-sub'), 'static', fakeDeps(world))
  expect(cn).toMatchObject({ totalBytes: 100n })
})
