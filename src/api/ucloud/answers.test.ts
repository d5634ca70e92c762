import { describe, expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { type How, type Input, signedCall } from '../../../test/support/ucloud-calls.ts'
import {
  BRAND,
  NOW_MS,
  standardWorld,
  TODAY_MS,
  trafficPackage,
} from '../../../test/support/world.ts'
import { answerUcloud } from './dialect.ts'

const DAY_S = 86_400
const TODAY_S = TODAY_MS / 1000
const GB = 1024n ** 3n

async function ask(action: string, input: Input, how: How, world: FakeWorld) {
  const { body } = await answerUcloud(signedCall(action, input, how), 'c', fakeDeps(world))
  return JSON.parse(body) as object
}

/** A world in which every call has something to say. */
function busyWorld(): FakeWorld {
  const world = standardWorld()
  const pack = trafficPackage({ purchasedMs: 0, startMs: TODAY_MS - DAY_S * 10_000 })
  const yearMs = TODAY_MS + 300 * DAY_S * 1000
  world.trafficPackages.push(
    { ...pack, id: 'p1', sizeBytes: 100n * GB, endMs: yearMs },
    { ...pack, id: 'p2', areas: ['abroad'], sizeBytes: 5n * GB, endMs: null },
    { ...pack, id: 'p3', kinds: ['dynamic'], sizeBytes: 7n * GB, endMs: yearMs },
  )
  const cdn = {
    meter: 'cdn',
    accountId: 'acc-a',
    resourceId: 'ucdn-a',
    projectId: 'org-a',
  } as const
  const eip = { meter: 'eip', accountId: 'acc-a', resourceId: 'eip-a' } as const
  world.usage.push(
    { ...cdn, atMs: TODAY_MS, bytes: 37_500_000n, province: 'shanghai', isp: 'dianxin' },
    { ...cdn, atMs: TODAY_MS + 300_000, bytes: 75_000_000n, province: 'anhui', isp: 'yidong' },
    { ...cdn, atMs: NOW_MS, bytes: 20n * GB - 112_500_000n, province: 'others' },
    { ...cdn, atMs: NOW_MS, bytes: 6n * GB, area: 'abroad', province: 'others' },
    { ...eip, atMs: TODAY_MS - 1, bytes: 3n * GB - 1n, direction: 'out' },
    { ...eip, atMs: TODAY_MS, bytes: 5n * GB + 1n, direction: 'out' },
    { ...eip, atMs: TODAY_MS, bytes: 50n * GB, direction: 'in' },
  )
  world.closedDays.push({
    resourceId: 'eip-a',
    startMs: TODAY_MS - 2 * DAY_S * 1000,
    endMs: TODAY_MS - DAY_S * 1000,
    quantityGb: 9n,
  })
  world.exclusivePackages.push({
    id: 'x1',
    accountId: 'acc-a',
    resourceId: 'eip-a',
    sizeBytes: 10n * GB,
    resetPolicy: 'Month',
    createdMs: Date.UTC(2026, 0, 31, 4, 30, 15),
    deletedMs: null,
  })
  return world
}

// One file per answer, so that a reviewer reads what a client reads.
describe('answers, byte for byte', () => {
  const range = { BeginTime: TODAY_S + 7, EndTime: TODAY_S + 590 }
  const billing = { Region: 'cn-bj2', Zone: 'cn-bj2-02', EIPId: 'eip-a' }
  const days = { StartTime: TODAY_S - 2 * DAY_S, EndTime: TODAY_S + 3 * DAY_S }
  test.each<[string, string, Input, How]>([
    ['traffic', 'GetUcdnTrafficV2', {}, {}],
    ['traffic-dcdn', 'GetUcdnTrafficV2', { IsDcdn: true }, {}],
    ['traffic-no-packages', 'GetUcdnTrafficV2', {}, { key: ['pk-b', 'sk-b'] }],
    ['series', 'GetUcdnProIspBandwidthV2', { ...range, Type: 0 }, {}],
    [
      'series-requested-province',
      'GetUcdnProIspBandwidthV2',
      { ...range, Type: 0, 'Province.n': 'xizang', Isp: 'dianxin' },
      {},
    ],
    [
      'series-plain',
      'GetUcdnProIspBandwidthV2',
      { ...range, Type: 0, 'Province.0': 'anhui' },
      { key: ['pk-plain', 'sk-plain'], host: 'api.plain.example' },
    ],
    ['daily-billing', 'GetThroughputDailyBillingInfo', { ...billing, ...days }, {}],
    ['exclusive', 'GetEIPExclusiveUTPInfo', billing, {}],
    ['projects', 'GetProjectList', {}, {}],
    ['regions', 'GetRegion', {}, {}],
  ])('%s', async (file, action, input, how) => {
    const { body } = await answerUcloud(signedCall(action, input, how), 'c', fakeDeps(busyWorld()))
    await expect(`${body}\n`).toMatchFileSnapshot(`./testdata/answers/${file}.json`)
  })

  test('the aliases of the examples are off for a brand that does not want them', async () => {
    const world = busyWorld()
    world.brands[0] = { ...BRAND, responseAliases: false }
    expect(
      await ask('GetThroughputDailyBillingInfo', { ...billing, ...days }, {}, world),
    ).not.toHaveProperty('TotalOutSize')
    expect(await ask('GetEIPExclusiveUTPInfo', billing, {}, world)).not.toHaveProperty(
      'ExclusiveInfo',
    )
    const series = await ask('GetUcdnProIspBandwidthV2', { ...range, Type: 0 }, {}, world)
    expect(JSON.stringify(series)).not.toContain('"BandwidthList"')
  })
})
