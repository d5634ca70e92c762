import { describe, expect, test } from 'vitest'
import { fakeDeps } from '../../../test/support/fakes.ts'
import { addResource, callerOf, resource, standardWorld } from '../../../test/support/world.ts'
import { AppError } from '../../core/errors.ts'
import { DAY_MS, HOUR_MS } from '../../core/period.ts'
import type { SeriesGranularity } from './buckets.ts'
import type { ProvinceSeriesQuery } from './ports.ts'
import { provinceBandwidth, wholeBuckets } from './province-bandwidth.ts'

const at = (text: string): number => Date.parse(`${text}+08:00`)
const NOW_MS = at('2026-11-21T15:34:05')

describe('whole buckets, up to the current one', () => {
  test.each<[SeriesGranularity, string, string, string]>([
    ['minute', '10:00:30', '10:01:01', '10:00:00 10:02:00'],
    ['minute', '10:00:00', '10:01:00', '10:00:00 10:01:00'],
    ['5min', '10:01:00', '10:05:01', '10:00:00 10:10:00'],
    ['5min', '15:30:00', '23:00:00', '15:30:00 15:35:00'],
    ['hour', '10:59:59', '11:00:01', '10:00:00 12:00:00'],
    ['hour', '15:10:00', '20:00:00', '15:00:00 16:00:00'],
    ['day', '10:00:00', '10:00:01', '00:00:00 00:00:00'],
    ['5min', '15:40:00', '16:00:00', 'none'],
  ])('%s from %s to %s', (granularity, start, end, expected) => {
    const range = { startMs: at(`2026-11-21T${start}`), endMs: at(`2026-11-21T${end}`) }
    const whole = wholeBuckets(range, granularity, { zone: 'Asia/Shanghai', nowMs: NOW_MS })
    const clock = (ms: number) => new Date(ms + 8 * HOUR_MS).toISOString().slice(11, 19)
    const actual = whole === undefined ? 'none' : `${clock(whole.startMs)} ${clock(whole.endMs)}`
    expect(actual).toBe(expected)
  })
})

/** Asks, and returns either what reached the store or the error with its field. */
async function ask(
  input: Partial<Parameters<typeof provinceBandwidth>[1]>,
  world = standardWorld(NOW_MS),
): Promise<ProvinceSeriesQuery | string> {
  let seen: ProvinceSeriesQuery | string = 'not asked'
  const deps = fakeDeps(world)
  const usage = {
    ...deps.usage,
    provinceSeriesJson: async (query: ProvinceSeriesQuery) => {
      seen = query
      return '[]'
    },
  }
  try {
    const text = await provinceBandwidth(
      callerOf(world, 'acc-a'),
      {
        projectId: 'org-a',
        startMs: NOW_MS - HOUR_MS,
        endMs: NOW_MS,
        granularity: '5min',
        domains: [],
        provinces: [],
        isp: undefined,
        listNames: ['L'],
        ...input,
      },
      { ...deps, usage },
    )
    return seen === 'not asked' ? text : seen
  } catch (error) {
    if (error instanceof AppError) return `${error.code} ${error.field}`
    throw error
  }
}

describe('ranges', () => {
  const days = (count: number) => ({ startMs: NOW_MS - count * DAY_MS, endMs: NOW_MS })
  test.each<[SeriesGranularity, number, boolean]>([
    ['minute', 3, true],
    ['minute', 3.01, false],
    ['5min', 30, true],
    ['5min', 30.01, false],
    ['hour', 30, true],
    ['hour', 30.01, false],
    ['day', 32, true],
    ['day', 32.01, false],
  ])('%s over %d days: %s', async (granularity, count, isAllowed) => {
    const outcome = await ask({ granularity, ...days(count) })
    expect(outcome === 'parameter_invalid end').toBe(!isAllowed)
  })

  test('one year back, not more', async () => {
    const old = { startMs: NOW_MS - 365 * DAY_MS, endMs: NOW_MS - 364 * DAY_MS }
    expect(await ask(old)).toMatchObject({ granularity: '5min' })
    const older = { startMs: NOW_MS - 367 * DAY_MS, endMs: NOW_MS - 366 * DAY_MS }
    expect(await ask(older)).toBe('parameter_invalid start')
  })

  test('requested provinces come back empty for a range that is still to come', async () => {
    const later = { startMs: NOW_MS + HOUR_MS, endMs: NOW_MS + 2 * HOUR_MS }
    const provinces = [
      { index: 0, value: 'shanghai' },
      { index: 1, value: 'anhui' },
    ]
    expect(await ask({ ...later, provinces })).toBe(
      '[{"Province":"anhui","L":[]},{"Province":"shanghai","L":[]}]',
    )
  })
})

test('a domain may be named by id or name, and twice', async () => {
  const domains = ['ucdn-a', 'ucdn-a.example.com'].map((value, index) => ({ index, value }))
  expect(await ask({ domains })).toMatchObject({
    accountId: 'acc-a',
    projectIds: ['org-a'],
    resourceIds: ['ucdn-a'],
  })
})

test('a domain that moved to another project keeps its past with the old one', async () => {
  const world = standardWorld(NOW_MS)
  addResource(world, resource('ucdn-m', 'cdn', 'org-a'))
  const [last] = world.versions.slice(-1)
  if (last !== undefined) world.versions.push({ ...last, fromMs: NOW_MS, projectId: 'org-a2' })
  const domains = [{ index: 0, value: 'ucdn-m' }]
  expect(await ask({ domains }, world)).toMatchObject({ projectIds: ['org-a'] })
  expect(await ask({ domains, projectId: 'org-b' }, world)).toBe('not_found domain.0')
})
