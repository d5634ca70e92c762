import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { addResource, resource, standardWorld } from '../../../test/support/world.ts'
import { newRequestId } from '../../core/ids.ts'
import { createDialects, HEADER_BYTES_MAX } from '../dialects.ts'

// Both SDKs sign with the machine's clock, so the world's clock follows it here.
const SECONDS = Math.floor(performance.timeOrigin / 1000)
const HOUR_S = Math.floor(SECONDS / 3600) * 3600 - 3600
const INPUT = {
  BeginTime: HOUR_S,
  EndTime: HOUR_S + 3599,
  Type: 3,
  TimeGranularity: 1,
  GatewayType: 0,
}

interface Statistics {
  readonly NetDetails?: readonly { readonly Time?: string; readonly Current?: number }[]
  readonly MaxValue?: number
  readonly AvgValue?: number
  readonly TotalValue?: number
  readonly RequestId?: string
}

interface Order {
  readonly ResourceId?: string
  readonly RequestId?: string
}

interface Credential {
  readonly secretId: string
  readonly secretKey: string
}

interface Client {
  GetFlowStatisticByRegion(input: object): Promise<Statistics>
  OrderFlowPackage(input: object): Promise<Order>
  GetDevices(input: object): Promise<object>
}

/** The parts of the vendor's untyped modules that are used here. */
interface DomesticSdk {
  readonly mna: {
    readonly v20210119: { readonly Client: new (config: object) => Client }
  }
}
interface IntlSdk {
  readonly CommonClient: new (
    endpoint: string,
    version: string,
    credential: unknown,
    region: string,
    profile: unknown,
  ) => {
    request(action: string, input: object, done: (error: unknown, data: unknown) => void): void
  }
  readonly Credential: new (secretId: string, secretKey: string) => unknown
  readonly HttpProfile: new (protocol: string, endpoint: string, method: string) => unknown
  readonly ClientProfile: new (signMethod: string, http: unknown) => unknown
}

const load = createRequire(import.meta.url)
const KEY_A = { secretId: 'pk-a', secretKey: 'sk-a' }

let app: FastifyInstance
let world: FakeWorld
let endpoint: string
let domestic: DomesticSdk
let intl: IntlSdk

function usage(): void {
  const cloud = {
    meter: 'mna',
    accountId: 'acc-a',
    resourceId: 'mna-a',
    gatewayType: '0',
    accessRegion: 'MC',
  } as const
  world.usage.push(
    { ...cloud, atMs: HOUR_S * 1000, bytes: 3_291_852n, direction: 'up' },
    { ...cloud, atMs: HOUR_S * 1000 + 1, bytes: 305_576_473n, direction: 'down' },
  )
}

beforeAll(async () => {
  // Both SDKs would send even loopback requests through a proxy of the environment.
  for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) {
    delete process.env[name]
  }
  world = standardWorld()
  addResource(world, resource('mna-a2', 'mna', 'org-a'))
  usage()
  const clock = { nowMs: () => performance.timeOrigin + performance.now() }
  const dialects = createDialects({ ...fakeDeps(world), clock })
  app = Fastify({ genReqId: () => newRequestId(), http: { maxHeaderSize: HEADER_BYTES_MAX } })
  await app.register(dialects.plugin)
  await app.listen({ port: 0, host: '127.0.0.1' })
  endpoint = `127.0.0.1:${(app.server.address() as AddressInfo).port}`
  domestic = load('tencentcloud-sdk-nodejs/tencentcloud/services/mna') as DomesticSdk
  intl = load('tencentcloud-sdk-nodejs-intl-en/tencentcloud/common') as IntlSdk
})

afterAll(() => app.close())

function domesticClient(
  signMethod: string,
  reqMethod: string,
  credential: Credential,
  profile = {},
) {
  return new domestic.mna.v20210119.Client({
    credential,
    region: '',
    profile: { signMethod, httpProfile: { endpoint, protocol: 'http://', reqMethod }, ...profile },
  })
}

function intlCall<Reply = Statistics>(
  signMethod: string,
  method: string,
  input: object,
  action = 'GetFlowStatisticByRegion',
): Promise<Reply> {
  const http = new intl.HttpProfile('http://', endpoint, method)
  const client = new intl.CommonClient(
    'mna.intl.tencentcloudapi.com',
    '2021-01-19',
    new intl.Credential(KEY_A.secretId, KEY_A.secretKey),
    '',
    new intl.ClientProfile(signMethod, http),
  )
  return new Promise((resolve, reject) => {
    client.request(action, input, (error, data) => {
      if (error instanceof Error) reject(error)
      else if (error !== null && error !== undefined) reject(new Error('refused', { cause: error }))
      else resolve(data as Reply)
    })
  })
}

