/**
 * Tables of the catalog as Kysely types them. Columns are those of migrations/0001-catalog.ts (of
 * the audit log: 0010-audit-chain.ts) and mean what the fields of the same name mean in
 * catalog/model.ts.
 */

import type { ColumnType } from 'kysely'

/** Milliseconds since 1970, always within 2^53. */
export type MsColumn = number
/** A 64-bit integer that may exceed 2^53: number or bigint on read, read it with `BigInt()`. */
export type BytesColumn = ColumnType<number | bigint, bigint, bigint>
/** 0 or 1; neither backend's boolean type is portable. */
export type FlagColumn = 0 | 1
/** JSON kept as text. */
export type JsonColumn = string

export interface BrandRow {
  id: string
  name: string
  hosts: JsonColumn
  radix_cn: number
  radix_abroad: number
  zone: string
  response_aliases: FlagColumn
  created_ms: MsColumn
}

export interface AccountRow {
  id: string
  number: number
  brand_id: string
  parent_id: string | null
  name: string
  email: string
  zone: string
  created_ms: MsColumn
}

export interface ProjectRow {
  id: string
  account_id: string
  name: string
  is_default: FlagColumn
  created_ms: MsColumn
}

export interface KeyRow {
  id: string
  account_id: string
  public_key: string
  name: string
  dialect: string
  active: FlagColumn
  created_ms: MsColumn
  /** Sealed under the master key `master_key_id`. */
  secret_sealed: string
  master_key_id: string
}

export interface RegionRow {
  region: string
  region_id: number
  name: string
  is_default: FlagColumn
  zones: JsonColumn
}

export interface ResourceRow {
  id: string
  meter: string
  account_id: string
  project_id: string
  name: string
  /** Within what the name is unique: '' (everywhere) or the account. */
  name_scope: string
  region: string
  zone: string
  kind: string
  gateway_type: number
  pay_mode: string
  created_ms: MsColumn
  deleted_ms: MsColumn | null
}

export interface ResourceVersionRow {
  resource_id: string
  from_ms: MsColumn
  account_id: string
  project_id: string
  pay_mode: string
}

/** Columns of 0001-catalog.ts and 0005-package-terms.ts. */
export interface TrafficPackageRow {
  id: string
  account_id: string
  meter: string
  /** Words with a space between, in alphabetical order; `any`: all there are. */
  areas: string
  kinds: string
  /** null: any. */
  project_ids: JsonColumn | null
  resource_ids: JsonColumn | null
  /** As people write them, e.g. `["00:00-08:00"]`. */
  windows: JsonColumn
  size_bytes: BytesColumn
  purchased_ms: MsColumn
  start_ms: MsColumn
  end_ms: MsColumn | null
  first_use_months: number | null
  /** Billionths as decimal text: they may exceed 64 bits. */
  paid_amount: string | null
  paid_currency: string | null
  refunded_ms: MsColumn | null
  refund_amount: string | null
  offer: string | null
}

export interface ExclusivePackageRow {
  id: string
  account_id: string
  resource_id: string
  size_bytes: BytesColumn
  reset_policy: string
  created_ms: MsColumn
  deleted_ms: MsColumn | null
}

export interface SourceRow {
  id: string
  name: string
  meters: JsonColumn
  account_id: string | null
  active: FlagColumn
  created_ms: MsColumn
  /** SHA-256 of the ingest token, hex. */
  token_hash: string
  expects: string
}

export interface AdminTokenRow {
  id: string
  name: string
  active: FlagColumn
  created_ms: MsColumn
  token_hash: string
}

export interface AuditRow {
  id: string
  at_ms: MsColumn
  actor: string
  action: string
  target: string
  before: JsonColumn | null
  after: JsonColumn | null
  /** From 1, without gaps. */
  sequence: number
  previous_hash: string
  hash: string
}

/** Where the chain of the audit log ends; its one row is named `audit_log`. */
export interface AuditHeadRow {
  name: 'audit_log'
  sequence: number
  hash: string
}

/** Counters that change with the catalog, so that readers notice cheaply. */
export interface CatalogStateRow {
  /** `catalog`: any change. `attribution`: a change of whom usage belongs to. */
  name: string
  revision: number
}

/** Tables of the catalog. */
export interface CatalogTables {
  brands: BrandRow
  accounts: AccountRow
  projects: ProjectRow
  keys: KeyRow
  regions: RegionRow
  resources: ResourceRow
  resource_versions: ResourceVersionRow
  traffic_packages: TrafficPackageRow
  exclusive_packages: ExclusivePackageRow
  sources: SourceRow
  admin_tokens: AdminTokenRow
  audit_log: AuditRow
  audit_head: AuditHeadRow
  catalog_state: CatalogStateRow
}
