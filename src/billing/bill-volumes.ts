import { formatInstant } from '../catalog/versions.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Bytes } from '../core/units.ts'
import { exclusivePeriodOf } from '../rating/exclusive-period.ts'
import { compareText } from '../rating/package-terms.ts'
import type { BillVolume, BillVolumePeriod } from './bill.ts'
import type { KeptRecord } from './book-keeping.ts'
import type { ExclusiveUse, ExclusiveVolume } from './book.ts'
import type { AdjustmentRecord, DayRecord } from './day-record.ts'

type Kept = Pick<DayRecord | AdjustmentRecord, 'exclusive' | 'opening' | 'closing' | 'excess'>

interface Period {
  readonly startMs: EpochMs
  usedBytes: Bytes
  coveredBytes: Bytes
  excessBytes: Bytes
}

/**
 * Lists what the refilling volumes of a book did in a month.
 *
 * Shape: every volume that lived on one of its days, and those that late usage of earlier days
 * drew on; by address, creation and id. Of a reset period without usage nothing is said.
 */
export function billVolumes(
  days: readonly KeptRecord<DayRecord>[],
  booked: readonly KeptRecord<AdjustmentRecord>[],
  zone: string,
): BillVolume[] {
  const records: readonly Kept[] = [...days, ...booked]
    .toSorted((a, b) => a.sequence - b.sequence)
    .map(({ record }) => record)
  const periods = sumPeriods(records)
  const lived = new Set(days.flatMap(({ record }) => record.exclusive.map(({ id }) => id)))
  // The last record knows when a volume ended.
  const volumes = new Map(
    records.flatMap(({ exclusive }) => exclusive.map((volume) => [volume.id, volume] as const)),
  )
  return [...volumes.values()]
    .filter(({ id }) => lived.has(id) || periods.has(id))
    .sort(
      (a, b) =>
        compareText(a.resourceId, b.resourceId) ||
        a.createdMs - b.createdMs ||
        compareText(a.id, b.id),
    )
    .map((volume) => toBillVolume(volume, [...(periods.get(volume.id)?.values() ?? [])], zone))
}

/** Sums what the records moved, by package and begin of the reset period. */
function sumPeriods(records: readonly Kept[]): Map<string, Map<EpochMs, Period>> {
  const found = new Map<string, Map<EpochMs, Period>>()
  const periodAt = ({ packageId, periodStartMs }: Omit<ExclusiveUse, 'usedBytes'>): Period => {
    const own = found.get(packageId) ?? new Map<EpochMs, Period>()
    const empty = { startMs: periodStartMs, usedBytes: 0n, coveredBytes: 0n, excessBytes: 0n }
    const period = own.get(periodStartMs) ?? empty
    found.set(packageId, own.set(periodStartMs, period))
    return period
  }
  for (const { opening, closing, excess = [] } of records) {
    const before = new Map(opening.exclusive.map((use) => [keyOf(use), use.usedBytes]))
    for (const use of closing.exclusive) {
      const coveredBytes = use.usedBytes - (before.get(keyOf(use)) ?? 0n)
      if (coveredBytes === 0n) continue
      periodAt(use).coveredBytes += coveredBytes
    }
    for (const beyond of excess) periodAt(beyond).excessBytes += beyond.bytes
  }
  for (const use of records.at(-1)?.closing.exclusive ?? []) {
    if (found.get(use.packageId)?.has(use.periodStartMs)) periodAt(use).usedBytes = use.usedBytes
  }
  return found
}

function keyOf({ packageId, periodStartMs }: Omit<ExclusiveUse, 'usedBytes'>): string {
  return `${packageId} ${periodStartMs}`
}

function toBillVolume(
  volume: ExclusiveVolume,
  periods: readonly Period[],
  zone: string,
): BillVolume {
  const { id, resourceId, sizeBytes, resetPolicy, createdMs, deletedMs } = volume
  return {
    packageId: id,
    resourceId,
    sizeBytes: String(sizeBytes),
    resetPolicy,
    created: formatInstant(createdMs),
    deleted: deletedMs === undefined ? null : formatInstant(deletedMs),
    periods: periods
      .toSorted((a, b) => a.startMs - b.startMs)
      .map((period): BillVolumePeriod => {
        const { endMs } = exclusivePeriodOf({ ...volume, zone }, period.startMs)
        return {
          start: formatInstant(period.startMs),
          end: formatInstant(Math.min(endMs, deletedMs ?? endMs)),
          usedBytes: String(period.usedBytes),
          coveredBytes: String(period.coveredBytes),
          excessBytes: String(period.excessBytes),
        }
      }),
  }
}
