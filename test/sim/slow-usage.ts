/** What of a book's usage is known at an instant, and to whom it belonged. */
import type { ContentKind, PayMode } from '../../src/catalog/model.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import type { TrafficUsage } from '../../src/rating/traffic-usage.ts'
import type { Since, SimBook, SimRecord, SimResource } from './books-world.ts'

/** Usage of one minute, and when it was taken in. */
export interface TakenUsage extends TrafficUsage {
  readonly takenMs: EpochMs
}

/** What holds at an instant; undefined: nothing did yet. */
export function valueAt<T>(history: readonly Since<T>[], instantMs: EpochMs): T | undefined {
  let found: T | undefined
  for (const { fromMs, value } of history) {
    if (fromMs <= instantMs) found = value
  }
  return found
}

/** By what the resource is paid on a day that begins then. */
export function payModeOf(resource: SimResource, dayStartMs: EpochMs): PayMode {
  // Of the day on which it is made, the mode it is made with counts.
  return valueAt(resource.payModes, dayStartMs) ?? resource.payModes[0]?.value ?? 'Traffic'
}

/** When a line is taken in; undefined: never. */
export function takenAt(record: SimRecord, resource: SimResource): EpochMs | undefined {
  if (record.minuteMs < resource.createdMs) return undefined
  if (record.arrivedMs >= resource.registeredMs) return record.arrivedMs
  return resource.replayedMs ?? undefined
}

const NOWHERE = { billingRegion: 'cn', province: '' } as const

function placeOf(
  { billingRegion, province }: Pick<SimRecord, 'billingRegion' | 'province'>,
  kind: ContentKind,
) {
  const area = billingRegion === 'cn' ? ('cn' as const) : ('abroad' as const)
  return { area, billingRegion, province, kind }
}

/** All usage that is ever taken in, each id once, when it came first. */
export function takenUsage({ resources, records, meter }: SimBook): TakenUsage[] {
  const byId = new Map<string, TakenUsage>()
  const known = new Map(resources.map((resource) => [resource.id, resource]))
  for (const record of records) {
    const resource = known.get(record.resourceId)
    if (resource === undefined) continue
    const takenMs = takenAt(record, resource)
    if (takenMs === undefined) continue
    const earlier = byId.get(record.id)
    if (earlier !== undefined && earlier.takenMs <= takenMs) continue
    // Only CDN traffic is told apart by place and content.
    const place = meter === 'cdn' ? placeOf(record, resource.kind) : placeOf(NOWHERE, 'static')
    byId.set(record.id, {
      ...place,
      startMs: record.minuteMs,
      resourceId: record.resourceId,
      projectId: valueAt(resource.projects, record.minuteMs) ?? '',
      direction: record.direction,
      bytes: record.bytes,
      takenMs,
    })
  }
  return [...byId.values()].sort((a, b) => a.startMs - b.startMs)
}
