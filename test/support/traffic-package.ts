import type { TrafficPackage } from '../../src/catalog/model.ts'

const CREATED_MS = Date.UTC(2025, 0, 1)

/** A package of acc-a for static traffic in China, without end; anything may be overridden. */
export function trafficPackage(rest: Partial<TrafficPackage>): TrafficPackage {
  return {
    id: 'pkg-a',
    accountId: 'acc-a',
    meter: 'cdn',
    areas: ['cn'],
    kinds: ['static'],
    projectIds: null,
    resourceIds: null,
    windows: [],
    sizeBytes: 100n,
    purchasedMs: CREATED_MS,
    startMs: CREATED_MS,
    endMs: null,
    firstUseMonths: null,
    paid: null,
    refundedMs: null,
    refundAmount: null,
    offer: null,
    ...rest,
  }
}
