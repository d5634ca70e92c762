import { mkdtemp, readFile, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AdminApiDeps, ADMIN_PREFIX, addAdminApi } from '../api/admin/admin-api.ts'
import { testAlertDesk } from '../../test/support/alert-desk.ts'
import { openTestCharges } from '../../test/support/charges.ts'
import { createCatalog } from '../catalog/catalog.ts'
import { saveAdminToken } from '../config/admin-token-file.ts'
import { systemClock } from '../core/clock.ts'
import { type ControlStore, openControlStore } from '../store/control/control-store.ts'
import { createMasterKeys } from '../store/control/master-key.ts'
import { alertCommand } from './alert.ts'
import type { CliContext } from './context.ts'

let folder: string
let store: ControlStore
let app: FastifyInstance
let environment: Record<string, string>
let charges: Awaited<ReturnType<typeof openTestCharges>>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-cli-alert-'))
  const masterKeys = createMasterKeys([Buffer.alloc(32, 7).toString('base64')])
  store = await openControlStore(join(folder, 'control.db'), { clock: systemClock, masterKeys })
  const catalog = createCatalog(store.catalog, { clock: systemClock })
  await catalog.ensureDefaults()
  await catalog.ensureAdminToken((token) => saveAdminToken(folder, token))
  const writer = catalog.as('test')
  await writer.createAccount({ name: 'acme' })
  await writer.createAccount({ name: 'acme-sub', parent: 'acme' })
  await writer.createTrafficPackage({ id: 'pkg-1', account: 'acme', area: 'cn', size: '10 TB' })
  await writer.createAccount({ name: 'other' })
  app = fastify()
  charges = await openTestCharges(store, systemClock)
  const deps: Partial<AdminApiDeps> = {
    catalog,
    alerts: testAlertDesk(store, catalog, charges, systemClock),
    adminOfToken: (text) => store.reader.adminOfToken(text),
  }
  // The alerts' own operations need nothing else.
  await app.register((scope) => addAdminApi(scope, deps as AdminApiDeps), { prefix: ADMIN_PREFIX })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  environment = { WEIR_URL: `http://127.0.0.1:${port}`, WEIR_DATA__DIRECTORY: folder }
})
afterAll(async () => {
  await app.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

function contextOf(write: CliContext['write'], isTerminal: boolean): CliContext {
  return { environment, isTerminal, clock: systemClock, exitWith: () => undefined, write }
}

async function weir(line: string): Promise<string> {
  let text = ''
  const command = alertCommand(contextOf((part) => (text += part), true))
  const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
  await command.parseAsync(args, { from: 'user' })
  return text
}

async function json(line: string): Promise<Record<string, unknown>> {
  return JSON.parse(await weir(`${line} --json`)) as Record<string, unknown>
}

const CREATE = 'create low --account acme --meter cdn --watch percent-left --threshold 10'

test('an alert is made, listed, tested, looked up and deleted by command', async () => {
  const endpoint = await weir('endpoint create bot http://127.0.0.1:9/x')
  expect(endpoint).toMatch(/secret +whsec_\S{44}/)
  expect(endpoint).toContain('Keep the secret')
  const [, hook = ''] = /id +(hook-\w+)/.exec(endpoint) ?? []
  expect(await weir('endpoint list')).not.toContain('whsec_')

  const made = await json(
    `${CREATE} --area cn --endpoints ${hook} --emails a@b.example c@d.example`,
  )
  expect(made).toMatchObject({
    name: 'low',
    watch: { type: 'percent-left', packageId: null, area: 'cn', kind: null },
    threshold: '10',
    recovery: '11',
    unit: 'percent',
    endpoints: [hook],
    emails: ['a@b.example', 'c@d.example'],
    state: 'ok',
    value: null,
  })
  const id = String(made['id'])
  expect(await weir('list --account acme')).toMatch(new RegExp(`${id} +low +acc-\\w+ +cdn +ok`))
  expect(await json(`show ${id}`)).toEqual(made)
  await weir(`test ${id}`)
  const history = await json(`history ${id}`)
  expect(history['items']).toMatchObject(
    Array.from({ length: 3 }, () => ({ type: 'alert.test', state: 'waiting', attempts: 0 })),
  )
  await expect(weir(`endpoint delete ${hook}`)).rejects.toMatchObject({ code: 'conflict' })
  await weir(`delete ${id}`)
  await weir(`endpoint delete ${hook}`)
  expect((await json('list'))['items']).toEqual([])
  expect((await json(`history ${id}`))['items']).toHaveLength(3)
})

test('what was given up is listed with its reason and can be retried', async () => {
  const { id } = await json(`${CREATE} --emails a@b.example`)
  await weir(`test ${String(id)}`)
  const claimed = await store.alertOutbox.claim({
    nowMs: systemClock.nowMs() + 1000,
    leaseMs: 1000,
    limit: 100,
  })
  for (const delivery of claimed) {
    await store.alertOutbox.settle(delivery, { outcome: 'dead', reason: 'no such user' }, 1)
  }
  expect(await weir('dead list')).toContain('no such user')
  const { items } = (await json(`history ${String(id)}`)) as { items: { id: string }[] }
  const dead = items[0]?.id ?? ''
  expect(await json(`dead show ${dead}`)).toMatchObject({
    body: { type: 'alert.test', data: { reason: 'test' } },
    log: [{ outcome: 'dead', reason: 'no such user' }],
    nextAt: null,
  })
  expect(await json(`dead retry ${dead}`)).toMatchObject({ state: 'waiting', attempts: 0 })
  await expect(weir(`dead retry ${dead}`)).rejects.toMatchObject({ code: 'conflict' })
  await expect(weir('dead retry dlv-x')).rejects.toMatchObject({ code: 'not_found' })
  await expect(weir('history alt-x')).rejects.toMatchObject({ code: 'not_found' })
})

test("a sub-account's alert watches the book of its parent", async () => {
  const parent = await json(`${CREATE} --emails a@b.example`)
  const sub = await json(`${CREATE.replace('acme', 'acme-sub')} --emails a@b.example`)
  expect(sub['accountId']).toBe(parent['accountId'])
})

test.each([
  ['--emails a@b.example --package pkg-1', 'other', 'not_found'],
  ['--emails a@b.example --package pkg-x', 'acme', 'not_found'],
  ['--endpoints hook-x', 'acme', 'not_found'],
  ['', 'acme', 'parameter_invalid'],
  ['--emails a@b.example --currency CNY', 'acme', 'parameter_invalid'],
  ['--emails a@b.example --package pkg-1 --area cn', 'acme', 'parameter_invalid'],
  ['--emails a@b.example --recovery 5', 'acme', 'parameter_invalid'],
  ['--emails "a@b.example\r\nBcc: c@d.example"', 'acme', 'parameter_invalid'],
])('an alert with %j of %s ends with %s', async (options, account, code) => {
  const made = weir(`${CREATE.replace('acme', account)} ${options}`)
  await expect(made).rejects.toMatchObject({ code })
})

test('an alert may watch a single package of its account', async () => {
  expect(await json(`${CREATE} --emails a@b.example --package pkg-1`)).toMatchObject({
    watch: { packageId: 'pkg-1' },
  })
})

test.each([
  ['amount', '100', '', 'currency'],
  ['amount', '0', '--currency CNY', 'threshold'],
  ['bandwidth', '1e9', '', 'threshold'],
  ['percent-left', '100', '', 'threshold'],
  ['percent-left', '10', '--meter eip --area cn', 'area'],
  ['days-left', '3', '--meter mna --kind static', 'kind'],
])('a watch of %s at %s with %j is refused at the %s', async (watch, threshold, options, field) => {
  const line = `create x --account acme --meter cdn --emails a@b.example ${options}`
  const made = weir(`${line} --watch ${watch} --threshold ${threshold}`)
  await expect(made).rejects.toMatchObject({ code: 'parameter_invalid', field })
})

test.each([
  'ftp://acme.example',
  'http://user:pass@acme.example',
  'http://acme.example/#x',
  'acme.example',
])('the target %s is refused', async (url) => {
  const made = weir(`endpoint create x ${url}`)
  await expect(made).rejects.toMatchObject({ code: 'parameter_invalid', field: 'url' })
})

test('every verb teaches with an example that its own command line accepts', () => {
  const verbsOf = (command: Command, path: string[]): [Command, string[]][] =>
    command.commands.length === 0
      ? [[command, path]]
      : command.commands.flatMap((each) => verbsOf(each, [...path, each.name()]))
  const verbs = verbsOf(alertCommand(contextOf(() => undefined, true)), ['alert'])
  expect(verbs).toHaveLength(12)
  for (const [verb, path] of verbs) {
    let help = ''
    verb.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    const example = /\$ weir (.+)/.exec(help)?.[1] ?? ''
    const args = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    )
    expect(args.slice(0, path.length)).toEqual(path)
    verb.exitOverride().configureOutput({ writeErr: () => undefined })
    const { operands, unknown } = verb.parseOptions(args.slice(path.length))
    expect({ example, unknown }).toEqual({ example, unknown: [] })
    expect(operands).toHaveLength(verb.registeredArguments.length)
  }
})

test('the documented commands are those that there are', async () => {
  const page = await readFile(new URL('../../docs/how-to/alerts.md', import.meta.url), 'utf8')
  const command = alertCommand(contextOf(() => undefined, true))
  for (const [, line = ''] of page.matchAll(/^weir alert (.+)$/gm)) {
    const [first = '', second = ''] = line.split(' ')
    const verb = command.commands.find((each) => each.name() === first)
    expect(verb?.name()).toBe(first)
    if (verb === undefined || verb.commands.length === 0) continue
    expect(verb.commands.map((each) => each.name())).toContain(second)
  }
})
