import { expect, test } from 'vitest'
import { DAY_MS } from '../core/period.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { createAlertUsage } from './alert-usage.ts'
import type { BooksSlotQuery, BooksTrafficQuery, BooksUsage } from './books-usage.ts'

const KEY = { accountId: 'acc-1', meter: 'cdn' } as const
const DAYS = [0, 1].map((day) => ({ startMs: day * DAY_MS, endMs: (day + 1) * DAY_MS }))
const ANY = { areas: null, kinds: null, projectIds: null, resourceIds: null }

const entry = (bytes: bigint, changes: Partial<TrafficUsage> = {}): TrafficUsage => ({
  startMs: 0,
  resourceId: 'ucdn-1',
  projectId: 'org-1',
  area: 'cn',
  billingRegion: changes.area ?? 'cn',
  province: '',
  kind: 'static',
  direction: 'out',
  bytes,
  ...changes,
})

const USAGE = [
  entry(1n),
  entry(10n, { startMs: DAY_MS }),
  entry(100n, { direction: 'in' }),
  entry(1000n, { area: 'abroad' }),
  entry(300n, { area: 'abroad', billingRegion: 'apac1' }),
  entry(10_000n, { kind: 'dynamic' }),
  entry(100_000n, { projectId: 'org-2', resourceId: 'ucdn-2' }),
]

function booksOf(
  asked: (BooksTrafficQuery | BooksSlotQuery)[],
): Pick<BooksUsage, 'traffic' | 'slots'> {
  return {
    traffic: async (query) => {
      asked.push(query)
      return new Map([
        ['acc-1', USAGE],
        ['acc-2', [entry(7n)]],
      ])
    },
    slots: async (query) => {
      asked.push(query)
      const slot = { startMs: 0, inBytes: 1n, outBytes: 2n }
      return new Map([['acc-1', [{ memberId: 'acc-1', slots: [slot] }]]])
    },
  }
}

test.each([
  ['all that goes out, day by day', {}, [111_301n, 10n]],
  ['one area, whatever its region', { areas: ['abroad'] }, [1300n, 0n]],
  ['one region', { areas: ['apac1'] }, [300n, 0n]],
  ['no known region', { areas: ['abroad-other'] }, [1000n, 0n]],
  ['one kind', { kinds: ['dynamic'] }, [10_000n, 0n]],
  ['one project', { projectIds: ['org-2'] }, [100_000n, 0n]],
  ['one resource', { resourceIds: ['ucdn-1'] }, [11_301n, 10n]],
] as const)('days are sums of %s', async (_title, scope, expected) => {
  const asked: (BooksTrafficQuery | BooksSlotQuery)[] = []
  const usage = createAlertUsage(booksOf(asked))
  expect(await usage.dailyBytes(KEY, DAYS, { ...ANY, ...scope })).toEqual(expected)
  const byRegion = 'areas' in scope && scope.areas[0] !== 'abroad'
  expect(asked).toMatchObject([
    { accountIds: ['acc-1'], throughBatch: null, cutsMs: [0, DAY_MS], endMs: 2 * DAY_MS, byRegion },
  ])
})

test('an account that moved nothing has days of nothing and no slots', async () => {
  const usage = createAlertUsage(booksOf([]))
  const key = { ...KEY, accountId: 'acc-9' }
  expect(await usage.dailyBytes(key, DAYS, ANY)).toEqual([0n, 0n])
  expect(await usage.slots(key, { startMs: 0, endMs: DAY_MS })).toEqual([])
})

test('slots are those of the whole account', async () => {
  const asked: (BooksTrafficQuery | BooksSlotQuery)[] = []
  const usage = createAlertUsage(booksOf(asked))
  const interval = { startMs: 0, endMs: DAY_MS }
  expect(await usage.slots(KEY, interval)).toEqual([{ startMs: 0, inBytes: 1n, outBytes: 2n }])
  expect(asked).toMatchObject([{ ...interval, member: 'account', throughBatch: null }])
})
