/** Alerts: what is watched of a book, who is told, and where each one stands. */
import type { AreaScope } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Nano } from '../core/money.ts'
import type { BookKey } from './book.ts'

/** Which packages are watched as one: a single one, or all valid ones of an area and a kind. */
export interface PackageChoice {
  /** Null: all that area and kind leave. */
  readonly packageId: string | null
  /** Null: any. Packages that may pay for it count. */
  readonly area: AreaScope | null
  readonly kind: 'static' | 'dynamic' | null
}

/** What an alert looks at. The first two warn of little, the others of much. */
export type AlertWatch =
  /** What the packages still hold of their size. */
  | ({ readonly type: 'percent-left' } & PackageChoice)
  /** What they still hold ÷ the mean of the last ten whole local days. */
  | ({ readonly type: 'days-left' } & PackageChoice)
  /** What the month costs so far. */
  | { readonly type: 'amount'; readonly currency: string }
  /** Of the last whole five-minute slot, or the highest of today so far. */
  | {
      readonly type: 'bandwidth'
      readonly direction: 'in' | 'out'
      readonly of: 'slot' | 'day-peak'
    }

/** One threshold on one book. */
export interface Alert extends BookKey {
  readonly id: string
  readonly name: string
  readonly watch: AlertWatch
  /** In billionths of a percent, a day, a unit of currency or a bit/s. */
  readonly threshold: Nano
  /** What must be passed to be well again; never on the far side of the threshold. */
  readonly recovery: Nano
  readonly endpointIds: readonly string[]
  readonly emails: readonly string[]
  readonly createdMs: EpochMs
}

/** Whether the threshold is crossed. */
export type AlertPhase = 'ok' | 'firing'

/** Where an alert stands, as of its last change. */
export interface AlertState {
  readonly phase: AlertPhase
  /** Start of the month, day or newest package that it was judged in; null: none so far. */
  readonly periodMs: EpochMs | null
  /** Usage up to here was judged at the last change; null: never. */
  readonly asOfMs: EpochMs | null
  /** Crossings and recoveries so far: numbers the notifications. */
  readonly sequence: number
  /** What was measured at the last change, as text; null: nothing, or days without end. */
  readonly value: string | null
}

/** The state of an alert that was never judged. */
export const NEW_STATE: AlertState = {
  phase: 'ok',
  periodMs: null,
  asOfMs: null,
  sequence: 0,
  value: null,
}

/** An alert and where it stands. */
export interface AlertEntry {
  readonly alert: Alert
  readonly state: AlertState
}

/** Where webhooks go. Its secret is kept sealed beside it. */
export interface AlertEndpoint {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly createdMs: EpochMs
}

/** What a notification tells. */
export type NotificationType = 'alert.firing' | 'alert.recovered' | 'alert.test'

/** One notification, the same for all who receive it. */
export interface Notification {
  /** The same at every attempt and for every recipient; without dots. */
  readonly id: string
  readonly type: NotificationType
  /** JSON, byte for byte as it is signed and sent. */
  readonly body: string
}

/** Who receives a notification. */
export type Recipient =
  | { readonly type: 'webhook'; readonly endpointId: string }
  | { readonly type: 'email'; readonly address: string }

/** One notification on its way to one recipient. */
export interface Delivery {
  readonly id: string
  readonly alertId: string
  readonly notification: Notification
  readonly recipient: Recipient
  /** `dead`: given up, until somebody retries it. */
  readonly state: 'waiting' | 'sent' | 'dead'
  /** Since it was made or retried by hand; one that a crash interrupted counts. */
  readonly attempts: number
  readonly nextMs: EpochMs
  /** Why the last attempt failed; null: none did. */
  readonly reason: string | null
  readonly createdMs: EpochMs
}

/** One attempt at a delivery. */
export interface DeliveryAttempt {
  readonly atMs: EpochMs
  readonly outcome: 'sent' | 'failed' | 'dead'
  readonly reason: string | null
}
