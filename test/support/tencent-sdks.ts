import { createRequire } from 'node:module'
import type { KeyPair } from './ucloud-signer.ts'

/** Schemes and methods that the vendor's SDKs know. */
export const SCHEMES = ['TC3-HMAC-SHA256', 'HmacSHA256', 'HmacSHA1'].flatMap((scheme) =>
  ['POST', 'GET'].map((method) => [scheme, method] as const),
)

/** Answer of GetFlowStatisticByRegion as the SDKs hand it over. */
export interface FlowStatistics {
  readonly NetDetails?: readonly { readonly Time?: string; readonly Current?: number }[]
  readonly MaxValue?: number
  readonly AvgValue?: number
  readonly TotalValue?: number
}

/** The parts of the vendor's untyped modules that are used here. */
interface Domestic {
  readonly mna: {
    readonly v20210119: {
      readonly Client: new (config: object) => {
        GetFlowStatisticByRegion(input: object): Promise<FlowStatistics>
      }
    }
  }
}

type Done = (error: unknown, data: FlowStatistics) => void

interface International {
  readonly CommonClient: new (
    endpoint: string,
    version: string,
    credential: unknown,
    region: string,
    profile: unknown,
  ) => { request(action: string, input: object, done: Done): void }
  readonly Credential: new (secretId: string, secretKey: string) => unknown
  readonly HttpProfile: new (protocol: string, endpoint: string, method: string) => unknown
  readonly ClientProfile: new (signMethod: string, http: unknown) => unknown
}

/** One call, its input as the vendor documents it. */
export type FlowCall = (
  key: KeyPair,
  input: object,
  scheme?: string,
  method?: string,
) => Promise<FlowStatistics>

const load = createRequire(import.meta.url)

/** Both SDKs as npm has them, pointed at a server. */
export function loadTencentSdks(url: string): Readonly<Record<string, FlowCall>> {
  // They would send even loopback requests through a proxy of the environment.
  for (const name of ['http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY']) {
    delete process.env[name]
  }
  const endpoint = new URL(url).host
  return {
    'tencentcloud-sdk-nodejs': domestic(endpoint),
    'CommonClient of tencentcloud-sdk-nodejs-intl-en': international(endpoint),
  }
}

function domestic(endpoint: string): FlowCall {
  const { mna } = load('tencentcloud-sdk-nodejs/tencentcloud/services/mna') as Domestic
  return (key, input, signMethod = 'TC3-HMAC-SHA256', reqMethod = 'POST') =>
    new mna.v20210119.Client({
      credential: { secretId: key.publicKey, secretKey: key.secret },
      region: '',
      profile: { signMethod, httpProfile: { endpoint, protocol: 'http://', reqMethod } },
    }).GetFlowStatisticByRegion(input)
}

function international(endpoint: string): FlowCall {
  const sdk = load('tencentcloud-sdk-nodejs-intl-en/tencentcloud/common') as International
  return (key, input, signMethod = 'TC3-HMAC-SHA256', method = 'POST') => {
    const client = new sdk.CommonClient(
      'mna.intl.tencentcloudapi.com',
      '2021-01-19',
      new sdk.Credential(key.publicKey, key.secret),
      '',
      new sdk.ClientProfile(signMethod, new sdk.HttpProfile('http://', endpoint, method)),
    )
    return new Promise((resolve, reject) => {
      client.request('GetFlowStatisticByRegion', input, (error, data) => {
        if (error instanceof Error) reject(error)
        else if (error !== null && error !== undefined) {
          reject(new Error('refused', { cause: error }))
        } else resolve(data)
      })
    })
  }
}
