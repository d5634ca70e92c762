import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  buildWeir,
  endChildren,
  serveWeir,
  until,
  type Json,
  type WeirServer,
} from '../support/built-weir.ts'
import {
  at,
  GIB,
  MBPS_5MIN,
  registerWorld,
  sendUsage,
  USAGE,
  type Party,
} from '../support/contract-world.ts'
import { loadTencentSdks, SCHEMES } from '../support/tencent-sdks.ts'
import { callUcloud, ENCODINGS, type Encoding, type Parameters } from '../support/ucloud-signer.ts'

let folder: string
let server: WeirServer
let mine: Party
let other: Party

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-e2e-calls-'))
  await buildWeir()
  server = await serveWeir(join(folder, 'data'), '--empty')
  ;({ mine, other } = await registerWorld(server))
  for (const [party, usage] of [
    [mine, USAGE.mine],
    [other, USAGE.other],
  ] as const) {
    for (const [meter, records] of Object.entries(usage)) {
      const answer = await sendUsage(server.url, party.token, meter, records)
      if (answer['accepted'] !== records.length) throw new Error(JSON.stringify(answer))
    }
  }
})

afterAll(async () => {
  await endChildren()
  await rm(folder, { recursive: true, force: true })
})

function call(parameters: Parameters, party = mine, encoding?: Encoding): Promise<Json> {
  return callUcloud(server.url, party.key, parameters, encoding)
}

const PROVINCES: Parameters = {
  Action: 'GetUcdnProIspBandwidthV2',
  BeginTime: at(-1, 10),
  EndTime: at(-1, 10, 900),
  Type: 0,
  DomainId: ['ucdn-mine'],
  Province: ['shanghai', 'xizang', 'beijing'],
}
const BILLING: Parameters = {
  Action: 'GetThroughputDailyBillingInfo',
  Region: 'cn-bj2',
  EIPId: 'eip-mine',
  StartTime: at(-3),
  EndTime: at(1),
}
const EXCLUSIVE: Parameters = {
  Action: 'GetEIPExclusiveUTPInfo',
  Region: 'cn-bj2',
  Zone: 'cn-bj2-02',
  EIPId: 'eip-mine',
}
const FLOW = {
  BeginTime: at(-1, 10),
  EndTime: at(-1, 12) - 1,
  Type: 3,
  TimeGranularity: 1,
  GatewayType: 0,
}

/** One list of points under both names that the documents give it. */
function province(name: string, points: readonly (readonly [number, number, number])[]): object {
  const list = points.map(([Time, CdnBandwidth, Traffic]) => ({ Time, CdnBandwidth, Traffic }))
  return { Province: name, BandwidthTrafficList: list, BandwidthList: list }
}

/** Points of five minutes from ten o'clock, in Mbit/s. */
function slots(...mbps: number[]): [number, number, number][] {
  return mbps.map((rate, index) => [at(-1, 10, index * 300), rate, rate * MBPS_5MIN])
}

