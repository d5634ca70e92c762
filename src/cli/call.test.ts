import Fastify from 'fastify'
import { describe, expect, test } from 'vitest'
import { fakeDeps } from '../../test/support/fakes.ts'
import { NOW_MS, standardWorld } from '../../test/support/world.ts'
import { createDialects } from '../api/dialects.ts'
import { type CallIo, callCommand } from './call.ts'

const KEYS = ['--key', 'pk-a', '--secret', 'sk-a']
const RANGE = ['BeginTime=1795240800', 'EndTime=1795244400', 'Type=3', 'TimeGranularity=1']

/**
 * Runs the command against the dialects in memory; `out`, `err` and `code` are what a shell sees.
 */
async function run(words: readonly string[], send?: CallIo['send']) {
  const app = Fastify()
  await app.register(createDialects(fakeDeps(standardWorld())).plugin)
  const seen = { out: '', err: '', code: 0 }
  const io: CallIo = {
    clock: { nowMs: () => NOW_MS },
    send:
      send ??
      (async ({ url, headers, body }) => {
        const { host, pathname } = new URL(url)
        const request = { url: pathname, headers: { ...headers, host }, payload: body }
        const reply = await app.inject({ method: 'POST', ...request })
        return { status: reply.statusCode, text: reply.body }
      }),
    print: (text) => {
      seen.out += text
    },
    complain: (text) => {
      seen.err += text
    },
    exitWith: (code) => {
      seen.code = code
    },
    defaultUrl: () => 'http://127.0.0.1:8080',
  }
  const command = callCommand(io)
    .exitOverride()
    .configureOutput({ writeOut: io.print, writeErr: io.complain })
  await command.parseAsync([...words], { from: 'user' }).catch((error: unknown) => {
    if (!(error instanceof Error && 'exitCode' in error)) throw error
    seen.code = Number(error.exitCode)
  })
  return seen
}

test('a UCloud call is signed, sent and printed as indented JSON', async () => {
  const { out, err, code } = await run(['GetRegion', ...KEYS])
  expect(JSON.parse(out)).toMatchObject({ Action: 'GetRegionResponse', RetCode: 0 })
  expect(out).toContain('\n  "RetCode": 0')
  expect({ err, code }).toEqual({ err: '', code: 0 })
})

test('a Tencent call is recognised by its action, its integers sent as numbers', async () => {
  const { out, code } = await run(['GetFlowStatisticByRegion', ...RANGE, 'GatewayType=0', ...KEYS])
  expect(JSON.parse(out)).toMatchObject({ Response: { NetDetails: [] } })
  expect(code).toBe(0)
})

test('a call of the Tencent dialect carries lists as lists, and true and false as such', async () => {
  const sent: string[] = []
  const take: CallIo['send'] = ({ body }) => {
    sent.push(body)
    return Promise.resolve({ status: 200, text: '{"Response":{}}' })
  }
  const flags = ['AutoRenewFlag=false', 'FlowTruncFlag=perhaps', 'PackageRegion=0']
  const devices = ['DeviceList.0=mna-a', 'DeviceList.1=mna-b']
  await run(
    ['OrderFlowPackage', 'PackageType=DEVICE_2_FLOW_50G', ...flags, ...devices, ...KEYS],
    take,
  )
  expect(sent.map((body) => JSON.parse(body) as unknown)).toEqual([
    {
      PackageType: 'DEVICE_2_FLOW_50G',
      AutoRenewFlag: false,
      // Left as it is, for the server to say what is wrong with it.
      FlowTruncFlag: 'perhaps',
      PackageRegion: 0,
      DeviceList: ['mna-a', 'mna-b'],
    },
  ])
})

test.each([
  [['GetUcdnTrafficV2', 'IsDcdn=maybe', ...KEYS], 'RetCode 230: Params [IsDcdn] not available\n'],
  [['GetRegion', '--key', 'pk-a', '--secret', 'x'], 'RetCode 171: Signature VerifyAC Error\n'],
  [
    ['GetFlowStatisticByRegion', ...RANGE, ...KEYS],
    'MissingParameter: The request is missing a required parameter `GatewayType`.\n',
  ],
])('an API error goes to standard error with exit code 1: %s', async (words, message) => {
  const { out, err, code } = await run(words)
  expect({ err, code }).toEqual({ err: message, code: 1 })
  expect(out).not.toBe('')
})

test('a server that cannot be reached is named, with the way out', async () => {
  const refused: CallIo['send'] = () =>
    Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }))
  const { err, code } = await run(['GetRegion', ...KEYS], refused)
  expect(err).toBe(
    'No answer from http://127.0.0.1:8080/ (connect ECONNREFUSED). Is Weir running there? Give --url.\n',
  )
  expect(code).toBe(1)
})

test('an endpoint of something else is named', async () => {
  const page: CallIo['send'] = () => Promise.resolve({ status: 404, text: '<html>' })
  const { err, code } = await run(['GetRegion', ...KEYS], page)
  expect(err).toContain('HTTP 404 and no JSON')
  expect(code).toBe(1)
})

describe('--curl', () => {
  test('prints a line that a shell can run, and sends nothing', async () => {
    const never: CallIo['send'] = () => Promise.reject(new Error('sent'))
    const words = ['UpdateEIPAttribute', "Name=it's A+B", 'EIPId=eip-1', '--curl', ...KEYS]
    const { out, code } = await run(words, never)
    expect(out).toBe(
      "curl -sS 'http://127.0.0.1:8080/' -H 'content-type: application/x-www-form-urlencoded' " +
        String.raw`--data-raw 'Action=UpdateEIPAttribute&Name=it'\''s%20A%2BB&EIPId=eip-1&PublicKey=pk-a` +
        "&Signature=8371c320d268e7774a7cc8fcee0a56e43ba16015'\n",
    )
    expect(code).toBe(0)
  })

  test('says how long a Tencent signature is valid', async () => {
    const { out, err } = await run(['GetFlowStatisticByRegion', ...RANGE, '--curl', ...KEYS])
    expect(out).toContain("-H 'x-tc-action: GetFlowStatisticByRegion'")
    expect(out).toContain('"BeginTime":1795240800')
    expect(err).toContain('five minutes')
  })
})

test.each([
  [['GetRegion', 'Oops', ...KEYS], '"Oops" is not Key=Value.'],
  [['GetRegion', '--url', 'localhost:8080', ...KEYS], 'Give a URL such as'],
  [['GetRegion', '--dialect', 'aws', ...KEYS], 'Allowed choices are ucloud, tencent'],
])('wrong usage is explained: %s', async (words, message) => {
  const { err, code } = await run(words)
  expect(err).toContain(message)
  expect(code).toBe(1)
})

test('help lists every action with its parameters', async () => {
  const { out } = await run(['--help'])
  for (const text of ['GetUcdnTrafficV2', 'GetFlowStatisticByRegion', 'DomainId.N', 'WEIR_KEY']) {
    expect(out).toContain(text)
  }
})
