import type { BandwidthRule, Rule, Scope, TrafficRule } from './rules.ts'
import { isInWindows } from './traffic-windows.ts'

/** Two rules of a list, by position, that would price the same usage twice. */
export interface Overlap {
  readonly earlier: number
  readonly later: number
}

/**
 * Finds rules that can match the same usage at the same level.
 *
 * Traffic rules overlap when some byte fits the scope and windows of both; bandwidth rules when
 * they have the same mode and some slot of one direction fits both. A traffic rule and a bandwidth
 * rule never do: they are the two ways in which an account may be charged.
 */
export function findOverlaps(rules: readonly (Rule | undefined)[]): Overlap[] {
  return rules.flatMap((rule, later) =>
    rules.slice(0, later).flatMap((other, earlier) => {
      if (rule === undefined || other === undefined) return []
      return canMatchTogether(rule, other) ? [{ earlier, later }] : []
    }),
  )
}

function canMatchTogether(a: Rule, b: Rule): boolean {
  if (a.level !== b.level || !shareScope(a.scope, b.scope)) return false
  if (a.type === 'traffic') return b.type === 'traffic' && shareMinute(a, b)
  return b.type === 'bandwidth' && a.mode === b.mode && shareDirection(a, b)
}

function shareScope(a: Scope, b: Scope): boolean {
  return (
    shareValue(a.areas, b.areas) &&
    shareValue(a.provinces, b.provinces) &&
    shareValue(a.kinds, b.kinds) &&
    shareValue(a.directions, b.directions)
  )
}

/** A list that is absent holds every value. */
function shareValue<T>(a: readonly T[] | undefined, b: readonly T[] | undefined): boolean {
  return a === undefined || b === undefined || a.some((value) => b.includes(value))
}

/** Windows begin and end on whole minutes, so a shared moment is a shared minute. */
function shareMinute(a: TrafficRule, b: TrafficRule): boolean {
  return Array.from({ length: 1440 }, (_, minute) => minute).some(
    (minute) => isInWindows(a.windows, minute) && isInWindows(b.windows, minute),
  )
}

function shareDirection(a: BandwidthRule, b: BandwidthRule): boolean {
  return !(
    (a.direction === 'in' && b.direction === 'out') ||
    (a.direction === 'out' && b.direction === 'in')
  )
}
