import type { Kysely } from 'kysely'
import type { AlertOutbox } from '../../billing/alert-ports.ts'
import { newId, newRequestId } from '../../core/ids.ts'
import { deliveryShape } from './alert-rows.ts'
import type { MasterKeys } from './master-key.ts'
import type { ControlDatabase } from './tables.ts'

/** Hands out what is to be delivered, each piece to one sender at a time. */
export function createAlertOutbox(
  db: Kysely<ControlDatabase>,
  masterKeys: MasterKeys,
): AlertOutbox {
  return {
    claim: async ({ nowMs, leaseMs, limit }) => {
      const claim = newRequestId()
      const rows = await db
        .updateTable('alert_deliveries')
        .set((is) => ({ claim, attempts: is('attempts', '+', 1), next_ms: nowMs + leaseMs }))
        .where('id', 'in', (is) =>
          is
            .selectFrom('alert_deliveries as due')
            .select('due.id')
            .where('due.state', '=', 'waiting')
            .where('due.next_ms', '<=', nowMs)
            .orderBy('due.next_ms')
            .limit(limit),
        )
        // Asked again of each row itself: PostgreSQL waits for a sender that is just taking it,
        // and then looks at what that one wrote.
        .where('state', '=', 'waiting')
        .where('next_ms', '<=', nowMs)
        .returningAll()
        .execute()
      return rows.map((row) => ({ ...deliveryShape.fromRow(row), claim }))
    },
    settle: (delivery, end, nowMs) =>
      db.transaction().execute(async (trx) => {
        const reason = end.outcome === 'sent' ? null : end.reason
        const settled = await trx
          .updateTable('alert_deliveries')
          .set({
            claim: null,
            reason,
            state: end.outcome === 'failed' ? 'waiting' : end.outcome,
            next_ms: end.outcome === 'failed' ? end.nextMs : nowMs,
          })
          .where('id', '=', delivery.id)
          .where('claim', '=', delivery.claim)
          .returning('id')
          .executeTakeFirst()
        if (settled === undefined) return
        await trx
          .insertInto('alert_attempts')
          .values({
            id: newId('try', 12),
            delivery_id: delivery.id,
            at_ms: nowMs,
            outcome: end.outcome,
            reason,
          })
          .execute()
      }),
    target: async (endpointId) => {
      const row = await db
        .selectFrom('alert_endpoints')
        .selectAll()
        .where('id', '=', endpointId)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const sealed = { keyId: row.master_key_id, text: row.secret_sealed }
      return { url: row.url, secret: masterKeys.open(sealed, row.id) }
    },
    prune: async (beforeMs) => {
      const { numDeletedRows } = await db
        .deleteFrom('alert_deliveries')
        .where('created_ms', '<', beforeMs)
        .where('state', '!=', 'waiting')
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}