describe.each(ENCODINGS)('a UCloud client that sends %s', (encoding) => {
  test('GetUcdnTrafficV2 answers what is bought, used and left in GB of 1024^3', async () => {
    // cn: (4 + 2 + 1 + 3 of www, 1 of v) × 37 500 000 = 412 500 000 bytes = 0.384171 GB of 10.
    expect(
      await call({ Action: 'GetUcdnTrafficV2', ProjectId: 'org-mine' }, mine, encoding),
    ).toEqual({
      Action: 'GetUcdnTrafficV2Response',
      RetCode: 0,
      TrafficSet: [
        { Areacode: 'cn', TrafficTotal: 10, TrafficUsed: 0.384171, TrafficLeft: 9.615829 },
        { Areacode: 'abroad', TrafficTotal: 4, TrafficUsed: 1, TrafficLeft: 3 },
      ],
    })
    expect(await call({ Action: 'GetUcdnTrafficV2', IsDcdn: true }, mine, encoding)).toMatchObject({
      TrafficSet: [
        { Areacode: 'cn', TrafficTotal: 2, TrafficUsed: 0.5, TrafficLeft: 1.5 },
        { Areacode: 'abroad', TrafficTotal: 0, TrafficUsed: 0, TrafficLeft: 0 },
      ],
    })
  })

  test('GetUcdnProIspBandwidthV2 answers each province that was asked for, slot by slot', async () => {
    expect(await call(PROVINCES, mine, encoding)).toEqual({
      Action: 'GetUcdnProIspBandwidthV2Response',
      RetCode: 0,
      // Shanghai at ten: 4 of dianxin and 2 of liantong three minutes later are one slot.
      BandwidthSet: [
        province('beijing', slots(0, 0, 3)),
        province('shanghai', slots(6, 1, 0)),
        province('xizang', slots(0, 0, 0)),
      ],
      RadixCn: 1024,
      RadixAbroad: 1024,
    })
    const dianxin = { ...PROVINCES, Province: ['shanghai'], Isp: 'dianxin' }
    expect(await call(dianxin, mine, encoding)).toMatchObject({
      BandwidthSet: [province('shanghai', slots(4, 1, 0))],
    })
  })

  test('GetThroughputDailyBillingInfo answers whole GB of each day', async () => {
    // 3584, 3071, 512 and 1280 MiB out are 3, 2, 0 and 1 whole GB; what came in is free.
    const answer = await call(BILLING, mine, encoding)
    expect(answer).toMatchObject({ RetCode: 0, EIPId: 'eip-mine', TotalOut: 6, TotalOutSize: '6' })
    expect(billed(answer)).toEqual([
      [at(-3), at(-2), 3],
      [at(-2), at(-1), 2],
      [at(-1), at(0), 0],
      [at(0), at(1), 1],
    ])
  })

  test('GetEIPExclusiveUTPInfo answers what is left of the month in MB of 1024^2', async () => {
    // 10 240 − (3584 + 3071 + 512 + 1280) = 1793
    const info = {
      EIPId: 'eip-mine',
      AccountId: 56_001,
      TotalSize: 10_240,
      AvailableSize: 1793,
      LastResetTime: at(-3),
      NextResetTime: monthAfter(at(-3)),
      ResetPolicy: 'Month',
      CreateTime: at(-3),
    }
    expect(await call(EXCLUSIVE, mine, encoding)).toEqual({
      Action: 'GetEIPExclusiveUTPInfoResponse',
      RetCode: 0,
      EIPExclusiveInfo: info,
      ExclusiveInfo: info,
    })
  })

  test('GetProjectList and GetRegion answer what every client asks first', async () => {
    expect(await call({ Action: 'GetProjectList' }, mine, encoding)).toMatchObject({
      ProjectCount: 2,
      ProjectSet: [
        { ProjectId: 'org-mine', IsDefault: true, ResourceCount: 6 },
        { ProjectId: 'org-mine-video', IsDefault: false, ResourceCount: 1 },
      ],
    })
    const { Regions } = (await call({ Action: 'GetRegion' }, mine, encoding)) as {
      Regions?: { Region: string; Zone: string; IsDefault: boolean }[]
    }
    expect(Regions).toHaveLength(43)
    expect(Regions).toContainEqual(expect.objectContaining({ Region: 'cn-bj2', Zone: 'cn-bj2-05' }))
    expect(Regions?.some(({ IsDefault }) => IsDefault)).toBe(true)
  })
})

interface Stat {
  readonly StartTime: number
  readonly EndTime: number
  readonly QuantityOut: number
  readonly BillingState: string
}

function statsOf(answer: Json): readonly Stat[] {
  return answer['Stats'] as Stat[]
}

function billed(answer: Json): number[][] {
  return statsOf(answer).map((stat) => [stat.StartTime, stat.EndTime, stat.QuantityOut])
}

/** The same moment of the next month in China, or of its last day. */
function monthAfter(seconds: number): number {
  const local = new Date(seconds * 1000 + 8 * 3_600_000)
  const [year, month] = [local.getUTCFullYear(), local.getUTCMonth()]
  const lastDay = new Date(Date.UTC(year, month + 2, 0)).getUTCDate()
  return Date.UTC(year, month + 1, Math.min(local.getUTCDate(), lastDay)) / 1000 - 8 * 3600
}

test('hours and days answer the peak of their slots, minutes their own rate', async () => {
  const shanghai = { ...PROVINCES, Province: ['shanghai'] }
  const traffic = 7 * MBPS_5MIN
  expect(await call({ ...shanghai, Type: 1 })).toMatchObject({
    BandwidthSet: [province('shanghai', [[at(-1, 10), 6, traffic]])],
  })
  expect(await call({ ...shanghai, Type: 2 })).toMatchObject({
    BandwidthSet: [province('shanghai', [[at(-1), 6, traffic]])],
  })
  // 150 000 000 bytes in one minute are 20 Mbit/s, 75 000 000 are 10.
  const minutes = { ...shanghai, Type: 3, EndTime: at(-1, 10, 240) }
  expect(await call(minutes)).toMatchObject({
    BandwidthSet: [
      province('shanghai', [
        [at(-1, 10, 0), 20, 150_000_000],
        [at(-1, 10, 60), 0, 0],
        [at(-1, 10, 120), 0, 0],
        [at(-1, 10, 180), 10, 75_000_000],
      ]),
    ],
  })
})

