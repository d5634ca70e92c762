import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import { FIVE_MINUTES_MS, type Interval } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { InForce } from './bandwidth-price.ts'
import type { BandwidthRule } from './rules.ts'

/** What one member moved in five minutes. */
export interface Slot {
  /** A multiple of five minutes since the epoch. */
  readonly startMs: EpochMs
  readonly inBytes: Bytes
  readonly outBytes: Bytes
  /** Highest of the shorter samples in these five minutes, where the source measures them. */
  readonly inSampleBpsMax?: bigint
  readonly outSampleBpsMax?: bigint
}

/** What one member of the rated level moved; a slot that nobody reported is absent. */
export interface MemberUsage {
  readonly memberId: string
  readonly slots: readonly Slot[]
}

/** All that a bandwidth rule is applied to: the members that are billed as one, in one period. */
export interface BandwidthUsage {
  readonly members: readonly MemberUsage[]
  readonly period: Interval
  /** IANA zone of the days. */
  readonly zone: string
  /** When the period is only a part of its month because the rule was in force no longer. */
  readonly inForce?: InForce
}

/** What all members moved in five minutes. */
export interface SlotTotal {
  readonly startMs: EpochMs
  /** False: nobody reported this slot and all else in it is zero. */
  readonly isReported: boolean
  readonly inBytes: Bytes
  readonly outBytes: Bytes
  /** Bits that five minutes hold at the slot's bandwidth: bit/s × 300. */
  readonly inSlotBits: bigint
  readonly outSlotBits: bigint
}

/** Seconds in a slot, by which its bits become bit/s. */
export const SLOT_SECONDS = 300n

type Open = { -readonly [Key in keyof SlotTotal]: SlotTotal[Key] }

/**
 * Sums the members per slot, so that what is ranked later is what moved at the same time.
 *
 * Shape: every slot of the period in order; a slot listed twice counts twice. Slots outside the
 * period and directions outside the rule's scope count for nothing; areas, provinces and kinds are
 * chosen by whoever reads the usage.
 * Units: `mean` has 8 bits per byte. `max-sample` has the highest sample × 300, or the mean where
 * the source has no shorter samples; members' highest samples add up, because whether they came in
 * the same second is no longer known.
 * Time: period and slots lie on multiples of five minutes since the epoch.
 * Rounding: none.
 */
export function sumSlots(
  usage: BandwidthUsage,
  rule: Pick<BandwidthRule, 'slot' | 'scope'>,
): SlotTotal[] {
  const { startMs, endMs } = usage.period
  assert(isOnGrid(startMs) && isOnGrid(endMs), 'a period begins and ends on five minutes')
  const totals: Open[] = []
  for (let atMs = startMs; atMs < endMs; atMs += FIVE_MINUTES_MS) totals.push(emptyAt(atMs))
  const directions = rule.scope.directions ?? ['in', 'out']
  const takes = { in: directions.includes('in'), out: directions.includes('out') }
  for (const slot of usage.members.flatMap(({ slots }) => slots)) {
    assert(isOnGrid(slot.startMs), 'a slot begins on five minutes')
    const total = totals[(slot.startMs - startMs) / FIVE_MINUTES_MS]
    if (total === undefined) continue
    total.isReported = true
    if (takes.in) {
      total.inBytes += slot.inBytes
      total.inSlotBits += slotBitsOf(slot.inBytes, slot.inSampleBpsMax, rule.slot)
    }
    if (takes.out) {
      total.outBytes += slot.outBytes
      total.outSlotBits += slotBitsOf(slot.outBytes, slot.outSampleBpsMax, rule.slot)
    }
  }
  return totals
}

function slotBitsOf(
  bytes: Bytes,
  sampleBpsMax: bigint | undefined,
  slot: BandwidthRule['slot'],
): bigint {
  return slot === 'max-sample' && sampleBpsMax !== undefined
    ? sampleBpsMax * SLOT_SECONDS
    : bytes * 8n
}

function isOnGrid(instantMs: EpochMs): boolean {
  return instantMs % FIVE_MINUTES_MS === 0
}

function emptyAt(startMs: EpochMs): Open {
  return {
    startMs,
    isReported: false,
    inBytes: 0n,
    outBytes: 0n,
    inSlotBits: 0n,
    outSlotBits: 0n,
  }
}
