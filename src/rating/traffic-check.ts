import { redundantRegion } from '../catalog/area-scope.ts'
import type { Problem } from '../core/errors.ts'
import type { DayWindow, Scope, TrafficRule, TrafficTier } from './rules.ts'

const DAY_MINUTES = 24 * 60

/**
 * Lists what is wrong with a rule; an empty list means that it can be rated.
 *
 * Shape: in the order of the rule's fields; fields are paths such as `tiers[1].upToBytes`.
 * Errors: none; the schema of rule files has already seen to it that each field has its type.
 */
export function checkTrafficRule(rule: TrafficRule): Problem[] {
  return [
    ...checkScope(rule.scope),
    ...rule.windows.flatMap(checkWindow),
    ...checkOverhead(rule.overhead),
    ...checkFreeDay(rule),
    ...checkTiers(rule.tiers),
  ]
}

function checkScope(scope: Scope): Problem[] {
  const empty = (['areas', 'provinces', 'kinds', 'directions'] as const)
    .filter((list) => scope[list]?.length === 0)
    .map((list) => ({
      field: `scope.${list}`,
      message: 'An empty list covers nothing; name what is covered, or leave the list out.',
    }))
  const redundant = redundantRegion(scope.areas ?? [])
  if (redundant === undefined) return empty
  const message = `All that is abroad takes in ${redundant} already; keep one of the two.`
  return [...empty, { field: 'scope.areas', message }]
}

function checkWindow(window: DayWindow, index: number): Problem[] {
  return (['fromMinute', 'toMinute'] as const)
    .filter((end) => !isMinuteOfDay(window[end]))
    .map((end) => ({
      field: `windows[${index}].${end}`,
      message: `Must be a whole minute of the day, 0 to ${DAY_MINUTES}.`,
    }))
}

function isMinuteOfDay(minute: number): boolean {
  return Number.isInteger(minute) && minute >= 0 && minute <= DAY_MINUTES
}

function checkOverhead({ numerator, denominator }: TrafficRule['overhead']): Problem[] {
  const problems: Problem[] = []
  if (numerator <= 0n) {
    const message = 'Must be above 0; to bill nothing, set the price to 0.'
    problems.push({ field: 'overhead.numerator', message })
  }
  if (denominator <= 0n) {
    problems.push({ field: 'overhead.denominator', message: 'Must be above 0.' })
  }
  return problems
}

function checkFreeDay({ freeBelowBytesPerDay }: TrafficRule): Problem[] {
  if (freeBelowBytesPerDay >= 0n) return []
  const message = 'Must not be negative; 0 means that no day is free.'
  return [{ field: 'freeBelowBytesPerDay', message }]
}

function checkTiers(tiers: readonly TrafficTier[]): Problem[] {
  if (tiers.length === 0) {
    return [{ field: 'tiers', message: 'Needs at least one tier; a flat price is one tier.' }]
  }
  return tiers.flatMap((tier, index) => [
    ...checkBound(tiers, index),
    ...(tier.price < 0n
      ? [{ field: `tiers[${index}].price`, message: 'Must not be negative.' }]
      : []),
  ])
}

function checkBound(tiers: readonly TrafficTier[], index: number): Problem[] {
  const field = `tiers[${index}].upToBytes`
  const bound = tiers[index]?.upToBytes ?? null
  if (index === tiers.length - 1) {
    if (bound === null) return []
    return [{ field, message: 'The last tier must be without end, so that no byte has no price.' }]
  }
  if (bound === null) return [{ field, message: 'Only the last tier may be without end.' }]
  // A bound that is missing before this one is a problem of its own; nothing follows from it here.
  const lower = index === 0 ? 0n : (tiers[index - 1]?.upToBytes ?? 0n)
  if (bound > lower) return []
  return [{ field, message: `Must be above ${lower}, where this tier begins.` }]
}
