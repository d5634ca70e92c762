import { HOUR_MS, SECOND_MS } from '../core/period.ts'
import { createPeriodic, type PeriodicTask } from '../core/periodic.ts'
import { type AlertEvaluationDeps, evaluateAlerts } from './alert-evaluation.ts'
import { createMailSender, type MailConfig } from './alert-mail.ts'
import type { AlertOutbox } from './alert-ports.ts'
import {
  type AlertSenderDeps,
  pruneDeliveries,
  sendDue,
  WEBHOOK_TIMEOUT_MS,
} from './alert-sender.ts'
import { createWebhookSender } from './alert-webhook.ts'

/** How alerts are told. */
export interface AlertsConfig {
  /** Null: no mail server is configured. */
  readonly mail: MailConfig | null
}

/** What alerts work with. */
export interface AlertsDeps extends AlertEvaluationDeps {
  readonly outbox: AlertOutbox
  readonly log: AlertSenderDeps['log']
}

/**
 * Judges alerts and sends what they tell, for as long as it runs.
 *
 * Unlike other tasks its start waits for no run: a slow receiver must not delay the server's start.
 */
export interface Alerts extends PeriodicTask {
  /** Says that usage of these accounts was loaded: their alerts are judged within ten seconds. */
  usageLoaded(accountIds: readonly string[]): void
}

/** Alerts of accounts whose usage changed are judged this often, whatever the number of loads. */
const TOUCHED_MS = 10 * SECOND_MS
/** All alerts are judged at every sixth look: balances change with time alone, too. */
const LOOKS_PER_ROUND = 6
const SEND_MS = 5 * SECOND_MS
const PRUNE_MS = 6 * HOUR_MS

/**
 * Judges all alerts once a minute and those of loaded accounts within ten seconds, and looks every
 * five seconds for what is to be sent. Any number of nodes may run this.
 */
export function createAlerts(config: AlertsConfig, deps: AlertsDeps): Alerts {
  const touched = new Set<string>()
  let stopper = new AbortController()
  let looks = 0
  const evaluate = async (): Promise<void> => {
    const accountIds = new Set(touched)
    touched.clear()
    const isRound = looks % LOOKS_PER_ROUND === 0
    looks += 1
    if (isRound) await evaluateAlerts(deps, null)
    else if (accountIds.size > 0) await evaluateAlerts(deps, accountIds)
  }
  const { clock, outbox, log } = deps
  const sender: AlertSenderDeps = {
    clock,
    outbox,
    log,
    get stopping() {
      return stopper.signal
    },
    webhook: createWebhookSender({ timeoutMs: WEBHOOK_TIMEOUT_MS }, { clock }),
    mail: config.mail === null ? null : createMailSender(config.mail),
  }
  const periodic = (name: string, everyMs: number, run: () => Promise<unknown>): PeriodicTask =>
    createPeriodic(name, everyMs, run, (error) =>
      log.error({ err: error }, `alerts: ${name} failed; trying again`),
    )
  const tasks = [
    periodic('judging', TOUCHED_MS, evaluate),
    periodic('sending', SEND_MS, () => sendDue(sender)),
    periodic('pruning', PRUNE_MS, () => pruneDeliveries(sender)),
  ]
  return {
    name: 'alerts',
    start: async () => {
      stopper = new AbortController()
      for (const task of tasks) void task.start()
    },
    stop: async () => {
      stopper.abort()
      for (const task of tasks) await task.stop()
    },
    usageLoaded: (accountIds) => {
      for (const id of accountIds) touched.add(id)
    },
  }
}
