import { assert } from '../core/errors.ts'
import type { DailyOrder } from '../rating/package-arrears.ts'
import { mergeTraffic, trafficKey } from '../rating/traffic-order.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { DayBasis } from './book.ts'
import {
  type DayUsage,
  drawDay,
  mergeArrears,
  priceDay,
  type RatedDay,
  selectBillable,
} from './rate-day.ts'

/** What of a closed day is known: its usage then, what was ordered and left to be priced of it. */
export interface BilledDay {
  readonly usage: DayUsage
  readonly remainder: readonly TrafficUsage[]
  readonly orders: readonly DailyOrder[]
}

/** What late usage makes of a closed day. */
export interface AdjustedDay extends Omit<RatedDay, 'remainder'> {
  /** What late usage leaves to be priced. */
  readonly lateRemainder: readonly TrafficUsage[]
}

/**
 * Rates a closed day again with the usage that came late.
 *
 * Late usage is drawn from what is left now of the packages that were valid when it moved; what
 * the closed days drew stays drawn. The day's lines are those of all that is left to be priced, by
 * the day's own rules, so that their difference to the lines before is what late usage costs.
 *
 * Shape: `basis.opening` is where the book stands now. A day that was free and no longer is counts
 * as late as a whole.
 */
export function adjustDay(basis: DayBasis, before: BilledDay, now: DayUsage): AdjustedDay {
  const billed = selectBillable(basis, before.usage.traffic)
  const late = subtract(selectBillable(basis, now.traffic), billed)
  // Earlier arrears are not this day's; they wait as they did.
  const opening = { ...basis.opening, arrears: [] }
  const { remainder, closing, ...drawn } = drawDay({ ...basis, opening }, late, before.orders)
  const arrears = mergeArrears([...basis.opening.arrears, ...closing.arrears], basis.zone)
  return {
    ...drawn,
    closing: { ...closing, arrears },
    lateRemainder: remainder,
    lines: priceDay(basis, mergeTraffic([...before.remainder, ...remainder]), now),
  }
}

function subtract(
  now: readonly TrafficUsage[],
  before: readonly TrafficUsage[],
): readonly TrafficUsage[] {
  const open = new Map(before.map((entry) => [trafficKey(entry), entry.bytes]))
  const late = now.map((entry) => {
    const key = trafficKey(entry)
    const bytes = entry.bytes - (open.get(key) ?? 0n)
    open.delete(key)
    assert(bytes >= 0n, `usage of ${entry.resourceId} became less after its day was closed`)
    return { ...entry, bytes }
  })
  assert(open.size === 0, 'usage of a closed day is missing')
  return late.filter(({ bytes }) => bytes > 0n)
}
