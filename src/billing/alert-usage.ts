import { coversArea, isRegion } from '../catalog/area-scope.ts'
import type { BooksUsage } from './books-usage.ts'
import type { AlertScope, AlertUsage } from './alert-values.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'

/**
 * Reads for alerts what the books read: all that is loaded, from the rollups.
 *
 * Packages pay for what goes out, so only that counts towards how long they last.
 */
export function createAlertUsage(books: Pick<BooksUsage, 'traffic' | 'slots'>): AlertUsage {
  return {
    dailyBytes: async ({ accountId, meter }, days, scope) => {
      const found = await books.traffic({
        meter,
        accountIds: [accountId],
        throughBatch: null,
        cutsMs: days.map(({ startMs }) => startMs),
        endMs: days.at(-1)?.endMs ?? 0,
        // Every local day begins on a quarter of an hour.
        grain: '5min',
        byProvince: false,
        byRegion: scope.areas?.some(isRegion) ?? false,
      })
      const usage = (found.get(accountId) ?? []).filter((entry) => counts(entry, scope))
      return days.map(({ startMs, endMs }) =>
        usage
          .filter((entry) => entry.startMs >= startMs && entry.startMs < endMs)
          .reduce((total, { bytes }) => total + bytes, 0n),
      )
    },
    slots: async ({ accountId, meter }, interval) => {
      const found = await books.slots({
        meter,
        accountIds: [accountId],
        throughBatch: null,
        ...interval,
        member: 'account',
        samples: false,
      })
      return (found.get(accountId) ?? []).flatMap(({ slots }) => slots)
    },
  }
}

function counts(entry: TrafficUsage, scope: AlertScope): boolean {
  return (
    entry.direction === 'out' &&
    coversArea(scope.areas, entry) &&
    isIn(scope.kinds, entry.kind) &&
    isIn(scope.projectIds, entry.projectId) &&
    isIn(scope.resourceIds, entry.resourceId)
  )
}

function isIn<T>(allowed: readonly T[] | null, value: T): boolean {
  return allowed === null || allowed.includes(value)
}
