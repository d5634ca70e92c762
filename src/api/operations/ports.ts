import type {
  Account,
  Brand,
  ExclusivePackage,
  KeyPair,
  Project,
  Region,
  Resource,
  ResourceVersion,
  TrafficPackage,
} from '../../catalog/model.ts'
import type { PackageDesk } from '../../billing/package-desk.ts'
import type { EpochMs } from '../../core/clock.ts'
import type { BookBalance } from '../../billing/balance.ts'
import type { BookKey } from '../../billing/book.ts'
import type { Interval } from '../../core/period.ts'
import type { Bytes } from '../../core/units.ts'
import type { MeterName } from '../../meters/meter.ts'
import type { UsagePoint, UsageQuery } from '../../meters/query.ts'

/** A key pair with what is needed to check a signature made with it. */
export interface Credential {
  readonly key: KeyPair
  /** The private half, decrypted; never logged, never answered. */
  readonly secret: string
  readonly account: Account
}

/** What the operations read from the catalog. Every list is ordered by creation, then id. */
export interface CatalogReader {
  /** The brand of the host (without port, lower case), or the default brand. */
  brandOf(host: string): Promise<Brand>
  /** An active key pair by its public half; undefined when unknown or revoked. */
  credential(publicKey: string): Promise<Credential | undefined>
  /** An account by id; undefined when there is none. Used for a sub-account's parent, who pays. */
  account(id: string): Promise<Account | undefined>
  /** Projects the account may use: its own, or its parent's for a sub-account. */
  projects(account: Account): Promise<readonly Project[]>
  /** A resource that the account (or its parent) owns, by id or by name; undefined otherwise. */
  resource(account: Account, meter: MeterName, idOrName: string): Promise<Resource | undefined>
  /** Project and pay mode over time, ascending by `fromMs`. */
  resourceVersions(resourceId: string): Promise<readonly ResourceVersion[]>
  resourceCount(projectId: string): Promise<number>
  regions(): Promise<readonly Region[]>
  trafficPackages(accountId: string): Promise<readonly TrafficPackage[]>
  exclusivePackage(resourceId: string): Promise<ExclusivePackage | undefined>
}

/** Parameters of the per-province series, whose answer the engine shapes itself. */
export interface ProvinceSeriesQuery {
  readonly accountId: string
  readonly projectIds: readonly string[]
  /** Empty: all domains of the projects. */
  readonly resourceIds: readonly string[]
  /** Empty: all provinces that have usage in the range. Listed provinces are always returned. */
  readonly provinces: readonly string[]
  /** null: all carriers. */
  readonly isp: string | null
  /** Whole buckets of the granularity. */
  readonly startMs: EpochMs
  readonly endMs: EpochMs
  readonly granularity: 'minute' | '5min' | 'hour' | 'day'
  readonly zone: string
  /**
   * Keys under which each province's list appears, e.g. `BandwidthTrafficList`, `BandwidthList`.
   */
  readonly listNames: readonly string[]
}

/** What the operations read from the usage store. */
export interface UsageReader {
  query(query: UsageQuery): Promise<UsagePoint[]>
  /**
   * Per-province bandwidth and traffic as JSON text, an array of
   * `{"Province":p,"<listName>":[{"Time":s,"CdnBandwidth":mbps,"Traffic":bytes},…]}`.
   *
   * Shape: provinces in alphabetical order; dense, ascending buckets.
   * Units: Time in Unix seconds of the bucket start; CdnBandwidth in 10^6 bit/s; Traffic in bytes.
   */
  provinceSeriesJson(query: ProvinceSeriesQuery): Promise<string>
  /**
   * Outbound bytes of an elastic IP in each interval, in the order of the intervals.
   *
   * Shape: intervals are ascending and do not overlap; none of them: an empty list.
   * Time: cut to whole minutes, start and end rounded down, whatever the owner at the time.
   */
  eipOutBytes(resourceId: string, intervals: readonly Interval[]): Promise<readonly Bytes[]>
}

/** One billing day of an elastic IP in the books; present once the day is closed. */
export interface ClosedDay {
  readonly startMs: EpochMs
  readonly endMs: EpochMs
  readonly quantityGb: bigint
}

/** What the operations read from the books. */
export interface BooksReader {
  /** Days of an account's elastic IP that are closed and start inside the interval, ascending. */
  closedDays(
    accountId: string,
    resourceId: string,
    interval: Interval,
  ): Promise<readonly ClosedDay[]>
}

/** What the operations change about how accounts are billed. */
export interface ModeSwitch {
  /**
   * Bills an account by the pack that a vendor's charge type means, from the next local midnight
   * on. Errors: `parameter_invalid` (`chargeType`).
   */
  switchType(request: {
    /** Id of a root account. */
    readonly account: string
    readonly meter: MeterName
    readonly chargeType: string
    /** Who asks, for the audit log. */
    readonly actor: string
  }): Promise<unknown>
}

/** What the operations buy: packages that the account's rule pack offers. */
export type PackageOrders = Pick<PackageDesk, 'buy'>

/** What the operations read of where books stand. */
export interface BalanceReader {
  /** Errors: `not_found` for an account that has no book of the meter. */
  balance(key: BookKey): Promise<BookBalance>
  /** Makes the next answer a fresh one. */
  forget(): void
}
