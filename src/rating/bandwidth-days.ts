import { assert, unreachable } from '../core/errors.ts'
import { type Interval, localDays } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { SlotTotal } from './bandwidth-usage.ts'
import type { RankedPoint } from './percentile.ts'
import type { BandwidthRule } from './rules.ts'

/** What is ranked: one number per slot. `max-of-both` ranks twice. */
export type RankedDirection = Exclude<BandwidthRule['direction'], 'max-of-both'>

/** A local day, or the part of it that lies in the period. */
export interface BandwidthDay extends Interval {
  /** The slots that count: all of the day, or only those that were reported. */
  readonly slots: readonly SlotTotal[]
  /** What moved in the directions that the rule bills; of two, both together. */
  readonly bytes: Bytes
  /** Whether the day has slots that count and is valid by the rule. */
  readonly takesPart: boolean
}

/** One slot in one direction. */
export interface DirectedPoint extends RankedPoint {
  /** False: nobody reported this slot, and the rule takes it as zero. */
  readonly isReported: boolean
}

/**
 * Cuts a period into local days and tells which of them take part.
 *
 * Shape: `slots` as `sumSlots` returns them; every day of the period is listed, in order.
 * Time: a day with a clock change has more or fewer slots; a slot belongs to the day it begins in.
 */
export function cutDays(
  slots: readonly SlotTotal[],
  period: Interval,
  zone: string,
  rule: Pick<BandwidthRule, 'direction' | 'missingSlot' | 'validDay'>,
): BandwidthDay[] {
  let next = 0
  const days = localDays(period, zone).map((day) => {
    const endMs = Math.min(day.endMs, period.endMs)
    const first = next
    while ((slots[next]?.startMs ?? endMs) < endMs) next += 1
    const whole = slots.slice(first, next)
    const counted = rule.missingSlot === 'zero' ? whole : whole.filter((slot) => slot.isReported)
    const bytes = counted.reduce((sum, slot) => sum + billedBytes(slot, rule.direction), 0n)
    const isValid = rule.validDay === 'all' || bytes > rule.validDay.aboveBytes
    return {
      startMs: Math.max(day.startMs, period.startMs),
      endMs,
      slots: counted,
      bytes,
      takesPart: isValid && counted.length > 0,
    }
  })
  assert(next === slots.length, 'every slot lies in a day')
  return days
}

/** Reads the slots of a day in one direction; the higher of two is chosen after summing members. */
export function pointsOf(day: BandwidthDay, direction: RankedDirection): DirectedPoint[] {
  return day.slots.map((slot) => ({
    startMs: slot.startMs,
    slotBits: slotBitsIn(slot, direction),
    isReported: slot.isReported,
  }))
}

function slotBitsIn({ inSlotBits, outSlotBits }: SlotTotal, direction: RankedDirection): bigint {
  switch (direction) {
    case 'in':
      return inSlotBits
    case 'out':
      return outSlotBits
    case 'max-per-slot':
      return inSlotBits > outSlotBits ? inSlotBits : outSlotBits
    case 'sum':
      return inSlotBits + outSlotBits
    default:
      return unreachable(direction)
  }
}

function billedBytes(slot: SlotTotal, direction: BandwidthRule['direction']): Bytes {
  if (direction === 'in') return slot.inBytes
  if (direction === 'out') return slot.outBytes
  return slot.inBytes + slot.outBytes
}
