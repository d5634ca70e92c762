import { formatInstant } from '../catalog/versions.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Alert, AlertState, Notification, NotificationType } from './alert.ts'
import { formatThreshold, unitOf } from './alert-quantity.ts'
import type { AlertEvent } from './alert-rules.ts'

/** What notifications say of the account. */
export interface AlertAccount {
  readonly id: string
  readonly name: string
}

/** The JSON that is sent. Amounts, percents and bandwidths are decimal text. */
export interface NotificationBody {
  readonly id: string
  readonly type: NotificationType
  /** When it was noticed. */
  readonly timestamp: string
  readonly data: {
    readonly alert: { readonly id: string; readonly name: string }
    readonly account: AlertAccount
    readonly meter: string
    readonly watch: Alert['watch']
    readonly unit: string
    readonly threshold: string
    readonly recovery: string
    /** Null: days without end, or nothing was measured yet. */
    readonly value: string | null
    readonly state: AlertState['phase']
    readonly reason: AlertEvent['reason'] | 'test'
    /** Grows by one with each crossing and recovery: the higher one is the newer one. */
    readonly sequence: number
    /** Usage loaded up to here was looked at. */
    readonly asOf: string | null
  }
}

/**
 * Writes what happened to an alert as a notification.
 *
 * Shape: the id is made of the alert's and the event's number, so that one event can never be two.
 */
export function notificationOf(
  alert: Alert,
  account: AlertAccount,
  state: AlertState,
  event: AlertEvent,
  nowMs: EpochMs,
): Notification {
  const phase = event.type === 'alert.firing' ? 'firing' : 'ok'
  const at = { ...state, phase, sequence: event.sequence } as const
  const id = `evt-${alert.id}-${event.sequence}`
  return write(id, event.type, event.reason, { alert, account, state: at, nowMs })
}

/** Writes a notification that only shows that it arrives. */
export function testNotification(
  id: string,
  alert: Alert,
  account: AlertAccount,
  state: AlertState,
  nowMs: EpochMs,
): Notification {
  return write(id, 'alert.test', 'test', { alert, account, state, nowMs })
}

function write(
  id: string,
  type: NotificationType,
  reason: NotificationBody['data']['reason'],
  about: {
    readonly alert: Alert
    readonly account: AlertAccount
    readonly state: AlertState
    readonly nowMs: EpochMs
  },
): Notification {
  const { alert, account, state, nowMs } = about
  const body: NotificationBody = {
    id,
    type,
    timestamp: formatInstant(nowMs),
    data: {
      alert: { id: alert.id, name: alert.name },
      account: { id: account.id, name: account.name },
      meter: alert.meter,
      watch: alert.watch,
      unit: unitOf(alert.watch),
      threshold: formatThreshold(alert.threshold),
      recovery: formatThreshold(alert.recovery),
      value: state.value,
      state: state.phase,
      reason,
      sequence: state.sequence,
      asOf: state.asOfMs === null ? null : formatInstant(state.asOfMs),
    },
  }
  return { id, type, body: JSON.stringify(body) }
}

/** A notification as a letter. */
export interface AlertLetter {
  /** One line. */
  readonly subject: string
  readonly text: string
}

const HEADLINES: Readonly<Record<NotificationType, string>> = {
  'alert.firing': 'Firing',
  'alert.recovered': 'Recovered',
  'alert.test': 'Test',
}

/** Writes a notification as subject and plain text. */
export function letterOf(notification: Notification): AlertLetter {
  const { id, type, timestamp, data } = JSON.parse(notification.body) as NotificationBody
  const unmeasured = data.asOf === null ? 'not measured yet' : 'without end'
  const value = data.value === null ? unmeasured : `${data.value} ${data.unit}`
  const lines = [
    FIRST_LINES[data.reason === 'period' ? 'period' : type],
    '',
    `Alert:      ${data.alert.name} (${data.alert.id})`,
    `Account:    ${data.account.name} (${data.account.id})`,
    `Meter:      ${data.meter}`,
    `Watched:    ${describeWatch(data.watch)}`,
    `Value:      ${value}`,
    `Threshold:  ${data.threshold} ${data.unit}; well again past ${data.recovery} ${data.unit}`,
    `Usage up to ${data.asOf ?? '-'}`,
    `Noticed at  ${timestamp}`,
    `Number:     ${data.sequence} (${id})`,
    '',
  ]
  const subject = `${HEADLINES[type]}: ${data.alert.name} (${data.account.name}, ${data.meter})`
  return { subject: oneLine(subject), text: lines.map(oneLine).join('\n') }
}

const FIRST_LINES: Readonly<Record<NotificationType | 'period', string>> = {
  'alert.firing': 'The threshold was crossed.',
  'alert.recovered': 'The value is well again.',
  period: 'A new month, day or package began; what was told before is over.',
  'alert.test': 'This is a test: nothing was crossed.',
}

function describeWatch(watch: Alert['watch']): string {
  switch (watch.type) {
    case 'percent-left':
      return `percent left of ${describePackages(watch)}`
    case 'days-left':
      return `days that ${describePackages(watch)} will last, by the last 10 days`
    case 'amount':
      return 'amount of the month so far'
    case 'bandwidth':
      return watch.of === 'slot'
        ? `bandwidth ${watch.direction} of the last five minutes`
        : `highest bandwidth ${watch.direction} of the day`
  }
}

function describePackages(
  choice: Extract<Alert['watch'], { readonly type: 'percent-left' | 'days-left' }>,
): string {
  if (choice.packageId !== null) return `package ${choice.packageId}`
  const words = [choice.area, choice.kind].filter((word) => word !== null)
  return ['all valid packages', ...words].join(' ')
}

/** Replaces line breaks and other control characters, which would begin headers of their own. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}
