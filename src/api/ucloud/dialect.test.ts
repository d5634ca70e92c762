import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { type How, type Input, raw, signedCall } from '../../../test/support/ucloud-calls.ts'
import { addResource, resource, standardWorld, TODAY_MS } from '../../../test/support/world.ts'
import { assert } from '../../core/errors.ts'
import { formatPairs } from '../form-text.ts'
import type { JsonValue } from '../json-text.ts'
import type { RawCall } from '../raw-call.ts'
import { answerUcloud } from './dialect.ts'

const DAY_S = 86_400
const TODAY_S = TODAY_MS / 1000

async function answer(call: RawCall, world: FakeWorld = standardWorld()) {
  const { body, headers } = await answerUcloud(call, 'call-1', fakeDeps(world))
  expect(headers['content-type']).toBe('application/json')
  expect(headers['x-ucloud-request-uuid']).toBe('call-1')
  return JSON.parse(body) as Record<string, JsonValue>
}

function ask(action: string, input: Input = {}, how: How = {}, world = standardWorld()) {
  return answer(signedCall(action, input, how), world)
}

describe('every encoding of a request is accepted', () => {
  const input = { BeginTime: TODAY_S, EndTime: TODAY_S + 600, Type: 0, 'Province.0': 'shanghai' }
  test.each(['form', 'query', 'json', 'go'] as const)('%s', async (encoding) => {
    const reply = await ask('GetUcdnProIspBandwidthV2', input, { encoding })
    expect(reply).toMatchObject({ Action: 'GetUcdnProIspBandwidthV2Response', RetCode: 0 })
  })

  test('nested JSON of the Go encoder', async () => {
    const { 'Province.0': _province, ...rest } = input
    const nested = { ...rest, Province: ['shanghai'], DomainId: ['ucdn-a'] }
    const reply = await ask('GetUcdnProIspBandwidthV2', nested, { encoding: 'nested' })
    expect(reply).toMatchObject({ RetCode: 0, BandwidthSet: [{ Province: 'shanghai' }] })
  })

  test('a base URL with a query of its own does not spoil a signed body, nor is it used', async () => {
    const call = signedCall('GetUcdnTrafficV2', {})
    const reply = await answer(raw({ ...call, query: 'ProjectId=org-b&Action=GetRegion' }))
    expect(reply).toMatchObject({ Action: 'GetUcdnTrafficV2Response', RetCode: 0 })
  })

  test('the empty Cookie and Csrf-Token headers of the CLI and extra parameters are ignored', async () => {
    const headers = { cookie: '', 'csrf-token': '', 'u-timestamp-ms': '1' }
    const reply = await ask(
      'GetUcdnTrafficV2',
      { Region: 'nowhere', Zone: 'x', Foo: 1 },
      { headers },
    )
    expect(reply).toMatchObject({ RetCode: 0 })
  })
})

