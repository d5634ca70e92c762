import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testAlertDesk } from '../../../test/support/alert-desk.ts'
import { openTestCharges } from '../../../test/support/charges.ts'
import { createCatalog } from '../../catalog/catalog.ts'
import { DAY_MS } from '../../core/period.ts'
import { type AlertWorld, openAlerts } from '../../store/control/alerts-world.suite.ts'
import { walkAuditLog } from '../../store/control/audit-log.ts'
import type { AlertDesk } from './alert-desk.ts'

let folder: string
let world: AlertWorld
let charges: Awaited<ReturnType<typeof openTestCharges>>
let desk: AlertDesk

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-alert-desk-'))
  world = await openAlerts(join(folder, 'control.db'))
  const { store, clock } = world
  charges = await openTestCharges(store, clock)
  desk = testAlertDesk(store, createCatalog(store.catalog, { clock }), charges, clock)
})
afterEach(async () => {
  await world.store.close()
  await rm(folder, { recursive: true, force: true })
})

const ALL = { limit: 100, cursor: null }
const AMOUNT = { account: 'acme', meter: 'cdn', name: 'much', watch: 'amount', threshold: '100' }
const EMAILS = ['ops@acme.example']

const watchAmount = (currency: string) =>
  desk.create({ ...AMOUNT, currency, emails: EMAILS }, 'alice')

describe('the audit log', () => {
  const entries = async (target: string) => {
    const { items } = await world.store.catalog.rows.audit.list({ target }, ALL)
    return items
      .map(({ actor, action, before, after }) => ({ actor, action, before, after }))
      .sort((a, b) => (a.action < b.action ? -1 : 1))
  }

  test('has who made and who deleted each alert and endpoint, in its chain', async () => {
    const before = await walkAuditLog(world.store.db)
    const { endpoint, secret } = await desk.createEndpoint(
      { name: 'bot', url: 'https://hooks.acme.example/x' },
      'alice',
    )
    const endpoints = [endpoint.id]
    const { alert } = await desk.create({ ...AMOUNT, currency: 'CNY', endpoints }, 'alice')
    world.clock.ms += 1000
    await desk.remove(alert.id, 'bob')
    await desk.removeEndpoint(endpoint.id, 'bob')
    const plain = { ...alert, threshold: '100000000000', recovery: '90000000000' }
    expect(await entries(alert.id)).toEqual([
      { actor: 'alice', action: 'alert.create', before: null, after: plain },
      { actor: 'bob', action: 'alert.delete', before: plain, after: null },
    ])
    expect(await entries(endpoint.id)).toEqual([
      { actor: 'alice', action: 'alert-endpoint.create', before: null, after: endpoint },
      { actor: 'bob', action: 'alert-endpoint.delete', before: endpoint, after: null },
    ])
    const rows = await world.store.db.selectFrom('audit_log').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(await walkAuditLog(world.store.db)).toEqual({ checks: before.checks + 4, findings: [] })
  })

  test('says nothing of what was refused', async () => {
    const { endpoint } = await desk.createEndpoint(
      { name: 'bot', url: 'https://hooks.acme.example/x' },
      'alice',
    )
    const endpoints = [endpoint.id]
    await desk.create({ ...AMOUNT, currency: 'CNY', endpoints }, 'alice')
    const { checks } = await walkAuditLog(world.store.db)
    const unknown = { ...AMOUNT, currency: 'CNY', endpoints: [endpoint.id, 'hook-x'] }
    await expect(desk.create(unknown, 'bob')).rejects.toMatchObject({ code: 'not_found' })
    await expect(desk.removeEndpoint(endpoint.id, 'bob')).rejects.toMatchObject({
      code: 'conflict',
    })
    await expect(desk.remove('alt-x', 'bob')).rejects.toMatchObject({ code: 'not_found' })
    expect((await desk.list({}, ALL)).items).toHaveLength(1)
    expect(await walkAuditLog(world.store.db)).toEqual({ checks, findings: [] })
  })
})

describe('an alert on an amount', () => {
  test('in a currency in which the book is not billed is refused, naming its own', async () => {
    await expect(watchAmount('USD')).rejects.toMatchObject({
      code: 'parameter_invalid',
      field: 'currency',
      message: expect.stringContaining(
        'nothing is owed in USD: the cdn book is billed in CNY, by the rule pack ucloud-cdn',
      ),
    })
    expect(await watchAmount('CNY')).toMatchObject({ problem: null })
  })

  test('may wait for a switch to another currency, and says that the old one ended', async () => {
    const old = await watchAmount('CNY')
    world.clock.ms += 1
    await charges.desk.switch({
      account: 'acme',
      meter: 'cdn',
      pack: 'generic-traffic',
      groups: {},
      actor: 'ops',
    })
    // A book that has not begun is billed by it from the start of today.
    expect(await watchAmount('USD')).toMatchObject({ problem: null })
    const problem =
      'nothing is owed in CNY: the cdn book is billed in USD, by the rule pack generic-traffic'
    expect(await desk.get(old.alert.id)).toMatchObject({ problem, state: { phase: 'ok' } })
    const { items } = await desk.list({}, ALL)
    expect(items.map((each) => each.problem)).toEqual([problem, null])
    await expect(watchAmount('CNY')).rejects.toThrow(problem)
  })

  test('may watch what a coming pack bills, and what packages are paid in', async () => {
    const writer = createCatalog(world.store.catalog, { clock: world.clock }).as('test')
    await writer.createResource({ meter: 'cdn', account: 'acme', name: 'a.example.com' })
    const pack = 'generic-traffic'
    const choice = { account: 'acme', meter: 'cdn', pack, groups: {}, actor: 'ops' } as const
    await charges.desk.switch(choice)
    const [cny, usd] = [await watchAmount('CNY'), await watchAmount('USD')]
    expect([cny.problem, usd.problem]).toEqual([null, null])
    await expect(watchAmount('EUR')).rejects.toThrow('nothing is owed in EUR')
    world.clock.ms += DAY_MS
    expect((await desk.get(cny.alert.id)).problem).toContain('is billed in USD')
    expect((await desk.get(usd.alert.id)).problem).toBeNull()
    const paid = { amount: '5', currency: 'EUR' }
    await writer.createTrafficPackage({ account: 'acme', area: 'cn', size: '10 TB', paid })
    expect(await watchAmount('EUR')).toMatchObject({ problem: null })
  })
})
