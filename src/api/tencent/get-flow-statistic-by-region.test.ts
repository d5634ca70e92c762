import { describe, expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { BEGIN_S, HOUR_S, type Input, RANGE, tc3 } from '../../../test/support/tencent-calls.ts'
import { NOW_MS, standardWorld } from '../../../test/support/world.ts'
import type { RawCall } from '../raw-call.ts'
import { answerTencent } from './dialect.ts'
import { createRateLimiter, REQUESTS_PER_SECOND } from './rate-limit.ts'

interface Reply {
  readonly NetDetails: readonly { readonly Time: string; readonly Current: number }[]
  readonly MaxValue: number
  readonly AvgValue: number
  readonly TotalValue: number
}

function setup(world: FakeWorld) {
  return { ...fakeDeps(world), limiter: createRateLimiter(REQUESTS_PER_SECOND) }
}

async function answer(call: RawCall, deps: ReturnType<typeof setup>): Promise<Reply> {
  const { body } = await answerTencent(call, 'call-1', deps)
  return (JSON.parse(body) as { Response: Reply }).Response
}

/** Devices of two accounts; a gap between 15:00 and 16:00. */
function flowWorld(): FakeWorld {
  const world = standardWorld(NOW_MS + HOUR_S * 1000)
  const base = { meter: 'mna', accountId: 'acc-a', resourceId: 'mna-a' } as const
  const cloud = { ...base, gatewayType: '0', accessRegion: 'MC' } as const
  const at = (seconds: number) => (BEGIN_S + seconds) * 1000
  world.usage.push(
    { ...cloud, atMs: at(0), bytes: 3n, direction: 'up' },
    { ...cloud, atMs: at(61), bytes: 7n, direction: 'down' },
    { ...cloud, atMs: at(HOUR_S), bytes: 5n, direction: 'up', accessRegion: 'EU' },
    { ...cloud, atMs: at(2 * HOUR_S), bytes: 1n, direction: 'up' },
    { ...cloud, atMs: at(0), bytes: 100n, direction: 'up', gatewayType: '1' },
    { ...cloud, atMs: at(0), bytes: 1000n, direction: 'up', accountId: 'acc-b' },
  )
  // Signed calls carry NOW_MS, so the clock must stay near it.
  world.clock.ms = NOW_MS
  return world
}

test('an Error key is absent on success, and answers are byte for byte these', async () => {
  const { body } = await answerTencent(tc3(RANGE), 'call-1', setup(flowWorld()))
  expect(body).toMatchInlineSnapshot(
    `"{"Response":{"NetDetails":[{"Current":10,"Time":"1795240800"},{"Current":5,"Time":"1795244400"}],"MaxValue":10,"AvgValue":7.5,"TotalValue":15,"RequestId":"call-1"}}"`,
  )
})

// bytes per bucket as `<seconds after BeginTime>:<bytes>`, then max, average, total.
describe('what GetFlowStatisticByRegion says', () => {
  const cases: readonly [string, Input, string][] = [
    ['both directions by hour', {}, '0:10 3600:5 | 10 7.5 15'],
    ['uplink only', { Type: 1 }, '0:3 3600:5 | 5 4 8'],
    ['downlink only', { Type: 2 }, '0:7 | 7 7 7'],
    ['one access region', { AccessRegion: 'EU' }, '3600:5 | 5 5 5'],
    ['private gateways', { GatewayType: 1 }, '0:100 | 100 100 100'],
    ['minutes, gaps left out', { TimeGranularity: 3 }, '0:3 60:7 3600:5 | 7 5 15'],
    ['five minutes', { TimeGranularity: 4 }, '0:10 3600:5 | 10 7.5 15'],
    ['local days', { TimeGranularity: 2 }, '-50400:16 | 16 16 16'],
    [
      'the bucket that EndTime touches counts',
      { EndTime: BEGIN_S + HOUR_S - 1 },
      '0:10 | 10 10 10',
    ],
    [
      'both ends are widened to whole buckets',
      { BeginTime: BEGIN_S + 1800, EndTime: BEGIN_S + 1801 },
      '0:10 | 10 10 10',
    ],
    ['nothing moved', { AccessRegion: 'AM' }, '| 0 0 0'],
    ['a range at the epoch', { BeginTime: 0, EndTime: 0 }, '| 0 0 0'],
    [
      'a range that is still to come',
      { BeginTime: BEGIN_S + 1e6, EndTime: BEGIN_S + 2e6 },
      '| 0 0 0',
    ],
  ]
  test.each(cases)('%s', async (_title, input, expected) => {
    const reply = await answer(tc3({ ...RANGE, ...input }), setup(flowWorld()))
    const points = reply.NetDetails.map(
      ({ Time, Current }) => `${Number(Time) - BEGIN_S}:${Current}`,
    )
    const summary = `| ${reply.MaxValue} ${reply.AvgValue} ${reply.TotalValue}`
    expect([...points, summary].join(' ')).toBe(expected)
  })

  test('another account sees its own devices only, a sub-account its parent’s', async () => {
    const key = (name: string) => ({ key: [`pk-${name}`, `sk-${name}`] as const })
    const total = async (name: string) =>
      (await answer(tc3(RANGE, key(name)), setup(flowWorld()))).TotalValue
    expect(await total('b')).toBe(1000)
    expect(await total('sub')).toBe(15)
  })

  test('times are text, as the Go client demands', async () => {
    const reply = await answer(tc3(RANGE), setup(flowWorld()))
    expect(typeof reply.NetDetails[0]?.Time).toBe('string')
  })
})
