import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHmac } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type SmtpReceiver, startSmtpReceiver } from '../../test/support/smtp-receiver.ts'
import {
  hang,
  type ReceivedHook,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../../test/support/webhook-receiver.ts'
import { createAlertDesk, type AlertDesk } from '../api/operations/alert-desk.ts'
import { AppError } from '../core/errors.ts'
import { NANO } from '../core/money.ts'
import { type AlertWorld, openAlerts } from '../store/control/alerts-world.suite.ts'
import { evaluateAlerts } from './alert-evaluation.ts'
import { createMailSender, type MailConfig } from './alert-mail.ts'
import type { AlertOutbox } from './alert-ports.ts'
import { LEASE_MS, sendDue } from './alert-sender.ts'
import { createWebhookSender } from './alert-webhook.ts'
import { type AlertsDeps, createAlerts } from './alerts.ts'
import type { BookBalance } from './balance.ts'

const ALL = { limit: 100, cursor: null }
const NO_HOOK: ReceivedHook = { path: '', headers: {}, body: '' }

let folder: string
let count = 0
let receiver: WebhookReceiver
let mailServer: SmtpReceiver
let world: AlertWorld
let desk: AlertDesk
let secret: string
let alertId: string
/** What the month of every book costs, in whole CNY; null: it cannot be read. */
let owed: Map<string, number | null>
let complaints: string[]
let hooksBefore: number
let mailsBefore: number

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-alerting-'))
  receiver = await startWebhookReceiver()
  mailServer = await startSmtpReceiver()
})
afterAll(async () => {
  await receiver.stop()
  await mailServer.stop()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  count += 1
  world = await openAlerts(join(folder, `alerting-${count}.db`))
  owed = new Map()
  complaints = []
  receiver.answers.length = 0
  hooksBefore = receiver.hooks.length
  mailsBefore = mailServer.mails.length
  const { store, clock } = world
  desk = createAlertDesk({
    store: store.alerts,
    rows: store.catalog.rows,
    clock,
    currencies: async () => ({ pack: 'prices', currency: 'CNY', all: ['CNY'] }),
  })
  const made = await desk.createEndpoint({ name: 'bot', url: receiver.url }, 'test')
  secret = made.secret
  alertId = await makeAlert([made.endpoint.id], ['ops@acme.example'])
})
afterEach(() => world.store.close())

async function makeAlert(endpoints: string[], emails: string[], account = 'acme') {
  const { alert } = await desk.create(
    {
      account,
      meter: 'cdn',
      name: 'too much',
      watch: 'amount',
      threshold: '100',
      currency: 'CNY',
      endpoints,
      emails,
    },
    'test',
  )
  return alert.id
}

function deps(): AlertsDeps {
  const { store, clock, accountId } = world
  return {
    clock,
    store: store.alerts,
    outbox: store.alertOutbox,
    balance: async ({ accountId: id, meter }) => {
      if (meter !== 'cdn') throw new AppError('not_found', 'There is no such book.')
      const amount = owed.get(id === accountId ? 'acme' : id) ?? null
      if (amount === null) throw new Error('the engine is down')
      return balanceOf(id, amount, clock.nowMs())
    },
    usage: { dailyBytes: async () => [], slots: async () => [] },
    account: (id) => store.catalog.rows.accounts.get(id),
    log: {
      warn: (_details, message) => complaints.push(message),
      error: (_details, message) => complaints.push(message),
    },
  }
}

function balanceOf(accountId: string, amount: number, nowMs: number): BookBalance {
  return {
    accountId,
    meter: 'cdn',
    zone: 'UTC',
    asOfMs: nowMs,
    closedUntilMs: 0,
    month: { startMs: Date.UTC(2026, 10, 1), endMs: Date.UTC(2026, 11, 1) },
    packages: [],
    exclusive: [],
    arrearsBytes: 0n,
    monthToDate: [{ currency: 'CNY', amount: BigInt(amount) * NANO }],
    pack: 'ucloud-cdn',
  }
}

