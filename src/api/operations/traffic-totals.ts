import type { Area, TrafficPackage } from '../../catalog/model.ts'
import type { EpochMs } from '../../core/clock.ts'
import { ceilTo, type Interval, MINUTE_MS } from '../../core/period.ts'
import type { Bytes } from '../../core/units.ts'
import { drawDown, drawdownIntervals } from '../../rating/package-drawdown.ts'
import type { Caller, OperationDeps } from './caller.ts'

/** Usage is accepted up to this far ahead of the clock, so a live total must look that far. */
const AHEAD_MS = 5 * MINUTE_MS

const AREAS: readonly Area[] = ['cn', 'abroad']

/** Prepaid traffic of one area; total = used + left, always. */
export interface AreaTotals {
  readonly area: Area
  readonly totalBytes: Bytes
  readonly usedBytes: Bytes
  readonly leftBytes: Bytes
}

/**
 * Computes an account's prepaid CDN traffic per area: bought, drawn, left.
 *
 * Shape: always cn, then abroad. Counts packages that have begun and not ended; a draw uses only
 * packages valid when the bytes moved, in the order of `compareForDrawing`.
 * Units: bytes. Usage beyond the packages is not part of any number here.
 * Time: live; at most the time to live of `deps.totals` old.
 * Source: docs/explanation/vendor-answers.md#getucdntrafficv2.
 */
export function trafficTotals(
  caller: Caller,
  kind: 'static' | 'dynamic',
  deps: OperationDeps,
): Promise<readonly AreaTotals[]> {
  const key = JSON.stringify([caller.payer.id, kind])
  return deps.totals.get(key, () => computeTotals(caller.payer.id, kind, deps))
}

async function computeTotals(
  accountId: string,
  kind: 'static' | 'dynamic',
  deps: OperationDeps,
): Promise<readonly AreaTotals[]> {
  const nowMs = deps.clock.nowMs()
  const bought = await deps.catalog.trafficPackages(accountId)
  const packages = bought.filter((pack) => pack.kind === kind && pack.startMs <= nowMs)
  const intervals = drawdownIntervals(packages, ceilTo(nowMs + AHEAD_MS, MINUTE_MS))
  const moved = intervals.length === 0 ? [] : await deps.usage.cdnBytes(accountId, kind, intervals)
  return AREAS.map((area) => {
    const bytes = new Map(
      moved.filter((entry) => entry.area === area).map((entry) => [entry.interval, entry.bytes]),
    )
    const usage = intervals.map((interval, index) => ({
      ...interval,
      bytes: bytes.get(index) ?? 0n,
    }))
    return totalsOf(area, packages, usage, nowMs)
  })
}

function totalsOf(
  area: Area,
  packages: readonly TrafficPackage[],
  usage: readonly (Interval & { bytes: Bytes })[],
  nowMs: EpochMs,
): AreaTotals {
  const ofArea = packages.filter((pack) => pack.area === area)
  let totalBytes = 0n
  let usedBytes = 0n
  for (const draw of drawDown(ofArea, usage).draws) {
    const hasEnded = draw.package.endMs !== null && draw.package.endMs <= nowMs
    if (hasEnded) continue
    totalBytes += draw.package.sizeBytes
    usedBytes += draw.usedBytes
  }
  return { area, totalBytes, usedBytes, leftBytes: totalBytes - usedBytes }
}
