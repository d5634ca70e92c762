import type { EpochMs } from '../core/clock.ts'
import type { ChainLink } from '../core/hash-chain.ts'
import type { DayWindow } from '../core/day-window.ts'
import type { Nano } from '../core/money.ts'
import type { ResetPolicy } from '../core/period.ts'
import type { Bytes, Radix } from '../core/units.ts'
import type { MeterName } from '../meters/meter.ts'
import type { BillingRegion } from '../meters/places.ts'

/** A vendor identity under which the APIs are answered; chosen by the request's host name. */
export interface Brand {
  readonly id: string
  readonly name: string
  /** Host names without port, lower case. The brand without hosts answers every other host. */
  readonly hosts: readonly string[]
  readonly radixCn: Radix
  readonly radixAbroad: Radix
  /** IANA zone of new accounts. */
  readonly zone: string
  /** Adds the names that only the vendor documents' examples show (`BandwidthList`, …). */
  readonly responseAliases: boolean
  readonly createdMs: EpochMs
}

/**
 * Who pays. A sub-account has a parent, sees the parent's projects and must name one in each call.
 */
export interface Account {
  readonly id: string
  /** The vendor's integer AccountId, below 2^31. */
  readonly number: number
  readonly brandId: string
  readonly parentId: string | null
  readonly name: string
  readonly email: string
  readonly zone: string
  readonly createdMs: EpochMs
}

/** Owns resources; a key may be limited to some. One per account is the default. */
export interface Project {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly isDefault: boolean
  readonly createdMs: EpochMs
}

/** A signing credential. `publicKey` is SecretId and PublicKey unless `dialect` sets it apart. */
export interface KeyPair {
  readonly id: string
  readonly accountId: string
  readonly publicKey: string
  readonly name: string
  readonly dialect: 'any' | 'ucloud' | 'tencent'
  readonly active: boolean
  readonly createdMs: EpochMs
}

/** A region with its zones, under the names and numbers that clients send. */
export interface Region {
  readonly region: string
  readonly regionId: number
  readonly name: string
  readonly isDefault: boolean
  readonly zones: readonly string[]
}

export type { MeterName } from '../meters/meter.ts'

/** How an elastic IP is paid for; bandwidth-billed days have no traffic bill. */
export type PayMode = 'Traffic' | 'Bandwidth' | 'ShareBandwidth' | 'PostAccurateBandwidth'

/** What is measured: a CDN domain, an elastic IP or an MNA gateway device. */
export interface Resource {
  readonly id: string
  readonly meter: MeterName
  readonly accountId: string
  readonly projectId: string
  /** What usage calls it: the domain name, the IP address, the device name. Unique per meter. */
  readonly name: string
  readonly region: string
  readonly zone: string
  /** cdn: which packages its traffic draws on. */
  readonly kind: 'static' | 'dynamic'
  /** mna: 0 public cloud gateway, 1 private. */
  readonly gatewayType: 0 | 1
  readonly payMode: PayMode
  readonly createdMs: EpochMs
  /** End of its life, exclusive; null while it lives. */
  readonly deletedMs: EpochMs | null
}

/** From `fromMs` until the next version the resource belonged to this project and paid this way. */
export interface ResourceVersion {
  readonly resourceId: string
  readonly fromMs: EpochMs
  readonly accountId: string
  readonly projectId: string
  readonly payMode: PayMode
}

/** Billing area of CDN traffic. */
export type Area = 'cn' | 'abroad'

/**
 * What packages and prices may be for: an area as a whole, or a part of abroad.
 *
 * `abroad` is all that moved abroad, whatever its region, known or not; `apac1` only what is known
 * to have moved there; `abroad-other` what moved abroad where the region is not known. Usage never
 * says `abroad-other`: its billing region is `abroad` then.
 */
export type AreaScope = BillingRegion | 'abroad-other'

/** Which content: dynamic is whole-site acceleration; all but cdn traffic is static. */
export type ContentKind = 'static' | 'dynamic'