test('POST /v1/query answers the same numbers as the vendor calls', async () => {
  const rows = await server.query({
    account: 'acc-mine',
    projects: ['org-mine'],
    meter: 'cdn',
    start: at(-1, 10),
    end: at(-1, 11),
    granularity: 'hour',
    filters: { resource: 'ucdn-mine', area: 'cn' },
    groupBy: ['province'],
    measures: ['bytes', 'peak_bps'],
  })
  const numbers = rows.map((row) => [row['province'], [row['bytes'], row['peak_bps']]])
  expect(Object.fromEntries(numbers)).toEqual({
    beijing: [3 * MBPS_5MIN, 3_000_000],
    shanghai: [7 * MBPS_5MIN, 6_000_000],
  })
  const question = { account: 'acc-mine', start: at(-3), end: at(1), granularity: 'day' }
  const out = await server.query({
    ...question,
    meter: 'eip',
    filters: { resource: 'eip-mine', direction: 'out' },
  })
  expect(out.map((row) => Math.floor(Number(row['bytes']) / GIB))).toEqual([3, 2, 0, 1])
  const flow = await server.query({ ...question, meter: 'mna', filters: { gateway_type: '0' } })
  expect(flow.map((row) => row['bytes'])).toEqual([0, 0, 7500, 0])
})

test('weir rules try prices exactly the bytes that POST /v1/query answers', async () => {
  const file = join(folder, 'try.yaml')
  await writeFile(
    file,
    `name: try
version: 1
description: One price for what was sent.
currency: EUR
meters: [cdn]
rules:
  - { type: traffic, name: sent, level: resource, scope: { directions: [out] }, unit: GB, period: day, price: "2" }
  - { type: bandwidth, name: peak, level: account, direction: out, mode: daily-peak, price: "1" }
`,
  )
  const day = new Date((at(-1) + 8 * 3600) * 1000).toISOString().slice(0, 10)
  const tried = await server.json('rules', 'try', file, '--account', 'acc-mine', '--period', day)
  const question = { account: 'acc-mine', meter: 'cdn', start: at(-1), end: at(0) }
  const rows = await server.query({
    ...question,
    granularity: 'total',
    groupBy: ['resource'],
    measures: ['bytes'],
  })
  const [peak] = await server.query({ ...question, granularity: 'total', measures: ['peak_bps'] })
  const lines = tried['lines'] as Json[]
  const sent = lines.filter(({ rule }) => rule === 'sent')
  expect(sent.length).toBeGreaterThan(0)
  expect(new Map(sent.map(({ member, rawBytes }) => [member, rawBytes]))).toEqual(
    new Map(rows.map(({ resource, bytes }) => [resource, bytes])),
  )
  for (const { billedBytes, amount } of sent) {
    expect(Number(amount)).toBeCloseTo((Number(billedBytes) * 2) / 1e9, 8)
  }
  expect(lines.at(-1)).toMatchObject({ rule: 'peak', bps: peak?.['peak_bps'] })
  const dearer = join(folder, 'dearer.yaml')
  const text = await readFile(file, 'utf8')
  await writeFile(dearer, text.replace('name: try', 'name: dearer').replace('"2"', '"3"'))
  const month = day.slice(0, 7)
  const whole = await server.json('rules', 'try', file, '--account', 'acc-mine', '--period', month)
  const { alternatives } = await server.json<{ alternatives: Json[] }>(
    'whatif',
    'acc-mine',
    '--month',
    month,
    '--packs',
    `${dearer},${file}`,
  )
  expect(alternatives.map(({ pack }) => pack)).toEqual(['try', 'dearer'])
  expect(alternatives[0]).toMatchObject({ total: whole['total'], currency: 'EUR' })
  const foreign = await server.weir(
    'rules',
    'try',
    file,
    '--account',
    'acc-nobody',
    '--period',
    day,
  )
  expect(foreign).toMatchObject({ code: 1, err: 'weir: account "acc-nobody" does not exist.\n' })
})

