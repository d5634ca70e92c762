/** Alerts, endpoints and deliveries as they are answered, one schema and one writer each. */

import { z } from 'zod'
import type { AlertEndpoint, Delivery, DeliveryAttempt } from '../../billing/alert.ts'
import { formatThreshold, unitOf } from '../../billing/alert-quantity.ts'
import { AreaScopeInput, KindInput, MeterInput } from '../../catalog/inputs.ts'
import { formatInstant } from '../../catalog/versions.ts'
import type { ShownAlert } from './alert-desk.ts'

const Instant = z.string().meta({ format: 'date-time' })

const PackagesWire = {
  packageId: z.string().nullable().describe('A single package; null: all that the rest leaves.'),
  area: AreaScopeInput.nullable(),
  kind: KindInput.nullable(),
}

const WatchWire = z.union([
  z.object({ type: z.literal('percent-left'), ...PackagesWire }),
  z.object({ type: z.literal('days-left'), ...PackagesWire }),
  z.object({ type: z.literal('amount'), currency: z.string() }),
  z.object({
    type: z.literal('bandwidth'),
    direction: z.enum(['in', 'out']),
    of: z.enum(['slot', 'day-peak']),
  }),
])

export const AlertWire = z
  .object({
    id: z.string(),
    name: z.string(),
    accountId: z.string(),
    meter: MeterInput,
    watch: WatchWire,
    unit: z.string().describe('Of threshold, recovery and value.'),
    threshold: z.string().describe('Reaching it fires.'),
    recovery: z.string().describe('Passing it recovers.'),
    endpoints: z.array(z.string()),
    emails: z.array(z.string()),
    state: z.enum(['ok', 'firing']),
    value: z.string().nullable().describe('As of the last change; null: not measured yet.'),
    asOf: Instant.nullable().describe('Usage that was loaded at the last change.'),
    sequence: z.int().describe('Crossings and recoveries so far.'),
    problem: z
      .string()
      .nullable()
      .describe('Why it can never fire, such as a currency in which nothing is billed any more.'),
    createdAt: Instant,
  })
  .meta({ id: 'Alert' })

/** Writes an alert and where it stands. */
export function alertToWire({ alert, state, problem }: ShownAlert): z.input<typeof AlertWire> {
  return {
    id: alert.id,
    name: alert.name,
    accountId: alert.accountId,
    meter: alert.meter,
    watch: alert.watch,
    unit: unitOf(alert.watch),
    threshold: formatThreshold(alert.threshold),
    recovery: formatThreshold(alert.recovery),
    endpoints: [...alert.endpointIds],
    emails: [...alert.emails],
    state: state.phase,
    value: state.value,
    asOf: state.asOfMs === null ? null : formatInstant(state.asOfMs),
    sequence: state.sequence,
    problem,
    createdAt: formatInstant(alert.createdMs),
  }
}

export const AlertEndpointWire = z
  .object({ id: z.string(), name: z.string(), url: z.string(), createdAt: Instant })
  .meta({ id: 'AlertEndpoint' })
export const NewAlertEndpointWire = AlertEndpointWire.extend({
  secret: z.string().describe('Signs what is posted; shown this once.'),
}).meta({ id: 'NewAlertEndpoint' })

/** Writes an endpoint, without its secret. */
export function endpointToWire(endpoint: AlertEndpoint): z.input<typeof AlertEndpointWire> {
  const { createdMs, ...rest } = endpoint
  return { ...rest, createdAt: formatInstant(createdMs) }
}

export const AlertDeliveryWire = z
  .object({
    id: z.string(),
    alertId: z.string().describe('The alert may be gone.'),
    notificationId: z.string().describe('webhook-id; the same for every recipient.'),
    type: z.enum(['alert.firing', 'alert.recovered', 'alert.test']),
    recipient: z.string().describe('Id of the endpoint, or an e-mail address.'),
    state: z.enum(['waiting', 'sent', 'dead']),
    attempts: z.int().describe('Since it was made, or retried by hand.'),
    nextAt: Instant.nullable().describe('When it is tried next; null: it is not.'),
    reason: z.string().nullable().describe('Why the last attempt failed.'),
    createdAt: Instant,
  })
  .meta({ id: 'AlertDelivery' })

/** Writes a delivery without what is delivered. */
export function deliveryToWire(delivery: Delivery): z.input<typeof AlertDeliveryWire> {
  const { notification, recipient, state } = delivery
  return {
    id: delivery.id,
    alertId: delivery.alertId,
    notificationId: notification.id,
    type: notification.type,
    recipient: recipient.type === 'webhook' ? recipient.endpointId : recipient.address,
    state,
    attempts: delivery.attempts,
    nextAt: state === 'waiting' ? formatInstant(delivery.nextMs) : null,
    reason: delivery.reason,
    createdAt: formatInstant(delivery.createdMs),
  }
}

export const AlertDeliveryDetailWire = AlertDeliveryWire.extend({
  body: z.unknown().describe('What is delivered.'),
  log: z.array(
    z.object({
      at: Instant,
      outcome: z.enum(['sent', 'failed', 'dead']),
      reason: z.string().nullable(),
    }),
  ),
}).meta({ id: 'AlertDeliveryDetail' })

/** Writes a delivery with what is delivered and every attempt, oldest first. */
export function deliveryDetailToWire(
  delivery: Delivery,
  attempts: readonly DeliveryAttempt[],
): z.input<typeof AlertDeliveryDetailWire> {
  return {
    ...deliveryToWire(delivery),
    body: JSON.parse(delivery.notification.body) as unknown,
    log: attempts.map(({ atMs, outcome, reason }) => ({
      at: formatInstant(atMs),
      outcome,
      reason,
    })),
  }
}
