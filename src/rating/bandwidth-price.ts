import { divRound, type Nano } from '../core/money.ts'
import { megaBytes } from '../core/units.ts'
import type { BandwidthRule } from './rules.ts'

/** What of a rule turns a bandwidth into money. */
export type BandwidthPrice = Pick<
  BandwidthRule,
  'radix' | 'commitBps' | 'price' | 'overagePrice' | 'proRata' | 'partialMonth'
>

/** Days that took part, of the days of the period; `days` is at least 1. */
export interface DayShare {
  readonly validDays: number
  readonly days: number
}

/** On how many of a month's days a rule was in force. */
export interface InForce {
  readonly days: number
  readonly of: number
}

const WHOLE: InForce = { days: 1, of: 1 }

/** Finds the bandwidth that is billed: what was used, but never less than the commitment. */
export function billedBpsOf(bps: bigint, commitBps: bigint): bigint {
  return bps > commitBps ? bps : commitBps
}

/**
 * Prices a bandwidth: the commitment, and what was used above it.
 *
 * Units: prices are for one Mbps of the rule's radix. The commitment is owed whatever was used, so
 * the share of valid days reduces only what is above it.
 * Time: a rule that was in force on some days of the month only owes their share of everything,
 * unless it says that a part counts as a whole.
 * Rounding: once, to whole nano, halves away from zero. The bandwidth is whole bit/s already, so
 * that the amount follows from the figures on the bill.
 */
export function priceBandwidth(
  bps: bigint,
  share: DayShare,
  rule: BandwidthPrice,
  inForce: InForce = WHOLE,
): Nano {
  const aboveBps = billedBpsOf(bps, rule.commitBps) - rule.commitBps
  const [part, whole] =
    rule.proRata === 'none' ? [1n, 1n] : [BigInt(share.validDays), BigInt(share.days)]
  const committed = rule.commitBps * rule.price * whole
  const above = aboveBps * (rule.overagePrice ?? rule.price) * part
  const { days, of } = rule.partialMonth === 'share' ? inForce : WHOLE
  // An Mbps has as many bit/s as a megabyte has bytes, in either radix.
  return divRound((committed + above) * BigInt(days), megaBytes(rule.radix) * whole * BigInt(of))
}
