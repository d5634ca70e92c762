import type { Kysely } from 'kysely'
import type { AlertStore, AlertWrites } from '../../billing/alert-ports.ts'
import { AppError } from '../../core/errors.ts'
import {
  alertShape,
  deliveryShape,
  endpointShape,
  newDeliveryRow,
  toStateRow,
} from './alert-rows.ts'
import type { ControlCatalogStore } from './catalog-store.ts'
import type { MasterKeys } from './master-key.ts'
import { createShelf } from './shelf.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

const BY_CREATION = ['created_ms', 'id'] as const

/** Keeps alerts and what is to be told of them in the control store. */
export function createAlertStore(
  db: Db,
  masterKeys: MasterKeys,
  catalog: Pick<ControlCatalogStore, 'changeWith'>,
): AlertStore {
  const { get } = alertShelf(db)
  const { endpoint } = endpointWrites(db, masterKeys)
  return {
    get,
    endpoint,
    ...alertRows(db),
    endpoints: (page) => endpointShelf(db).list({}, page),
    ...deliveryRows(db),
    change: (work) =>
      catalog.changeWith((rows, trx) => {
        const alerts = { ...alertWrites(trx), ...endpointWrites(trx, masterKeys) }
        return work({ catalog: rows, alerts })
      }),
  }
}

function alertShelf(db: Db) {
  return createShelf(db, alertShape, {
    table: 'alerts',
    id: 'id',
    order: BY_CREATION,
    filters: { accountId: 'account_id', meter: 'meter', phase: 'phase' },
  })
}

function alertWrites(db: Db): Pick<AlertWrites, 'get' | 'insert' | 'remove'> {
  const shelf = alertShelf(db)
  return {
    get: shelf.get,
    insert: (entry) => shelf.insert(entry),
    remove: async (id) => {
      const removed = await db
        .deleteFrom('alerts')
        .where('id', '=', id)
        .returning('id')
        .executeTakeFirst()
      return removed !== undefined
    },
  }
}

function alertRows(db: Db): Pick<AlertStore, 'list' | 'advance'> {
  return {
    list: alertShelf(db).list,
    advance: (id, nowMs, decide) =>
      db.transaction().execute(async (trx) => {
        // An update that changes nothing locks the row in both databases until the transaction
        // ends, and returns what the node before committed.
        const row = await trx
          .updateTable('alerts')
          .set((is) => ({ sequence: is.ref('sequence') }))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) return
        const change = decide(alertShape.fromRow(row))
        if (change === null) return
        const { state, notifications, recipients } = change
        await trx.updateTable('alerts').set(toStateRow(state)).where('id', '=', id).execute()
        const rows = notifications.flatMap((notification) =>
          recipients.map((to) => newDeliveryRow(id, notification, to, nowMs)),
        )
        if (rows.length > 0) await trx.insertInto('alert_deliveries').values(rows).execute()
      }),
  }
}

function endpointShelf(db: Db) {
  return createShelf(db, endpointShape, {
    table: 'alert_endpoints',
    id: 'id',
    order: BY_CREATION,
    filters: {},
  })
}

type EndpointWrites = Pick<AlertWrites, 'endpoint' | 'insertEndpoint' | 'removeEndpoint'>

function endpointWrites(db: Db, masterKeys: MasterKeys): EndpointWrites {
  const shelf = endpointShelf(db)
  return {
    endpoint: shelf.get,
    insertEndpoint: (endpoint, secret) => {
      const sealed = masterKeys.seal(secret, endpoint.id)
      return shelf.insert(endpoint, { secret_sealed: sealed.text, master_key_id: sealed.keyId })
    },
    removeEndpoint: async (id) => {
      const user = await db
        .selectFrom('alerts')
        .select('id')
        .where('endpoints', 'like', `%"${id.replace(/[^a-z0-9-]/g, '')}"%`)
        .limit(1)
        .executeTakeFirst()
      if (user !== undefined) {
        const message = `alert ${user.id} tells endpoint ${id}; delete the alert first.`
        throw new AppError('conflict', message, { field: 'id' })
      }
      const removed = await db
        .deleteFrom('alert_endpoints')
        .where('id', '=', id)
        .returning('id')
        .executeTakeFirst()
      return removed !== undefined
    },
  }
}

type Deliveries = Pick<AlertStore, 'deliveries' | 'delivery' | 'attempts' | 'retry'>

function deliveryRows(db: Db): Deliveries {
  const shelf = createShelf(db, deliveryShape, {
    table: 'alert_deliveries',
    id: 'id',
    order: BY_CREATION,
    newestFirst: true,
    filters: { alertId: 'alert_id', state: 'state' },
  })
  return {
    deliveries: shelf.list,
    delivery: shelf.get,
    attempts: async (deliveryId) => {
      const rows = await db
        .selectFrom('alert_attempts')
        .select(['at_ms', 'outcome', 'reason'])
        .where('delivery_id', '=', deliveryId)
        // Attempts of one delivery never share a millisecond: a lease or a wait lies between.
        .orderBy('at_ms')
        .execute()
      return rows.map((row) => ({
        atMs: row.at_ms,
        outcome: row.outcome as 'sent' | 'failed' | 'dead',
        reason: row.reason,
      }))
    },
    retry: async (id, nowMs) => {
      const row = await db
        .updateTable('alert_deliveries')
        .set({ state: 'waiting', attempts: 0, next_ms: nowMs, claim: null })
        .where('id', '=', id)
        .where('state', '=', 'dead')
        .returningAll()
        .executeTakeFirst()
      if (row !== undefined) return deliveryShape.fromRow(row)
      throw new AppError('conflict', `delivery ${id} is not dead; only dead ones are retried.`, {
        field: 'id',
      })
    },
  }
}
