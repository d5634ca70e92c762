import type { MeterName } from '../catalog/model.ts'
import type { CatalogRows, Page, PageRequest } from '../catalog/ports.ts'
import type { EpochMs } from '../core/clock.ts'
import type {
  Alert,
  AlertEndpoint,
  AlertEntry,
  AlertPhase,
  AlertState,
  Delivery,
  DeliveryAttempt,
  Notification,
  Recipient,
} from './alert.ts'

/** Fields that select alerts; absent ones select nothing out. */
export interface AlertFilter {
  readonly accountId?: string
  readonly meter?: MeterName
  readonly phase?: AlertPhase
}

/** Fields that select deliveries. */
export interface DeliveryFilter {
  readonly alertId?: string
  readonly state?: Delivery['state']
}

/** What becomes of an alert, decided while nobody else can change it. */
export interface AlertChange {
  readonly state: AlertState
  readonly notifications: readonly Notification[]
  /** To whom each of them is told. */
  readonly recipients: readonly Recipient[]
}

/** Alerts and endpoints one by one. */
export interface AlertRows {
  get(id: string): Promise<AlertEntry | undefined>
  endpoint(id: string): Promise<AlertEndpoint | undefined>
}

/** Rows of alerts as a change sees them. */
export interface AlertWrites extends AlertRows {
  insert(entry: AlertEntry): Promise<void>
  /** False: there is none. What was told stays in the history, what waits is still sent. */
  remove(id: string): Promise<boolean>
  insertEndpoint(endpoint: AlertEndpoint, secret: string): Promise<void>
  /** False: there is none. Errors: `conflict` while an alert uses it. */
  removeEndpoint(id: string): Promise<boolean>
}

/** Where alerts are kept. Lists are ordered by creation, deliveries newest first. */
export interface AlertStore extends AlertRows {
  list(filter: AlertFilter, page: PageRequest): Promise<Page<AlertEntry>>
  /**
   * Runs the work in one transaction of the catalog, so that what it does and its entry in the
   * audit log are both there or neither. Inside, only the given rows may be used.
   */
  change<T>(
    work: (rows: { readonly catalog: CatalogRows; readonly alerts: AlertWrites }) => Promise<T>,
  ): Promise<T>
  /**
   * Changes an alert and queues what is to be told of it, both or neither; null changes nothing.
   *
   * One change of an alert at a time, whichever node makes it. An alert that is gone is not asked.
   */
  advance(
    id: string,
    nowMs: EpochMs,
    decide: (entry: AlertEntry) => AlertChange | null,
  ): Promise<void>

  endpoints(page: PageRequest): Promise<Page<AlertEndpoint>>

  deliveries(filter: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>>
  delivery(id: string): Promise<Delivery | undefined>
  /** Oldest first. */
  attempts(deliveryId: string): Promise<readonly DeliveryAttempt[]>
  /** Makes a dead delivery wait again. Errors: `conflict` for one that is not dead. */
  retry(id: string, nowMs: EpochMs): Promise<Delivery>
}

/** A delivery that one sender has for itself until the lease ends. */
export interface ClaimedDelivery extends Delivery {
  /** Says whose claim it is. */
  readonly claim: string
}

/** What a sender decided about an attempt. */
export type AttemptEnd =
  | { readonly outcome: 'sent' }
  | { readonly outcome: 'failed'; readonly reason: string; readonly nextMs: EpochMs }
  | { readonly outcome: 'dead'; readonly reason: string }

/** Deliveries as senders see them. */
export interface AlertOutbox {
  /**
   * Takes deliveries that are due, the longest waiting first, and counts an attempt of each.
   *
   * Until `leaseMs` have passed no other sender gets them; after that this one has surely died.
   */
  claim(request: {
    readonly nowMs: EpochMs
    readonly leaseMs: number
    readonly limit: number
  }): Promise<readonly ClaimedDelivery[]>
  /** Records how an attempt ended; one whose lease another sender has taken over is not theirs. */
  settle(delivery: ClaimedDelivery, end: AttemptEnd, nowMs: EpochMs): Promise<void>
  /** Where a webhook goes and what signs it; undefined: the endpoint was deleted. */
  target(endpointId: string): Promise<{ readonly url: string; readonly secret: string } | undefined>
  /** Forgets deliveries made before, but not what waits; how many. */
  prune(beforeMs: EpochMs): Promise<number>
}

/** Lists to whom an alert is told. */
export function recipientsOf(alert: Alert): Recipient[] {
  return [
    ...alert.endpointIds.map((endpointId) => ({ type: 'webhook', endpointId }) as const),
    ...alert.emails.map((address) => ({ type: 'email', address }) as const),
  ]
}
