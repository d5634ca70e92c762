import type { z } from 'zod'
import type { EpochMs } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { MINUTE_MS, floorTo } from '../core/period.ts'
import {
  type Change,
  findProject,
  findResource,
  findRootAccount,
  recordChange,
  refuseTaken,
  unknownRef,
} from './change.ts'
import { invalidInput, parseInput } from './input.ts'
import { AddRegion, ChangePayMode, CreateResource, DeleteResource, MoveResource } from './inputs.ts'
import type { MeterName, Region, Resource } from './model.ts'
import { RESOURCE_ID_PREFIX, canonicalName, expectedName } from './names.ts'
import type { CatalogRows } from './ports.ts'
import { endVolumeOf } from './write-exclusive.ts'
import { type VersionChange, endOfLife, formatInstant, nextVersion } from './versions.ts'

/** Former bearers of one name that are looked through for an overlap in time. */
const NAMESAKES_MAX = 10_000

/** Adds a region with its zones. Errors: `conflict` when its code, number or a zone is taken. */
export async function addRegion(change: Change, input: z.input<typeof AddRegion>): Promise<Region> {
  const { rows } = change
  const fields = parseInput(AddRegion, input)
  const { items } = await rows.regions.list({}, { limit: 1000, cursor: null })
  const regionId = fields.regionId ?? Math.max(0, ...items.map((item) => item.regionId)) + 1
  const region: Region = { ...fields, regionId }
  for (const other of items) {
    refuseTaken(other.region === region.region, 'region', `region ${region.region} exists already.`)
    refuseTaken(other.regionId === regionId, 'regionId', `${regionId} is region ${other.region}.`)
    const zone = region.zones.find((candidate) => other.zones.includes(candidate))
    refuseTaken(zone !== undefined, 'zones', `zone ${zone} belongs to region ${other.region}.`)
    if (region.isDefault && other.isDefault)
      await rows.regions.replace({ ...other, isDefault: false })
  }
  await rows.regions.insert(region)
  await recordChange(change, 'region.add', region.region, { before: null, after: region })
  return region
}

/**
 * Registers what usage is measured of.
 *
 * Time: its life starts at `createdAt`, default now, rounded down to the minute; but not before a
 * deleted resource of the same name ended.
 * Errors: `conflict` when the name is in use in that time; `not_found`; `parameter_invalid`.
 */
export async function createResource(
  change: Change,
  input: z.input<typeof CreateResource>,
): Promise<Resource> {
  const { rows } = change
  const fields = parseInput(CreateResource, input)
  const name = readName(fields.meter, fields.name)
  checkId(fields.meter, fields.id)
  const account = await findRootAccount(rows, fields.account)
  const project = await findProject(rows, account.id, fields.project)
  const place = await placeOf(rows, fields.region, fields.zone)
  const createdMs = await startOfLife(change, fields.meter, name, account.id, fields.createdAt)
  const resource: Resource = {
    id: fields.id ?? newId(RESOURCE_ID_PREFIX[fields.meter]),
    meter: fields.meter,
    accountId: account.id,
    projectId: project.id,
    name,
    ...place,
    kind: fields.kind,
    gatewayType: fields.gatewayType,
    payMode: fields.payMode,
    createdMs,
    deletedMs: null,
  }
  const same = await rows.resources.get(resource.id)
  refuseTaken(same !== undefined, 'id', `resource ${resource.id} exists already.`)
  await rows.resources.insert(resource)
  await rows.putVersion({
    resourceId: resource.id,
    fromMs: createdMs,
    accountId: account.id,
    projectId: project.id,
    payMode: resource.payMode,
  })
  await recordChange(change, 'resource.create', resource.id, { before: null, after: resource })
  return resource
}

function readName(meter: MeterName, text: string): string {
  const name = canonicalName(meter, text)
  if (name !== undefined) return name
  throw invalidInput([{ field: 'name', message: `must be ${expectedName(meter)}` }])
}

function checkId(meter: MeterName, id: string | undefined): void {
  if (id === undefined) return
  // The vendor's oldest CDN domains are called domain-….
  const prefixes = meter === 'cdn' ? ['ucdn-', 'domain-'] : [`${RESOURCE_ID_PREFIX[meter]}-`]
  if (prefixes.some((prefix) => id.startsWith(prefix))) return
  const message = `of a ${meter} resource must start with ${prefixes.join(' or ')}`
  throw invalidInput([{ field: 'id', message }])
}