test('new usage is in GetUcdnTrafficV2 within a second of its load', async () => {
  const question = { Action: 'GetUcdnTrafficV2', IsDcdn: true }
  const before = (await call(question))['TrafficSet'] as Json[]
  expect(before[0]).toMatchObject({ TrafficUsed: 0.5 })
  const place = { area: 'cn', province: 'beijing', isp: 'yidong' }
  const record = { time: at(-1, 12), resource: 'ucdn-mine-api', bytesOut: GIB, ...place }
  expect(await sendUsage(server.url, mine.token, 'cdn', [record])).toMatchObject({ accepted: 1 })
  const ask = async (): Promise<unknown> => ((await call(question))['TrafficSet'] as Json[])[0]
  const isNew = (set: unknown): boolean => (set as Json)['TrafficUsed'] === 1.5
  expect(await until(ask, isNew, 1000)).toMatchObject({ TrafficUsed: 1.5, TrafficLeft: 0.5 })
})

describe.each(['tencentcloud-sdk-nodejs', 'CommonClient of tencentcloud-sdk-nodejs-intl-en'])(
  'GetFlowStatisticByRegion through %s',
  (name) => {
    const flow = (input: object, scheme?: string, method?: string, party = mine) =>
      loadTencentSdks(server.url)[name]?.(party.key, input, scheme, method)

    // The limit of 20 requests a second holds for tests, too.
    beforeEach(() => sleep(60))

    test.each(SCHEMES)('both directions per hour, signed by %s, by %s', async (scheme, method) => {
      // Ten o'clock: 1000 up, 2000 down, 500 up; eleven o'clock: 4000 down.
      expect(await flow(FLOW, scheme, method)).toMatchObject({
        NetDetails: [
          { Time: String(at(-1, 10)), Current: 3500 },
          { Time: String(at(-1, 11)), Current: 4000 },
        ],
        MaxValue: 4000,
        AvgValue: 3750,
        TotalValue: 7500,
      })
    })

    test.each([
      ['uplink', { Type: 1 }, 1500],
      ['downlink', { Type: 2 }, 6000],
      ['one access region', { AccessRegion: 'AP' }, 500],
      ['a private gateway', { GatewayType: 1 }, 7777],
      ['days', { TimeGranularity: 2 }, 7500],
      ['minutes', { TimeGranularity: 3, EndTime: at(-1, 10) }, 3000],
      ['five minutes', { TimeGranularity: 4, BeginTime: at(-1, 10, 1199) }, 4500],
    ])('%s', async (_title, change, TotalValue) => {
      expect(await flow({ ...FLOW, ...change })).toMatchObject({ TotalValue })
    })

    test('another account’s devices add nothing', async () => {
      expect(await flow(FLOW, undefined, undefined, other)).toMatchObject({ TotalValue: 90_000 })
    })
  },
)

/** A day is charged half a day after its end; what is closed is closed when the server starts. */
const YESTERDAY = Date.now() / 1000 - at(0) > 12 * 3600 ? 'Yes' : 'No'

