import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { breadthOf, isInScope } from './package-scope.ts'
import type { PackageScope } from './package-terms.ts'
import type { DayWindow } from './rules.ts'
import { isInWindows, localMinuteOf } from './traffic-windows.ts'

const ANY: PackageScope = {
  areas: null,
  kinds: null,
  projectIds: null,
  resourceIds: null,
  windows: [],
}
const NIGHT: DayWindow = { fromMinute: 22 * 60, toMinute: 6 * 60 }
const NOON: DayWindow = { fromMinute: 12 * 60, toMinute: 13 * 60 }

test.each<[string, Partial<PackageScope>, boolean]>([
  ['a package for anything takes it', {}, true],
  ['its area', { areas: ['cn'] }, true],
  ['another area', { areas: ['abroad'] }, false],
  ['a static package never pays for dynamic traffic', { kinds: ['static'] }, false],
  ['its project', { projectIds: ['p0', 'p1'] }, true],
  ['another project', { projectIds: ['p2'] }, false],
  ['another resource of its project', { projectIds: ['p1'], resourceIds: ['r2'] }, false],
  ['outside of its hours', { windows: [NIGHT] }, false],
  ['one of its hours is enough', { windows: [NIGHT, NOON] }, true],
  ['a list of nothing lets nothing in', { areas: [] }, false],
])('scope: %s', (_title, scope, wanted) => {
  const usage = {
    startMs: 0,
    area: 'cn',
    billingRegion: 'cn',
    kind: 'dynamic',
    projectId: 'p1',
    resourceId: 'r1',
    bytes: 1n,
  } as const
  expect(isInScope({ ...ANY, ...scope }, usage, 720)).toBe(wanted)
})

test('hours are local: half-hour zones and daylight saving count', () => {
  const noonUtc = Date.UTC(2026, 6, 1, 12)
  // Kolkata is 5:30 ahead of UTC; New York is four hours behind in summer and five in winter.
  expect(localMinuteOf(noonUtc, 'Asia/Kolkata')).toBe(17 * 60 + 30)
  expect(localMinuteOf(noonUtc, 'America/New_York')).toBe(8 * 60)
  expect(localMinuteOf(Date.UTC(2026, 0, 1, 12), 'America/New_York')).toBe(7 * 60)
})

test('overlapping hours are open once, and what counts as open is what lets in', () => {
  // Night is 8 hours, 480 minutes; 23:00-01:00 lies inside of it.
  const inside = { fromMinute: 23 * 60, toMinute: 60 }
  expect(breadthOf({ ...ANY, windows: [NIGHT, inside] }).at(-1)).toBe(480)
  const minute = fc.integer({ min: 0, max: 1439 })
  const windows = fc.array(fc.record({ fromMinute: minute, toMinute: minute }), { maxLength: 3 })
  fc.assert(
    fc.property(windows, (list) => {
      const open = Array.from({ length: 1440 }, (_, at) => at).filter((at) => isInWindows(list, at))
      expect(breadthOf({ ...ANY, windows: list }).at(-1)).toBe(open.length)
    }),
    { numRuns: 30 },
  )
})
