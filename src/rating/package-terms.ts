import type { Area, AreaScope, TrafficPackage } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import { floorTo, MINUTE_MS } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { BillingRegion } from '../meters/places.ts'
import type { DayWindow } from './rules.ts'

/** Which usage a package may pay for: all that is restricted must fit; null: any value. */
export interface PackageScope {
  readonly areas: readonly AreaScope[] | null
  /** A static package never pays for dynamic traffic unless it names both. */
  readonly kinds: readonly ('static' | 'dynamic')[] | null
  readonly projectIds: readonly string[] | null
  readonly resourceIds: readonly string[] | null
  /** Local times of day, e.g. off-peak; empty: at any time. */
  readonly windows: readonly DayWindow[]
}

/**
 * How long a package lasts.
 *
 * Time: every end is exclusive. `from-first-use` lasts that long from the start of the first usage
 * that was drawn; calendar months end as `validUntil` says, a span in milliseconds is absolute.
 */
export type PackageValidity =
  | { readonly type: 'from-purchase'; readonly endMs: EpochMs }
  | { readonly type: 'from-first-use'; readonly spanMonths: number }
  | { readonly type: 'from-first-use'; readonly spanMs: number }
  | { readonly type: 'unlimited' }

/** A prepaid volume with all that decides when and for what it is drawn. */
export interface PrepaidPackage extends PackageScope {
  readonly id: string
  readonly sizeBytes: Bytes
  /** Ranks it among others. */
  readonly purchasedMs: EpochMs
  /** Pays for nothing that moved before; usually the purchase. Arrears are absorbed here. */
  readonly startMs: EpochMs
  readonly validity: PackageValidity
}

/** Bytes of one resource in one slot; the slot's start decides what may pay for it. */
export interface PackageUsage {
  readonly startMs: EpochMs
  readonly area: Area
  /** `abroad`: abroad, and nobody knows where. */
  readonly billingRegion: BillingRegion
  readonly kind: 'static' | 'dynamic'
  readonly projectId: string
  readonly resourceId: string
  readonly bytes: Bytes
}

/**
 * Orders usage by time, then area, kind, project, resource and region. The region comes last, so
 * that usage that is read without it is drawn alike.
 *
 * Shape: two entries that compare equal may be paid for by the same packages, so that their order
 * among themselves changes nothing.
 */
export function compareUsage(a: PackageUsage, b: PackageUsage): number {
  return (
    a.startMs - b.startMs ||
    compareText(a.area, b.area) ||
    compareText(a.kind, b.kind) ||
    compareText(a.projectId, b.projectId) ||
    compareText(a.resourceId, b.resourceId) ||
    compareText(a.billingRegion, b.billingRegion)
  )
}

/** Orders texts by code unit: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/**
 * Reads a package of the catalog as terms. One that was given back has none: leave it out.
 *
 * Time: begin and end are rounded down to whole minutes, the grain of stored usage, exactly as the
 * live answers do, so that the books and the answers agree.
 */
export function termsOf(entry: TrafficPackage): PrepaidPackage {
  const { id, sizeBytes, areas, kinds, projectIds, resourceIds, windows, purchasedMs } = entry
  return {
    id,
    sizeBytes,
    areas,
    kinds,
    projectIds,
    resourceIds,
    windows,
    purchasedMs,
    startMs: floorTo(entry.startMs, MINUTE_MS),
    validity: validityOf(entry),
  }
}

function validityOf({ endMs, firstUseMonths }: TrafficPackage): PackageValidity {
  if (endMs !== null) return { type: 'from-purchase', endMs: floorTo(endMs, MINUTE_MS) }
  return firstUseMonths === null
    ? { type: 'unlimited' }
    : { type: 'from-first-use', spanMonths: firstUseMonths }
}
