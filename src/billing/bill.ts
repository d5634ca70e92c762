/**
 * Bills as they are kept and shown: plain JSON, in which bytes, bandwidths and money are decimal
 * text and instants are ISO 8601 in UTC.
 */
import type { MeterName } from '../catalog/model.ts'
import type { ResetPolicy } from '../core/period.ts'
import type { Coverage, UsageProof } from './book.ts'

/** What one tier of a traffic rule costs one member in one day or month. */
export interface TrafficBillLine {
  readonly type: 'traffic'
  readonly rule: string
  /** Id of the account, project or resource, or name of the group. */
  readonly member: string
  readonly start: string
  readonly end: string
  /** From 1. */
  readonly tier: number
  /** As measured, after packages. */
  readonly rawBytes: string
  /** With the rule's overhead: what is priced. */
  readonly billedBytes: string
  readonly unit: 'GB' | 'GiB'
  /** For one unit. */
  readonly price: string
  readonly amount: string
  readonly currency: string
}

/** What the bandwidth of one member costs in one day or month. */
export interface BandwidthBillLine {
  readonly type: 'bandwidth'
  readonly rule: string
  readonly member: string
  readonly start: string
  readonly end: string
  readonly mode: string
  readonly direction: string
  /** In bit/s. */
  readonly bps: string
  readonly commitBps: string
  /** Never less than the commitment. */
  readonly billedBps: string
  /** Slots that counted, and how many of them were dropped as the highest. */
  readonly slots: number
  readonly dropped: number
  readonly validDays: number
  readonly days: number
  /** The real samples that the result is made of. */
  readonly samples: readonly { readonly time: string; readonly bps: string }[]
  readonly unit: 'Mbps' | 'Mibps'
  readonly price: string
  readonly amount: string
  readonly currency: string
}

/** A line of what was used. */
export type ChargeLine = TrafficBillLine | BandwidthBillLine

/** What late usage changed about a line of a closed day or month. */
export interface AdjustmentBillLine {
  readonly type: 'adjustment'
  /** The closed stretch: a day's or a month's line. */
  readonly of: 'day' | 'month'
  readonly rule: string
  readonly member: string
  readonly start: string
  readonly end: string
  /** The line as it was billed last, with its samples; null: there was none. */
  readonly before: ChargeLine | null
  /** The line with the late usage; null: there is none any more. */
  readonly after: ChargeLine | null
  /** What is owed on top; negative: given back. */
  readonly amount: string
  readonly currency: string
}

/** A package that was bought or given back in the month. */
export interface PackageBillLine {
  readonly type: 'package'
  readonly event: 'purchase' | 'refund'
  readonly packageId: string
  readonly sizeBytes: string
  readonly time: string
  /** Negative for a refund. */
  readonly amount: string
  readonly currency: string
}

/** A line of a bill. */
export type BillLine = ChargeLine | AdjustmentBillLine | PackageBillLine

/** Bytes that one package gave. `packageId` null: that none could. */
export interface BillDraw {
  readonly packageId: string | null
  readonly bytes: string
}

/** A refilling volume of an elastic IP, and what it did in the month. */
export interface BillVolume {
  readonly packageId: string
  readonly resourceId: string
  readonly sizeBytes: string
  readonly resetPolicy: ResetPolicy
  /** Anchor of all resets. */
  readonly created: string
  /** When it was taken away; null: it lived when the bill was made. */
  readonly deleted: string | null
  /** Reset periods in which it was used, ascending; they may begin or end in other months. */
  readonly periods: readonly BillVolumePeriod[]
}

/** What moved of one reset period of a refilling volume. */
export interface BillVolumePeriod {
  readonly start: string
  readonly end: string
  /** What is used up of the volume in the period so far, days of other bills included. */
  readonly usedBytes: string
  /** What it covered on this bill's days, and by this bill's late usage. */
  readonly coveredBytes: string
  /** What moved beyond it then, which packages gave or lines price. */
  readonly excessBytes: string
}

/** One month of one book, for good. */
export interface Bill {
  readonly format: 1
  /** `<account>.<meter>.<month>`, e.g. `acc-example.cdn.2026-10`. */
  readonly id: string
  readonly account: { readonly id: string; readonly name: string; readonly number: number }
  readonly meter: MeterName
  /** Local month, `2026-10`. */
  readonly month: string
  /** The month, or the part of it that the book existed. */
  readonly start: string
  readonly end: string
  readonly zone: string
  readonly totals: readonly { readonly currency: string; readonly amount: string }[]
  readonly lines: readonly BillLine[]
  /** Bytes drawn from packages in the month. */
  readonly draws: readonly BillDraw[]
  /** By address; absent where there were none, and on bills of earlier releases. */
  readonly exclusive?: readonly BillVolume[]
  readonly manifest: BillManifest
}

/** From what a bill was made. */
export interface BillManifest {
  /** The closed days in order, each with the hash of what was kept of it. */
  readonly days: readonly {
    readonly start: string
    readonly hash: string
    readonly proof: UsageProof
    readonly coverage: Coverage | null
  }[]
  /** Adjustments that this bill carries. */
  readonly adjustments: readonly { readonly id: string; readonly hash: string }[]
  /** Of the whole month, when it was closed. */
  readonly proof: UsageProof
  readonly coverage: Coverage | null
  /** Rule packs in their order; prices are part of a pack, so its version is theirs, too. */
  readonly packs: readonly {
    readonly name: string
    readonly version: string
    readonly hash: string
    readonly start: string
    readonly end: string
    /** What a slot that nobody reported counts as, by rule. */
    readonly gapPolicy: Readonly<Record<string, string>>
  }[]
  readonly zone: string
  /** Version of the time zone rules. */
  readonly tzdata: string
  /** Last entry of the account's ledger when the month was closed. */
  readonly ledger: { readonly sequence: number; readonly hash: string }
  /** Hash of the book's bill before; null: there is none. */
  readonly previous: string | null
}

/** A bill with the hash of its canonical JSON, as it is stored. */
export interface StoredBill {
  readonly bill: Bill
  readonly hash: string
  /** When it was closed. */
  readonly closedMs: number
}

/** What lists show of a bill. */
export interface BillSummary {
  readonly id: string
  readonly accountId: string
  readonly meter: MeterName
  readonly month: string
  readonly totals: readonly { readonly currency: string; readonly amount: string }[]
  readonly lines: number
  readonly hash: string
  readonly closedMs: number
}
