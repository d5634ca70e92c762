/** What the commands read of a bill as the server answers it; decimal text and ISO 8601. */
import type { WireMoney } from './bill-text.ts'

/** A line of what was used. */
export interface WireCharge extends WireMoney {
  readonly type: 'traffic' | 'bandwidth'
  readonly rule: string
  readonly member: string
  readonly start: string
  readonly end: string
  readonly price: string
  readonly unit: string
  readonly tier?: number
  readonly rawBytes?: string
  readonly billedBytes?: string
  readonly bps?: string
  readonly billedBps?: string
  readonly slots?: number
  readonly dropped?: number
  readonly samples?: readonly { readonly time: string; readonly bps: string }[]
}

/** What late usage changed. */
export interface WireAdjustment extends WireMoney {
  readonly type: 'adjustment'
  readonly of: string
  readonly rule: string
  readonly member: string
  readonly start: string
  readonly end: string
  readonly before: WireCharge | null
  readonly after: WireCharge | null
}

/** A package that was bought or given back. */
export interface WirePackage extends WireMoney {
  readonly type: 'package'
  readonly event: string
  readonly packageId: string
  readonly sizeBytes: string
  readonly time: string
}

/** Any line. */
export type WireLine = WireCharge | WireAdjustment | WirePackage

/** A refilling package of an elastic IP. */
export interface WireVolume {
  readonly packageId: string
  readonly resourceId: string
  readonly sizeBytes: string
  readonly resetPolicy: string
  readonly periods: readonly {
    readonly start: string
    readonly end: string
    readonly usedBytes: string
    readonly coveredBytes: string
    readonly excessBytes: string
  }[]
}

/** A bill with its hash. */
export interface WireBill {
  readonly hash: string
  readonly closedAt: string
  readonly bill: {
    readonly id: string
    readonly account: { readonly id: string; readonly name: string; readonly number: number }
    readonly meter: string
    readonly month: string
    readonly start: string
    readonly end: string
    readonly zone: string
    readonly totals: readonly WireMoney[]
    readonly lines: readonly WireLine[]
    readonly draws: readonly { readonly packageId: string | null; readonly bytes: string }[]
    readonly exclusive?: readonly WireVolume[]
    readonly manifest: {
      readonly days: readonly unknown[]
      readonly coverage: {
        readonly expectedSlots: number
        readonly receivedSlots: number
        readonly gaps: readonly {
          readonly source: string
          readonly start: string
          readonly end: string
        }[]
      } | null
      readonly packs: readonly {
        readonly name: string
        readonly version: string
        readonly gapPolicy: Readonly<Record<string, string>>
      }[]
    }
  }
}
