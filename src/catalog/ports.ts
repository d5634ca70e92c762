import type { EpochMs } from '../core/clock.ts'
import type {
  Account,
  AdminToken,
  AreaScope,
  AuditDraft,
  AuditEntry,
  Brand,
  ContentKind,
  ExclusivePackage,
  KeyPair,
  MeterName,
  PayMode,
  Project,
  Region,
  Resource,
  ResourceVersion,
  Source,
  TrafficPackage,
} from './model.ts'

/** Which part of a list to return. */
export interface PageRequest {
  readonly limit: number
  /** `nextCursor` of the page before; null: from the start. */
  readonly cursor: string | null
}

/** A part of a list, in the list's order. */
export interface Page<T> {
  readonly items: readonly T[]
  /** null on the last page. */
  readonly nextCursor: string | null
}

/** Rows of one kind. Lists are ordered by creation, then id, unless said otherwise. */
export interface Shelf<T, Filter> {
  get(id: string): Promise<T | undefined>
  /**
   * Entries whose fields equal those of the filter. Errors: `parameter_invalid` for a strange
   * cursor.
   */
  list(filter: Filter, page: PageRequest): Promise<Page<T>>
  /** The first entry that fits. */
  find(filter: Filter): Promise<T | undefined>
  insert(value: T): Promise<void>
  /** Overwrites the entry with the same id. */
  replace(value: T): Promise<void>
  remove(id: string): Promise<void>
}

/** Fields that select entries of a list; absent ones select nothing out. */
export interface BrandFilter {
  readonly name?: string
}
export interface AccountFilter {
  readonly brandId?: string
  /** null: root accounts only. */
  readonly parentId?: string | null
  readonly name?: string
  readonly number?: number
}
export interface ProjectFilter {
  readonly accountId?: string
  readonly name?: string
  readonly isDefault?: boolean
}
export interface KeyFilter {
  readonly accountId?: string
  readonly publicKey?: string
  readonly active?: boolean
}
export interface RegionFilter {
  readonly region?: string
  readonly regionId?: number
  readonly isDefault?: boolean
}
export interface ResourceFilter {
  readonly accountId?: string
  readonly projectId?: string
  readonly meter?: MeterName
  readonly name?: string
  readonly region?: string
  readonly payMode?: PayMode
  /** null: living ones only. */
  readonly deletedMs?: null
}
export interface TrafficPackageFilter {
  readonly accountId?: string
  readonly meter?: MeterName
  /** Those that may pay for traffic there, or for some of it; others too. */
  readonly area?: AreaScope
  /** Those that may pay for such content, others too. */
  readonly kind?: ContentKind
}
export interface ExclusivePackageFilter {
  readonly accountId?: string
  readonly resourceId?: string
  /** null: living ones only. */
  readonly deletedMs?: null
}
export interface SourceFilter {
  readonly name?: string
  readonly accountId?: string
  readonly active?: boolean
}
export interface AdminTokenFilter {
  readonly name?: string
  readonly active?: boolean
}
export interface AuditFilter {
  readonly actor?: string
  readonly action?: string
  readonly target?: string
}

/** A kind whose entries come with something that is kept but never listed. */
export interface SecretShelf<T, Filter, Secret> extends Omit<Shelf<T, Filter>, 'insert'> {
  insert(value: T, secret: Secret): Promise<void>
}

/** The catalog's rows, seen from inside one transaction, or outside of any for reads. */
export interface CatalogRows {
  readonly brands: Shelf<Brand, BrandFilter>
  readonly accounts: Shelf<Account, AccountFilter>
  readonly projects: Shelf<Project, ProjectFilter>
  /** Kept with the private half of the key, sealed. */
  readonly keys: SecretShelf<KeyPair, KeyFilter, { readonly secret: string }>
  /** Ordered by region id. `get` takes the region's code. */
  readonly regions: Shelf<Region, RegionFilter>
  readonly resources: Shelf<Resource, ResourceFilter>
  readonly trafficPackages: Shelf<TrafficPackage, TrafficPackageFilter>
  readonly exclusivePackages: Shelf<ExclusivePackage, ExclusivePackageFilter>
  /** Kept with the hash of the ingest token. */
  readonly sources: SecretShelf<Source, SourceFilter, { readonly tokenHash: string }>
  /** Kept with the hash of the token. */
  readonly adminTokens: SecretShelf<AdminToken, AdminTokenFilter, { readonly tokenHash: string }>
  /** Newest first. */
  readonly audit: Pick<Shelf<AuditEntry, AuditFilter>, 'list'> & {
    /** Puts the change at the end of the chain. Only inside of a change. */
    append(draft: AuditDraft): Promise<void>
  }
  /** Versions of the resource, ascending. */
  versions(resourceId: string): Promise<readonly ResourceVersion[]>
  /** Adds a version, or overwrites the one that starts at the same instant. */
  putVersion(version: ResourceVersion): Promise<void>
  /** The highest account number in use; undefined when there is no account. */
  lastAccountNumber(): Promise<number | undefined>
  /** Living resources of the project. */
  resourceCount(projectId: string): Promise<number>
  /** The first instant of the account's book that is not closed; null: nothing is closed yet. */
  closedUntil(accountId: string, meter: MeterName): Promise<EpochMs | null>
}

/** What the catalog's rules need of the control store. */
export interface CatalogStore {
  readonly rows: CatalogRows
  /**
   * Runs the work in one transaction; transactions of the catalog run one after the other, also
   * across nodes. Inside, only the given rows may be used.
   */
  change<T>(work: (rows: CatalogRows) => Promise<T>): Promise<T>
}