async function placeOf(
  rows: CatalogRows,
  code: string,
  zone: string | undefined,
): Promise<{ readonly region: string; readonly zone: string }> {
  const region = (await rows.regions.get(code)) ?? unknownRef('region', code, 'region')
  if (zone !== undefined && !region.zones.includes(zone)) {
    throw invalidInput([
      { field: 'zone', message: `must be a zone of ${code}: ${region.zones.join(', ')}` },
    ])
  }
  return { region: region.region, zone: zone ?? region.zones[0] ?? '' }
}

async function startOfLife(
  { rows, nowMs }: Change,
  meter: MeterName,
  name: string,
  accountId: string,
  wishedMs: EpochMs | undefined,
): Promise<EpochMs> {
  if (wishedMs !== undefined && wishedMs > nowMs) {
    throw invalidInput([{ field: 'createdAt', message: 'must not be in the future' }])
  }
  const scope = meter === 'mna' ? { meter, name, accountId } : { meter, name }
  const { items } = await rows.resources.list(scope, { limit: NAMESAKES_MAX, cursor: null })
  let freeFromMs = 0
  for (const other of items) {
    // Whose it is stays unsaid: the name may belong to another account.
    refuseTaken(other.deletedMs === null, 'name', `${meter} resource ${name} exists already.`)
    freeFromMs = Math.max(freeFromMs, other.deletedMs ?? 0)
  }
  const startMs = floorTo(wishedMs ?? Math.max(nowMs, freeFromMs), MINUTE_MS)
  if (startMs >= freeFromMs) return startMs
  throw new AppError(
    'conflict',
    `${meter} resource ${name} was in use until ${formatInstant(freeFromMs)}; createdAt must not be before.`,
    { field: 'createdAt' },
  )
}

/** Hands a resource to another project; its past usage stays with the old one. */
export async function moveResource(
  change: Change,
  id: string,
  input: z.input<typeof MoveResource>,
): Promise<Resource> {
  const { rows } = change
  const fields = parseInput(MoveResource, input)
  const resource = await findResource(rows, id)
  const accountId =
    fields.account === undefined
      ? resource.accountId
      : (await findRootAccount(rows, fields.account)).id
  const project = await findProject(rows, accountId, fields.project)
  if (accountId !== resource.accountId) await checkHandover(rows, resource, accountId)
  return append(change, 'resource.move', resource, fields.fromAt, {
    accountId,
    projectId: project.id,
  })
}

async function checkHandover(
  rows: CatalogRows,
  resource: Resource,
  accountId: string,
): Promise<void> {
  const living = { resourceId: resource.id, deletedMs: null }
  const bought = await rows.exclusivePackages.find(living)
  refuseTaken(
    bought !== undefined,
    'account',
    `${resource.id} has the exclusive package ${bought?.id}, which its account bought; delete that first.`,
  )
  if (resource.meter !== 'mna') return
  const { meter, name } = resource
  const namesake = await rows.resources.find({ meter, name, accountId, deletedMs: null })
  refuseTaken(namesake !== undefined, 'account', `the account already has a device "${name}".`)
}

/** Changes how an elastic IP is paid for; days before keep the old mode. */
export async function changePayMode(
  change: Change,
  id: string,
  input: z.input<typeof ChangePayMode>,
): Promise<Resource> {
  const fields = parseInput(ChangePayMode, input)
  const resource = await findResource(change.rows, id)
  return append(change, 'resource.pay-mode', resource, fields.fromAt, { payMode: fields.payMode })
}

async function append(
  change: Change,
  action: string,
  before: Resource,
  fromMs: EpochMs | undefined,
  what: VersionChange,
): Promise<Resource> {
  const versions = await change.rows.versions(before.id)
  const version = nextVersion(before, versions, what, fromMs, change.nowMs)
  if (version === undefined) return before
  const after: Resource = { ...before, ...what }
  await change.rows.putVersion(version)
  await change.rows.resources.replace(after)
  await recordChange(change, action, before.id, {
    before,
    after: { ...after, fromAt: formatInstant(version.fromMs) },
  })
  return after
}

/** Ends a resource's life and its refilling volume's. What it used stays; its name becomes free. */
export async function deleteResource(
  change: Change,
  id: string,
  input: z.input<typeof DeleteResource> = {},
): Promise<Resource> {
  const { rows } = change
  const { atTime } = parseInput(DeleteResource, input)
  const before = await findResource(rows, id)
  const deletedMs = endOfLife(before, await rows.versions(id), atTime, change.nowMs)
  const after: Resource = { ...before, deletedMs }
  await rows.resources.replace(after)
  await recordChange(change, 'resource.delete', id, { before, after })
  if (before.meter === 'eip') await endVolumeOf(change, id, deletedMs)
  return after
}
