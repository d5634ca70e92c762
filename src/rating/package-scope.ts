import { coversArea, PARTS_ABROAD } from '../catalog/area-scope.ts'
import type { AreaScope } from '../catalog/model.ts'
import type { PackageScope, PackageUsage } from './package-terms.ts'
import type { DayWindow } from './rules.ts'
import { isInWindows } from './traffic-windows.ts'

const DAY_MINUTES = 1440

/**
 * Tells whether a package may pay for the usage.
 *
 * Time: `localMinute` is the local minute of day at which the usage's slot begins; it matters only
 * to packages with windows.
 */
export function isInScope(scope: PackageScope, usage: PackageUsage, localMinute: number): boolean {
  return (
    coversArea(scope.areas, usage) &&
    includes(scope.kinds, usage.kind) &&
    includes(scope.projectIds, usage.projectId) &&
    includes(scope.resourceIds, usage.resourceId) &&
    isInWindows(scope.windows, localMinute)
  )
}

function includes<T>(allowed: readonly T[] | null, value: T): boolean {
  return allowed === null || allowed.includes(value)
}

/**
 * Measures how much a scope lets in, as numbers to be compared from left to right; smaller is
 * narrower.
 *
 * Shape: how many resources, projects, areas and kinds are named, in this order (any: infinitely
 * many), then the open minutes of a day. A package of one resource is narrower than one of a
 * project, whatever else they restrict, because fewer other packages could pay in its place.
 * `abroad` counts for all its regions and for `abroad-other`, so that any of them is narrower.
 */
export function breadthOf(scope: PackageScope): readonly number[] {
  const count = (list: readonly unknown[] | null) => list?.length ?? Number.POSITIVE_INFINITY
  return [
    count(scope.resourceIds),
    count(scope.projectIds),
    count(scope.areas?.flatMap(partsOf) ?? null),
    count(scope.kinds),
    openMinutes(scope.windows),
  ]
}

function partsOf(scope: AreaScope): readonly AreaScope[] {
  return scope === 'abroad' ? PARTS_ABROAD : [scope]
}

function openMinutes(windows: readonly DayWindow[]): number {
  if (windows.length === 0) return DAY_MINUTES
  // Minute by minute, because windows may overlap and an overlap is open only once.
  let open = 0
  for (let minute = 0; minute < DAY_MINUTES; minute += 1) {
    if (isInWindows(windows, minute)) open += 1
  }
  return open
}