function mailConfig(): MailConfig {
  const server = { host: '127.0.0.1', port: mailServer.port, tls: 'none' } as const
  return { ...server, user: null, password: null, ca: null, from: 'weir@acme.example' }
}

function senderDeps(changes: { readonly outbox?: AlertOutbox; readonly mail?: null } = {}) {
  const { clock, store } = world
  return {
    clock,
    outbox: store.alertOutbox,
    webhook: createWebhookSender({ timeoutMs: 300 }, { clock }),
    mail: createMailSender(mailConfig()),
    stopping: new AbortController().signal,
    log: deps().log,
    ...changes,
  }
}

async function judge(amount: number, node = deps()): Promise<void> {
  world.clock.ms += 60_000
  owed.set('acme', amount)
  await evaluateAlerts(node, null)
}

const hooks = () => receiver.hooks.slice(hooksBefore)
const mails = () => mailServer.mails.slice(mailsBefore)
const hookTypes = () => hooks().map(({ body }) => (JSON.parse(body) as { type: string }).type)

async function deliveryTo(type: 'webhook' | 'email') {
  const { items } = await desk.deliveries({}, ALL)
  const found = items.find(({ recipient }) => recipient.type === type)
  if (found === undefined) throw new Error(`nothing is delivered by ${type}`)
  return found
}

test('a crossing and the recovery are each told once, by webhook and by mail', async () => {
  for (const amount of [50, 99, 100, 150, 100, 95, 100, 89, 50]) {
    await judge(amount)
    await sendDue(senderDeps())
  }
  expect(hookTypes()).toEqual(['alert.firing', 'alert.recovered'])
  expect(mails().map(({ text }) => /^Subject: (\w+)/m.exec(text)?.[1])).toEqual([
    'Firing',
    'Recovered',
  ])
  expect(mails()[0]?.to).toEqual(['ops@acme.example'])
  expect(complaints).toEqual([])
})

test('a receiver can check what it got with the secret that was shown once', async () => {
  await judge(100)
  await sendDue(senderDeps())
  const { headers, body } = hooks()[0] ?? NO_HOOK
  const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
  const expected = `v1,${createHmac('sha256', key).update(content).digest('base64')}`
  expect(headers['webhook-signature']).toBe(expected)
  expect(JSON.parse(body)).toMatchObject({
    id: headers['webhook-id'],
    type: 'alert.firing',
    data: { alert: { id: alertId }, account: { name: 'acme' }, value: '100.00', sequence: 1 },
  })
})

