import { describe, expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { type How, type Input, signedCall } from '../../../test/support/ucloud-calls.ts'
import { NOW_MS, standardWorld } from '../../../test/support/world.ts'
import { answerUcloud } from './dialect.ts'

async function buy(input: Input, world: FakeWorld, how: How = {}): Promise<string> {
  const call = signedCall('BuyUcdnTraffic', input, how)
  return (await answerUcloud(call, 'c', fakeDeps(world))).body
}

const DONE = '{"Action":"BuyUcdnTrafficResponse","RetCode":0}'

test('the answer is the envelope alone, and the account has the package for a year', async () => {
  const world = standardWorld()
  expect(await buy({ Traffic: 100, Areacode: 'cn' }, world)).toBe(DONE)
  expect(world.orders).toEqual([
    {
      account: 'acc-a',
      meter: 'cdn',
      offer: { sizeBytes: 100n << 30n, area: 'cn', kind: 'static', plainMonths: 12 },
      resources: null,
      actor: 'account acc-a',
    },
  ])
  expect(world.trafficPackages).toMatchObject([
    { accountId: 'acc-a', areas: ['cn'], kinds: ['static'], offer: 'cn-100gib-year' },
  ])
  const [bought] = world.trafficPackages
  expect(bought?.endMs).toBe(Date.UTC(2027, 10, 21, 7, 34, 5))
  expect(bought?.purchasedMs).toBe(NOW_MS)
})

test('what was bought is in the totals at once, and each call buys another one', async () => {
  const world = standardWorld()
  const deps = fakeDeps(world)
  const total = async () => {
    const { body } = await answerUcloud(signedCall('GetUcdnTrafficV2', {}), 'c', deps)
    const { TrafficSet } = JSON.parse(body) as { TrafficSet: { TrafficTotal: number }[] }
    return TrafficSet.map(({ TrafficTotal }) => TrafficTotal)
  }
  expect(await total()).toEqual([0, 0])
  for (const Traffic of [10, 10]) {
    await answerUcloud(signedCall('BuyUcdnTraffic', { Traffic }), 'c', deps)
  }
  expect(await total()).toEqual([20, 0])
})

describe('how it may be said', () => {
  test.each<[string, Input, How]>([
    ['a form, without an area', { Traffic: 10 }, {}],
    ['a query', { Traffic: '10', Areacode: 'cn' }, { encoding: 'query' }],
    ['flat JSON', { Traffic: 10, Areacode: 'cn' }, { encoding: 'json' }],
    ['an empty area is none', { Traffic: 10, Areacode: '' }, {}],
    ['an unknown parameter is ignored', { Traffic: 10, Coupon: 'x' }, {}],
  ])('%s', async (_title, input, how) => {
    const world = standardWorld()
    expect(await buy(input, world, how)).toBe(DONE)
    expect(world.trafficPackages).toMatchObject([{ offer: 'cn-10gib-year' }])
  })
})

test('a sub-account buys nothing, with a project or without: its parent pays', async () => {
  const world = standardWorld()
  const key = { key: ['pk-sub', 'sk-sub'] } as const
  expect(await buy({ Traffic: 10 }, world, key)).toContain('"RetCode":299')
  const named = await buy({ Traffic: 10, ProjectId: 'org-a' }, world, key)
  expect(named).toContain('"RetCode":299')
  expect(world.orders).toEqual([])
})

describe('what is refused, and buys nothing', () => {
  const cases: readonly [string, Input, string][] = [
    ['no volume', {}, '"RetCode":220,"Message":"Missing params [Traffic]"'],
    ['nothing', { Traffic: 0 }, '"RetCode":230,"Message":"Params [Traffic] not available"'],
    ['less than nothing', { Traffic: -10 }, '"RetCode":230,"Message":"Params [Traffic]'],
    ['half a GB', { Traffic: 1.5 }, '"RetCode":230,"Message":"Params [Traffic] not available"'],
    ['words', { Traffic: 'much' }, '"RetCode":230,"Message":"Params [Traffic] not available"'],
    ['an area that is none', { Traffic: 10, Areacode: 'mars' }, 'Params [Areacode] not available'],
    ['a volume that is not offered', { Traffic: 11 }, 'Params [Traffic] not available'],
    ['a volume beyond all', { Traffic: 9e15 }, 'Params [Traffic] not available'],
    // The pack counts in GiB; this brand sells abroad by 1000^3 bytes.
    ['a GB of another size', { Traffic: 10, Areacode: 'abroad' }, 'Params [Traffic] not available'],
    ['a foreign project', { Traffic: 10, ProjectId: 'org-b' }, '"RetCode":292'],
  ]
  test.each(cases)('%s', async (_title, input, expected) => {
    const world = standardWorld()
    expect(await buy(input, world)).toContain(expected)
    expect(world.trafficPackages).toEqual([])
  })
})
