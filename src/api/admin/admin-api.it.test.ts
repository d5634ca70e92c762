import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testAlertDesk } from '../../../test/support/alert-desk.ts'
import { openTestCharges } from '../../../test/support/charges.ts'
import { testPackageDesk } from '../../../test/support/packages.ts'
import { createCatalog } from '../../catalog/catalog.ts'
import { systemClock } from '../../core/clock.ts'
import { type ControlStore, openControlStore } from '../../store/control/control-store.ts'
import { createMasterKeys } from '../../store/control/master-key.ts'
import { ADMIN_PREFIX, addAdminApi } from './admin-api.ts'
import { ADMIN_ROUTES } from './routes.ts'

let folder: string
let store: ControlStore
let app: FastifyInstance
let token: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-admin-'))
  const masterKeys = createMasterKeys([Buffer.alloc(32, 7).toString('base64')])
  const location = join(folder, 'control.db')
  store = await openControlStore(location, { clock: systemClock, masterKeys })
  const catalog = createCatalog(store.catalog, { clock: systemClock })
  await catalog.ensureDefaults()
  token = (await catalog.ensureAdminToken())?.token ?? ''
  app = fastify()
  const adminOfToken = (text: string) => store.reader.adminOfToken(text)
  const charges = await openTestCharges(store, systemClock)
  const alerts = testAlertDesk(store, catalog, charges, systemClock)
  const packages = testPackageDesk(catalog, systemClock)
  const deps = { catalog, alerts, charges, packages, adminOfToken }
  await app.register((scope) => addAdminApi(scope, deps), { prefix: ADMIN_PREFIX })
})
afterAll(async () => {
  await app.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

async function call(method: Method, path: string, body?: object, bearer = token) {
  const reply = await app.inject({
    method,
    url: `${ADMIN_PREFIX}${path}`,
    headers: { authorization: `Bearer ${bearer}` },
    ...(body === undefined ? {} : { payload: body }),
  })
  return { status: reply.statusCode, body: reply.json<Record<string, unknown>>() }
}

async function make(path: string, body: object): Promise<Record<string, unknown>> {
  const reply = await call('POST', path, body)
  expect(reply).toMatchObject({ status: 201 })
  return reply.body
}

// Every operation, so that a new one cannot be forgotten.
test.each(ADMIN_ROUTES.map((route) => [route.method, route.path] as const))(
  '%s %s needs an admin token',
  async (method, path) => {
    for (const bearer of ['', 'x', `${token}x`, token.slice(0, -1)]) {
      const reply = await call(method, path.replace('{id}', 'x'), undefined, bearer)
      expect(reply).toMatchObject({ status: 401, body: { error: { code: 'token_unknown' } } })
    }
  },
)

test('a revoked admin token is refused at once', async () => {
  const made = await make('/admin-tokens', { name: 'short-lived' })
  const bearer = made['token'] as string
  expect((await call('GET', '/brands', undefined, bearer)).status).toBe(200)
  await call('POST', `/admin-tokens/${String(made['id'])}/revoke`)
  expect((await call('GET', '/brands', undefined, bearer)).status).toBe(401)
})

test('the OpenAPI document is answered to everybody', async () => {
  const reply = await app.inject({ url: `${ADMIN_PREFIX}/openapi.json` })
  expect(reply.json()).toMatchObject({ openapi: '3.1.0' })
})

test('a customer is set up from account to package, and read back', async () => {
  const account = await make('/accounts', { name: 'acme', email: 'ops@acme.example' })
  expect(account).toMatchObject({ name: 'acme', zone: 'Asia/Shanghai', parentId: null })
  const project = await make('/projects', { account: 'acme', name: 'video' })
  const key = await make('/keys', { account: 'acme', name: 'script' })
  expect(key['secret']).toMatch(/^\w{32}$/)
  const resource = await make('/resources', {
    meter: 'cdn',
    account: 'acme',
    name: 'WWW.acme.example',
    createdAt: '2026-01-01T00:00:00+08:00',
  })
  expect(resource).toMatchObject({
    name: 'www.acme.example',
    createdAt: '2025-12-31T16:00:00.000Z',
    deletedAt: null,
  })
  const entry = await make('/traffic-packages', { account: 'acme', area: 'cn', size: '10 TiB' })
  expect(entry).toMatchObject({ sizeBytes: '10995116277760', endAt: null })

  const id = String(resource['id'])
  const move = { project: 'video', fromAt: '2026-02-01T00:00:00+08:00' }
  expect((await call('POST', `/resources/${id}/move`, move)).body).toMatchObject({
    projectId: project['id'],
  })
  const versions = await call('GET', `/resources/${id}/versions`)
  expect(versions.body).toMatchObject({
    items: [
      { fromAt: '2025-12-31T16:00:00.000Z' },
      { fromAt: '2026-01-31T16:00:00.000Z', projectId: project['id'] },
    ],
  })
  const found = await call('GET', '/resources?account=acme&meter=cdn&name=www.ACME.example')
  expect(found.body).toMatchObject({ items: [{ id }], nextCursor: null })
  expect((await call('GET', `/keys/${String(key['publicKey'])}`)).body).not.toHaveProperty('secret')
})

test('a package is bought by what is offered, shown with all its terms, and given back', async () => {
  await make('/accounts', { name: 'buyer' })
  await make('/resources', { meter: 'mna', account: 'buyer', name: 'van' })
  const offers = await call('GET', '/package-offers?account=buyer&meter=mna&limit=1')
  expect(offers.body).toMatchObject({
    items: [
      {
        name: 'DEVICE_1_FLOW_20G',
        sizeBytes: '20000000000',
        areas: null,
        months: 1,
        from: 'purchase',
        resourcesMax: 1,
        price: '18.00',
        currency: 'CNY',
      },
    ],
    nextCursor: 'DEVICE_1_FLOW_20G',
  })
  const order = { account: 'buyer', meter: 'mna', offer: 'DEVICE_1_FLOW_20G', resources: ['van'] }
  expect(await make('/package-orders', order)).toMatchObject({
    meter: 'mna',
    areas: null,
    kinds: null,
    resourceIds: [expect.stringMatching(/^mna-/)],
    paid: { amount: '18.00', currency: 'CNY' },
    offer: 'DEVICE_1_FLOW_20G',
    refundedAt: null,
    refundAmount: null,
  })
  const bySize = { account: 'buyer', size: '1 TiB', area: 'cn', kind: 'static' }
  const bought = await make('/package-orders', bySize)
  // Two offers are of this size; the one for nights costs less.
  expect(bought).toMatchObject({
    offer: 'cn-night-1tib',
    windows: ['00:00-08:00'],
    firstUseMonths: 6,
    endAt: null,
  })
  const refund = `/traffic-packages/${String(bought['id'])}/refund`
  expect(await call('POST', refund)).toMatchObject({
    status: 200,
    body: { refundedAt: expect.stringMatching(/Z$/) as string, refundAmount: '90.00' },
  })
  expect(await call('POST', refund)).toMatchObject({
    status: 409,
    body: { error: { code: 'conflict' } },
  })
})

test.each([
  ['neither offer nor size', {}, 400, 'offer'],
  ['an offer and a size', { offer: 'cn-1tib-year', size: '1 TiB' }, 400, 'size'],
  ['an offer and an area', { offer: 'cn-1tib-year', area: 'cn' }, 400, 'area'],
  ['an offer that there is not', { offer: 'cn-1tib-decade' }, 404, 'offer'],
  ['a size that there is not', { size: '3 TiB' }, 404, 'size'],
  ['an unknown account', { account: 'nobody', offer: 'cn-1tib-year' }, 404, 'account'],
  [
    'resources that the offer has no place for',
    { offer: 'cn-1tib-year', resources: ['a'] },
    400,
    'resources',
  ],
  ['a price of one’s own', { offer: 'cn-1tib-year', price: '0.01' }, 400, 'price'],
])('an order with %s is refused at the field', async (_title, order, status, field) => {
  await call('POST', '/accounts', { name: 'orderer' })
  const reply = await call('POST', '/package-orders', { account: 'orderer', ...order })
  expect(reply).toMatchObject({ status, body: { error: { field } } })
})

test('each kind can be made, changed and ended', async () => {
  await make('/accounts', { name: 'kinds' })
  expect(await make('/accounts/kinds/sub-accounts', { name: 'kinds-sub' })).toMatchObject({
    parentId: expect.stringMatching(/^acc-/),
  })
  const subs = await call('GET', '/accounts/kinds/sub-accounts')
  expect(subs.body).toMatchObject({ items: [{ name: 'kinds-sub' }] })
  const renamed = await call('PATCH', '/accounts/kinds', { email: 'a@b.example' })
  expect(renamed.body).toMatchObject({ name: 'kinds', email: 'a@b.example' })
  await make('/brands', { name: 'Second', hosts: ['second.example'] })
  const brand = await call('PATCH', '/brands/Second', { radixCn: 1000 })
  expect(brand.body).toMatchObject({ radixCn: 1000, radixAbroad: 1024, hosts: ['second.example'] })
  await make('/regions', { region: 'cn-zj', name: 'Zhejiang', zones: ['cn-zj-01'] })
  const eip = await make('/resources', { meter: 'eip', account: 'kinds', name: '192.0.2.9' })
  const eipId = String(eip['id'])
  const paid = await call('POST', `/resources/${eipId}/pay-mode`, { payMode: 'Bandwidth' })
  expect(paid.body).toMatchObject({ payMode: 'Bandwidth' })
  const own = await make('/exclusive-packages', {
    resource: '192.0.2.9',
    size: '1 GB',
    resetPolicy: 'Month',
  })
  expect(own).toMatchObject({ deletedAt: null })
  const ownPath = `/exclusive-packages/${String(own['id'])}`
  expect((await call('GET', '/exclusive-packages')).body).toMatchObject({ items: [own] })
  expect((await call('DELETE', ownPath)).status).toBe(200)
  expect((await call('GET', '/exclusive-packages')).body).toMatchObject({ items: [] })
  expect((await call('GET', ownPath)).body).toMatchObject({ deletedAt: expect.any(String) })
  expect((await call('DELETE', `/resources/${eipId}`)).body).toMatchObject({
    deletedAt: expect.any(String),
  })
  const source = await make('/sources', { name: 'edge-1', meters: ['cdn'] })
  expect(source['token']).toMatch(/^weir_src_/)
  expect(source).toMatchObject({ expects: 'continuous' })
  const sporadic = await call('PATCH', '/sources/edge-1', { expects: 'sporadic' })
  expect(sporadic.body).toMatchObject({ expects: 'sporadic', active: true })
  expect((await call('POST', '/sources/edge-1/revoke')).body).toMatchObject({ active: false })
})

test('everything wrong with an input is answered at once', async () => {
  const reply = await call('POST', '/traffic-packages', { area: 'mars', size: 0, colour: 'red' })
  expect(reply).toMatchObject({
    status: 400,
    body: { error: { code: 'parameter_invalid', field: 'account' } },
  })
  const { problems } = reply.body['error'] as { problems: { field: string }[] }
  expect(problems.map((problem) => problem.field)).toEqual(['account', 'area', 'size', 'colour'])
})

test.each<[string, Method, string, object | undefined, number, string]>([
  ['an unknown entry', 'GET', '/accounts/nobody', undefined, 404, 'not_found'],
  ['an unknown path', 'GET', '/nothing', undefined, 404, 'not_found'],
  ['a taken name', 'POST', '/accounts', { name: 'taken' }, 409, 'conflict'],
  ['an unknown filter', 'GET', '/brands?colour=red', undefined, 400, 'parameter_invalid'],
  ['a page too large', 'GET', '/brands?limit=1001', undefined, 400, 'parameter_invalid'],
  ['a cursor of nobody', 'GET', '/brands?cursor=x', undefined, 400, 'parameter_invalid'],
  ['an empty body', 'POST', '/accounts', {}, 400, 'parameter_invalid'],
])(
  '%s is refused with its own status and code',
  async (_title, method, path, body, status, code) => {
    await call('POST', '/accounts', { name: 'taken' })
    expect(await call(method, path, body)).toMatchObject({ status, body: { error: { code } } })
  },
)

test.each([
  ['{"name":', 'application/json', 400, 'body_malformed'],
  ['name=x', 'application/x-www-form-urlencoded', 415, 'media_type_unsupported'],
  [`{"name":"${'x'.repeat(2_000_000)}"}`, 'application/json', 413, 'too_large'],
])('a body of %.12s… is refused as what it is', async (payload, type, status, code) => {
  const reply = await app.inject({
    method: 'POST',
    url: `${ADMIN_PREFIX}/accounts`,
    headers: { authorization: `Bearer ${token}`, 'content-type': type },
    payload,
  })
  expect(reply.statusCode).toBe(status)
  expect(reply.json()).toMatchObject({ error: { code } })
})

test('pages lead through a whole list', async () => {
  for (let count = 0; count < 5; count += 1) await make('/accounts', { name: `page ${count}` })
  const seen: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const after: string = cursor === '' ? '' : `&cursor=${cursor}`
    const { body } = await call('GET', `/accounts?limit=2${after}`)
    seen.push(...(body['items'] as unknown[]))
    cursor = body['nextCursor'] as string | null
  }
  const all = await call('GET', '/accounts?limit=1000')
  expect(seen).toEqual(all.body['items'])
})

test('the audit log names the token that changed something', async () => {
  await make('/admin-tokens', { name: 'bob' }).then(({ token: bob }) =>
    call('POST', '/accounts', { name: 'by bob' }, bob as string),
  )
  const { body } = await call('GET', '/audit-log?actor=bob&action=account.create')
  const hash = expect.stringMatching(/^[0-9a-f]{64}$/)
  expect(body).toMatchObject({ items: [{ actor: 'bob', after: { name: 'by bob' }, hash }] })
})

const PACK =
  'name: mine\nversion: 1\ndescription: A test.\ncurrency: CNY\nmeters: [cdn]\nrules:\n' +
  '  - { type: traffic, name: all, price: "1" }\n'

test('a rule pack is added, listed beside those that come with Weir, and shown as written', async () => {
  const added = await make('/rule-packs', { pack: PACK, file: 'mine.yaml' })
  expect(added).toMatchObject({ name: 'mine', version: '1', origin: 'added', rules: 1 })
  const list = await call('GET', '/rule-packs?limit=4')
  const rest = await call('GET', `/rule-packs?cursor=${String(list.body['nextCursor'])}`)
  const items = [list, rest].flatMap(({ body }) => body['items'] as { name: string }[])
  expect(items.map(({ name }) => name)).toEqual([
    'generic-95',
    'generic-traffic',
    'mine',
    'tencent-mna',
    'ucloud-cdn',
    'ucloud-cdn-bandwidth',
    'ucloud-eip',
  ])
  for (const ref of ['mine', String(added['hash'])]) {
    const shown = await call('GET', `/rule-packs/${ref}`)
    expect(shown.body).toEqual({ ...added, content: PACK })
  }
  const changed = { pack: PACK.replace('"1"', '"2"') }
  expect(await call('POST', '/rule-packs', changed)).toMatchObject({
    status: 409,
    body: { error: { code: 'conflict', field: 'version' } },
  })
  const wrong = { pack: PACK.replace('"1"', '1.5'), file: 'mine.yaml' }
  expect(await call('POST', '/rule-packs', wrong)).toMatchObject({
    status: 400,
    body: { error: { message: expect.stringContaining('mine.yaml:7:') } },
  })
})

test('a charge mode is switched in the caller’s name, and its history listed', async () => {
  const account = await make('/accounts', { name: 'switching' })
  await make('/resources', { meter: 'cdn', account: 'switching', name: 'switching.example' })
  const before = await call('GET', '/charge-modes?account=switching')
  expect(before.body['items']).toMatchObject([
    { meter: 'cdn', rules: 'ucloud-cdn', state: 'default', id: null, fromAt: null },
    { meter: 'eip', rules: 'ucloud-eip', state: 'default' },
    { meter: 'mna', rules: 'tencent-mna', state: 'default' },
  ])
  const request = { account: 'switching', meter: 'cdn', rules: 'generic-95' }
  const made = await make('/charge-modes', request)
  expect(made).toMatchObject({ accountId: account['id'], rules: 'generic-95', state: 'coming' })
  expect(made['localFrom']).toMatch(/^\d{4}-\d\d-\d\d 00:00 Asia\/Shanghai$/)
  const after = await call('GET', '/charge-modes?account=switching&meter=cdn')
  expect(after.body['items']).toMatchObject([
    { rules: 'ucloud-cdn', state: 'current', actor: 'default' },
    made,
  ])
  const log = await call('GET', '/audit-log?action=charge-mode.switch')
  expect(log.body).toMatchObject({ items: [{ actor: 'first', target: account['id'] }] })
})

test.each([
  [{ account: 'nobody' }, 404, 'account'],
  [{ rules: 'nothing' }, 404, undefined],
  [{ rules: 'ucloud-eip' }, 400, 'rules'],
  [{ meter: 'dns' }, 400, 'meter'],
  [{ groups: { a: ['ucdn-1'] } }, 400, 'groups'],
  [{ fromAt: '2020-01-01T00:00:00Z' }, 400, 'fromAt'],
])('a switch with %j is refused with %i', async (change, status, field) => {
  const sound = { account: 'acme', meter: 'cdn', rules: 'generic-95' }
  const reply = await call('POST', '/charge-modes', { ...sound, ...change })
  expect(reply.status).toBe(status)
  expect(reply.body['error']).toMatchObject(field === undefined ? {} : { field })
})
