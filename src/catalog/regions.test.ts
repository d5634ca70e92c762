import { expect, test } from 'vitest'
import { DEFAULT_REGION, DEFAULT_REGIONS } from './regions.ts'

test('the vendor’s 33 regions have 43 zones, no code or number twice', () => {
  const zones = DEFAULT_REGIONS.flatMap((region) => region.zones)
  expect(DEFAULT_REGIONS).toHaveLength(33)
  expect(zones).toHaveLength(43)
  expect(new Set(zones).size).toBe(43)
  expect(new Set(DEFAULT_REGIONS.map((region) => region.region)).size).toBe(33)
  expect(new Set(DEFAULT_REGIONS.map((region) => region.regionId)).size).toBe(33)
})

// Clients stop when no region is the default.
test('exactly one region is the default', () => {
  const defaults = DEFAULT_REGIONS.filter((region) => region.isDefault)
  expect(defaults.map((region) => region.region)).toEqual([DEFAULT_REGION])
})

test('a zone is its region’s code and a number', () => {
  const beijing = DEFAULT_REGIONS.find((region) => region.region === 'cn-bj2')
  expect(beijing?.zones).toEqual(['cn-bj2-02', 'cn-bj2-03', 'cn-bj2-05'])
})
