import type { Clock } from '../core/clock.ts'
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../core/period.ts'
import { waitMsAfter } from './alert-backoff.ts'
import type { MailSender } from './alert-mail.ts'
import { letterOf } from './alert-message.ts'
import type { AlertOutbox, AttemptEnd, ClaimedDelivery } from './alert-ports.ts'
import type { SendResult, WebhookSender } from './alert-webhook.ts'

export interface AlertSenderDeps {
  readonly clock: Clock
  readonly outbox: AlertOutbox
  readonly webhook: WebhookSender
  /** Null: no mail server is configured. */
  readonly mail: MailSender | null
  /** Breaks off what is under way and begins nothing more. */
  readonly stopping: AbortSignal
  readonly log: {
    warn(details: object, message: string): void
    error(details: object, message: string): void
  }
}

/** Deliveries that are under way at the same time. */
const CONCURRENT_MAX = 20
/** Longer than any attempt may take, the mail's included. */
export const LEASE_MS = 5 * MINUTE_MS
/** How long what was told can be looked up. */
const HISTORY_MS = 400 * DAY_MS

/** Sent deliveries and how the others ended. */
export interface SendReport {
  readonly sent: number
  readonly failed: number
  readonly dead: number
}

/**
 * Sends everything that is due, and stops when nothing is.
 *
 * An attempt is counted before it is made: a crash in the middle makes it again after the lease,
 * under the same notification id, and a delivery that always crashes us ends as dead.
 */
export async function sendDue(deps: AlertSenderDeps): Promise<SendReport> {
  const report = { sent: 0, failed: 0, dead: 0 }
  while (!deps.stopping.aborted) {
    const nowMs = deps.clock.nowMs()
    const claimed = await deps.outbox.claim({ nowMs, leaseMs: LEASE_MS, limit: CONCURRENT_MAX })
    if (claimed.length === 0) break
    const ends = await Promise.all(claimed.map((delivery) => attempt(deps, delivery)))
    for (const outcome of ends) report[outcome] += 1
  }
  return report
}

/** Forgets what was told more than 400 days ago. */
export function pruneDeliveries({ outbox, clock }: AlertSenderDeps): Promise<number> {
  return outbox.prune(clock.nowMs() - HISTORY_MS)
}

async function attempt(
  deps: AlertSenderDeps,
  delivery: ClaimedDelivery,
): Promise<AttemptEnd['outcome']> {
  const end = endOf(await send(deps, delivery), delivery, deps.clock)
  const { id, alertId, attempts } = delivery
  await deps.outbox.settle(delivery, end, deps.clock.nowMs())
  if (end.outcome === 'failed') {
    const details = { delivery: id, alert: alertId, attempts, reason: end.reason }
    deps.log.warn(details, 'alerts: a notification was not delivered; trying again')
  }
  if (end.outcome === 'dead') {
    const details = { delivery: id, alert: alertId, attempts, reason: end.reason }
    deps.log.error(details, 'alerts: a notification is given up; weir alert dead list shows it')
  }
  return end.outcome
}

function endOf(result: SendResult, { id, attempts }: ClaimedDelivery, clock: Clock): AttemptEnd {
  if (result.isSent) return { outcome: 'sent' }
  const { reason, isFinal, askedMs } = result
  const waitMs = isFinal ? null : waitMsAfter(attempts, id, askedMs)
  return waitMs === null
    ? { outcome: 'dead', reason }
    : { outcome: 'failed', reason, nextMs: clock.nowMs() + waitMs }
}

async function send(
  { outbox, webhook, mail, stopping }: AlertSenderDeps,
  { id, recipient, notification }: ClaimedDelivery,
): Promise<SendResult> {
  if (recipient.type === 'webhook') {
    const target = await outbox.target(recipient.endpointId)
    return target === undefined
      ? failure('the endpoint was deleted', true)
      : webhook(target, notification, stopping)
  }
  return mail === null
    ? failure('no mail server is configured: set smtp.host and smtp.from', false)
    : mail(recipient.address, letterOf(notification), id, stopping)
}

function failure(reason: string, isFinal: boolean): SendResult {
  return { isSent: false, reason, isFinal, askedMs: null }
}

/** Time that a receiver of webhooks has for its answer. */
export const WEBHOOK_TIMEOUT_MS = 15 * SECOND_MS
