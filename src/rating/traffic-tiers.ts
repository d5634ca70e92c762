import { assert } from '../core/errors.ts'
import { divRound } from '../core/money.ts'
import type { Bytes } from '../core/units.ts'
import type { TrafficRule } from './rules.ts'

/** What falls to one tier. */
export interface TierShare {
  /** Zero-based position in the rule's tiers. */
  readonly tierIndex: number
  readonly rawBytes: Bytes
  readonly billedBytes: Bytes
}

/**
 * Shares out a quantity among the tiers of a rule.
 *
 * Shape: ascending tiers, none without bytes; both kinds of bytes add up to what was given.
 * Units: bounds are billed bytes; a quantity equal to a bound is still in the lower tier.
 * Rounding: each raw byte goes to the tier that its middle falls into when the raw bytes are spread
 * evenly over the billed ones, so no tier is more than half a byte off its proportion at either end
 * and none is lost.
 */
export function shareOutTiers(
  rule: Pick<TrafficRule, 'tiering' | 'tiers'>,
  rawBytes: Bytes,
  billedBytes: Bytes,
): TierShare[] {
  if (rawBytes === 0n && billedBytes === 0n) return []
  const shares =
    rule.tiering === 'volume'
      ? [{ tierIndex: reachedTier(rule, billedBytes), rawBytes, billedBytes }]
      : shareOutGraduated(rule, rawBytes, billedBytes)
  assertConserved(shares, rawBytes, billedBytes)
  return shares
}

function reachedTier({ tiers }: Pick<TrafficRule, 'tiers'>, billedBytes: Bytes): number {
  return tiers.findIndex(({ upToBytes }) => upToBytes === null || billedBytes <= upToBytes)
}

function shareOutGraduated(
  { tiers }: Pick<TrafficRule, 'tiers'>,
  rawBytes: Bytes,
  billedBytes: Bytes,
): TierShare[] {
  const shares: TierShare[] = []
  let billedSoFar = 0n
  let rawSoFar = 0n
  for (const [tierIndex, { upToBytes }] of tiers.entries()) {
    const upTo = upToBytes === null || billedBytes < upToBytes ? billedBytes : upToBytes
    // A discount may round the last byte away; what was measured still shows, in the first tier.
    const rawUpTo = billedBytes === 0n ? rawBytes : divRound(upTo * rawBytes, billedBytes)
    const share = { tierIndex, rawBytes: rawUpTo - rawSoFar, billedBytes: upTo - billedSoFar }
    if (share.rawBytes > 0n || share.billedBytes > 0n) shares.push(share)
    billedSoFar = upTo
    rawSoFar = rawUpTo
  }
  return shares
}

function assertConserved(shares: readonly TierShare[], rawBytes: Bytes, billedBytes: Bytes): void {
  const raw = shares.reduce((sum, share) => sum + share.rawBytes, 0n)
  const billed = shares.reduce((sum, share) => sum + share.billedBytes, 0n)
  assert(raw === rawBytes, `tiers hold ${raw} of ${rawBytes} raw bytes`)
  assert(billed === billedBytes, `tiers hold ${billed} of ${billedBytes} billed bytes`)
}