// Every wording of the vendor's table that this dialect can answer.
describe('failures are the vendor’s own', () => {
  const traffic = (input: Input = {}, how: How = {}) => signedCall('GetUcdnTrafficV2', input, how)
  const billing = (input: Input) =>
    signedCall('GetThroughputDailyBillingInfo', {
      Region: 'cn-bj2',
      EIPId: 'eip-a',
      StartTime: TODAY_S,
      EndTime: TODAY_S + DAY_S,
      ...input,
    })
  const utp = (input: Input) =>
    signedCall('GetEIPExclusiveUTPInfo', {
      Region: 'cn-bj2',
      Zone: 'cn-bj2-02',
      EIPId: 'eip-a',
      ...input,
    })
  const series = (input: Input) =>
    signedCall('GetUcdnProIspBandwidthV2', {
      BeginTime: TODAY_S,
      EndTime: TODAY_S + 600,
      Type: 0,
      ...input,
    })
  const unsigned = (pairs: Record<string, string>) =>
    raw({ body: Buffer.from(formatPairs(Object.entries(pairs))) })

  test.each<[string, RawCall, number, string]>([
    ['nothing sent', raw({ method: 'GET' }), 160, 'Missing Action'],
    ['no signature', unsigned({ Action: 'A', PublicKey: 'pk-a' }), 170, 'Missing signature'],
    ['no public key', unsigned({ Action: 'A', Signature: 'x' }), 170, 'Missing signature'],
    ['an unknown key', traffic({}, { key: ['pk-x', 'x'] }), 172, 'User Not Exists'],
    ['a revoked key', traffic({}, { key: ['pk-revoked', 'sk-revoked'] }), 172, 'User Not Exists'],
    [
      'a key of the other dialect',
      traffic({}, { key: ['pk-tencent', 'sk-tencent'] }),
      172,
      'User Not Exists',
    ],
    ['a wrong secret', traffic({}, { key: ['pk-a', 'sk-b'] }), 171, 'Signature VerifyAC Error'],
    ['a security token', traffic({ SecurityToken: 't' }), 174, 'Token Not Exists'],
    [
      'a bearer token',
      raw({ ...unsigned({ Action: 'A' }), headers: { authorization: 'Bearer x' } }),
      174,
      'Token Not Exists',
    ],
    ['an unknown action', signedCall('GetNothing', {}), 161, 'Action [GetNothing] not found'],
    ['an unknown project', traffic({ ProjectId: 'org-x' }), 292, 'Project [org-x] not exists'],
    [
      'a sub-account without project',
      traffic({}, { key: ['pk-sub', 'sk-sub'] }),
      299,
      'IAM permission error',
    ],
    ['a missing parameter', series({ BeginTime: '' }), 220, 'Missing params [BeginTime]'],
    ['a missing region', billing({ Region: null }), 220, 'Missing params [Region]'],
    ['a missing zone', utp({ Zone: null }), 220, 'Missing params [Zone]'],
    ['the example’s Type 6', series({ Type: 6 }), 230, 'Params [Type] not available'],
    ['a word as time', series({ BeginTime: 'x' }), 230, 'Params [BeginTime] not available'],
    ['a reversed range', series({ EndTime: TODAY_S }), 230, 'Params [EndTime] not available'],
    ['a wrong boolean', traffic({ IsDcdn: 'maybe' }), 230, 'Params [IsDcdn] not available'],
    ['an unknown carrier', series({ Isp: 'telecom' }), 230, 'Params [Isp] not available'],
    [
      'an unknown province, by the name it was sent with',
      series({ 'Province.3': 'anhui', 'Province.7': 'atlantis' }),
      230,
      'Params [Province.7] not available',
    ],
    [
      'an unknown domain, by the name it was sent with',
      series({ 'DomainId.n': 'ucdn-x' }),
      230,
      'Params [DomainId.n] not available',
    ],
    ['an unknown region', billing({ Region: 'cn-zj' }), 230, 'Params [Region] not available'],
    ['a zone of another region', utp({ Zone: 'hk-02' }), 230, 'Params [Zone] not available'],
    ['an EIP of another region', billing({ Region: 'hk' }), 230, 'Params [EIPId] not available'],
    ['an unknown EIP', billing({ EIPId: 'eip-x' }), 230, 'Params [EIPId] not available'],
    [
      'more than 365 days',
      billing({ EndTime: TODAY_S + 366 * DAY_S }),
      230,
      'Params [EndTime] not available',
    ],
    ['an EIP without package', utp({}), 4210, 'eip-a has no exclusive traffic package.'],
    [
      'malformed JSON',
      raw({ body: Buffer.from('{"Action":') }),
      230,
      'The body is not valid JSON.',
    ],
    [
      'a JSON list',
      raw({ body: Buffer.from('[1]'), headers: { 'content-type': 'application/json' } }),
      230,
      'The body is not a JSON object.',
    ],
    ['another method', raw({ method: 'PUT' }), 230, 'Use GET or POST.'],
    [
      'too large a body',
      raw({ body: Buffer.alloc((1 << 20) + 1, 'a') }),
      230,
      'The body is larger than 1048576 bytes.',
    ],
    [
      'too many parameters',
      raw({ body: Buffer.from('a=1&'.repeat(10_001)) }),
      230,
      'The request has more than 10000 parameters.',
    ],
  ])('%s', async (_title, call, code, message) => {
    expect(await answer(call)).toMatchObject({ RetCode: code, Message: message })
  })

  test('an answer always names its action, also when it failed', async () => {
    const reply = await ask('GetNothing')
    expect(reply['Action']).toBe('GetNothingResponse')
  })

  test('a fault of ours says nothing about its cause', async () => {
    const world = standardWorld()
    const deps = fakeDeps(world)
    const broken = {
      ...deps,
      catalog: { ...deps.catalog, regions: () => Promise.reject(new Error('db at /secret')) },
    }
    const { body, log } = await answerUcloud(signedCall('GetRegion', {}), 'call-1', broken)
    expect(JSON.parse(body)).toEqual({
      Action: 'GetRegionResponse',
      RetCode: 130,
      Message: 'Service error and break',
    })
    expect(log.cause).toBeInstanceOf(Error)
  })
})

