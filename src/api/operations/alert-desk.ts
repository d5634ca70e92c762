import type {
  Alert,
  AlertEndpoint,
  AlertEntry,
  AlertWatch,
  Delivery,
  DeliveryAttempt,
} from '../../billing/alert.ts'
import { NEW_STATE } from '../../billing/alert.ts'
import { testNotification } from '../../billing/alert-message.ts'
import {
  type AlertFilter,
  type AlertStore,
  type DeliveryFilter,
  recipientsOf,
} from '../../billing/alert-ports.ts'
import { newWebhookSecret } from '../../billing/alert-webhook.ts'
import type { BookKey } from '../../billing/book.ts'
import type { BookCurrencies } from '../../billing/book-currencies.ts'
import { findRootAccount, recordChange, unknownRef } from '../../catalog/change.ts'
import { invalidInput, parseInput } from '../../catalog/input.ts'
import type { CatalogRows, Page, PageRequest } from '../../catalog/ports.ts'
import type { Clock } from '../../core/clock.ts'
import { newId } from '../../core/ids.ts'
import { CreateAlertEndpoint, parseAlert } from './alert-inputs.ts'

/** An alert, where it stands, and what keeps it from ever firing. */
export interface ShownAlert extends AlertEntry {
  /**
   * Null: nothing. The pack of a book may be switched to one of another currency after an alert on
   * its amount was made.
   */
  readonly problem: string | null
}

/** What can be asked of alerts and done with them. Errors: `not_found` wherever an id is named. */
export interface AlertDesk {
  list(filter: AlertFilter, page: PageRequest): Promise<Page<ShownAlert>>
  get(id: string): Promise<ShownAlert>
  /**
   * Errors: `parameter_invalid`, also for an amount in a currency in which the book is not billed;
   * `not_found` for the account, its package or an endpoint.
   */
  create(body: unknown, actor: string): Promise<ShownAlert>
  /** Answers with the alert as it was. */
  remove(id: string, actor: string): Promise<ShownAlert>
  /** Queues a test for every recipient, by the way that all notifications go. */
  test(id: string): Promise<ShownAlert>

  endpoints(page: PageRequest): Promise<Page<AlertEndpoint>>
  /** The secret is in this answer and never again. */
  createEndpoint(
    body: unknown,
    actor: string,
  ): Promise<{ readonly endpoint: AlertEndpoint; readonly secret: string }>
  /** Errors: `conflict` while an alert uses it. */
  removeEndpoint(id: string, actor: string): Promise<AlertEndpoint>

  deliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>>
  delivery(
    id: string,
  ): Promise<{ readonly delivery: Delivery; readonly attempts: readonly DeliveryAttempt[] }>
  /** Errors: `conflict` for a delivery that is not dead. */
  retry(id: string): Promise<Delivery>
}

/** What the desk works with. */
export interface AlertDeskDeps {
  readonly store: AlertStore
  readonly rows: CatalogRows
  /** In which currencies a book is billed from now on. */
  readonly currencies: (key: BookKey) => Promise<BookCurrencies>
  readonly clock: Clock
}

/** Puts the rules of alerts on top of their store. */
export function createAlertDesk(deps: AlertDeskDeps): AlertDesk {
  const { store } = deps
  const get = async (id: string): Promise<ShownAlert> =>
    showAlert((await store.get(id)) ?? unknownRef('alert', id, 'id'), deps.currencies)
  return {
    list: (filter, page) => listAlerts(filter, page, deps),
    get,
    create: (body, actor) => create(deps, body, actor),
    remove: async (id, actor) => {
      const shown = await get(id)
      return store.change(async ({ catalog, alerts }) => {
        const entry = (await alerts.get(id)) ?? unknownRef('alert', id, 'id')
        await alerts.remove(id)
        const change = { rows: catalog, actor, nowMs: deps.clock.nowMs() }
        await recordChange(change, 'alert.delete', id, { before: entry.alert, after: null })
        return { ...shown, ...entry }
      })
    },
    test: async (id) => {
      const entry = await get(id)
      await queueTest(deps, entry)
      return entry
    },
    ...endpointsOf(deps),
    deliveries: async (filter, page) => {
      const found = await store.deliveries(filter, page)
      // An alert that is gone keeps what it told; one that never was must not look quiet.
      if (filter.alertId !== undefined && found.items.length === 0) await get(filter.alertId)
      return found
    },
    delivery: async (id) => {
      const delivery = (await store.delivery(id)) ?? unknownRef('delivery', id, 'id')
      return { delivery, attempts: await store.attempts(id) }
    },
    retry: async (id) => {
      if ((await store.delivery(id)) === undefined) unknownRef('delivery', id, 'id')
      return store.retry(id, deps.clock.nowMs())
    },
  }
}

