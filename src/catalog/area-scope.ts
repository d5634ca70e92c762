import type { BillingRegion } from '../meters/places.ts'
import type { Area, AreaScope } from './model.ts'

/** All that a scope may name, the areas first. */
export const AREA_SCOPES = [
  'cn',
  'abroad',
  'apac1',
  'apac2',
  'apac3',
  'eu-na',
  'me-africa',
  'latam',
  'abroad-other',
] as const satisfies readonly AreaScope[]

/** Where usage moved: its area, and its billing region; `abroad` where that is not known. */
export interface AreaOfUsage {
  readonly area: Area
  readonly billingRegion: BillingRegion
}

/**
 * Tells whether a list takes in the usage; a list that is absent takes in all.
 *
 * Shape: `abroad` takes in every region and what no region is known of, `abroad-other` only the
 * latter, a region only what moved there. Lists with a part of abroad are for usage that was read
 * by region: otherwise all that moved abroad looks as if its region were not known.
 */
export function coversArea(
  areas: readonly AreaScope[] | null | undefined,
  { area, billingRegion }: AreaOfUsage,
): boolean {
  return !areas || areas.includes(area) || areas.includes(partOf(billingRegion))
}

/** Tells whether some usage is taken in by both lists; one that is absent takes in all. */
export function sharesArea(
  a: readonly AreaScope[] | null | undefined,
  b: readonly AreaScope[] | null | undefined,
): boolean {
  return (
    !a || !b || a.some((one) => b.some((other) => isWithin(one, other) || isWithin(other, one)))
  )
}

/** Names the area that a scope is in. */
export function areaOf(scope: AreaScope): Area {
  return scope === 'cn' ? 'cn' : 'abroad'
}

/** Names the narrowest scope that a billing region is in. */
export function partOf(billingRegion: BillingRegion): AreaScope {
  return billingRegion === 'abroad' ? 'abroad-other' : billingRegion
}

/** Names the billing region of usage that moved in a scope, as far as it tells one. */
export function regionOf(scope: AreaScope): BillingRegion {
  return scope === 'abroad-other' ? 'abroad' : scope
}

/** Tells whether a scope is a part of abroad (a region, or no known one), not a whole area. */
export function isRegion(scope: AreaScope): boolean {
  return scope !== 'cn' && scope !== 'abroad'
}

/** All that abroad consists of: its regions, and what no region is known of. */
export const PARTS_ABROAD: readonly AreaScope[] = AREA_SCOPES.filter(isRegion)

/** Finds a part of abroad that stands beside `abroad`, which takes it in already. */
export function redundantRegion(areas: readonly AreaScope[]): AreaScope | undefined {
  return areas.includes('abroad') ? areas.find(isRegion) : undefined
}

/** Says what is wrong with a list in which `redundantRegion` found something. */
export function redundantMessage(region: AreaScope): string {
  return `names ${region} beside abroad, which takes it in already; keep one of the two`
}

function isWithin(inner: AreaScope, outer: AreaScope): boolean {
  return inner === outer || (outer === 'abroad' && isRegion(inner))
}
