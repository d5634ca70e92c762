import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { CliContext } from './context.ts'
import { rulesCommand } from './rules.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-rules-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

async function run(
  args: readonly string[],
  isTerminal = true,
): Promise<{ text: string; code: number }> {
  const told = { text: '', code: 0 }
  const context: CliContext = {
    // A directory without a token: no server of this machine is asked.
    environment: { WEIR_DATA__DIRECTORY: directory },
    isTerminal,
    write: (part) => {
      told.text += part
    },
    clock: { nowMs: () => 0 },
    exitWith: (code) => {
      told.code = code
    },
  }
  await rulesCommand(context).parseAsync(args, { from: 'user' })
  return told
}

test('the list names every shipped pack', async () => {
  const { text } = await run(['list'])
  const names = text.split('\n').map((line) => line.split(' ')[0])
  expect(names).toEqual([
    'NAME',
    'generic-95',
    'generic-traffic',
    'tencent-mna',
    'ucloud-cdn',
    'ucloud-cdn-bandwidth',
    'ucloud-eip',
    'No',
    '',
  ])
  expect(text).toContain('No server was asked: packs that were added are missing.\n')
})

test('the list is JSON where nobody reads it, with the hash of each pack', async () => {
  const { text } = await run(['list'], false)
  const packs = JSON.parse(text) as { name: string; hash: string }[]
  expect(packs.map(({ hash }) => hash.length)).toEqual([64, 64, 64, 64, 64, 64])
})

test('a pack is shown with its defaults, and what is shown is the same pack', async () => {
  const { text } = await run(['show', 'generic-traffic'])
  expect(parse(text)).toMatchObject({
    name: 'generic-traffic',
    meters: ['cdn', 'eip', 'mna'],
    rules: [
      { level: 'account', windows: [], tiers: [{ upTo: '10TB', price: '0.08' }, {}, {}, {}] },
    ],
  })
  const again = await run(['show', write('again.yaml', text)])
  expect(again.text).toBe(text)
})

test('the source of a pack is the shipped file, byte for byte', async () => {
  const { text } = await run(['show', 'ucloud-cdn', '--source'])
  expect(text).toBe(readFileSync(new URL('../../rules/ucloud-cdn.yaml', import.meta.url), 'utf8'))
})

test('a pack that is not there is answered with those that are', async () => {
  await expect(run(['show', 'ucloud'])).rejects.toThrow(
    'No rule pack is called ucloud; there are generic-95, generic-traffic, tencent-mna, ' +
      'ucloud-cdn, ucloud-cdn-bandwidth, ucloud-eip.',
  )
})

test('a sound file is told back in words', async () => {
  const { text: source } = await run(['show', 'ucloud-eip', '--source'])
  const path = write('eip.yaml', source)
  const { text, code } = await run(['check', path])
  expect(code).toBe(0)
  expect(text.replace(/[0-9a-f]{64}/, '…')).toBe(
    `${path}: ucloud-eip 1: 1 rule for eip in CNY
  outbound: traffic of out per resource and day, days of a resource below 1GiB free, 0.80 per GiB
  packages: earliest-expiry, earliest-purchase, id; arrears absorbed by no package, ordered daily
  sha256 …
`,
  )
})

test('parts of abroad that no rule prices are noted, and nothing is refused', async () => {
  const rules = (areas: string): string =>
    'name: parts\nversion: 1\ndescription: d\ncurrency: CNY\nrules:\n' +
    `  - { type: traffic, name: far, scope: { areas: [${areas}] }, price: "1" }\n`
  const known = 'apac1, apac2, apac3, eu-na, me-africa, latam'
  const { text, code } = await run(['check', write('known.yaml', rules(known))])
  expect(code).toBe(0)
  expect(text).toContain('  note: usage in abroad-other matches no rule, so nobody pays for it\n')
  const whole = await run(['check', write('whole.yaml', rules(`${known}, abroad-other`))])
  expect(whole.text).not.toContain('note')
})

test('the words of an offer leave nothing out', async () => {
  const cdn = write('offers.yaml', (await run(['show', 'ucloud-cdn', '--source'])).text)
  const mna = write('devices.yaml', (await run(['show', 'tencent-mna', '--source'])).text)
  const { text } = await run(['check', cdn, mna])
  expect(text).toContain(
    '  offer cn-night-1tib: 1TiB of static cn, at 00:00-08:00, 6 months from first use, 90.00 CNY\n',
  )
  expect(text).toContain(
    '  offer DEVICE_1_FLOW_20G: 20GB, for at most 1 named resource, 1 month, 18.00 CNY\n',
  )
})

test('the words of a bandwidth rule and of tiers leave nothing out', async () => {
  const cdn = write('cdn.yaml', (await run(['show', 'ucloud-cdn', '--source'])).text)
  const transit = write('transit.yaml', (await run(['show', 'generic-95', '--source'])).text)
  const { text } = await run(['check', cdn, transit])
  expect(text).toContain(
    '  static-cn: traffic of static cn out per account and day, plus 10%, 0.20 up to 10TiB, then 0.18 ' +
      'up to 50TiB, then 0.15 up to 1PiB, then 0.11 per GiB (the tier reached all of it)\n',
  )
  expect(text).toContain(
    '  monthly-95: monthly-95 of everything per account, direction max-of-both, five-minute means, ' +
      '5 % of slots dropped (floor), all days, missing slots zero, 0.50 per Mbps for 100Mbps in ' +
      'any case, 0.60 above\n',
  )
})

test('all mistakes of all files are told, a line each, and the exit code is 1', async () => {
  const wrong = write(
    'wrong.yaml',
    'name: a\nversion: 1\ndescription: d\ncurrency: CNY\nrules: 1\n',
  )
  const float = write(
    'float.yaml',
    `name: a
version: 1
description: d
currency: CNY
settle: 12:00
rules:
  - type: traffic
    name: flat
    price: 0.135
`,
  )
  const missing = join(directory, 'missing.yaml')
  const { text, code } = await run(['check', wrong, missing, float])
  expect(code).toBe(1)
  expect(text).toBe(
    `${wrong}:5:8: rules: must be a list of rules, not 1
${missing}:1:1: cannot be read
${float}:5:1: settle: is not known here; known are name, version, description, currency, source, meters, rules, packages
${float}:9:12: rules[0].price: is a number, which may have lost digits; put it in quotes: "0.135"
`,
  )
})