describe('order of checks', () => {
  test('an unknown key is reported before an unknown action, an unknown action before a project', async () => {
    const key = ['pk-x', 'x'] as const
    expect(await ask('GetNothing', { ProjectId: 'org-x' }, { key })).toMatchObject({ RetCode: 172 })
    expect(await ask('GetNothing', { ProjectId: 'org-x' })).toMatchObject({ RetCode: 161 })
  })

  test('the project is checked before parameters, missing ones before wrong ones', async () => {
    const input = { ProjectId: 'org-x', BeginTime: 'x' }
    expect(await ask('GetUcdnProIspBandwidthV2', input)).toMatchObject({ RetCode: 292 })
    expect(await ask('GetUcdnProIspBandwidthV2', { BeginTime: 'x' })).toMatchObject({
      RetCode: 220,
      Message: 'Missing params [EndTime]',
    })
  })
})

describe('another account is invisible', () => {
  const shapes: readonly [string, string, (suffix: string) => Input][] = [
    ['project', 'GetUcdnTrafficV2', (suffix) => ({ ProjectId: `org-${suffix}` })],
    [
      'domain',
      'GetUcdnProIspBandwidthV2',
      (suffix) => ({
        BeginTime: TODAY_S,
        EndTime: TODAY_S + 600,
        Type: 0,
        'DomainId.0': `ucdn-${suffix}`,
      }),
    ],
    [
      'EIP',
      'GetThroughputDailyBillingInfo',
      (suffix) => ({
        Region: 'cn-bj2',
        EIPId: `eip-${suffix}`,
        StartTime: TODAY_S,
        EndTime: TODAY_S + DAY_S,
      }),
    ],
    [
      'exclusive package',
      'GetEIPExclusiveUTPInfo',
      (suffix) => ({ Region: 'cn-bj2', Zone: 'cn-bj2-02', EIPId: `eip-${suffix}` }),
    ],
  ]
  test.each(shapes)('its %s answers exactly as an unknown one', async (_what, action, input) => {
    const foreign = JSON.stringify(await ask(action, input('b')))
    const unknown = JSON.stringify(await ask(action, input('x')))
    expect(foreign.replaceAll('org-b', 'org-x')).toBe(unknown)
    expect(await ask(action, input('b'), { key: ['pk-b', 'sk-b'] })).not.toEqual(
      JSON.parse(unknown),
    )
  })

  test('a domain of another project of the same account is not in this project', async () => {
    const input = { BeginTime: TODAY_S, EndTime: TODAY_S + 600, Type: 0, 'DomainId.0': 'ucdn-a2' }
    expect(await ask('GetUcdnProIspBandwidthV2', input)).toMatchObject({ RetCode: 230 })
    const there = { ...input, ProjectId: 'org-a2' }
    expect(await ask('GetUcdnProIspBandwidthV2', there)).toMatchObject({ RetCode: 0 })
  })

  test("a key is unknown at another brand's host", async () => {
    const at = { host: 'api.plain.example:443' }
    expect(await ask('GetRegion', {}, at)).toMatchObject({ RetCode: 172 })
    const own = { ...at, key: ['pk-plain', 'sk-plain'] as const }
    expect(await ask('GetRegion', {}, own)).toMatchObject({ RetCode: 0 })
  })

  test('projects are those of the caller; a sub-account uses its parent’s', async () => {
    const ids = (reply: Record<string, JsonValue>) =>
      (reply['ProjectSet'] as { ProjectId: string }[]).map(({ ProjectId }) => ProjectId)
    expect(ids(await ask('GetProjectList'))).toEqual(['org-a', 'org-a2'])
    expect(ids(await ask('GetProjectList', {}, { key: ['pk-sub', 'sk-sub'] }))).toEqual([
      'org-a',
      'org-a2',
    ])
    expect(ids(await ask('GetProjectList', {}, { key: ['pk-b', 'sk-b'] }))).toEqual(['org-b'])
  })
})

test('recorded vectors still verify through the whole dialect', async () => {
  const vectors = JSON.parse(
    readFileSync(new URL('./testdata/signatures.json', import.meta.url), 'utf8'),
  ) as { name: string; parameters: Input; privateKey: string; signature: string }[]
  const world = standardWorld()
  addResource(world, resource('eip-test', 'eip', 'org-a'))
  const [key] = world.keys
  assert(key !== undefined, 'the standard world has keys')
  for (const { name, parameters, privateKey, signature } of vectors) {
    const publicKey = parameters['PublicKey']
    if (typeof publicKey !== 'string' || !('Action' in parameters)) continue
    world.keys.push({ ...key, id: name, publicKey, secret: privateKey })
    const body = Buffer.from(JSON.stringify({ ...parameters, Signature: signature }))
    const reply = await answer(raw({ body }), world)
    // Signed correctly: what is wrong with them comes after the signature.
    expect([0, 161, 174, 220, 230, 292], `${name}: ${JSON.stringify(reply)}`).toContain(
      reply['RetCode'],
    )
  }
})
