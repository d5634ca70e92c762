import { describe, expect, test } from 'vitest'
import { BILLING_REGIONS } from '../meters/places.ts'
import {
  AREA_SCOPES,
  areaOf,
  coversArea,
  PARTS_ABROAD,
  redundantRegion,
  regionOf,
  sharesArea,
} from './area-scope.ts'
import type { AreaScope } from './model.ts'

/** Places that each scope takes in, by their billing region; `abroad` is the unknown one. */
const PLACES: Readonly<Record<AreaScope, readonly string[]>> = {
  cn: ['cn'],
  abroad: ['abroad', 'apac1', 'apac2', 'apac3', 'eu-na', 'me-africa', 'latam'],
  apac1: ['apac1'],
  apac2: ['apac2'],
  apac3: ['apac3'],
  'eu-na': ['eu-na'],
  'me-africa': ['me-africa'],
  latam: ['latam'],
  'abroad-other': ['abroad'],
}

const PAIRS = AREA_SCOPES.flatMap((a) => AREA_SCOPES.map((b) => [a, b] as const))

test.each(AREA_SCOPES)('%s takes in its places and no other usage', (scope) => {
  const covered = BILLING_REGIONS.filter((billingRegion) =>
    coversArea([scope], { area: areaOf(billingRegion), billingRegion }),
  )
  expect(covered.toSorted()).toEqual(PLACES[scope].toSorted())
})

test.each(PAIRS)('%s and %s share usage where they have a place in common', (a, b) => {
  expect(sharesArea([a], [b])).toBe(PLACES[a].some((place) => PLACES[b].includes(place)))
})

describe('abroad falls into parts', () => {
  test('each place is in exactly one of them, which names its billing region', () => {
    for (const billingRegion of BILLING_REGIONS.filter((region) => region !== 'cn')) {
      const usage = { area: 'abroad', billingRegion } as const
      const parts = PARTS_ABROAD.filter((part) => coversArea([part], usage))
      expect(parts.map(regionOf)).toEqual([billingRegion])
    }
  })

  test.each(PARTS_ABROAD)('%s says nothing beside abroad', (part) => {
    expect(redundantRegion(['cn', part, 'abroad'])).toBe(part)
    expect(redundantRegion(['cn', part])).toBeUndefined()
  })

  test('a region stands beside what no region is known of', () => {
    expect(redundantRegion(['apac1', 'abroad-other'])).toBeUndefined()
  })
})
