import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  buildWeir,
  endChildren,
  serveWeir,
  until,
  type Json,
  type WeirServer,
} from '../support/built-weir.ts'
import { registerWorld, sendUsage, USAGE, type Party } from '../support/contract-world.ts'
import { loadTencentSdks } from '../support/tencent-sdks.ts'
import { callUcloud } from '../support/ucloud-signer.ts'

interface Sdk {
  readonly mna: {
    readonly v20210119: {
      readonly Client: new (config: object) => {
        OrderFlowPackage(input: object): Promise<{ readonly ResourceId: string }>
      }
    }
  }
}

let folder: string
let server: WeirServer
let mine: Party

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-e2e-orders-'))
  await buildWeir()
  server = await serveWeir(join(folder, 'data'), '--empty')
  ;({ mine } = await registerWorld(server))
  await sendUsage(server.url, mine.token, 'cdn', USAGE.mine['cdn'] ?? [])
})

afterAll(async () => {
  await endChildren()
  await rm(folder, { recursive: true, force: true })
})

function order(input: object): Promise<{ readonly ResourceId: string }> {
  // Keeps the SDK from sending loopback requests through a proxy of the environment.
  loadTencentSdks(server.url)
  const load = createRequire(import.meta.url)
  const { mna } = load('tencentcloud-sdk-nodejs/tencentcloud/services/mna') as Sdk
  const httpProfile = { endpoint: new URL(server.url).host, protocol: 'http://' }
  const client = new mna.v20210119.Client({
    credential: { secretId: mine.key.publicKey, secretKey: mine.key.secret },
    region: '',
    profile: { httpProfile },
  })
  return client.OrderFlowPackage(input)
}

/** Total and used GB of static packages in China. */
async function totals(): Promise<readonly unknown[]> {
  const answer = await callUcloud(server.url, mine.key, { Action: 'GetUcdnTrafficV2' })
  const [cn] = answer['TrafficSet'] as Json[]
  return [cn?.['TrafficTotal'], cn?.['TrafficUsed']]
}

const show = (id: string) => server.json('package', 'show', id, '--json')

test('OrderFlowPackage gives a gateway a package, and no second one at that time', async () => {
  const input = {
    PackageType: 'DEVICE_1_FLOW_20G',
    DeviceList: ['mna-mine'],
    AutoRenewFlag: false,
    PackageRegion: 0,
  }
  const { ResourceId } = await order(input)
  expect(await show(ResourceId)).toMatchObject({
    accountId: 'acc-mine',
    meter: 'mna',
    resourceIds: ['mna-mine'],
    sizeBytes: '20000000000',
    paid: { amount: '18.00', currency: 'CNY' },
  })
  await expect(order(input)).rejects.toMatchObject({ code: 'ResourceInUse' })
})

test('BuyUcdnTraffic adds to the totals, and giving it back takes it out again', async () => {
  // 412 500 000 bytes of the first package are gone.
  expect(await until(totals, ([, used]) => used === 0.384171, 20_000)).toEqual([10, 0.384171])
  const bought = { Action: 'BuyUcdnTraffic', Traffic: 100, Areacode: 'cn' }
  expect(await callUcloud(server.url, mine.key, bought)).toEqual({
    Action: 'BuyUcdnTrafficResponse',
    RetCode: 0,
  })
  expect(await totals()).toEqual([110, 0.384171])
  const { items } = await server.json<{ items: Json[] }>('package', 'list', '--account', 'mine')
  const id = String(items.find(({ offer }) => offer === 'cn-100gib-year')?.['id'])
  expect(await server.json('package', 'refund', id)).toMatchObject({ refundAmount: '18.00' })
  expect(await until(totals, ([total]) => total === 10, 5000)).toEqual([10, 0.384171])
})

test('a package that gave something is not taken back', async () => {
  const { code, err } = await server.weir('package', 'refund', 'pkg-cn')
  expect(code).not.toBe(0)
  expect(err).toContain('412500000 bytes were drawn from it')
  expect(await show('pkg-cn')).toMatchObject({ refundedAt: null })
})
