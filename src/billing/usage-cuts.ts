import type { EpochMs } from '../core/clock.ts'
import { FIVE_MINUTES_MS, type Interval, localDays, MINUTE_MS } from '../core/period.ts'
import type { DayWindow } from '../rating/rules.ts'
import { createMinuteOf, isInWindows } from '../rating/traffic-windows.ts'

/**
 * Cuts a period where a local day begins, and where a window of one of the rules begins or ends.
 *
 * Between two cuts nothing changes that a rule asks the time for, so usage may be summed there
 * before it is rated, which leaves a few hundred sums of millions of slots.
 *
 * Shape: ascending; the first is the period's start. Empty for an empty period.
 * Time: whole minutes; on five minutes where all windows and days are.
 */
export function usageCuts(
  period: Interval,
  zone: string,
  windows: readonly (readonly DayWindow[])[],
): EpochMs[] {
  const timed = windows.filter((list) => list.length > 0)
  const cuts: EpochMs[] = []
  for (const day of localDays(period, zone)) {
    const startMs = Math.max(day.startMs, period.startMs)
    const endMs = Math.min(day.endMs, period.endMs)
    cuts.push(startMs)
    if (timed.length > 0) cuts.push(...cutsInDay({ startMs, endMs }, day, zone, timed))
  }
  return cuts
}

function cutsInDay(
  part: Interval,
  day: Interval,
  zone: string,
  windows: readonly (readonly DayWindow[])[],
): EpochMs[] {
  const minuteOf = createMinuteOf(day, zone)
  const stateAt = (atMs: EpochMs): string =>
    windows.map((list) => (isInWindows(list, minuteOf(atMs)) ? '1' : '0')).join('')
  const cuts: EpochMs[] = []
  let state = stateAt(part.startMs)
  for (let atMs = part.startMs + MINUTE_MS; atMs < part.endMs; atMs += MINUTE_MS) {
    const next = stateAt(atMs)
    if (next !== state) cuts.push(atMs)
    state = next
  }
  return cuts
}

/** Tells whether every cut and the end lie on five minutes, the grain of the rollups. */
export function isOnSlots(cutsMs: readonly EpochMs[], endMs: EpochMs): boolean {
  return [...cutsMs, endMs].every((atMs) => atMs % FIVE_MINUTES_MS === 0)
}
