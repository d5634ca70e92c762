import { isRegion, sharesArea } from '../catalog/area-scope.ts'
import type { AreaScope } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import { FIVE_MINUTES_MS, type Interval, localDays } from '../core/period.ts'
import { exclusivePeriodOf } from '../rating/exclusive-period.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import { endOf } from '../rating/package-validity.ts'
import type { Rule, TrafficRule } from '../rating/rules.ts'
import type { DayBasis } from './book.ts'
import { isOnSlots, usageCuts } from './usage-cuts.ts'

/** How finely a day's volumes must be read so that rating them gives what each minute would. */
export interface DayCuts {
  readonly cutsMs: readonly EpochMs[]
  readonly grain: '5min' | 'minute'
  readonly byProvince: boolean
  readonly byRegion: boolean
}

/** The rules of a pack that price volumes. */
export function trafficRules(rules: readonly Rule[]): TrafficRule[] {
  return rules.filter((rule): rule is TrafficRule => rule.type === 'traffic')
}

/** Tells whether a rule prices a part of abroad. */
export function namesRegion({ scope }: Rule): boolean {
  return scope.areas?.some(isRegion) ?? false
}

/**
 * Cuts a day where something changes that pricing or drawing asks the time for: windows of rules
 * and packages, begins and ends of packages, resets and ends of refilling volumes.
 *
 * Between two cuts usage is summed, unless the order in which it moved matters: then every five
 * minutes are a cut, too.
 */
export function dayCuts(basis: DayBasis): DayCuts {
  const { day, zone, packages, exclusive, pack } = basis
  const rules = trafficRules(pack.rules)
  const windows = [...rules, ...packages].map((entry) => entry.windows)
  const moments = [
    ...usageCuts(day, zone, windows),
    ...packages.flatMap((entry) => [entry.startMs, endOf(entry, null, zone) ?? entry.startMs]),
    ...exclusive.flatMap((volume) => resetsIn(day, volume, zone)),
    ...exclusive.flatMap(({ deletedMs }) => deletedMs ?? []),
    ...(needsSlots(basis, rules) ? slotsOf(day) : []),
  ]
  const inside = moments.filter((atMs) => day.startMs <= atMs && atMs < day.endMs)
  const cutsMs = [...new Set(inside)].sort((a, b) => a - b)
  return {
    cutsMs,
    grain: isOnSlots(cutsMs, day.endMs) ? '5min' : 'minute',
    byProvince: rules.some((rule) => rule.scope.provinces !== undefined),
    byRegion: needsRegions(basis, rules),
  }
}

/** Tells whether it matters where abroad usage moved. */
function needsRegions({ packages, pack }: DayBasis, rules: readonly TrafficRule[]): boolean {
  // What is carried may be paid for by a package for one region that nobody knows yet.
  if (pack.packages.arrears.bill === 'carry') return true
  return rules.some(namesRegion) || packages.some(({ areas }) => areas?.some(isRegion) ?? false)
}

function slotsOf({ startMs, endMs }: Interval): EpochMs[] {
  const count = Math.ceil((endMs - startMs) / FIVE_MINUTES_MS)
  return Array.from({ length: count }, (_, index) => startMs + index * FIVE_MINUTES_MS)
}

function resetsIn(
  day: Interval,
  { createdMs, resetPolicy }: Pick<DayBasis['exclusive'][number], 'createdMs' | 'resetPolicy'>,
  zone: string,
): EpochMs[] {
  const terms = { createdMs, resetPolicy, zone }
  return localDays(day, zone).flatMap(({ startMs, endMs }) => {
    const atStart = exclusivePeriodOf(terms, startMs)
    const atEnd = exclusivePeriodOf(terms, endMs - 1)
    return [atStart.startMs, atEnd.startMs]
  })
}

/**
 * Tells whether the order within a stretch matters.
 *
 * It does not where each package sees one class of usage, in equal hours or apart from each other,
 * and where whatever is left of a class costs the same wherever it moved.
 */
function needsSlots(basis: DayBasis, rules: readonly TrafficRule[]): boolean {
  const { meter, packages, exclusive, opening, pack } = basis
  // What is carried may be asked for its time of day by a package that nobody knows yet.
  if (pack.packages.arrears.bill === 'carry') return true
  const inPlay = packages.filter(({ id }) => {
    const balance = opening.balances.find(({ packageId }) => packageId === id)
    return balance === undefined || balance.remainingBytes > 0n
  })
  // A resource may move to another project while its refilling volume is used up.
  if (exclusive.length > 0 && rules.some(({ level }) => level === 'project')) return true
  if (inPlay.length === 0) return false
  const [first] = rules
  const isPlain = rules.every(
    (rule) =>
      rule.level === 'account' &&
      rule.scope.provinces === undefined &&
      sameList(rule.scope.directions, first?.scope.directions),
  )
  // What is left of all that moved abroad costs the same only where no region has its own price.
  const isOneArea = ([area, ...others]: readonly AreaScope[]): boolean =>
    others.length === 0 && (area !== 'abroad' || !rules.some(namesRegion))
  // Only traffic of domains is told apart by area and kind.
  const isOneClass = ({ areas, kinds }: PrepaidPackage): boolean =>
    meter !== 'cdn' || (areas !== null && isOneArea(areas) && kinds?.length === 1)
  const isSimple = (entry: PrepaidPackage): boolean => isOneClass(entry) && isUnbound(entry)
  return !isPlain || !inPlay.every(isSimple) || !inPlay.every((a) => inPlay.every(nests(a)))
}

function isUnbound({ projectIds, resourceIds, validity }: PrepaidPackage): boolean {
  return projectIds === null && resourceIds === null && validity.type !== 'from-first-use'
}

/** Equal scopes, or scopes that have no usage in common. */
function nests(a: PrepaidPackage): (b: PrepaidPackage) => boolean {
  return (b) =>
    (sameList(a.areas, b.areas) && sameList(a.kinds, b.kinds) && sameWindows(a, b)) ||
    !sharesArea(a.areas, b.areas) ||
    areDisjoint(a.kinds, b.kinds)
}

function sameList<T>(
  a: readonly T[] | null | undefined,
  b: readonly T[] | null | undefined,
): boolean {
  if (!a || !b) return !a && !b
  return a.length === b.length && a.every((value) => b.includes(value))
}

function sameWindows(a: PrepaidPackage, b: PrepaidPackage): boolean {
  return JSON.stringify(a.windows) === JSON.stringify(b.windows)
}

function areDisjoint<T>(a: readonly T[] | null, b: readonly T[] | null): boolean {
  return a !== null && b !== null && !a.some((value) => b.includes(value))
}
