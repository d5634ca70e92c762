import type { EpochMs } from '../core/clock.ts'
import { NANO, type Nano } from '../core/money.ts'
import type { Alert, AlertState, AlertWatch } from './alert.ts'
import { compareQuantity, formatQuantity, type Quantity } from './alert-quantity.ts'

/** What an alert's watch found at one moment. */
export interface AlertReading {
  readonly value: Quantity
  /** Start of the month, day or newest package; null: there is no such period. */
  readonly periodMs: EpochMs | null
  /** Usage loaded up to here is in it. */
  readonly asOfMs: EpochMs
}

/** A threshold that was crossed, or a recovery. */
export interface AlertEvent {
  readonly type: 'alert.firing' | 'alert.recovered'
  /** `period`: not the value, but a new month, day or package ended it. */
  readonly reason: 'value' | 'period'
  /** From 1, without gaps; firing is odd, recovery even. */
  readonly sequence: number
}

/** What judging a reading came to. */
export interface AlertStep {
  readonly state: AlertState
  readonly events: readonly AlertEvent[]
  /** False: nothing has to be written. */
  readonly isChanged: boolean
}

const PERCENT_MAX = 100n * NANO

/** Tells whether a watch warns of little; the others warn of much. */
export function warnsOfLittle(watch: AlertWatch): boolean {
  return watch.type === 'percent-left' || watch.type === 'days-left'
}

/**
 * Chooses where an alert recovers when nobody said: a tenth of the threshold behind it, so that a
 * value that trembles around the threshold is told once. Above 90 % it is half of what is left.
 */
export function defaultRecovery(watch: AlertWatch, threshold: Nano): Nano {
  const tenth = threshold / 10n
  if (!warnsOfLittle(watch)) return threshold - tenth
  if (watch.type === 'days-left') return threshold + tenth
  const half = (PERCENT_MAX - threshold) / 2n
  return threshold + (tenth < half ? tenth : half)
}

/** Says what is wrong with threshold and recovery; null: nothing. */
export function limitsProblem(
  watch: AlertWatch,
  threshold: Nano,
  recovery: Nano,
): { readonly field: 'threshold' | 'recovery'; readonly message: string } | null {
  if (warnsOfLittle(watch)) {
    if (watch.type === 'percent-left' && threshold >= PERCENT_MAX) {
      return { field: 'threshold', message: 'must be below 100 percent, where a package begins' }
    }
    if (recovery < threshold) {
      return { field: 'recovery', message: 'must not be below the threshold' }
    }
    return watch.type === 'percent-left' && recovery >= PERCENT_MAX
      ? { field: 'recovery', message: 'must be below 100 percent, or it is never passed' }
      : null
  }
  if (threshold <= 0n) return { field: 'threshold', message: 'must be above 0' }
  if (recovery > threshold) {
    return { field: 'recovery', message: 'must not be above the threshold' }
  }
  return recovery <= 0n
    ? { field: 'recovery', message: 'must be above 0, or it is never passed' }
    : null
}

/**
 * Judges a reading: ok → firing where the threshold is reached, firing → ok where the recovery is
 * passed; each way is told once, however often the same is read.
 *
 * A value that equals the threshold fires and one that equals the recovery does not recover: the
 * payer is warned rather too early, and with both at one place nothing flaps while nothing moves.
 *
 * Time: a later period starts anew: what fired in the one before recovers, and fires again at once
 * where the new one is over the threshold, too. A reading older than the last change, from a
 * slower node, changes nothing.
 */
export function stepAlert(
  alert: Pick<Alert, 'watch' | 'threshold' | 'recovery'>,
  state: AlertState,
  reading: AlertReading,
): AlertStep {
  if (state.asOfMs !== null && reading.asOfMs < state.asOfMs) {
    return { state, events: [], isChanged: false }
  }
  const events: AlertEvent[] = []
  let { phase, sequence } = state
  const turn = (to: AlertState['phase'], reason: AlertEvent['reason']): void => {
    phase = to
    sequence += 1
    const type = to === 'firing' ? 'alert.firing' : 'alert.recovered'
    events.push({ type, reason, sequence })
  }
  const isLater =
    reading.periodMs !== null && (state.periodMs === null || reading.periodMs > state.periodMs)
  if (isLater && phase === 'firing') turn('ok', 'period')
  if (phase === 'ok' && isReached(alert, reading.value)) turn('firing', 'value')
  else if (phase === 'firing' && isPassed(alert, reading.value)) turn('ok', 'value')
  if (!isLater && events.length === 0) return { state, events, isChanged: false }
  return {
    state: {
      phase,
      sequence,
      periodMs: isLater ? reading.periodMs : state.periodMs,
      asOfMs: reading.asOfMs,
      value: formatQuantity(alert.watch, reading.value),
    },
    events,
    isChanged: true,
  }
}

type Limits = Pick<Alert, 'watch' | 'threshold' | 'recovery'>

function isReached({ watch, threshold }: Limits, value: Quantity): boolean {
  const order = compareQuantity(value, threshold)
  return warnsOfLittle(watch) ? order <= 0 : order >= 0
}

function isPassed({ watch, recovery }: Limits, value: Quantity): boolean {
  const order = compareQuantity(value, recovery)
  return warnsOfLittle(watch) ? order > 0 : order < 0
}
