import { isRegion } from '../catalog/area-scope.ts'
import type { Interval } from '../core/period.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import type { DayWindow, Rule } from '../rating/rules.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { BookKey } from './book.ts'
import type { BooksUsage } from './books-usage.ts'
import { namesRegion, trafficRules } from './day-cuts.ts'
import { isOnSlots, usageCuts } from './usage-cuts.ts'

/** What may ask the time of day, or who it was. */
export interface Askers {
  readonly rules: readonly Rule[]
  readonly packages: readonly PrepaidPackage[]
  /** Whether resources matter for other reasons: volumes of their own, or ways to pay. */
  readonly byResource: boolean
}

/** Times of day at which something changes for one of the askers. */
export function windowsOf({ rules, packages }: Askers): readonly (readonly DayWindow[])[] {
  return [...trafficRules(rules), ...packages].map(({ windows }) => windows)
}

/**
 * Reads what an account moved, no finer than the askers need it.
 *
 * Shape: summed between the cuts of the askers' windows and the days; projects, resources and
 * provinces that nobody asks for are one and have no name, and so are regions, which are then the
 * area.
 * Limits: within a part of a day the order of usage is not known.
 */
export async function readTraffic(
  usage: Pick<BooksUsage, 'traffic'>,
  { accountId, meter }: BookKey,
  interval: Interval,
  zone: string,
  askers: Askers,
): Promise<TrafficUsage[]> {
  const cutsMs = usageCuts(interval, zone, windowsOf(askers))
  if (cutsMs.length === 0) return []
  const { endMs } = interval
  const found = await usage.traffic({
    meter,
    accountIds: [accountId],
    throughBatch: null,
    cutsMs,
    endMs,
    grain: isOnSlots(cutsMs, endMs) ? '5min' : 'minute',
    byProvince: trafficRules(askers.rules).some(({ scope }) => scope.provinces !== undefined),
    byRegion: asksRegions(askers),
    members: membersOf(askers),
  })
  return [...(found.get(accountId) ?? [])]
}

/** Tells whether it matters to one of the askers where abroad usage moved. */
export function asksRegions({ rules, packages }: Askers): boolean {
  return (
    trafficRules(rules).some(namesRegion) ||
    packages.some(({ areas }) => areas?.some(isRegion) ?? false)
  )
}

/** Tells for whose usage the askers ask. */
function membersOf({ rules, packages, byResource }: Askers): 'account' | 'project' | 'resource' {
  const traffic = trafficRules(rules)
  if (
    byResource ||
    traffic.some(({ level }) => level === 'resource' || level === 'group') ||
    traffic.some(({ freeBelowBytesPerDay }) => freeBelowBytesPerDay > 0n) ||
    packages.some(({ resourceIds }) => resourceIds !== null)
  ) {
    return 'resource'
  }
  const asksProjects =
    traffic.some(({ level }) => level === 'project') ||
    packages.some(({ projectIds }) => projectIds !== null)
  return asksProjects ? 'project' : 'account'
}
