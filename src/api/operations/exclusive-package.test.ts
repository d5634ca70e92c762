import { expect, test } from 'vitest'
import { fakeDeps } from '../../../test/support/fakes.ts'
import { callerOf, standardWorld } from '../../../test/support/world.ts'
import type { ResetPolicy } from '../../core/period.ts'
import { exclusivePackage } from './exclusive-package.ts'

const MB = 1024n ** 2n
const at = (text: string): number => Date.parse(`${text}+08:00`)

/** What is left at a moment of a package of 100 MB, and the period in Shanghai time. */
async function left(
  policy: ResetPolicy,
  created: string,
  now: string,
  moved: readonly (readonly [string, number])[] = [],
) {
  const world = standardWorld(at(now))
  world.exclusivePackages.push({
    id: 'x',
    accountId: 'acc-a',
    resourceId: 'eip-a',
    sizeBytes: 100n * MB,
    resetPolicy: policy,
    createdMs: at(created),
    deletedMs: null,
  })
  for (const [when, megabytes] of moved) {
    world.usage.push({
      meter: 'eip',
      accountId: 'acc-a',
      resourceId: 'eip-a',
      atMs: at(when),
      bytes: BigInt(megabytes) * MB,
      direction: 'out',
    })
  }
  const question = { projectId: 'org-a', region: 'cn-bj2', zone: 'cn-bj2-02', eip: 'eip-a' }
  const state = await exclusivePackage(callerOf(world, 'acc-a'), question, fakeDeps(world))
  const local = (ms: number): string =>
    new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
  return `${state.availableMb} from ${local(state.period.startMs)} to ${local(state.period.endMs)}`
}

test.each<[string, Promise<string>, string]>([
  [
    'a month counts from the moment of creation',
    left('Month', '2025-01-15T12:30:15', '2025-03-15T12:30:14', [['2025-02-20T00:00:00', 10]]),
    '90 from 2025-02-15 12:30:15 to 2025-03-15 12:30:15',
  ],
  [
    'at the reset moment it is full again',
    left('Month', '2025-01-15T12:30:15', '2025-03-15T12:30:15', [['2025-02-20T00:00:00', 10]]),
    '100 from 2025-03-15 12:30:15 to 2025-04-15 12:30:15',
  ],
  [
    'a 31st is clamped in short months and comes back',
    left('Month', '2025-01-31T08:00:00', '2025-03-30T00:00:00'),
    '100 from 2025-02-28 08:00:00 to 2025-03-31 08:00:00',
  ],
  [
    'a day counts from the time of creation',
    left('Day', '2025-01-15T22:00:00', '2025-06-02T21:59:59', [
      ['2025-06-01T21:59:59', 50],
      ['2025-06-01T22:00:00', 7],
    ]),
    '93 from 2025-06-01 22:00:00 to 2025-06-02 22:00:00',
  ],
  [
    'a year that began on 29 February',
    left('Year', '2024-02-29T00:00:00', '2025-03-01T00:00:00'),
    '100 from 2025-02-28 00:00:00 to 2026-02-28 00:00:00',
  ],
  [
    'an overrun leaves nothing, never less',
    left('Month', '2025-01-15T00:00:00', '2025-01-20T00:00:00', [['2025-01-16T00:00:00', 900]]),
    '0 from 2025-01-15 00:00:00 to 2025-02-15 00:00:00',
  ],
])('%s', async (_title, actual, expected) => {
  expect(await actual).toBe(expected)
})
