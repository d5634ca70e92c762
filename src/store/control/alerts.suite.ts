import { randomBytes } from 'node:crypto'
import type { Kysely } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NEW_STATE } from '../../billing/alert.ts'
import { createAlertStore } from './alert-store.ts'
import {
  alertOf,
  type AlertWorld,
  firing,
  LEASE_MS,
  MASTER_KEY,
  NOW_MS,
  openAlerts,
  writesOf,
} from './alerts-world.suite.ts'
import { createMasterKeys } from './master-key.ts'
import type { ControlDatabase } from './tables.ts'

/** The guarantees of the store of alerts; `newLocation` names an empty database each time. */
export function alertsSuite(newLocation: () => Promise<string>): void {
  let location: string
  let world: AlertWorld
  beforeEach(async () => {
    location = await newLocation()
    world = await openAlerts(location)
  })
  afterEach(() => world.store.close())

  keepTests(() => world)
  endpointTests(
    () => world,
    () => location,
  )
  outboxTests(() => world)
  twoNodeTests(
    () => world,
    () => location,
  )
  crashTests(() => world)
}

const ALL = { limit: 100, cursor: null }
const CLAIM = { nowMs: NOW_MS, leaseMs: LEASE_MS, limit: 10 }

async function fire({ store, accountId }: AlertWorld): Promise<void> {
  const alert = alertOf(accountId)
  await writesOf(store).insert({ alert, state: NEW_STATE })
  await store.alerts.advance(alert.id, NOW_MS, () => firing(alert))
}

function keepTests(world: () => AlertWorld): void {
  test('an alert is read as it was written, with limits beyond 64 bits', async () => {
    const { store, accountId } = world()
    const alert = alertOf(accountId)
    await writesOf(store).insert({ alert, state: NEW_STATE })
    expect(await store.alerts.get('alt-1')).toEqual({ alert, state: NEW_STATE })
    expect((await store.alerts.list({}, ALL)).items).toEqual([{ alert, state: NEW_STATE }])
  })
  test('lists are filtered by account, meter and state, and paged', async () => {
    const { store, accountId } = world()
    for (const [index, meter] of (['cdn', 'cdn', 'eip'] as const).entries()) {
      const alert = alertOf(accountId, { id: `alt-${index}`, meter, createdMs: NOW_MS + index })
      const state = { ...NEW_STATE, phase: index === 0 ? 'firing' : 'ok' } as const
      await writesOf(store).insert({ alert, state })
    }
    const idsOf = async (filter: Parameters<typeof store.alerts.list>[0]) =>
      (await store.alerts.list(filter, ALL)).items.map(({ alert }) => alert.id)
    expect(await idsOf({ accountId })).toEqual(['alt-0', 'alt-1', 'alt-2'])
    expect(await idsOf({ meter: 'cdn', phase: 'ok' })).toEqual(['alt-1'])
    expect(await idsOf({ accountId: 'acc-x' })).toEqual([])
    const first = await store.alerts.list({}, { limit: 2, cursor: null })
    const second = await store.alerts.list({}, { limit: 2, cursor: first.nextCursor })
    expect(second.items.map(({ alert }) => alert.id)).toEqual(['alt-2'])
  })
  test('a change and what it tells are kept together', async () => {
    const { store } = world()
    await fire(world())
    expect((await store.alerts.get('alt-1'))?.state).toEqual(firing(alertOf('')).state)
    const { items } = await store.alerts.deliveries({ alertId: 'alt-1' }, ALL)
    expect(items.map(({ recipient }) => recipient.type).sort()).toEqual(['email', 'webhook'])
    expect(items[0]).toMatchObject({
      notification: { id: 'evt-alt-1-1', type: 'alert.firing', body: '{"id":"evt-alt-1-1"}' },
      state: 'waiting',
      attempts: 0,
      reason: null,
      createdMs: NOW_MS,
    })
  })
  test('no change is a change of nothing, and an alert that is gone is not asked', async () => {
    const { store } = world()
    await fire(world())
    await store.alerts.advance('alt-1', NOW_MS, () => null)
    await store.alerts.advance('alt-x', NOW_MS, () => expect.unreachable())
    expect((await store.alerts.deliveries({}, ALL)).items).toHaveLength(2)
  })
  test('one event cannot be told twice', async () => {
    const { store, accountId } = world()
    await fire(world())
    const again = store.alerts.advance('alt-1', NOW_MS, () => firing(alertOf(accountId)))
    await expect(again).rejects.toThrow(/unique/i)
    expect((await store.alerts.deliveries({}, ALL)).items).toHaveLength(2)
  })
  test('a removed alert leaves its history and what waits', async () => {
    const { store } = world()
    await fire(world())
    expect(await writesOf(store).remove('alt-1')).toBe(true)
    expect(await writesOf(store).remove('alt-1')).toBe(false)
    expect((await store.alerts.deliveries({ alertId: 'alt-1' }, ALL)).items).toHaveLength(2)
    expect(await store.alertOutbox.claim(CLAIM)).toHaveLength(2)
  })
}

