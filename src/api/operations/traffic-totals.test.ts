import { expect, test } from 'vitest'
import { fakeDeps, type FakeUsage } from '../../../test/support/fakes.ts'
import { callerOf, NOW_MS, standardWorld } from '../../../test/support/world.ts'
import type { TrafficPackage } from '../../catalog/model.ts'
import { DAY_MS, MINUTE_MS } from '../../core/period.ts'
import { trafficTotals } from './traffic-totals.ts'

/** A package of acc-a; days relative to now, `end` null: never expires. */
function pack(id: string, size: number, start: number, end: number | null, rest = {}) {
  const base: TrafficPackage = {
    id,
    accountId: 'acc-a',
    area: 'cn',
    kind: 'static',
    sizeBytes: BigInt(size),
    purchasedMs: NOW_MS + start * DAY_MS,
    startMs: NOW_MS + start * DAY_MS,
    endMs: end === null ? null : NOW_MS + end * DAY_MS,
  }
  return { ...base, ...rest }
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
    [pack('a', 100, -10, 10), pack('b', 50, -10, 10, { area: 'abroad' })],
    [moved(-1, 7), moved(-1, 9, { area: 'abroad' })],
    'cn 100 7 93 / abroad 50 9 41',
  ],
  [
    'kinds are apart',
    [pack('a', 100, -10, 10), pack('b', 50, -10, 10, { kind: 'dynamic' })],
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
    'usage of this very minute, and of clocks up to 5 minutes ahead, is live',
    [pack('a', 100, -10, 10)],
    [moved(0, 3), moved((5 * MINUTE_MS) / DAY_MS, 4)],
    'cn 100 7 93 / abroad 0 0 0',
  ],
])('%s', async (_title, packages, usage, expected) => {
  expect(await totals(packages, usage)).toBe(expected)
})

test('dynamic packages answer for dynamic traffic', async () => {
  const packages = [pack('a', 100, -10, 10), pack('b', 50, -10, 10, { kind: 'dynamic' })]
  const usage = [moved(-1, 7), moved(-1, 9, { kind: 'dynamic' })]
  expect(await totals(packages, usage, 'dynamic')).toBe('cn 50 9 41 / abroad 0 0 0')
})

test('a sub-account sees its parent’s totals', async () => {
  const world = standardWorld()
  world.trafficPackages.push(pack('a', 100, -10, 10))
  const [cn] = await trafficTotals(callerOf(world, 'acc-sub'), 'static', fakeDeps(world))
  expect(cn).toMatchObject({ totalBytes: 100n })
})
