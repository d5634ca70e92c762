import type {
  Alert,
  AlertEndpoint,
  AlertEntry,
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
import { findRootAccount, unknownRef } from '../../catalog/change.ts'
import { parseInput } from '../../catalog/input.ts'
import type { CatalogRows, Page, PageRequest } from '../../catalog/ports.ts'
import type { Clock } from '../../core/clock.ts'
import { newId } from '../../core/ids.ts'
import { CreateAlertEndpoint, parseAlert } from './alert-inputs.ts'

/** What can be asked of alerts and done with them. Errors: `not_found` wherever an id is named. */
export interface AlertDesk {
  list(filter: AlertFilter, page: PageRequest): Promise<Page<AlertEntry>>
  get(id: string): Promise<AlertEntry>
  /** Errors: `parameter_invalid`; `not_found` for the account, its package or an endpoint. */
  create(body: unknown): Promise<AlertEntry>
  /** Answers with the alert as it was. */
  remove(id: string): Promise<AlertEntry>
  /** Queues a test for every recipient, by the way that all notifications go. */
  test(id: string): Promise<AlertEntry>

  endpoints(page: PageRequest): Promise<Page<AlertEndpoint>>
  /** The secret is in this answer and never again. */
  createEndpoint(
    body: unknown,
  ): Promise<{ readonly endpoint: AlertEndpoint; readonly secret: string }>
  /** Errors: `conflict` while an alert uses it. */
  removeEndpoint(id: string): Promise<AlertEndpoint>

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
  readonly clock: Clock
}

/** Puts the rules of alerts on top of their store. */
export function createAlertDesk(deps: AlertDeskDeps): AlertDesk {
  const { store } = deps
  const get = async (id: string): Promise<AlertEntry> =>
    (await store.get(id)) ?? unknownRef('alert', id, 'id')
  return {
    list: (filter, page) => store.list(filter, page),
    get,
    create: (body) => create(deps, body),
    remove: async (id) => {
      const entry = await get(id)
      await store.remove(id)
      return entry
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
    createEndpoint: async (body) => {
      const { name, url } = parseInput(CreateAlertEndpoint, body)
      const endpoint = { id: newId('hook'), name, url, createdMs: clock.nowMs() }
      const secret = newWebhookSecret()
      await store.insertEndpoint(endpoint, secret)
      return { endpoint, secret }
    },
    removeEndpoint: async (id) => {
      const endpoint = (await store.endpoint(id)) ?? unknownRef('endpoint', id, 'id')
      await store.removeEndpoint(id)
      return endpoint
    },
  }
}

async function create({ store, rows, clock }: AlertDeskDeps, body: unknown): Promise<AlertEntry> {
  const { account: ref, endpoints, ...draft } = parseAlert(body)
  // Only root accounts have books; a sub-account's usage is in its parent's.
  const account = await findRootAccount(rows, ref)
  if ('packageId' in draft.watch && draft.watch.packageId !== null) {
    const { packageId } = draft.watch
    const entry =
      (await rows.trafficPackages.get(packageId)) ?? (await rows.exclusivePackages.get(packageId))
    if (entry?.accountId !== account.id) unknownRef('package', packageId, 'package')
  }
  for (const id of endpoints) {
    if ((await store.endpoint(id)) === undefined) unknownRef('endpoint', id, 'endpoints')
  }
  const alert: Alert = {
    ...draft,
    id: newId('alt'),
    accountId: account.id,
    endpointIds: endpoints,
    createdMs: clock.nowMs(),
  }
  const entry = { alert, state: NEW_STATE }
  await store.insert(entry)
  return entry
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
