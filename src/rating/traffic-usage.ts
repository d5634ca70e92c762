import type { Area } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Nano } from '../core/money.ts'
import type { Interval } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { BillingRegion } from '../meters/places.ts'

/**
 * What one resource moved in one slot, in one direction, to one place.
 *
 * Shape: any order; several entries of one slot add up.
 * Time: the slot is one or five minutes long; its start alone decides day, month and window.
 * Limits: `bytes` is never negative; corrections change the usage, they are not usage.
 */
export interface TrafficUsage {
  readonly startMs: EpochMs
  readonly resourceId: string
  readonly projectId: string
  readonly area: Area
  /** Its area follows from it; `abroad`: abroad, and nobody knows where. */
  readonly billingRegion: BillingRegion
  readonly province: string
  readonly kind: 'static' | 'dynamic'
  readonly direction: 'in' | 'out'
  readonly bytes: Bytes
}

/**
 * What is rated, and for whom.
 *
 * Time: usage outside `period` is not looked at. Tiers and free days see only what is inside, so
 * the period should begin and end at local midnights, or with the month for monthly tiers.
 */
export interface TrafficBasis {
  readonly accountId: string
  readonly period: Interval
  /** IANA zone of the account: its days, months and times of day. */
  readonly zone: string
  /** Group name → resource ids, for rules of level `group`. No resource is in two groups. */
  readonly groups?: Readonly<Record<string, readonly string[]>>
}

/**
 * What one tier of a rule costs one member in one day or month.
 *
 * Units: `price` is for one GB or GiB of billed bytes, by the rule's radix.
 * Time: `[startMs, endMs)` is the local day or month, cut to the rated period.
 */
export interface TrafficLine extends Interval {
  readonly ruleName: string
  /** Id of the account, project or resource, or name of the group. */
  readonly memberId: string
  /** Zero-based position in the rule's tiers. */
  readonly tierIndex: number
  /** As measured. */
  readonly rawBytes: Bytes
  /** With the rule's overhead: what is priced. */
  readonly billedBytes: Bytes
  readonly price: Nano
  readonly amount: Nano
}
