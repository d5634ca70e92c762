import { assert } from '../core/errors.ts'
import { type Interval, localDays } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { TrafficRule } from './rules.ts'
import { createMemberOf, isInScope } from './traffic-scope.ts'
import { billingSpans, spanIndexOf } from './traffic-spans.ts'
import type { TrafficBasis, TrafficUsage } from './traffic-usage.ts'
import { createMinuteOf, isInWindows } from './traffic-windows.ts'

/** What one member of the rule's level moved in one day or month, free days left out. */
export interface TrafficSum extends Interval {
  readonly memberId: string
  readonly rawBytes: Bytes
}

interface ScopedUsage {
  readonly usage: TrafficUsage
  /** Position of its local day in the period. */
  readonly dayIndex: number
}

/**
 * Sums the usage that a rule prices, per member and day or month.
 *
 * Shape: ascending by start, then member; sums may be zero. The order of usage changes nothing.
 * Time: a resource's day is free or not by all of its bytes in scope, at any time of day: windows
 * choose what is priced, not what a day is. Otherwise a day billed by a peak and an off-peak rule
 * could stay below the limit of each.
 */
export function sumTraffic(
  rule: TrafficRule,
  usage: readonly TrafficUsage[],
  basis: TrafficBasis,
): TrafficSum[] {
  const spans = billingSpans(basis.period, rule.period, basis.zone)
  const memberOf = createMemberOf(rule.level, basis)
  const sums = spans.map(() => new Map<string, Bytes>())
  for (const entry of selectTraffic(rule, usage, basis)) {
    const memberId = memberOf(entry)
    const sum = sums[spanIndexOf(spans, entry.startMs)]
    assert(sum !== undefined, `no ${rule.period} of the period holds ${entry.startMs}`)
    assert(memberId !== null, 'what is selected has a member')
    sum.set(memberId, (sum.get(memberId) ?? 0n) + entry.bytes)
  }
  return spans.flatMap((span, index) =>
    [...(sums[index] ?? [])]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([memberId, rawBytes]) => ({ ...span, memberId, rawBytes })),
  )
}

/**
 * Selects the usage that a rule prices: in its scope and windows, of its members, on no free day.
 *
 * Shape: the entries themselves, in their order.
 */
export function selectTraffic(
  rule: TrafficRule,
  usage: readonly TrafficUsage[],
  basis: TrafficBasis,
): TrafficUsage[] {
  const days = localDays(basis.period, basis.zone)
  const scoped = scopeTo(rule, usage, days, basis.period)
  const isFree = createFreeDays(rule.freeBelowBytesPerDay, scoped)
  const isOpen = createOpenTimes(rule, days, basis.zone)
  const memberOf = createMemberOf(rule.level, basis)
  return scoped
    .filter((entry) => memberOf(entry.usage) !== null && isOpen(entry) && !isFree(entry))
    .map(({ usage: selected }) => selected)
}

function scopeTo(
  rule: TrafficRule,
  usage: readonly TrafficUsage[],
  days: readonly Interval[],
  period: Interval,
): ScopedUsage[] {
  const scoped: ScopedUsage[] = []
  for (const entry of usage) {
    assert(entry.bytes >= 0n, `${entry.resourceId} moved ${entry.bytes} bytes`)
    if (entry.startMs < period.startMs || entry.startMs >= period.endMs) continue
    if (!isInScope(rule.scope, entry)) continue
    scoped.push({ usage: entry, dayIndex: spanIndexOf(days, entry.startMs) })
  }
  return scoped
}

function createFreeDays(
  freeBelowBytes: Bytes,
  scoped: readonly ScopedUsage[],
): (entry: ScopedUsage) => boolean {
  if (freeBelowBytes <= 0n) return () => false
  const days = new Map<number, Map<string, Bytes>>()
  for (const { usage, dayIndex } of scoped) {
    const day = days.get(dayIndex) ?? new Map<string, Bytes>()
    days.set(dayIndex, day.set(usage.resourceId, (day.get(usage.resourceId) ?? 0n) + usage.bytes))
  }
  return ({ usage, dayIndex }) => (days.get(dayIndex)?.get(usage.resourceId) ?? 0n) < freeBelowBytes
}

function createOpenTimes(
  { windows }: TrafficRule,
  days: readonly Interval[],
  zone: string,
): (entry: ScopedUsage) => boolean {
  if (windows.length === 0) return () => true
  const minuteOf = days.map((day) => createMinuteOf(day, zone))
  return ({ usage, dayIndex }) => {
    const minute = minuteOf[dayIndex]?.(usage.startMs)
    assert(minute !== undefined, `no day of the period holds ${usage.startMs}`)
    return isInWindows(windows, minute)
  }
}
