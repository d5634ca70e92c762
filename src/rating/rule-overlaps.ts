import { sharesArea } from '../catalog/area-scope.ts'
import type { BandwidthRule, Rule, Scope, TrafficRule } from './rules.ts'
import { isInWindows } from './traffic-windows.ts'

/** Two rules of a list, by position, that would price the same usage twice. */
export interface Overlap {
  readonly earlier: number
  readonly later: number
}

/** Overlaps that are found at most: who has so many is not helped by more of them. */
const OVERLAPS_MAX = 100

/**
 * Finds rules that can match the same usage at the same level.
 *
 * Traffic rules overlap when some byte fits the scope and windows of both; bandwidth rules when
 * they have the same mode and some slot of one direction fits both. A traffic rule and a bandwidth
 * rule never do: they are the two ways in which an account may be charged.
 *
 * Limits: the first 100.
 */
export function findOverlaps(rules: readonly (Rule | undefined)[]): Overlap[] {
  const found: Overlap[] = []
  for (const [later, rule] of rules.entries()) {
    for (const [earlier, other] of rules.slice(0, later).entries()) {
      if (rule === undefined || other === undefined || !canMatchTogether(rule, other)) continue
      found.push({ earlier, later })
      if (found.length === OVERLAPS_MAX) return found
    }
  }
  return found
}

function canMatchTogether(a: Rule, b: Rule): boolean {
  if (a.level !== b.level || !shareScope(a.scope, b.scope)) return false
  if (a.type === 'traffic') return b.type === 'traffic' && shareMinute(a, b)
  return b.type === 'bandwidth' && a.mode === b.mode && shareDirection(a, b)
}

function shareScope(a: Scope, b: Scope): boolean {
  return (
    sharesArea(a.areas, b.areas) &&
    shareValue(a.provinces, b.provinces) &&
    shareValue(a.kinds, b.kinds) &&
    shareValue(a.directions, b.directions)
  )
}

/** A list that is absent holds every value. */
function shareValue<T>(a: readonly T[] | undefined, b: readonly T[] | undefined): boolean {
  return a === undefined || b === undefined || a.some((value) => b.includes(value))
}

/** Where two windows meet, the one that begins later begins inside the other. */
function shareMinute(a: TrafficRule, b: TrafficRule): boolean {
  if (a.windows.length === 0 || b.windows.length === 0) return true
  return (
    a.windows.some(({ fromMinute }) => isInWindows(b.windows, fromMinute)) ||
    b.windows.some(({ fromMinute }) => isInWindows(a.windows, fromMinute))
  )
}

function shareDirection(a: BandwidthRule, b: BandwidthRule): boolean {
  return !(
    (a.direction === 'in' && b.direction === 'out') ||
    (a.direction === 'out' && b.direction === 'in')
  )
}
