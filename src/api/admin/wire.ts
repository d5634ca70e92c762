/**
 * Entries of the catalog as the admin API answers them, one schema and one writer each.
 *
 * Instants are ISO 8601 in UTC; bytes are decimal text, since they may exceed 2^53.
 */

import { z } from 'zod'
import {
  AreaScopeInput,
  KindInput,
  MeterInput,
  PayModeInput,
  ResetPolicyInput,
  SourceExpectationInput,
} from '../../catalog/inputs.ts'
import type {
  Account,
  AdminToken,
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
import { formatInstant } from '../../catalog/versions.ts'
import type { EpochMs } from '../../core/clock.ts'
import { formatWindow } from '../../core/day-window.ts'
import { formatMoney } from '../../core/money.ts'

const Instant = z.string().meta({ format: 'date-time' })
const Bytes = z.string().regex(/^\d+$/).describe('Bytes, as decimal text: it may exceed 2^53.')

const instantOrNull = (instantMs: EpochMs | null): string | null =>
  instantMs === null ? null : formatInstant(instantMs)

export const BrandWire = z
  .object({
    id: z.string(),
    name: z.string(),
    hosts: z.array(z.string()),
    radixCn: z.int(),
    radixAbroad: z.int(),
    zone: z.string(),
    responseAliases: z.boolean(),
    createdAt: Instant,
  })
  .meta({ id: 'Brand' })

/** Writes a brand as the admin API answers it. */
export function brandToWire({ createdMs, ...brand }: Brand): z.input<typeof BrandWire> {
  return { ...brand, hosts: [...brand.hosts], createdAt: formatInstant(createdMs) }
}

export const AccountWire = z
  .object({
    id: z.string(),
    number: z.int(),
    brandId: z.string(),
    parentId: z.string().nullable(),
    name: z.string(),
    email: z.string(),
    zone: z.string(),
    createdAt: Instant,
  })
  .meta({ id: 'Account' })

/** Writes an account as the admin API answers it. */
export function accountToWire({ createdMs, ...account }: Account): z.input<typeof AccountWire> {
  return { ...account, createdAt: formatInstant(createdMs) }
}

export const ProjectWire = z
  .object({
    id: z.string(),
    accountId: z.string(),
    name: z.string(),
    isDefault: z.boolean(),
    createdAt: Instant,
  })
  .meta({ id: 'Project' })

/** Writes a project as the admin API answers it. */
export function projectToWire({ createdMs, ...project }: Project): z.input<typeof ProjectWire> {
  return { ...project, createdAt: formatInstant(createdMs) }
}

export const KeyWire = z
  .object({
    id: z.string(),
    accountId: z.string(),
    publicKey: z.string().describe('PublicKey and SecretId.'),
    name: z.string(),
    dialect: z.enum(['any', 'ucloud', 'tencent']),
    active: z.boolean(),
    createdAt: Instant,
  })
  .meta({ id: 'Key' })
export const NewKeyWire = KeyWire.extend({
  secret: z.string().describe('PrivateKey and SecretKey; shown this once.'),
}).meta({ id: 'NewKey' })

/** Writes a key pair, without its secret, as the admin API answers it. */
export function keyToWire({ createdMs, ...key }: KeyPair): z.input<typeof KeyWire> {
  return { ...key, createdAt: formatInstant(createdMs) }
}

export const RegionWire = z
  .object({
    region: z.string(),
    regionId: z.int(),
    name: z.string(),
    isDefault: z.boolean(),
    zones: z.array(z.string()),
  })
  .meta({ id: 'Region' })

/** Writes a region as the admin API answers it. */
export function regionToWire(region: Region): z.input<typeof RegionWire> {
  return { ...region, zones: [...region.zones] }
}

export const ResourceWire = z
  .object({
    id: z.string(),
    meter: MeterInput,
    accountId: z.string(),
    projectId: z.string(),
    name: z.string(),
    region: z.string(),
    zone: z.string(),
    kind: KindInput,
    gatewayType: z.int(),
    payMode: PayModeInput,
    createdAt: Instant,
    deletedAt: Instant.nullable().describe('End of its life, exclusive; null while it lives.'),
  })
  .meta({ id: 'Resource' })

/** Writes a resource as the admin API answers it. */
export function resourceToWire(resource: Resource): z.input<typeof ResourceWire> {
  const { createdMs, deletedMs, ...rest } = resource
  return { ...rest, createdAt: formatInstant(createdMs), deletedAt: instantOrNull(deletedMs) }
}

export const VersionWire = z
  .object({
    fromAt: Instant,
    accountId: z.string(),
    projectId: z.string(),
    payMode: PayModeInput,
  })
  .meta({ id: 'Version' })

/** Writes one stretch of a resource's history as the admin API answers it. */
export function versionToWire(version: ResourceVersion): z.input<typeof VersionWire> {
  const { accountId, projectId, payMode } = version
  return { fromAt: formatInstant(version.fromMs), accountId, projectId, payMode }
}

export const TrafficPackageWire = z
  .object({
    id: z.string(),
    accountId: z.string(),
    meter: MeterInput,
    areas: z.array(AreaScopeInput).nullable().describe('null, here and in the next three: any.'),
    kinds: z.array(KindInput).nullable(),
    projectIds: z.array(z.string()).nullable(),
    resourceIds: z.array(z.string()).nullable(),
    windows: z.array(z.string()).describe('Local times of day; none: at any time.'),
    sizeBytes: Bytes,
    purchasedAt: Instant,
    startAt: Instant,
    endAt: Instant.nullable().describe('null: never, unless firstUseMonths says otherwise.'),
    firstUseMonths: z.int().nullable().describe('Calendar months from its first use.'),
    paid: z.object({ amount: z.string(), currency: z.string() }).nullable(),
    refundedAt: Instant.nullable().describe('null while it is held.'),
    refundAmount: z.string().nullable().describe('In the currency that was paid.'),
    offer: z.string().nullable().describe('Name of the offer that it was bought as.'),
  })
  .meta({ id: 'TrafficPackage' })

/** Writes a traffic package as the admin API answers it. */
export function trafficPackageToWire(entry: TrafficPackage): z.input<typeof TrafficPackageWire> {
  const { areas, kinds, projectIds, resourceIds, paid, refundAmount } = entry
  const mutable = <T>(list: readonly T[] | null): T[] | null => (list === null ? null : [...list])
  return {
    id: entry.id,
    accountId: entry.accountId,
    meter: entry.meter,
    areas: mutable(areas),
    kinds: mutable(kinds),
    projectIds: mutable(projectIds),
    resourceIds: mutable(resourceIds),
    windows: entry.windows.map(formatWindow),
    sizeBytes: String(entry.sizeBytes),
    purchasedAt: formatInstant(entry.purchasedMs),
    startAt: formatInstant(entry.startMs),
    endAt: instantOrNull(entry.endMs),
    firstUseMonths: entry.firstUseMonths,
    paid: paid === null ? null : { ...paid, amount: formatMoney(paid.amount) },
    refundedAt: instantOrNull(entry.refundedMs),
    refundAmount: refundAmount === null ? null : formatMoney(refundAmount),
    offer: entry.offer,
  }
}

export const ExclusivePackageWire = z
  .object({
    id: z.string(),
    accountId: z.string(),
    resourceId: z.string(),
    sizeBytes: Bytes,
    resetPolicy: ResetPolicyInput,
    createdAt: Instant,
    deletedAt: Instant.nullable().describe('When it was taken away; null while it is there.'),
  })
  .meta({ id: 'ExclusivePackage' })

/** Writes an exclusive package as the admin API answers it. */
export function exclusivePackageToWire(
  entry: ExclusivePackage,
): z.input<typeof ExclusivePackageWire> {
  const { createdMs, deletedMs, sizeBytes, ...rest } = entry
  const times = { createdAt: formatInstant(createdMs), deletedAt: instantOrNull(deletedMs) }
  return { ...rest, sizeBytes: String(sizeBytes), ...times }
}

export const SourceWire = z
  .object({
    id: z.string(),
    name: z.string(),
    meters: z.array(MeterInput),
    accountId: z.string().nullable().describe("Only this account's resources; null: any."),
    expects: SourceExpectationInput,
    active: z.boolean(),
    createdAt: Instant,
  })
  .meta({ id: 'Source' })
export const NewSourceWire = SourceWire.extend({
  token: z.string().describe('Ingest token; shown this once.'),
}).meta({ id: 'NewSource' })

/** Writes a source, without its token, as the admin API answers it. */
export function sourceToWire({ createdMs, ...source }: Source): z.input<typeof SourceWire> {
  return { ...source, meters: [...source.meters], createdAt: formatInstant(createdMs) }
}

export const AdminTokenWire = z
  .object({
    id: z.string(),
    name: z.string(),
    active: z.boolean(),
    createdAt: Instant,
  })
  .meta({ id: 'AdminToken' })
export const NewAdminTokenWire = AdminTokenWire.extend({
  token: z.string().describe('Bearer token of this API; shown this once.'),
}).meta({ id: 'NewAdminToken' })

/** Writes an admin token's entry, without the token, as the admin API answers it. */
export function adminTokenToWire({
  createdMs,
  ...token
}: AdminToken): z.input<typeof AdminTokenWire> {
  return { ...token, createdAt: formatInstant(createdMs) }
}

export const AuditWire = z
  .object({
    id: z.string(),
    at: Instant,
    actor: z.string().describe('Name of the admin token, the account that called, or system.'),
    action: z.string(),
    target: z.string(),
    before: z.unknown(),
    after: z.unknown(),
    sequence: z.int().describe('Place in the chain of changes, from 1 without gaps.'),
    previousHash: z.string().describe('Hash of the change before.'),
    hash: z.string().describe('SHA-256 of the previous hash and of this change.'),
  })
  .meta({ id: 'Audit' })

/** Writes an entry of the audit log as the admin API answers it. */
export function auditToWire({ atMs, ...entry }: AuditEntry): z.input<typeof AuditWire> {
  return { ...entry, at: formatInstant(atMs) }
}
