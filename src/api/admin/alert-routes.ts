import { z } from 'zod'
import { findAccount } from '../../catalog/change.ts'
import { AccountRef, MeterInput } from '../../catalog/inputs.ts'
import { CreateAlert, CreateAlertEndpoint } from '../operations/alert-inputs.ts'
import {
  AlertDeliveryDetailWire,
  AlertDeliveryWire,
  AlertEndpointWire,
  alertToWire,
  AlertWire,
  deliveryDetailToWire,
  deliveryToWire,
  endpointToWire,
  NewAlertEndpointWire,
} from '../operations/alert-wire.ts'
import { filterOf, listQuery, pageAnswer, pageOf, pageToWire, route } from './route.ts'

const ALERTS = [
  route('GET', '/alerts', {
    summary: 'List alerts and where they stand.',
    query: listQuery({
      account: AccountRef.optional(),
      meter: MeterInput.optional(),
      state: z.enum(['ok', 'firing']).optional(),
    }),
    answer: pageAnswer(AlertWire),
    run: async ({ catalog, alerts, query }) => {
      const { account, meter, state } = query
      const accountId =
        account === undefined ? undefined : (await findAccount(catalog.rows, account)).id
      const filter = filterOf({ accountId, meter, phase: state })
      return pageToWire(await alerts.list(filter, pageOf(query)), alertToWire)
    },
  }),
  route('POST', '/alerts', {
    summary: 'Watch a book of an account; crossings and recoveries are told once each.',
    body: CreateAlert,
    answer: AlertWire,
    run: async ({ alerts, actor, body }) => alertToWire(await alerts.create(body, actor)),
  }),
  route('GET', '/alerts/{id}', {
    summary: 'Show an alert and where it stands.',
    answer: AlertWire,
    run: async ({ alerts, id }) => alertToWire(await alerts.get(id)),
  }),
  route('DELETE', '/alerts/{id}', {
    summary: 'Stop watching; what was told stays in the deliveries.',
    answer: AlertWire,
    run: async ({ alerts, actor, id }) => alertToWire(await alerts.remove(id, actor)),
  }),
  route('POST', '/alerts/{id}/test', {
    summary: 'Send a test to every recipient of an alert; the deliveries show whether it arrived.',
    answer: AlertWire,
    run: async ({ alerts, id }) => alertToWire(await alerts.test(id)),
  }),
]

const ENDPOINTS = [
  route('GET', '/alert-endpoints', {
    summary: 'List webhook endpoints, without their secrets.',
    query: listQuery({}),
    answer: pageAnswer(AlertEndpointWire),
    run: async ({ alerts, query }) =>
      pageToWire(await alerts.endpoints(pageOf(query)), endpointToWire),
  }),
  route('POST', '/alert-endpoints', {
    summary: 'Add a webhook endpoint; its secret is in this answer only.',
    body: CreateAlertEndpoint,
    answer: NewAlertEndpointWire,
    run: async ({ alerts, actor, body }) => {
      const { endpoint, secret } = await alerts.createEndpoint(body, actor)
      return { ...endpointToWire(endpoint), secret }
    },
  }),
  route('DELETE', '/alert-endpoints/{id}', {
    summary: 'Remove a webhook endpoint that no alert uses.',
    answer: AlertEndpointWire,
    run: async ({ alerts, actor, id }) => endpointToWire(await alerts.removeEndpoint(id, actor)),
  }),
]

const DELIVERIES = [
  route('GET', '/alert-deliveries', {
    summary: 'List what was told to whom, newest first; state=dead lists what was given up.',
    query: listQuery({
      alert: z.string().optional().describe('Id of the alert; it may be gone.'),
      state: z.enum(['waiting', 'sent', 'dead']).optional(),
    }),
    answer: pageAnswer(AlertDeliveryWire),
    run: async ({ alerts, query }) => {
      const filter = filterOf({ alertId: query.alert, state: query.state })
      return pageToWire(await alerts.deliveries(filter, pageOf(query)), deliveryToWire)
    },
  }),
  route('GET', '/alert-deliveries/{id}', {
    summary: 'Show a delivery with what is delivered and every attempt.',
    answer: AlertDeliveryDetailWire,
    run: async ({ alerts, id }) => {
      const { delivery, attempts } = await alerts.delivery(id)
      return deliveryDetailToWire(delivery, attempts)
    },
  }),
  route('POST', '/alert-deliveries/{id}/retry', {
    summary: 'Try a dead delivery again, from the beginning of the schedule.',
    answer: AlertDeliveryWire,
    run: async ({ alerts, id }) => deliveryToWire(await alerts.retry(id)),
  }),
]

/** Operations on alerts, webhook endpoints and deliveries. */
export const ALERT_ROUTES = [...ALERTS, ...ENDPOINTS, ...DELIVERIES]
