import type { EpochMs } from '../core/clock.ts'
import { type Interval, localDays, monthOf } from '../core/period.ts'

/**
 * Lists the local days or months that touch the period, cut to it.
 *
 * Shape: ascending, touching, none empty; an empty or reversed period has none.
 */
export function billingSpans(period: Interval, unit: 'day' | 'month', zone: string): Interval[] {
  const whole = unit === 'day' ? localDays(period, zone) : localMonths(period, zone)
  return whole.map(({ startMs, endMs }) => ({
    startMs: Math.max(startMs, period.startMs),
    endMs: Math.min(endMs, period.endMs),
  }))
}

function localMonths(period: Interval, zone: string): Interval[] {
  const months: Interval[] = []
  if (period.endMs <= period.startMs) return months
  for (let atMs = period.startMs; atMs < period.endMs;) {
    const month = monthOf(atMs, zone)
    months.push(month)
    atMs = month.endMs
  }
  return months
}

/** Finds the span that contains the instant; -1: none. Spans ascend and touch. */
export function spanIndexOf(spans: readonly Interval[], instantMs: EpochMs): number {
  let low = 0
  let high = spans.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const span = spans[middle]
    if (span === undefined) return -1
    if (instantMs < span.startMs) high = middle - 1
    else if (instantMs >= span.endMs) low = middle + 1
    else return middle
  }
  return -1
}
