/** Alerts, endpoints and deliveries ↔ rows. */

import type {
  Alert,
  AlertEndpoint,
  AlertEntry,
  AlertState,
  Delivery,
  Notification,
  Recipient,
} from '../../billing/alert.ts'
import type { EpochMs } from '../../core/clock.ts'
import { newId } from '../../core/ids.ts'
import type { AlertDeliveryRow, AlertEndpointRow, AlertRow } from './alert-tables.ts'
import type { Shape } from './catalog-rows.ts'

/** Makes the columns of where an alert stands. */
export function toStateRow(
  state: AlertState,
): Pick<AlertRow, 'phase' | 'period_ms' | 'as_of_ms' | 'sequence' | 'value'> {
  return {
    phase: state.phase,
    period_ms: state.periodMs,
    as_of_ms: state.asOfMs,
    sequence: state.sequence,
    value: state.value,
  }
}

export const alertShape: Shape<AlertEntry, AlertRow> = {
  toRow: ({ alert, state }) => ({
    id: alert.id,
    account_id: alert.accountId,
    meter: alert.meter,
    name: alert.name,
    watch: JSON.stringify(alert.watch),
    threshold: String(alert.threshold),
    recovery: String(alert.recovery),
    endpoints: JSON.stringify(alert.endpointIds),
    emails: JSON.stringify(alert.emails),
    created_ms: alert.createdMs,
    ...toStateRow(state),
  }),
  fromRow: (row) => ({
    alert: {
      id: row.id,
      accountId: row.account_id,
      meter: row.meter as Alert['meter'],
      name: row.name,
      watch: JSON.parse(row.watch) as Alert['watch'],
      threshold: BigInt(row.threshold),
      recovery: BigInt(row.recovery),
      endpointIds: JSON.parse(row.endpoints) as string[],
      emails: JSON.parse(row.emails) as string[],
      createdMs: row.created_ms,
    },
    state: {
      phase: row.phase as AlertState['phase'],
      periodMs: row.period_ms,
      asOfMs: row.as_of_ms,
      sequence: row.sequence,
      value: row.value,
    },
  }),
}

export const endpointShape: Shape<AlertEndpoint, AlertEndpointRow> = {
  toRow: (endpoint) => ({
    id: endpoint.id,
    name: endpoint.name,
    url: endpoint.url,
    created_ms: endpoint.createdMs,
  }),
  fromRow: (row) => ({ id: row.id, name: row.name, url: row.url, createdMs: row.created_ms }),
}

export const deliveryShape: Shape<Delivery, AlertDeliveryRow> = {
  toRow: (delivery) => ({
    id: delivery.id,
    alert_id: delivery.alertId,
    notification_id: delivery.notification.id,
    type: delivery.notification.type,
    body: delivery.notification.body,
    recipient_type: delivery.recipient.type,
    recipient: nameOf(delivery.recipient),
    state: delivery.state,
    attempts: delivery.attempts,
    next_ms: delivery.nextMs,
    reason: delivery.reason,
    created_ms: delivery.createdMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    alertId: row.alert_id,
    notification: {
      id: row.notification_id,
      type: row.type as Notification['type'],
      body: row.body,
    },
    recipient:
      row.recipient_type === 'webhook'
        ? { type: 'webhook', endpointId: row.recipient }
        : { type: 'email', address: row.recipient },
    state: row.state as Delivery['state'],
    attempts: row.attempts,
    nextMs: row.next_ms,
    reason: row.reason,
    createdMs: row.created_ms,
  }),
}

/** Makes the row of a notification that nobody has tried to deliver yet. */
export function newDeliveryRow(
  alertId: string,
  notification: Notification,
  recipient: Recipient,
  nowMs: EpochMs,
): AlertDeliveryRow {
  return {
    id: newId('dlv', 12),
    alert_id: alertId,
    notification_id: notification.id,
    type: notification.type,
    body: notification.body,
    recipient_type: recipient.type,
    recipient: nameOf(recipient),
    state: 'waiting',
    attempts: 0,
    next_ms: nowMs,
    claim: null,
    reason: null,
    created_ms: nowMs,
  }
}

function nameOf(recipient: Recipient): string {
  return recipient.type === 'webhook' ? recipient.endpointId : recipient.address
}