function endpointsOf({
  store,
  clock,
}: AlertDeskDeps): Pick<AlertDesk, 'endpoints' | 'createEndpoint' | 'removeEndpoint'> {
  return {
    endpoints: (page) => store.endpoints(page),
    createEndpoint: async (body, actor) => {
      const { name, url } = parseInput(CreateAlertEndpoint, body)
      const nowMs = clock.nowMs()
      const endpoint = { id: newId('hook'), name, url, createdMs: nowMs }
      const secret = newWebhookSecret()
      await store.change(async ({ catalog, alerts }) => {
        await alerts.insertEndpoint(endpoint, secret)
        const states = { before: null, after: endpoint }
        await recordChange(
          { rows: catalog, actor, nowMs },
          'alert-endpoint.create',
          endpoint.id,
          states,
        )
      })
      return { endpoint, secret }
    },
    removeEndpoint: (id, actor) =>
      store.change(async ({ catalog, alerts }) => {
        const endpoint = (await alerts.endpoint(id)) ?? unknownRef('endpoint', id, 'id')
        await alerts.removeEndpoint(id)
        const change = { rows: catalog, actor, nowMs: clock.nowMs() }
        const states = { before: endpoint, after: null }
        await recordChange(change, 'alert-endpoint.delete', id, states)
        return endpoint
      }),
  }
}

async function create(deps: AlertDeskDeps, body: unknown, actor: string): Promise<ShownAlert> {
  const { store, rows, clock } = deps
  const { account: ref, endpoints, ...draft } = parseAlert(body)
  // Only root accounts have books; a sub-account's usage is in its parent's.
  const account = await findRootAccount(rows, ref)
  if ('packageId' in draft.watch && draft.watch.packageId !== null) {
    const { packageId } = draft.watch
    const volume = await rows.exclusivePackages.get(packageId)
    const living = volume?.deletedMs === null ? volume : undefined
    const entry = (await rows.trafficPackages.get(packageId)) ?? living
    if (entry?.accountId !== account.id) unknownRef('package', packageId, 'package')
  }
  const key = { accountId: account.id, meter: draft.meter }
  const problem = await problemOf(draft.watch, key, deps.currencies)
  if (problem !== null) throw invalidInput([{ field: 'currency', message: problem }])
  const alert: Alert = {
    ...draft,
    id: newId('alt'),
    accountId: account.id,
    endpointIds: endpoints,
    createdMs: clock.nowMs(),
  }
  const entry = { alert, state: NEW_STATE }
  await store.change(async ({ catalog, alerts }) => {
    for (const id of endpoints) {
      if ((await alerts.endpoint(id)) === undefined) unknownRef('endpoint', id, 'endpoints')
    }
    await alerts.insert(entry)
    const change = { rows: catalog, actor, nowMs: alert.createdMs }
    await recordChange(change, 'alert.create', alert.id, { before: null, after: alert })
  })
  return { ...entry, problem }
}

type Currencies = AlertDeskDeps['currencies']

async function listAlerts(
  filter: AlertFilter,
  page: PageRequest,
  { store, currencies }: AlertDeskDeps,
): Promise<Page<ShownAlert>> {
  const { items, nextCursor } = await store.list(filter, page)
  // Books often have several alerts, and finding their currencies takes three questions each.
  const asked = new Map<string, ReturnType<Currencies>>()
  const once: Currencies = (key) => {
    const name = `${key.accountId} ${key.meter}`
    const answer = asked.get(name) ?? currencies(key)
    asked.set(name, answer)
    return answer
  }
  const shown: ShownAlert[] = []
  for (const entry of items) shown.push(await showAlert(entry, once))
  return { items: shown, nextCursor }
}

async function showAlert(entry: AlertEntry, currencies: Currencies): Promise<ShownAlert> {
  return { ...entry, problem: await problemOf(entry.alert.watch, entry.alert, currencies) }
}

/** Says why an amount is never owed; null: it may be, or the watch is another. */
async function problemOf(
  watch: AlertWatch,
  { accountId, meter }: BookKey,
  currencies: Currencies,
): Promise<string | null> {
  if (watch.type !== 'amount') return null
  const { pack, currency, all } = await currencies({ accountId, meter })
  if (all.includes(watch.currency)) return null
  return (
    `nothing is owed in ${watch.currency}: the ${meter} book is billed in ${currency}, ` +
    `by the rule pack ${pack}`
  )
}

async function queueTest(
  { store, rows, clock }: AlertDeskDeps,
  { alert: { id, accountId } }: AlertEntry,
): Promise<void> {
  const account = await findRootAccount(rows, accountId)
  const nowMs = clock.nowMs()
  await store.advance(id, nowMs, ({ alert, state }) => ({
    state,
    notifications: [testNotification(newId('evt-test', 12), alert, account, state, nowMs)],
    recipients: recipientsOf(alert),
  }))
}
