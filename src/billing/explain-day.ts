import { FIVE_MINUTES_MS } from '../core/period.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import { mergeTraffic } from '../rating/traffic-order.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { DayBasis } from './book.ts'
import type { BooksTrafficQuery } from './books-usage.ts'
import { type DayCuts, dayCuts } from './day-cuts.ts'
import { type AdjustmentRecord, basisOf, type DayRecord } from './day-record.ts'
import type { TracedDay } from './explain-traffic.ts'
import { intervalOf } from './period-names.ts'
import { drawDay, selectBillable } from './rate-day.ts'

/** What is kept of a closed day, up to some moment. */
export interface KeptDay {
  readonly record: DayRecord
  /** What late usage changed about it until then, in order. */
  readonly adjustments: readonly AdjustmentRecord[]
  readonly pack: RulePack
}

/** Up to which batch a kept day knows its usage. */
export function throughBatchOf({ record, adjustments }: KeptDay): number {
  return (adjustments.at(-1) ?? record).proof?.throughBatch ?? 0
}

/**
 * Tells how a kept day's usage is read so that it can be shown, and drawn from packages again.
 *
 * `slots`: every five minutes apart; `day`: as closing reads it.
 */
export function traceQuery(
  { record, pack }: KeptDay,
  grain: 'day' | 'slots',
): Pick<BooksTrafficQuery, 'cutsMs' | 'endMs' | 'grain' | 'byProvince' | 'byRegion'> {
  const basis = basisOf(record, pack)
  const cuts = dayCuts(basis)
  const { startMs, endMs } = basis.day
  const slots: number[] = []
  if (grain === 'slots') {
    for (let atMs = startMs; atMs < endMs; atMs += FIVE_MINUTES_MS) slots.push(atMs)
  }
  const cutsMs = [...new Set([...cuts.cutsMs, ...slots])].sort((a, b) => a - b)
  return { ...cuts, cutsMs, endMs }
}

/**
 * Puts together what a kept day measured and what was left of it to be priced.
 *
 * Shape: `isRedrawn` tells whether drawing the usage from packages again leaves what was kept; null
 * for a day with late usage, whose packages stood elsewhere when it came.
 */
export function traceDay(
  kept: KeptDay,
  traffic: readonly TrafficUsage[],
): TracedDay & { readonly isRedrawn: boolean | null } {
  const { record, adjustments, pack } = kept
  const basis = basisOf(record, pack)
  const late = adjustments.flatMap(({ remainder }) => remainder)
  return {
    ...intervalOf(record),
    throughBatch: throughBatchOf(kept),
    measured: traffic.filter(({ resourceId }) => !basis.unbilled.includes(resourceId)),
    priced: mergeTraffic([...record.remainder, ...late]),
    packages: drawsOf(kept),
    isRedrawn: adjustments.length > 0 ? null : isRedrawn(basis, record, traffic),
  }
}

function isRedrawn(
  basis: DayBasis,
  { remainder }: DayRecord,
  traffic: readonly TrafficUsage[],
): boolean {
  const again = drawDay(basis, selectBillable(basis, atCuts(traffic, dayCuts(basis))))
  return canonicalJson(again.remainder) === canonicalJson(remainder)
}

/** Sums usage that was read more finely than closing reads it. */
function atCuts(traffic: readonly TrafficUsage[], { cutsMs }: DayCuts): TrafficUsage[] {
  return mergeTraffic(traffic, (startMs) => cutsMs.findLast((cutMs) => cutMs <= startMs) ?? startMs)
}

function drawsOf({ record, adjustments }: KeptDay): TracedDay['packages'] {
  const sums = new Map<string, bigint>()
  for (const { draws, absorptions, covered } of [record, ...adjustments]) {
    for (const { packageId, bytes } of [...draws, ...absorptions, ...covered]) {
      // What no package gave is what is priced.
      if (packageId !== null) sums.set(packageId, (sums.get(packageId) ?? 0n) + bytes)
    }
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([packageId, bytes]) => ({ packageId, bytes: String(bytes) }))
}
