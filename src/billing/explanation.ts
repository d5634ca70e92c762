/**
 * How a line of a bill came about: plain JSON, in which bytes, bandwidths and money are decimal
 * text and instants are ISO 8601 in UTC. Beside the time of a slot stands its local one, `local`,
 * to the minute with the zone's offset: where clocks go back, an hour of slots happens twice.
 *
 * `agrees` tells whether computing the line again from the usage it was made of gives that line,
 * field by field. It is false only when usage that a bill was made of is no longer there.
 */
import type { BillDraw, BillLine, BandwidthBillLine, TrafficBillLine } from './bill.ts'

/** What one resource moved, and what of it was priced. */
export interface ExplainedResource {
  readonly resource: string
  readonly project: string
  readonly measuredBytes: string
  readonly pricedBytes: string
}

/** What one day gave to a line of traffic. */
export interface ExplainedDay {
  readonly start: string
  readonly end: string
  /** Usage that came with a later batch is not in it. */
  readonly throughBatch: number
  /** What the rule is about: its scope and windows, its member, no free days. */
  readonly measuredBytes: string
  /** What packages and refilling volumes took of it; rounding of orders included. */
  readonly takenBytes: string
  readonly pricedBytes: string
  /** Ascending by resource, then project. */
  readonly resources: readonly ExplainedResource[]
  /** What packages gave that day, to all usage of the book. */
  readonly packages: readonly BillDraw[]
  /** Five minutes each, when the line is about one day; otherwise null. */
  readonly slots:
    | readonly {
        readonly time: string
        readonly local: string
        readonly resource: string
        readonly bytes: string
      }[]
    | null
}

/** What one tier of the rule came to; the line's own is one of them. */
export interface ExplainedTier {
  readonly tier: number
  /** Bytes up to which it counts; null: without end. */
  readonly upToBytes: string | null
  readonly rawBytes: string
  readonly billedBytes: string
  readonly price: string
  readonly amount: string
}

/** Of a line by volume. */
export interface TrafficExplanation {
  readonly type: 'traffic'
  readonly line: TrafficBillLine
  readonly days: readonly ExplainedDay[]
  readonly tiers: readonly ExplainedTier[]
  /** The arithmetic written out, a step a line. */
  readonly steps: readonly string[]
  readonly agrees: boolean
}

/** A slot in the ranking. */
export interface RankedSlot {
  /** From 1, the highest. */
  readonly rank: number
  readonly time: string
  readonly local: string
  readonly bps: string
  /** False: nobody reported it, and the rule counts it as zero. */
  readonly isReported: boolean
  readonly isDropped: boolean
  readonly isSample: boolean
}

/** What one day gave to a line of bandwidth. */
export interface ExplainedPeak {
  readonly start: string
  readonly end: string
  readonly takesPart: boolean
  readonly slots: number
  readonly dropped: number
  readonly sample: {
    readonly time: string
    readonly local: string
    readonly bps: string
  } | null
}

/** Of a line by bandwidth. */
export interface BandwidthExplanation {
  readonly type: 'bandwidth'
  readonly line: BandwidthBillLine
  readonly throughBatch: number
  /** Members whose slots were added up. */
  readonly members: readonly string[]
  /** Slots that count, in the order of their rank: the highest, and those around the samples. */
  readonly ranking: readonly RankedSlot[]
  readonly days: readonly ExplainedPeak[]
  /** By `max-of-both`, what the other direction came to. */
  readonly notBilled: { readonly direction: string; readonly bps: string } | null
  readonly steps: readonly string[]
  readonly agrees: boolean
}

/** The late usage that made an adjustment: when it moved, and with which batches it came. */
export interface ExplainedCause {
  /** The adjusted day; for a line by bandwidth all of its stretch: slots are ranked as one. */
  readonly start: string
  readonly end: string
  /** Ascending; the first hundred of them. */
  readonly batches: readonly number[]
  /** How many there are. */
  readonly batchCount: number
}

/** Of what late usage changed: how both lines came about. */
export interface AdjustmentExplanation {
  readonly type: 'adjustment'
  readonly line: Extract<BillLine, { type: 'adjustment' }>
  readonly cause: ExplainedCause
  readonly before: TrafficExplanation | BandwidthExplanation | null
  readonly after: TrafficExplanation | BandwidthExplanation | null
  readonly steps: readonly string[]
  readonly agrees: boolean
}

/** Of a package: it was paid for, which no usage explains. */
export interface PackageExplanation {
  readonly type: 'package'
  readonly line: Extract<BillLine, { type: 'package' }>
  readonly steps: readonly string[]
  readonly agrees: boolean
}

/** How one line came about. */
export type Explanation =
  | TrafficExplanation
  | BandwidthExplanation
  | AdjustmentExplanation
  | PackageExplanation

/** How one line of a bill came about, and where it stands. */
export interface BillExplanation {
  readonly bill: string
  /** From 1. */
  readonly number: number
  /** IANA zone of the bill's days. */
  readonly zone: string
  readonly explanation: Explanation
}
