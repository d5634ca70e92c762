import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { firstSteps, nextSteps, type NextStepsInput } from './next-steps.ts'

const END_MS = Date.UTC(2026, 10, 21, 7, 30)
const INPUT: NextStepsInput = {
  url: 'http://127.0.0.1:8080/',
  command: 'npx weir',
  nowMs: END_MS + 5000,
  accountId: 'acc-example',
  usage: { startMs: END_MS - 3 * 86_400_000, endMs: END_MS },
  publicKey: 'AKIDexample',
  secret: 'the-secret',
  isNew: true,
  dataDirectory: './data',
  eipToken: 'weir_src_token',
}

const ACTIONS = [
  'GetUcdnTrafficV2',
  'GetUcdnProIspBandwidthV2',
  'GetThroughputDailyBillingInfo',
  'GetFlowStatisticByRegion',
  'GetEIPExclusiveUTPInfo',
]

test('every contract call is there once for weir and once for curl', () => {
  const lines = nextSteps(INPUT).split('\n')
  const called = lines.flatMap((line) => /^ {2}npx weir call (\w+)/.exec(line)?.[1] ?? [])
  expect(called).toEqual(ACTIONS)
  const curled = lines.flatMap(
    (line) => /^ {2}curl .*(?:Action=|x-tc-action: )(\w+)/.exec(line)?.[1] ?? [],
  )
  expect(curled).toEqual(ACTIONS)
})

test('curl lines carry the signature that the protocol asks for', () => {
  const [url = ''] = /http:\S+GetThroughputDailyBillingInfo[^']*/.exec(nextSteps(INPUT)) ?? []
  const query = new URL(url).searchParams
  const names = [...query.keys()].filter((name) => name !== 'Signature').sort()
  const text = names.map((name) => name + query.get(name)).join('')
  const expected = createHash('sha1').update(`${text}the-secret`).digest('hex')
  expect(query.get('Signature')).toBe(expected)
})

test('no line needs quoting that it lacks', () => {
  for (const line of nextSteps(INPUT).split('\n')) {
    if (!line.startsWith('  curl') && !line.startsWith('    -H')) continue
    expect(line.match(/'/g)?.length).toSatisfy((count: number) => count % 2 === 0)
  }
})

test('a server elsewhere is named to weir call', () => {
  const text = nextSteps({ ...INPUT, url: 'https://api.example.net/' })
  expect(text).toContain('npx weir call GetUcdnTrafficV2 --url https://api.example.net/\n')
  expect(text).toContain('p95_bps --url https://api.example.net/\n')
  expect(nextSteps(INPUT)).not.toContain('--url')
})

test('the secret is printed when the key pair is new, and never again', () => {
  expect(nextSteps(INPUT)).toContain('export WEIR_SECRET=the-secret')
  expect(nextSteps(INPUT)).toContain('weir_src_token')
  const again = nextSteps({ ...INPUT, isNew: false, eipToken: undefined })
  expect(again).not.toContain('the-secret')
  expect(again).not.toContain('v1/usage')
  expect(again).toContain('AKIDexample')
})

test('on an empty server the first resource is registered from before its log', () => {
  const text = firstSteps(INPUT)
  expect(text).toContain('npx weir account create acme\n')
  expect(text).toContain('--created-at 2026-10-22T00:00:00Z\n')
})
