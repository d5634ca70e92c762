import { assert } from '../core/errors.ts'
import { divRound, priceOf } from '../core/money.ts'
import { gigaBytes } from '../core/units.ts'
import type { TrafficRule } from './rules.ts'
import { checkTrafficRule } from './traffic-check.ts'
import { sumTraffic } from './traffic-sums.ts'
import { shareOutTiers } from './traffic-tiers.ts'
import type { TrafficBasis, TrafficLine, TrafficUsage } from './traffic-usage.ts'

/**
 * Prices usage by volume.
 *
 * Shape: one line per day or month, member and tier, ascending in this order, lines without bytes
 * left out. The lines of one member and span add up to what was measured and to what is billed,
 * byte for byte. A day that is free has no line.
 * Units: raw bytes are as measured; billed bytes carry the overhead and are what tiers count.
 * Rounding: the overhead once per member and span, before tiering; the amount once per line; halves
 * away from zero.
 * Errors: `parameter_invalid` when groups overlap. A rule that `checkTrafficRule` finds fault with
 * is a bug of the caller.
 * Limits: a volume tier may make more bytes cost less where its price is lower; graduated ones
 * never do.
 */
export function rateTraffic(
  rule: TrafficRule,
  usage: readonly TrafficUsage[],
  basis: TrafficBasis,
): TrafficLine[] {
  const [problem] = checkTrafficRule(rule)
  assert(problem === undefined, `rule ${rule.name}: ${problem?.field}: ${problem?.message}`)
  const { numerator, denominator } = rule.overhead
  return sumTraffic(rule, usage, basis).flatMap(({ startMs, endMs, memberId, rawBytes: sum }) => {
    const billed = divRound(sum * numerator, denominator)
    return shareOutTiers(rule, sum, billed).map(({ tierIndex, rawBytes, billedBytes }) => {
      const price = rule.tiers[tierIndex]?.price
      assert(price !== undefined, `rule ${rule.name} has no tier ${tierIndex}`)
      const amount = priceOf(billedBytes, price, gigaBytes(rule.radix))
      const bytes = { rawBytes, billedBytes }
      return { ruleName: rule.name, memberId, startMs, endMs, tierIndex, ...bytes, price, amount }
    })
  })
}