describe('a receiver that fails', () => {
  test('and then does not gets the same notification, signed anew', async () => {
    receiver.answers.push(500, hang, 200)
    await judge(100)
    const firstSeconds = Math.floor(world.clock.ms / 1000)
    expect(await sendDue(senderDeps())).toEqual({ sent: 1, failed: 1, dead: 0 })
    expect(await sendDue(senderDeps())).toEqual({ sent: 0, failed: 0, dead: 0 })
    world.clock.ms += 40_000
    expect(await sendDue(senderDeps())).toEqual({ sent: 0, failed: 1, dead: 0 })
    world.clock.ms += 100_000
    expect(await sendDue(senderDeps())).toEqual({ sent: 1, failed: 0, dead: 0 })
    expect(new Set(hooks().map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(hooks().map(({ headers }) => Number(headers['webhook-timestamp']))).toEqual([
      firstSeconds,
      firstSeconds + 40,
      firstSeconds + 140,
    ])
    const { id } = await deliveryTo('webhook')
    const { delivery, attempts } = await desk.delivery(id)
    expect(delivery).toMatchObject({ state: 'sent', attempts: 3, reason: null })
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'sent'])
    expect(attempts.map(({ reason }) => reason)).toEqual([
      'the receiver answered 500',
      'no complete answer within 0.3 s',
      null,
    ])
  })

  test('for more than a day ends on the dead list, and arrives when it is retried', async () => {
    const startMs = world.clock.ms
    await judge(100)
    receiver.answers.push(...Array.from({ length: 9 }, () => 503))
    let last = { sent: 0, failed: 0, dead: 0 }
    // In steps of a minute, for at most two days.
    for (let minute = 0; last.dead === 0 && minute < 2880; minute += 1) {
      last = await sendDue(senderDeps())
      world.clock.ms += 60_000
    }
    const hours = (world.clock.ms - startMs) / 3_600_000
    expect(hours).toBeGreaterThan(27)
    expect(hours).toBeLessThan(31)
    const { items } = await desk.deliveries({ state: 'dead' }, ALL)
    expect(items).toMatchObject([{ attempts: 9, reason: 'the receiver answered 503' }])
    expect(complaints.at(-1)).toContain('dead list')
    await desk.retry(items[0]?.id ?? '')
    expect(await sendDue(senderDeps())).toEqual({ sent: 1, failed: 0, dead: 0 })
    expect((await desk.deliveries({ state: 'dead' }, ALL)).items).toEqual([])
    expect(new Set(hookTypes())).toEqual(new Set(['alert.firing']))
    expect(hooks()).toHaveLength(10)
  })

  test('with 410 is dead at once', async () => {
    receiver.answers.push(410)
    await judge(100)
    expect(await sendDue(senderDeps())).toMatchObject({ dead: 1 })
  })

  test('keeps nothing from the others', async () => {
    receiver.answers.push(hang)
    await judge(100)
    await sendDue(senderDeps())
    expect(mails()).toHaveLength(1)
  })
})

describe('a crash', () => {
  test('between the change and the sending loses nothing and doubles nothing', async () => {
    await judge(100)
    // The node is gone; another one, or the same after its restart, judges and sends.
    await judge(120)
    await judge(130)
    await sendDue(senderDeps())
    await sendDue(senderDeps())
    expect(hookTypes()).toEqual(['alert.firing'])
    expect(mails()).toHaveLength(1)
  })

  test('between the sending and its record repeats the same id after the lease', async () => {
    await judge(100)
    const outbox: AlertOutbox = {
      ...world.store.alertOutbox,
      settle: async () => {
        throw new Error('crash')
      },
    }
    await expect(sendDue(senderDeps({ outbox }))).rejects.toThrow('crash')
    world.clock.ms += LEASE_MS - 1
    expect(await sendDue(senderDeps())).toMatchObject({ sent: 0 })
    world.clock.ms += 1
    expect(await sendDue(senderDeps())).toMatchObject({ sent: 2 })
    const ids = hooks().map(({ headers }) => headers['webhook-id'])
    expect(ids).toEqual([ids[0], ids[0]])
    const letterIds = mails().map(({ text }) => /^Message-ID: (.*)$/im.exec(text)?.[1])
    expect(letterIds).toEqual([letterIds[0], letterIds[0]])
  })
})

test('two senders at once send each notification once', async () => {
  await judge(100)
  await Promise.all([sendDue(senderDeps()), sendDue(senderDeps()), sendDue(senderDeps())])
  expect(hooks()).toHaveLength(1)
  expect(mails()).toHaveLength(1)
})

test('two nodes that judge the same usage tell it once', async () => {
  owed.set('acme', 100)
  await Promise.all([evaluateAlerts(deps(), null), evaluateAlerts(deps(), null)])
  expect((await desk.deliveries({}, ALL)).items).toHaveLength(2)
})