/** An amount that was paid: billionths of the currency's unit. */
export interface Paid {
  readonly amount: Nano
  /** ISO 4217 code. */
  readonly currency: string
}

/**
 * A prepaid volume of one account: what it may pay for, for how long, and what it cost.
 *
 * Time: valid in `[startMs, endMs)`, or from `startMs` for `firstUseMonths` calendar months from
 * its first use, or for ever when both are null. The books never look back: a package that begins
 * in a day that is closed pays from the first open day on.
 */
export interface TrafficPackage {
  readonly id: string
  readonly accountId: string
  /** What it pays for; areas and kinds only tell cdn traffic apart. */
  readonly meter: MeterName
  /** null, here and in the next three: any. */
  readonly areas: readonly AreaScope[] | null
  readonly kinds: readonly ContentKind[] | null
  readonly projectIds: readonly string[] | null
  readonly resourceIds: readonly string[] | null
  /** Local times of day, e.g. off-peak; empty: at any time. */
  readonly windows: readonly DayWindow[]
  readonly sizeBytes: Bytes
  readonly purchasedMs: EpochMs
  readonly startMs: EpochMs
  /** null: never expires, unless `firstUseMonths` says otherwise. */
  readonly endMs: EpochMs | null
  /** Calendar months that it lasts from its first use; then `endMs` is null. */
  readonly firstUseMonths: number | null
  /** null: not known here, e.g. billed elsewhere. */
  readonly paid: Paid | null
  /** When it was given back; null while it is held. */
  readonly refundedMs: EpochMs | null
  /** What went back then, in the currency that was paid; 0 when nothing had been. */
  readonly refundAmount: Nano | null
  /** Name of the offer that it was bought as; null: none. */
  readonly offer: string | null
}

/** A volume of outbound traffic that belongs to one elastic IP and refills by policy. */
export interface ExclusivePackage {
  readonly id: string
  readonly accountId: string
  readonly resourceId: string
  readonly sizeBytes: Bytes
  readonly resetPolicy: ResetPolicy
  /** Anchor of all resets. */
  readonly createdMs: EpochMs
  /** End of its life, exclusive, in whole minutes; null while it lives. */
  readonly deletedMs: EpochMs | null
}

/** What a source is expected to do: to report or beat in every five minutes, or nothing. */
export const SOURCE_EXPECTATIONS = ['continuous', 'sporadic'] as const
export type SourceExpectation = (typeof SOURCE_EXPECTATIONS)[number]

/** One configured way in for usage, with its own token; a source cannot write as another. */
export interface Source {
  readonly id: string
  readonly name: string
  readonly meters: readonly MeterName[]
  /** Restricts what it may report; null: every account's resources. */
  readonly accountId: string | null
  readonly expects: SourceExpectation
  readonly active: boolean
  readonly createdMs: EpochMs
}

/** A bearer token of the admin API, without the token itself. */
export interface AdminToken {
  readonly id: string
  readonly name: string
  readonly active: boolean
  readonly createdMs: EpochMs
}

/** One change of the catalog: who did what, when, and what it was before and after. */
export interface AuditDraft {
  readonly id: string
  readonly atMs: EpochMs
  readonly actor: string
  /** `<kind>.<verb>`, e.g. `resource.move`. */
  readonly action: string
  /** Id of what changed. */
  readonly target: string
  /** JSON values without secrets; null when there was or is nothing. */
  readonly before: unknown
  readonly after: unknown
}

/** A change in its place in the audit log, which is a chain of hashes. */
export interface AuditEntry extends AuditDraft, ChainLink {}

/** To whom usage of a resource belongs from `fromMs` until `toMs`; null: to this day. */
export interface Attribution {
  readonly meter: MeterName
  readonly resourceId: string
  readonly name: string
  /** The root account that pays. */
  readonly accountId: string
  readonly projectId: string
  readonly kind: 'static' | 'dynamic'
  readonly gatewayType: 0 | 1
  readonly payMode: PayMode
  readonly region: string
  readonly fromMs: EpochMs
  readonly toMs: EpochMs | null
}
