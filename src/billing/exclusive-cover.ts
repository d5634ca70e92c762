import type { EpochMs } from '../core/clock.ts'
import type { Bytes } from '../core/units.ts'
import { exclusivePeriodOf, shareExclusive } from '../rating/exclusive-period.ts'
import { compareText } from '../rating/package-terms.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { floorTo, MINUTE_MS } from '../core/period.ts'
import type { ExclusiveUse, ExclusiveVolume } from './book.ts'

/** What moved beyond a refilling volume in the reset period that began then. */
export interface ExclusiveExcess {
  readonly packageId: string
  readonly periodStartMs: EpochMs
  readonly bytes: Bytes
}

/** What refilling volumes did about usage: covered + left = what moved. */
export interface ExclusiveCover {
  readonly covered: readonly { readonly packageId: string; readonly bytes: Bytes }[]
  /** Entries in their order, without what is covered. */
  readonly left: readonly TrafficUsage[]
  /** What of `left` a volume could not cover any more, by package and begin of the period. */
  readonly excess: readonly ExclusiveExcess[]
  /** Of every period that was used, by package and begin. */
  readonly uses: readonly ExclusiveUse[]
}

/**
 * Lets each resource's refilling volume cover its outbound usage, in order of time.
 *
 * Shape: usage ascends; entries do not cross a reset, since days are cut there.
 * Time: usage from before a volume was given and after it was taken away is not covered by it. Of
 * two that one resource had at once, which a new one with an old anchor makes, the one that ended
 * first covers.
 */
export function coverExclusive(
  volumes: readonly ExclusiveVolume[],
  zone: string,
  usage: readonly TrafficUsage[],
  opening: readonly ExclusiveUse[],
): ExclusiveCover {
  const byResource = byResourceOf(volumes)
  const uses = new Map(opening.map((use) => [keyOf(use), use]))
  const covered = new Map<string, Bytes>()
  const excess = new Map<string, ExclusiveExcess>()
  const left = usage.map((entry): TrafficUsage => {
    const volume = byResource.get(entry.resourceId)?.find(livesAt(entry.startMs))
    if (volume === undefined || entry.direction !== 'out') return entry
    const period = exclusivePeriodOf({ ...volume, zone }, entry.startMs)
    const at = { packageId: volume.id, periodStartMs: period.startMs }
    const usedBytes = uses.get(keyOf(at))?.usedBytes ?? 0n
    const share = shareExclusive(volume.sizeBytes, usedBytes, entry.bytes)
    uses.set(keyOf(at), { ...at, usedBytes: usedBytes + share.coveredBytes })
    covered.set(volume.id, (covered.get(volume.id) ?? 0n) + share.coveredBytes)
    const beyond = (excess.get(keyOf(at))?.bytes ?? 0n) + share.excessBytes
    excess.set(keyOf(at), { ...at, bytes: beyond })
    return { ...entry, bytes: share.excessBytes }
  })
  return {
    covered: [...covered]
      .filter(([, bytes]) => bytes > 0n)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([packageId, bytes]) => ({ packageId, bytes })),
    left: left.filter(({ bytes }) => bytes > 0n),
    excess: inOrder([...excess.values()].filter(({ bytes }) => bytes > 0n)),
    uses: inOrder([...uses.values()].filter(({ usedBytes }) => usedBytes > 0n)),
  }
}

function inOrder<T extends Omit<ExclusiveUse, 'usedBytes'>>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** Volumes of each resource, the one that ends first first. */
function byResourceOf(
  volumes: readonly ExclusiveVolume[],
): ReadonlyMap<string, readonly ExclusiveVolume[]> {
  const found = new Map<string, ExclusiveVolume[]>()
  for (const volume of volumes.toSorted((a, b) => endOf(a) - endOf(b) || compareText(a.id, b.id))) {
    const list = found.get(volume.resourceId) ?? []
    list.push(volume)
    found.set(volume.resourceId, list)
  }
  return found
}

function endOf({ deletedMs = Number.MAX_SAFE_INTEGER }: ExclusiveVolume): EpochMs {
  return deletedMs
}

function livesAt(startMs: EpochMs): (volume: ExclusiveVolume) => boolean {
  return (volume) => floorTo(volume.createdMs, MINUTE_MS) <= startMs && startMs < endOf(volume)
}

// Begins of periods have as many digits for the next two centuries, so they order as text.
function keyOf({ packageId, periodStartMs }: Omit<ExclusiveUse, 'usedBytes'>): string {
  return `${packageId} ${periodStartMs}`
}