const ENDPOINT = { id: 'hook-1', name: 'bot', url: 'http://10.0.0.1/x', createdMs: NOW_MS }
const SECRET = 'whsec_c2VjcmV0'

function endpointTests(world: () => AlertWorld, location: () => string): void {
  test('the secret of an endpoint is sealed, and opened for sending', async () => {
    const { store } = world()
    await writesOf(store).insertEndpoint(ENDPOINT, SECRET)
    expect(await store.alerts.endpoint('hook-1')).toEqual(ENDPOINT)
    expect((await store.alerts.endpoints(ALL)).items).toEqual([ENDPOINT])
    const rows = await store.db.selectFrom('alert_endpoints').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain(SECRET)
    expect(await store.alertOutbox.target('hook-1')).toEqual({ url: ENDPOINT.url, secret: SECRET })
    expect(await store.alertOutbox.target('hook-2')).toBeUndefined()
  })
  test('a new master key seals the secrets anew', async () => {
    const { store } = world()
    await writesOf(store).insertEndpoint(ENDPOINT, SECRET)
    const next = randomBytes(32).toString('base64')
    const both = await openAlerts(location(), [next, MASTER_KEY])
    await both.store.close()
    const alone = await openAlerts(location(), [next])
    expect(await alone.store.alertOutbox.target('hook-1')).toMatchObject({ secret: SECRET })
    await alone.store.close()
  })
  test('an endpoint goes only when no alert tells it', async () => {
    const { store, accountId } = world()
    await writesOf(store).insertEndpoint(ENDPOINT, SECRET)
    await writesOf(store).insertEndpoint({ ...ENDPOINT, id: 'hook-11' }, SECRET)
    await writesOf(store).insert({ alert: alertOf(accountId), state: NEW_STATE })
    await expect(writesOf(store).removeEndpoint('hook-1')).rejects.toMatchObject({
      code: 'conflict',
    })
    expect(await writesOf(store).removeEndpoint('hook-11')).toBe(true)
    await writesOf(store).remove('alt-1')
    expect(await writesOf(store).removeEndpoint('hook-1')).toBe(true)
    expect(await writesOf(store).removeEndpoint('hook-1')).toBe(false)
  })
}

function outboxTests(world: () => AlertWorld): void {
  test('what one sender took no other gets before the lease ends', async () => {
    const { store } = world()
    await fire(world())
    const taken = await store.alertOutbox.claim(CLAIM)
    expect(taken.map(({ attempts }) => attempts)).toEqual([1, 1])
    const later = { ...CLAIM, nowMs: NOW_MS + LEASE_MS - 1 }
    expect(await store.alertOutbox.claim(later)).toEqual([])
    // The sender died: its attempt counts, and the next one begins.
    const again = await store.alertOutbox.claim({ ...CLAIM, nowMs: NOW_MS + LEASE_MS })
    expect(again.map(({ attempts }) => attempts)).toEqual([2, 2])
  })
  test('a sender whose lease was taken over changes nothing any more', async () => {
    const { store } = world()
    await fire(world())
    const [slow] = await store.alertOutbox.claim({ ...CLAIM, limit: 1 })
    const nowMs = NOW_MS + LEASE_MS
    const others = await store.alertOutbox.claim({ ...CLAIM, nowMs })
    const same = others.find(({ id }) => id === slow?.id)
    if (slow === undefined || same === undefined) throw new Error('nothing was taken over')
    await store.alertOutbox.settle(slow, { outcome: 'dead', reason: 'late' }, nowMs)
    expect(await store.alerts.delivery(slow.id)).toMatchObject({ state: 'waiting', reason: null })
    await store.alertOutbox.settle(same, { outcome: 'sent' }, nowMs)
    expect(await store.alerts.delivery(slow.id)).toMatchObject({ state: 'sent' })
    expect(await store.alerts.attempts(slow.id)).toEqual([
      { atMs: nowMs, outcome: 'sent', reason: null },
    ])
  })
  test('a failed attempt comes back when it is due, a sent one never', async () => {
    const { store } = world()
    await fire(world())
    const [failed, sent] = await store.alertOutbox.claim(CLAIM)
    if (failed === undefined || sent === undefined) throw new Error('nothing was claimed')
    const nextMs = NOW_MS + 30_000
    await store.alertOutbox.settle(failed, { outcome: 'failed', reason: '500', nextMs }, NOW_MS)
    await store.alertOutbox.settle(sent, { outcome: 'sent' }, NOW_MS)
    expect(await store.alertOutbox.claim({ ...CLAIM, nowMs: nextMs - 1 })).toEqual([])
    const due = await store.alertOutbox.claim({ ...CLAIM, nowMs: nextMs })
    expect(due).toMatchObject([{ id: failed.id, attempts: 2, reason: '500' }])
    expect(await store.alertOutbox.claim({ ...CLAIM, nowMs: NOW_MS * 2 })).toHaveLength(1)
  })
  test('a dead delivery stays until it is retried, then begins from the start', async () => {
    const { store } = world()
    await fire(world())
    const [dead] = await store.alertOutbox.claim({ ...CLAIM, limit: 1 })
    if (dead === undefined) throw new Error('nothing was claimed')
    await expect(store.alerts.retry(dead.id, NOW_MS)).rejects.toMatchObject({ code: 'conflict' })
    await store.alertOutbox.settle(dead, { outcome: 'dead', reason: '410' }, NOW_MS)
    const { items } = await store.alerts.deliveries({ state: 'dead' }, ALL)
    expect(items).toMatchObject([{ id: dead.id, reason: '410', attempts: 1 }])
    expect(await store.alerts.retry(dead.id, NOW_MS + 5)).toMatchObject({
      state: 'waiting',
      attempts: 0,
      nextMs: NOW_MS + 5,
    })
    const claimed = await store.alertOutbox.claim({ ...CLAIM, nowMs: NOW_MS + 5 })
    expect(claimed.find(({ id }) => id === dead.id)).toMatchObject({ attempts: 1 })
  })
  test('old history is forgotten with its attempts, what waits is not', async () => {
    const { store } = world()
    await fire(world())
    const [sent] = await store.alertOutbox.claim({ ...CLAIM, limit: 1 })
    if (sent === undefined) throw new Error('nothing was claimed')
    await store.alertOutbox.settle(sent, { outcome: 'sent' }, NOW_MS)
    expect(await store.alertOutbox.prune(NOW_MS)).toBe(0)
    expect(await store.alertOutbox.prune(NOW_MS + 1)).toBe(1)
    expect((await store.alerts.deliveries({}, ALL)).items).toMatchObject([{ state: 'waiting' }])
    expect(await store.alerts.attempts(sent.id)).toEqual([])
  })
}