test('a book that cannot be read keeps no other from being judged', async () => {
  const catalogue = world.store.catalog.rows
  const acme = await catalogue.accounts.get(world.accountId)
  if (acme === undefined) throw new Error('there is no account')
  const other = { ...acme, id: 'acc-other', name: 'other', number: acme.number + 1 }
  await catalogue.accounts.insert(other)
  await makeAlert([], ['other@acme.example'], 'other')
  owed.set('acc-other', 200)
  await evaluateAlerts(deps(), null)
  expect(complaints).toEqual(['alerts: a book cannot be judged; trying again soon'])
  const { items } = await desk.deliveries({}, ALL)
  expect(items).toMatchObject([{ recipient: { address: 'other@acme.example' } }])
})

test('an account without a book is judged when it has one, and nobody complains', async () => {
  await desk.create(
    {
      account: 'acme',
      meter: 'eip',
      name: 'early',
      watch: 'percent-left',
      threshold: '10',
      emails: ['ops@acme.example'],
    },
    'test',
  )
  owed.set('acme', 0)
  await evaluateAlerts(deps(), null)
  expect(complaints).toEqual([])
  expect((await desk.deliveries({}, ALL)).items).toEqual([])
})

test('only the named accounts are judged after a load', async () => {
  owed.set('acme', 100)
  await evaluateAlerts(deps(), new Set(['acc-other']))
  expect((await desk.deliveries({}, ALL)).items).toEqual([])
  await evaluateAlerts(deps(), new Set([world.accountId]))
  expect((await desk.deliveries({}, ALL)).items).toHaveLength(2)
})

test('a test goes the way of all notifications and changes no state', async () => {
  const before = await desk.get(alertId)
  await desk.test(alertId)
  expect(await sendDue(senderDeps())).toMatchObject({ sent: 2 })
  expect(hookTypes()).toEqual(['alert.test'])
  expect(mails()[0]?.text).toContain('This is a test')
  expect(await desk.get(alertId)).toEqual(before)
})

test('without a mail server mail waits and says why', async () => {
  await judge(100)
  expect(await sendDue(senderDeps({ mail: null }))).toMatchObject({ sent: 1, failed: 1 })
  expect(await deliveryTo('email')).toMatchObject({
    state: 'waiting',
    reason: expect.stringContaining('smtp.host'),
  })
})

test('what waits for a deleted endpoint is dead, and says so', async () => {
  await judge(100)
  const { endpointIds } = (await desk.remove(alertId, 'test')).alert
  await desk.removeEndpoint(endpointIds[0] ?? '', 'test')
  expect(await sendDue(senderDeps())).toMatchObject({ sent: 1, dead: 1 })
  expect(await deliveryTo('webhook')).toMatchObject({ reason: 'the endpoint was deleted' })
})

test('while it runs, everything happens by itself, and stopping does not wait', async () => {
  owed.set('acme', 100)
  const alerts = createAlerts({ mail: mailConfig() }, deps())
  await alerts.start()
  await vi.waitFor(() => expect([hooks(), mails()]).toMatchObject([[{}], [{}]]), 12_000)
  receiver.answers.push(hang)
  await desk.test(alertId)
  await vi.waitFor(
    () =>
      expect([hooks(), mails()]).toMatchObject([
        [{}, {}],
        [{}, {}],
      ]),
    12_000,
  )
  const stoppedMs = performance.now()
  await alerts.stop()
  expect(performance.now() - stoppedMs).toBeLessThan(3000)
  const { items } = await desk.deliveries({ state: 'waiting' }, ALL)
  const hung = items.filter(({ recipient }) => recipient.type === 'webhook')
  expect(hung).toMatchObject([{ reason: 'the server was stopped during the attempt' }])
})

test('usage that is loaded is judged within ten seconds', async () => {
  owed.set('acme', 0)
  const alerts = createAlerts({ mail: null }, deps())
  await alerts.start()
  owed.set('acme', 100)
  world.clock.ms += 1000
  alerts.usageLoaded([world.accountId])
  await vi.waitFor(async () => expect((await desk.get(alertId)).state.phase).toBe('firing'), {
    timeout: 12_000,
    interval: 200,
  })
  await alerts.stop()
})