const EXPECTED = {
  NetDetails: [{ Current: 308_868_325, Time: String(HOUR_S) }],
  MaxValue: 308_868_325,
  AvgValue: 308_868_325,
  TotalValue: 308_868_325,
}

/** What both SDKs send as a list, booleans and an integer. */
const ORDER = {
  PackageType: 'DEVICE_2_FLOW_50G',
  DeviceList: ['mna-a', 'mna-a2'],
  AutoRenewFlag: false,
  PackageRegion: 0,
  FlowTruncFlag: false,
}

const SCHEMES = ['TC3-HMAC-SHA256', 'HmacSHA256', 'HmacSHA1'].flatMap((signMethod) =>
  ['POST', 'GET'].map((method) => [signMethod, method] as const),
)

describe('tencentcloud-sdk-nodejs', () => {
  test.each(SCHEMES)('%s %s', async (signMethod, method) => {
    const reply = await domesticClient(signMethod, method, KEY_A).GetFlowStatisticByRegion(INPUT)
    expect(reply).toMatchObject(EXPECTED)
    expect(reply.RequestId).toMatch(/^[0-9a-f-]{36}$/)
  })

  test.each(SCHEMES)('an order of a package by %s %s', async (signMethod, method) => {
    const reply = await domesticClient(signMethod, method, KEY_A).OrderFlowPackage(ORDER)
    expect(reply.ResourceId).toMatch(/^pkg-/)
    expect(world.orders.at(-1)).toMatchObject({
      offer: 'DEVICE_2_FLOW_50G',
      resources: ['mna-a', 'mna-a2'],
    })
  })

  test('an order that is refused reaches the caller with its code', async () => {
    const client = domesticClient('TC3-HMAC-SHA256', 'POST', KEY_A)
    const refused = client.OrderFlowPackage({ ...ORDER, PackageType: 'DEVICE_1_FLOW_20G' })
    await expect(refused).rejects.toMatchObject({ code: 'LimitExceeded' })
    const unknown = client.OrderFlowPackage({ ...ORDER, DeviceList: ['mna-b'] })
    await expect(unknown).rejects.toMatchObject({ code: 'OperationDenied.DeviceNotFound' })
  })

  test('an error reaches the caller with its code, message, request and trace id', async () => {
    const client = domesticClient('TC3-HMAC-SHA256', 'POST', { ...KEY_A, secretKey: 'x' })
    await expect(client.GetFlowStatisticByRegion(INPUT)).rejects.toMatchObject({
      code: 'AuthFailure.SignatureFailure',
      message:
        'The provided credentials could not be validated. Please check your signature is correct.',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      traceId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
    })
  })

  test('the language of the profile is the language of messages', async () => {
    const wrong = { ...KEY_A, secretId: 'pk-x' }
    const client = domesticClient('TC3-HMAC-SHA256', 'POST', wrong, { language: 'zh-CN' })
    await expect(client.GetFlowStatisticByRegion(INPUT)).rejects.toMatchObject({
      code: 'AuthFailure.SecretIdNotFound',
      message: 'SecretId不存在，请输入正确的密钥。',
    })
  })

  test('an action that is not offered is named', async () => {
    const client = domesticClient('TC3-HMAC-SHA256', 'POST', KEY_A)
    await expect(client.GetDevices({ PageSize: 1, PageNumber: 1 })).rejects.toMatchObject({
      code: 'InvalidAction',
    })
  })

  test('another account’s key sees nothing of it', async () => {
    const client = domesticClient('HmacSHA1', 'GET', { secretId: 'pk-b', secretKey: 'sk-b' })
    expect(await client.GetFlowStatisticByRegion(INPUT)).toMatchObject({
      NetDetails: [],
      TotalValue: 0,
    })
  })
})

describe('CommonClient of tencentcloud-sdk-nodejs-intl-en', () => {
  test.each(SCHEMES)('%s %s', async (signMethod, method) => {
    expect(await intlCall(signMethod, method, INPUT)).toMatchObject(EXPECTED)
  })

  test.each(SCHEMES)('an order of a package by %s %s', async (signMethod, method) => {
    const reply = await intlCall<Order>(signMethod, method, ORDER, 'OrderFlowPackage')
    expect(reply.ResourceId).toMatch(/^pkg-/)
  })

  test('an error reaches the caller with its code', async () => {
    const bad = { ...INPUT, Type: 9 }
    await expect(intlCall('HmacSHA256', 'POST', bad)).rejects.toMatchObject({
      message: 'The value `9` specified in the parameter `Type` is not valid',
    })
  })
})
