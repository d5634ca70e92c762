import { compareText } from './package-terms.ts'
import type { TrafficUsage } from './traffic-usage.ts'

/** Orders usage by start, then by everything that it is told apart by; out comes before in. */
export function compareTraffic(a: TrafficUsage, b: TrafficUsage): number {
  return (
    a.startMs - b.startMs ||
    compareText(a.resourceId, b.resourceId) ||
    compareText(a.projectId, b.projectId) ||
    compareText(a.area, b.area) ||
    compareText(a.billingRegion, b.billingRegion) ||
    compareText(a.kind, b.kind) ||
    compareText(a.province, b.province) ||
    compareText(b.direction, a.direction)
  )
}

/** Sums entries that nothing tells apart, after moving each start to where `startOf` says. */
export function mergeTraffic(
  usage: readonly TrafficUsage[],
  startOf: (startMs: number) => number = (startMs) => startMs,
): TrafficUsage[] {
  const sums = new Map<string, TrafficUsage>()
  for (const entry of usage) {
    const startMs = startOf(entry.startMs)
    const key = trafficKey({ ...entry, startMs })
    const sum = sums.get(key)
    sums.set(key, { ...entry, startMs, bytes: (sum?.bytes ?? 0n) + entry.bytes })
  }
  return [...sums.values()].filter(({ bytes }) => bytes > 0n).sort(compareTraffic)
}

/** Names what an entry is told apart by. */
export function trafficKey(entry: TrafficUsage): string {
  const { startMs, resourceId, projectId, billingRegion, kind, province, direction } = entry
  // The area follows from the region.
  return [startMs, resourceId, projectId, billingRegion, kind, province, direction].join(' ')
}
