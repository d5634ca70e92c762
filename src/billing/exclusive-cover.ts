import type { Bytes } from '../core/units.ts'
import { exclusivePeriodOf, shareExclusive } from '../rating/exclusive-period.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { floorTo, MINUTE_MS } from '../core/period.ts'
import type { ExclusiveUse, ExclusiveVolume } from './book.ts'

/** What refilling volumes did about usage: covered + left = what moved. */
export interface ExclusiveCover {
  readonly covered: readonly { readonly packageId: string; readonly bytes: Bytes }[]
  /** Entries in their order, without what is covered. */
  readonly left: readonly TrafficUsage[]
  /** Of every period that was used, by package and begin. */
  readonly uses: readonly ExclusiveUse[]
}

/**
 * Lets each resource's refilling volume cover its outbound usage, in order of time.
 *
 * Shape: usage ascends; entries do not cross a reset, since days are cut there.
 * Time: usage from before the volume was given is not covered.
 */
export function coverExclusive(
  volumes: readonly ExclusiveVolume[],
  zone: string,
  usage: readonly TrafficUsage[],
  opening: readonly ExclusiveUse[],
): ExclusiveCover {
  const byResource = new Map(volumes.map((volume) => [volume.resourceId, volume]))
  const uses = new Map(opening.map((use) => [keyOf(use), use]))
  const covered = new Map<string, Bytes>()
  const left = usage.map((entry): TrafficUsage => {
    const volume = byResource.get(entry.resourceId)
    if (volume === undefined || entry.direction !== 'out') return entry
    if (entry.startMs < floorTo(volume.createdMs, MINUTE_MS)) return entry
    const period = exclusivePeriodOf({ ...volume, zone }, entry.startMs)
    const at = { packageId: volume.id, periodStartMs: period.startMs }
    const usedBytes = uses.get(keyOf(at))?.usedBytes ?? 0n
    const share = shareExclusive(volume.sizeBytes, usedBytes, entry.bytes)
    uses.set(keyOf(at), { ...at, usedBytes: usedBytes + share.coveredBytes })
    covered.set(volume.id, (covered.get(volume.id) ?? 0n) + share.coveredBytes)
    return { ...entry, bytes: share.excessBytes }
  })
  return {
    covered: [...covered]
      .filter(([, bytes]) => bytes > 0n)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([packageId, bytes]) => ({ packageId, bytes })),
    left: left.filter(({ bytes }) => bytes > 0n),
    uses: [...uses.values()]
      .filter(({ usedBytes }) => usedBytes > 0n)
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)),
  }
}

// Begins of periods have as many digits for the next two centuries, so they order as text.
function keyOf({ packageId, periodStartMs }: Omit<ExclusiveUse, 'usedBytes'>): string {
  return `${packageId} ${periodStartMs}`
}
