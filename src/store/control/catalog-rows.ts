/**
 * Domain values ↔ rows, one `…Shape` per kind of catalog entry; the only place that spells both.
 */

import type {
  Account,
  AdminToken,
  AuditDraft,
  AuditEntry,
  Brand,
  ExclusivePackage,
  KeyPair,
  Project,
  Region,
  Resource,
  ResourceVersion,
  Source,
  TrafficPackage,
} from '../../catalog/model.ts'
import { type DayWindow, formatWindow, parseWindow } from '../../core/day-window.ts'
import { assert } from '../../core/errors.ts'
import type { AuditRecord } from './audit-chain.ts'
import type {
  AccountRow,
  AdminTokenRow,
  AuditRow,
  BrandRow,
  ExclusivePackageRow,
  FlagColumn,
  KeyRow,
  ProjectRow,
  RegionRow,
  ResourceRow,
  ResourceVersionRow,
  SourceRow,
  TrafficPackageRow,
} from './catalog-tables.ts'
import type { Selectable, Insertable } from 'kysely'

/** How one kind of catalog entry is kept: domain value ↔ row. */
export interface Shape<T, Row> {
  toRow(value: T): Partial<Insertable<Row>>
  fromRow(row: Selectable<Row>): T
}

const toFlag = (value: boolean): FlagColumn => (value ? 1 : 0)

export const brandShape: Shape<Brand, BrandRow> = {
  toRow: (brand) => ({
    id: brand.id,
    name: brand.name,
    hosts: JSON.stringify(brand.hosts),
    radix_cn: brand.radixCn,
    radix_abroad: brand.radixAbroad,
    zone: brand.zone,
    response_aliases: toFlag(brand.responseAliases),
    created_ms: brand.createdMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    hosts: JSON.parse(row.hosts) as string[],
    radixCn: row.radix_cn as Brand['radixCn'],
    radixAbroad: row.radix_abroad as Brand['radixAbroad'],
    zone: row.zone,
    responseAliases: row.response_aliases === 1,
    createdMs: row.created_ms,
  }),
}

export const accountShape: Shape<Account, AccountRow> = {
  toRow: (account) => ({
    id: account.id,
    number: account.number,
    brand_id: account.brandId,
    parent_id: account.parentId,
    name: account.name,
    email: account.email,
    zone: account.zone,
    created_ms: account.createdMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    number: row.number,
    brandId: row.brand_id,
    parentId: row.parent_id,
    name: row.name,
    email: row.email,
    zone: row.zone,
    createdMs: row.created_ms,
  }),
}

export const projectShape: Shape<Project, ProjectRow> = {
  toRow: (project) => ({
    id: project.id,
    account_id: project.accountId,
    name: project.name,
    is_default: toFlag(project.isDefault),
    created_ms: project.createdMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    accountId: row.account_id,
    name: row.name,
    isDefault: row.is_default === 1,
    createdMs: row.created_ms,
  }),
}

export const keyShape: Shape<KeyPair, KeyRow> = {
  toRow: (key) => ({
    id: key.id,
    account_id: key.accountId,
    public_key: key.publicKey,
    name: key.name,
    dialect: key.dialect,
    active: toFlag(key.active),
    created_ms: key.createdMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    accountId: row.account_id,
    publicKey: row.public_key,
    name: row.name,
    dialect: row.dialect as KeyPair['dialect'],
    active: row.active === 1,
    createdMs: row.created_ms,
  }),
}

export const regionShape: Shape<Region, RegionRow> = {
  toRow: (region) => ({
    region: region.region,
    region_id: region.regionId,
    name: region.name,
    is_default: toFlag(region.isDefault),
    zones: JSON.stringify(region.zones),
  }),
  fromRow: (row) => ({
    region: row.region,
    regionId: row.region_id,
    name: row.name,
    isDefault: row.is_default === 1,
    zones: JSON.parse(row.zones) as string[],
  }),
}

/** Gateways are named by their account; the world names domains and addresses. */
function nameScope(resource: Resource): string {
  return resource.meter === 'mna' ? resource.accountId : ''
}

export const resourceShape: Shape<Resource, ResourceRow> = {
  toRow: (resource) => ({
    id: resource.id,
    meter: resource.meter,
    account_id: resource.accountId,
    project_id: resource.projectId,
    name: resource.name,
    name_scope: nameScope(resource),
    region: resource.region,
    zone: resource.zone,
    kind: resource.kind,
    gateway_type: resource.gatewayType,
    pay_mode: resource.payMode,
    created_ms: resource.createdMs,
    deleted_ms: resource.deletedMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    meter: row.meter as Resource['meter'],
    accountId: row.account_id,
    projectId: row.project_id,
    name: row.name,
    region: row.region,
    zone: row.zone,
    kind: row.kind as Resource['kind'],
    gatewayType: row.gateway_type as Resource['gatewayType'],
    payMode: row.pay_mode as Resource['payMode'],
    createdMs: row.created_ms,
    deletedMs: row.deleted_ms,
  }),
}

export const versionShape: Shape<ResourceVersion, ResourceVersionRow> = {
  toRow: (version) => ({
    resource_id: version.resourceId,
    from_ms: version.fromMs,
    account_id: version.accountId,
    project_id: version.projectId,
    pay_mode: version.payMode,
  }),
  fromRow: (row) => ({
    resourceId: row.resource_id,
    fromMs: row.from_ms,
    accountId: row.account_id,
    projectId: row.project_id,
    payMode: row.pay_mode as ResourceVersion['payMode'],
  }),
}