function twoNodeTests(world: () => AlertWorld, location: () => string): void {
  test('two nodes that claim at once never take the same delivery', async () => {
    const { store, accountId } = world()
    const other = await openAlerts(location())
    for (let index = 0; index < 20; index += 1) {
      const alert = alertOf(accountId, { id: `alt-${index}`, createdMs: NOW_MS + index })
      await writesOf(store).insert({ alert, state: NEW_STATE })
      await store.alerts.advance(alert.id, NOW_MS, () => firing(alert))
    }
    const claims = Array.from({ length: 12 }, (_, index) =>
      (index % 2 === 0 ? store : other.store).alertOutbox.claim(CLAIM),
    )
    const taken = (await Promise.all(claims)).flat()
    for (;;) {
      const rest = await store.alertOutbox.claim(CLAIM)
      if (rest.length === 0) break
      taken.push(...rest)
    }
    expect(taken).toHaveLength(40)
    expect(new Set(taken.map(({ id }) => id)).size).toBe(40)
    await other.store.close()
  })
  test('two nodes that judge at once tell a crossing once', async () => {
    const { store, accountId } = world()
    // A file of SQLite belongs to one process, whose only connection takes turns.
    const isShared = store.backend === 'postgres'
    const other = isShared ? await openAlerts(location()) : world()
    const alert = alertOf(accountId)
    await writesOf(store).insert({ alert, state: NEW_STATE })
    const judge = (node: AlertWorld) =>
      node.store.alerts.advance(alert.id, NOW_MS, ({ state }) =>
        state.phase === 'firing' ? null : firing(alert, state.sequence + 1),
      )
    await Promise.all(Array.from({ length: 10 }, (_, index) => judge(index % 2 ? world() : other)))
    expect((await store.alerts.deliveries({}, ALL)).items).toHaveLength(2)
    expect((await store.alerts.get(alert.id))?.state.sequence).toBe(1)
    if (isShared) await other.store.close()
  })
}

/** The same database, which fails right after its statement number `last`. */
function failingAfter(db: Kysely<ControlDatabase>, last: number): Kysely<ControlDatabase> {
  let count = 0
  return db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      count += 1
      if (count === last) throw new Error('crash')
      return result
    },
  })
}

function crashTests(world: () => AlertWorld): void {
  test('a crash after any statement of a change neither loses nor doubles what it tells', async () => {
    const { store, accountId } = world()
    const alert = alertOf(accountId)
    await writesOf(store).insert({ alert, state: NEW_STATE })
    let crashes = 0
    for (;;) {
      const failing = createAlertStore(
        failingAfter(store.db, crashes + 1),
        createMasterKeys([MASTER_KEY]),
        store.catalog,
      )
      const error = await failing
        .advance(alert.id, NOW_MS, () => firing(alert))
        .then(
          () => null,
          (thrown: unknown) => thrown,
        )
      if (error === null) break
      expect(error).toMatchObject({ message: 'crash' })
      expect((await store.alerts.get(alert.id))?.state).toEqual(NEW_STATE)
      expect((await store.alerts.deliveries({}, ALL)).items).toEqual([])
      crashes += 1
    }
    // Lock and read, state, deliveries.
    expect(crashes).toBe(3)
    expect((await store.alerts.deliveries({}, ALL)).items).toHaveLength(2)
  })
}