describe('what is not mine', () => {
  const calls: readonly (readonly [string, Parameters, string, string])[] = [
    ['a domain', { ...PROVINCES, Province: [] }, 'DomainId', 'ucdn'],
    ['an address', BILLING, 'EIPId', 'eip'],
    ['an address with a package', EXCLUSIVE, 'EIPId', 'eip'],
    ['a project of GetUcdnTrafficV2', { Action: 'GetUcdnTrafficV2' }, 'ProjectId', 'org'],
    ['a project of series', { ...PROVINCES, DomainId: [], Province: [] }, 'ProjectId', 'org'],
    ['a project of bills', BILLING, 'ProjectId', 'org'],
    ['a project of packages', EXCLUSIVE, 'ProjectId', 'org'],
  ]

  test.each(calls)(
    '%s is answered as one that does not exist',
    async (_title, base, name, kind) => {
      const ask = async (id: string): Promise<string> => {
        const value = name === 'DomainId' ? [id] : id
        const answer = await call({ ...base, [name]: value })
        expect(answer['RetCode']).not.toBe(0)
        return JSON.stringify(answer).replaceAll(id, '<id>')
      }
      expect(await ask(`${kind}-other`)).toBe(await ask(`${kind}-nobody`))
    },
  )

  test('lists and totals hold nothing of it', async () => {
    const projects = (await call({ Action: 'GetProjectList' }, other))['ProjectSet'] as Json[]
    expect(projects.map(({ ProjectId }) => ProjectId)).toEqual(['org-other'])
    expect(await call({ Action: 'GetUcdnTrafficV2' }, other)).toMatchObject({
      TrafficSet: [
        { Areacode: 'cn', TrafficTotal: 7, TrafficUsed: 2, TrafficLeft: 5 },
        { Areacode: 'abroad', TrafficTotal: 0, TrafficUsed: 0, TrafficLeft: 0 },
      ],
    })
    const all = { ...PROVINCES, DomainId: [], Province: [] }
    const { BandwidthSet } = await call(all, other)
    expect(BandwidthSet).toHaveLength(1)
    expect(BandwidthSet).toMatchObject([
      {
        Province: 'shanghai',
        BandwidthList: [{ Traffic: 2 * GIB }, { Traffic: 0 }, { Traffic: 0 }],
      },
    ])
  })

  test('its key signs nothing with my secret, and its source writes nothing of mine', async () => {
    const mixed = { ...other, key: { ...other.key, secret: mine.key.secret } }
    expect(await call({ Action: 'GetProjectList' }, mixed)).toMatchObject({
      RetCode: 171,
      Message: 'Signature VerifyAC Error',
    })
    const write = async (resource: string): Promise<unknown> => {
      const record = { time: at(-1), resource, direction: 'out', bytes: 1 }
      const answer = await sendUsage(server.url, other.token, 'eip', [record])
      return [answer['accepted'], answer['rejected']]
    }
    expect(await write('eip-mine')).toEqual(await write('eip-nobody'))
    expect(await write('eip-mine')).toEqual([0, [{ line: 1, reason: 'unknown_resource' }]])
  })

  test('its batch is answered as one that does not exist', async () => {
    const record = { time: at(-1), resource: 'eip-other', direction: 'in', bytes: 1 }
    const { batch } = await sendUsage(server.url, other.token, 'eip', [record])
    const ask = async (id: string, token: string): Promise<string> => {
      const headers = { authorization: `Bearer ${token}` }
      const response = await fetch(`${server.url}/v1/batches/${id}`, { headers })
      return `${response.status} ${(await response.text()).replaceAll(id, '<id>')}`
    }
    expect(await ask(String(batch), other.token)).toContain('"accepted":1')
    const foreign = await ask(String(batch), mine.token)
    expect(foreign).toContain('404 ')
    expect(withoutIds(foreign)).toBe(withoutIds(await ask('999999', mine.token)))
  })
})

/** Each answer has a request id of its own. */
function withoutIds(text: string): string {
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<request>')
}

test('a day is charged once it is closed, and open days and others’ are not', async () => {
  expect(statsOf(await call(BILLING)).map(({ BillingState }) => BillingState)).toEqual(
    Array.from({ length: 4 }, () => 'No'),
  )
  // Closing happens every few minutes, and when somebody asks; a day settles at noon of the next.
  await server.json('bill', 'close', '--account', 'acc-mine', '--until', '12h')
  const states = async (): Promise<string[]> =>
    statsOf(await call(BILLING)).map(({ BillingState }) => BillingState)
  const closed = ['Yes', 'Yes', YESTERDAY, 'No']
  expect(await states()).toEqual(closed)
  expect(billed(await call(BILLING)).map(([, , quantity]) => quantity)).toEqual([3, 2, 0, 1])
  const flat = await call({ ...BILLING, EIPId: 'eip-flat' })
  expect(statsOf(flat).map(({ QuantityOut }) => QuantityOut)).toEqual([0, 0, 0, 0])
})

test('more than 20 requests a second of one account get RequestLimitExceeded', async () => {
  const flow = loadTencentSdks(server.url)['tencentcloud-sdk-nodejs']
  const send = async (party: Party): Promise<string> => {
    try {
      await flow?.(party.key, FLOW)
      return 'ok'
    } catch (error) {
      return String((error as { code?: string }).code)
    }
  }
  const firstSecond = Math.floor(Date.now() / 1000)
  const all = await Promise.all(Array.from({ length: 100 }, () => send(mine)))
  const seconds = Math.floor(Date.now() / 1000) - firstSecond + 1
  const answered = all.filter((code) => code === 'ok').length
  expect(new Set(all)).toEqual(new Set(['ok', 'RequestLimitExceeded']))
  expect(answered).toBeGreaterThanOrEqual(20)
  expect(answered).toBeLessThanOrEqual(20 * seconds)
  expect(await send(other)).toBe('ok')
  expect(
    await until(
      () => send(mine),
      (code) => code === 'ok',
      2000,
    ),
  ).toBe('ok')
})