export const trafficPackageShape: Shape<TrafficPackage, TrafficPackageRow> = {
  toRow: (entry) => ({
    id: entry.id,
    account_id: entry.accountId,
    meter: entry.meter,
    areas: formatWords(entry.areas),
    kinds: formatWords(entry.kinds),
    project_ids: entry.projectIds === null ? null : JSON.stringify(entry.projectIds),
    resource_ids: entry.resourceIds === null ? null : JSON.stringify(entry.resourceIds),
    windows: JSON.stringify(entry.windows.map(formatWindow)),
    size_bytes: entry.sizeBytes,
    purchased_ms: entry.purchasedMs,
    start_ms: entry.startMs,
    end_ms: entry.endMs,
    first_use_months: entry.firstUseMonths,
    paid_amount: entry.paid === null ? null : String(entry.paid.amount),
    paid_currency: entry.paid?.currency ?? null,
    refunded_ms: entry.refundedMs,
    refund_amount: entry.refundAmount === null ? null : String(entry.refundAmount),
    offer: entry.offer,
  }),
  fromRow: (row) => ({
    id: row.id,
    accountId: row.account_id,
    meter: row.meter as TrafficPackage['meter'],
    areas: parseWords(row.areas) as TrafficPackage['areas'],
    kinds: parseWords(row.kinds) as TrafficPackage['kinds'],
    projectIds: row.project_ids === null ? null : (JSON.parse(row.project_ids) as string[]),
    resourceIds: row.resource_ids === null ? null : (JSON.parse(row.resource_ids) as string[]),
    windows: (JSON.parse(row.windows) as string[]).map(readWindow),
    sizeBytes: BigInt(row.size_bytes),
    purchasedMs: row.purchased_ms,
    startMs: row.start_ms,
    endMs: row.end_ms,
    firstUseMonths: row.first_use_months,
    paid:
      row.paid_amount === null || row.paid_currency === null
        ? null
        : { amount: BigInt(row.paid_amount), currency: row.paid_currency },
    refundedMs: row.refunded_ms,
    refundAmount: row.refund_amount === null ? null : BigInt(row.refund_amount),
    offer: row.offer,
  }),
}

function readWindow(text: string): DayWindow {
  const window = parseWindow(text)
  assert(window !== undefined, `"${text}" is no part of the day`)
  return window
}

const ANY = 'any'

// One word is what the column held before it could hold several.
function formatWords(words: readonly string[] | null): string {
  return words === null ? ANY : words.toSorted().join(' ')
}

function parseWords(text: string): readonly string[] | null {
  return text === ANY ? null : text.split(' ')
}

/**
 * Lists how a column of words may be spelled that has one of the wanted ones.
 *
 * Limits: every choice from `all`, the words there are, is tried: there are nine at most.
 */
export function spellingsWith(
  wanted: readonly string[],
  all: readonly string[],
): readonly string[] {
  let choices: (readonly string[])[] = [[]]
  for (const word of all) choices = choices.flatMap((choice) => [choice, [...choice, word]])
  const having = choices.filter((choice) => choice.some((word) => wanted.includes(word)))
  return [...having.map(formatWords), ANY]
}

export const exclusivePackageShape: Shape<ExclusivePackage, ExclusivePackageRow> = {
  toRow: (entry) => ({
    id: entry.id,
    account_id: entry.accountId,
    resource_id: entry.resourceId,
    size_bytes: entry.sizeBytes,
    reset_policy: entry.resetPolicy,
    created_ms: entry.createdMs,
    deleted_ms: entry.deletedMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    accountId: row.account_id,
    resourceId: row.resource_id,
    sizeBytes: BigInt(row.size_bytes),
    resetPolicy: row.reset_policy as ExclusivePackage['resetPolicy'],
    createdMs: row.created_ms,
    deletedMs: row.deleted_ms,
  }),
}

export const sourceShape: Shape<Source, SourceRow> = {
  toRow: (source) => ({
    id: source.id,
    name: source.name,
    meters: JSON.stringify(source.meters),
    account_id: source.accountId,
    expects: source.expects,
    active: toFlag(source.active),
    created_ms: source.createdMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    meters: JSON.parse(row.meters) as Source['meters'],
    accountId: row.account_id,
    expects: row.expects as Source['expects'],
    active: row.active === 1,
    createdMs: row.created_ms,
  }),
}

export const adminTokenShape: Shape<AdminToken, AdminTokenRow> = {
  toRow: (token) => ({
    id: token.id,
    name: token.name,
    active: toFlag(token.active),
    created_ms: token.createdMs,
  }),
  fromRow: (row) => ({
    id: row.id,
    name: row.name,
    active: row.active === 1,
    createdMs: row.created_ms,
  }),
}

/** Writes a change as a row of the audit log that has no place in the chain yet. */
export function toAuditRecord(draft: AuditDraft): AuditRecord {
  return {
    id: draft.id,
    at_ms: draft.atMs,
    actor: draft.actor,
    action: draft.action,
    target: draft.target,
    before: draft.before === null ? null : JSON.stringify(draft.before),
    after: draft.after === null ? null : JSON.stringify(draft.after),
  }
}

export const auditShape: Shape<AuditEntry, AuditRow> = {
  toRow: (entry) => ({
    ...toAuditRecord(entry),
    sequence: entry.sequence,
    previous_hash: entry.previousHash,
    hash: entry.hash,
  }),
  fromRow: (row) => ({
    id: row.id,
    atMs: row.at_ms,
    actor: row.actor,
    action: row.action,
    target: row.target,
    before: row.before === null ? null : (JSON.parse(row.before) as unknown),
    after: row.after === null ? null : (JSON.parse(row.after) as unknown),
    sequence: row.sequence,
    previousHash: row.previous_hash,
    hash: row.hash,
  }),
}
