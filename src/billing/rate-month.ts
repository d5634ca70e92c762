import type { Interval } from '../core/period.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { ChargeLine } from './bill.ts'
import type { BooksUsage, RankedUsage } from './books-usage.ts'
import { toChargeLine } from './charge-line.ts'
import {
  type BandwidthStretch,
  monthlyBandwidthRules,
  rateMonthlyBandwidth,
  rateSlots,
} from './month-bandwidth.ts'
import { priceRemainder } from './rate-day.ts'

/** Part of a month that was billed by one pack, and what its days left to be priced. */
export interface MonthStretch extends BandwidthStretch {
  /** Late usage included. */
  readonly remainder: readonly TrafficUsage[]
}

/**
 * Prices what waits for the end of a month: its volumes and its bandwidths, for many books.
 *
 * Shape: one list of lines per list of stretches; stretch by stretch, volumes before bandwidths,
 * each in the order of the pack's rules.
 * Time: each pack prices the part of the month in which it was in force; a bandwidth counts there
 * by its share of the month's days, unless the rule says otherwise.
 */
export async function rateMonths(
  month: Interval,
  books: readonly (readonly MonthStretch[])[],
  usage: BooksUsage & RankedUsage,
  throughBatch: number | null,
): Promise<ChargeLine[][]> {
  const bandwidth = await rateMonthlyBandwidth(month, books.flat(), usage, throughBatch)
  return books.map((stretches) =>
    stretches.flatMap((stretch) => {
      const { terms, interval, remainder } = stretch
      const volumes = priceRemainder(terms, interval, 'month', remainder)
      const lines = [...volumes, ...(bandwidth.get(stretch) ?? [])]
      return lines.map((line) => toChargeLine(line, terms.pack))
    }),
  )
}

/** Does what `rateMonths` does for one book. */
export async function rateMonth(
  month: Interval,
  stretches: readonly MonthStretch[],
  usage: BooksUsage & RankedUsage,
  throughBatch: number | null,
): Promise<ChargeLine[]> {
  return (await rateMonths(month, [stretches], usage, throughBatch))[0] ?? []
}

/** A stretch with the slots that its rules rank, by rule name. */
export interface SlottedStretch extends MonthStretch {
  readonly slots: ReadonlyMap<string, readonly MemberUsage[]>
}

/** Prices what waits for the end of a month from slots at hand, measured or foretold. */
export function rateMonthBySlots(
  month: Interval,
  stretches: readonly SlottedStretch[],
): ChargeLine[] {
  return stretches.flatMap((stretch) => {
    const { terms, interval, remainder, slots } = stretch
    const lines = [
      ...priceRemainder(terms, interval, 'month', remainder),
      ...monthlyBandwidthRules(terms.pack.rules).flatMap((rule) =>
        rateSlots(month, stretch, rule, slots.get(rule.name) ?? []),
      ),
    ]
    return lines.map((line) => toChargeLine(line, terms.pack))
  })
}
