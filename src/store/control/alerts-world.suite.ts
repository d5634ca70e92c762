import { randomBytes } from 'node:crypto'
import { fakeClock } from '../../../test/support/fakes.ts'
import { type Alert, NEW_STATE } from '../../billing/alert.ts'
import type { AlertChange, AlertWrites } from '../../billing/alert-ports.ts'
import { recipientsOf } from '../../billing/alert-ports.ts'
import { createCatalog } from '../../catalog/catalog.ts'
import { NANO } from '../../core/money.ts'
import { type ControlStore, openControlStore } from './control-store.ts'
import { createMasterKeys } from './master-key.ts'

export const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
export const LEASE_MS = 60_000
export const MASTER_KEY = randomBytes(32).toString('base64')

export interface AlertWorld {
  readonly store: ControlStore
  readonly clock: ReturnType<typeof fakeClock>
  readonly accountId: string
}

/** Opens a control store with one account, as one node does. */
export async function openAlerts(
  location: string,
  keys: readonly string[] = [MASTER_KEY],
): Promise<AlertWorld> {
  const clock = fakeClock(NOW_MS)
  const store = await openControlStore(location, { clock, masterKeys: createMasterKeys(keys) })
  const catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  const known = await catalog.rows.accounts.find({ name: 'acme' })
  const { id } = known ?? (await catalog.as('test').createAccount({ name: 'acme' }))
  return { store, clock, accountId: id }
}

/** Makes an alert that tells one endpoint and one address. */
export function alertOf(accountId: string, changes: Partial<Alert> = {}): Alert {
  return {
    id: 'alt-1',
    name: 'much',
    accountId,
    meter: 'cdn',
    watch: { type: 'amount', currency: 'CNY' },
    threshold: 10n ** 20n * NANO + 1n,
    recovery: 90n * NANO,
    endpointIds: ['hook-1'],
    emails: ['ops@acme.example'],
    createdMs: NOW_MS,
    ...changes,
  }
}

/** Makes a change that fires and tells it under the given id. */
export function firing(alert: Alert, sequence = 1): AlertChange {
  const id = `evt-${alert.id}-${sequence}`
  return {
    state: { ...NEW_STATE, phase: 'firing', sequence, asOfMs: NOW_MS, value: '100.00' },
    notifications: [{ id, type: 'alert.firing', body: `{"id":"${id}"}` }],
    recipients: recipientsOf(alert),
  }
}

/** Changes alerts and endpoints one by one, as a change of the catalog does. */
export function writesOf({ alerts: store }: ControlStore): Omit<AlertWrites, 'get' | 'endpoint'> {
  return {
    insert: (entry) => store.change(({ alerts }) => alerts.insert(entry)),
    remove: (id) => store.change(({ alerts }) => alerts.remove(id)),
    insertEndpoint: (endpoint, secret) =>
      store.change(({ alerts }) => alerts.insertEndpoint(endpoint, secret)),
    removeEndpoint: (id) => store.change(({ alerts }) => alerts.removeEndpoint(id)),
  }
}
