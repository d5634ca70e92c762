import type { EpochMs } from '../core/clock.ts'
import type { ResetPolicy } from '../core/period.ts'
import type { Bytes, Radix } from '../core/units.ts'
import type { MeterName } from '../meters/meter.ts'

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

/** A prepaid volume of CDN traffic of one account, area and kind. Valid in `[startMs, endMs)`. */
export interface TrafficPackage {
  readonly id: string
  readonly accountId: string
  readonly area: Area
  readonly kind: 'static' | 'dynamic'
  readonly sizeBytes: Bytes
  readonly purchasedMs: EpochMs
  readonly startMs: EpochMs
  /** null: never expires. */
  readonly endMs: EpochMs | null
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
}

/** One configured way in for usage, with its own token; a source cannot write as another. */
export interface Source {
  readonly id: string
  readonly name: string
  readonly meters: readonly MeterName[]
  /** Restricts what it may report; null: every account's resources. */
  readonly accountId: string | null
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
export interface AuditEntry {
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
