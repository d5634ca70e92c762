/** Tables of alerts as Kysely types them; columns are those of migrations/0008-alerts.ts. */

import type { JsonColumn, MsColumn } from './catalog-tables.ts'

export interface AlertEndpointRow {
  id: string
  name: string
  url: string
  created_ms: MsColumn
  /** Sealed under the master key `master_key_id`. */
  secret_sealed: string
  master_key_id: string
}

export interface AlertRow {
  id: string
  account_id: string
  meter: string
  name: string
  watch: JsonColumn
  /** Billionths as decimal text. */
  threshold: string
  recovery: string
  endpoints: JsonColumn
  emails: JsonColumn
  created_ms: MsColumn
  phase: string
  period_ms: MsColumn | null
  as_of_ms: MsColumn | null
  sequence: number
  value: string | null
}

export interface AlertDeliveryRow {
  id: string
  /** The alert may be gone. */
  alert_id: string
  notification_id: string
  type: string
  body: string
  recipient_type: string
  /** Id of the endpoint, or address. */
  recipient: string
  state: string
  attempts: number
  /** Not before; while claimed, the end of the lease. */
  next_ms: MsColumn
  /** Whose it is while it is under way. */
  claim: string | null
  reason: string | null
  created_ms: MsColumn
}

export interface AlertAttemptRow {
  id: string
  delivery_id: string
  at_ms: MsColumn
  outcome: string
  reason: string | null
}

/** Tables of alerts. */
export interface AlertTables {
  alert_endpoints: AlertEndpointRow
  alerts: AlertRow
  alert_deliveries: AlertDeliveryRow
  alert_attempts: AlertAttemptRow
}
