import type { z } from 'zod'
import type { EpochMs } from '../core/clock.ts'
import { newId } from '../core/ids.ts'
import { type Change, findRootAccount, recordChange, refuseTaken, unknownRef } from './change.ts'
import { invalidInput, parseInput } from './input.ts'
import { CreateExclusivePackage, CreateTrafficPackage, UpdateTrafficPackage } from './inputs.ts'
import type { ExclusivePackage, Resource, TrafficPackage } from './model.ts'
import { canonicalAddress } from './names.ts'
import type { CatalogRows } from './ports.ts'

function checkRange(startMs: EpochMs, endMs: EpochMs | null): void {
  if (endMs !== null && endMs <= startMs) {
    throw invalidInput([{ field: 'endAt', message: 'must be after startAt' }])
  }
}

/** Adds a prepaid volume of CDN traffic. Errors: `not_found` for the account. */
export async function createTrafficPackage(
  change: Change,
  input: z.input<typeof CreateTrafficPackage>,
): Promise<TrafficPackage> {
  const { rows } = change
  const fields = parseInput(CreateTrafficPackage, input)
  const account = await findRootAccount(rows, fields.account)
  const purchasedMs = fields.purchasedAt ?? change.nowMs
  const startMs = fields.startAt ?? purchasedMs
  checkRange(startMs, fields.endAt)
  const entry: TrafficPackage = {
    id: fields.id ?? newId('pkg'),
    accountId: account.id,
    area: fields.area,
    kind: fields.kind,
    sizeBytes: fields.size,
    purchasedMs,
    startMs,
    endMs: fields.endAt,
  }
  const same = await rows.trafficPackages.get(entry.id)
  refuseTaken(same !== undefined, 'id', `package ${entry.id} exists already.`)
  await rows.trafficPackages.insert(entry)
  await recordChange(change, 'traffic-package.create', entry.id, { before: null, after: entry })
  return entry
}

/** Changes when a traffic package ends: earlier, later, or never. */
export async function updateTrafficPackage(
  change: Change,
  id: string,
  input: z.input<typeof UpdateTrafficPackage>,
): Promise<TrafficPackage> {
  const { trafficPackages } = change.rows
  const { endAt } = parseInput(UpdateTrafficPackage, input)
  const before = (await trafficPackages.get(id)) ?? unknownRef('package', id, 'id')
  checkRange(before.startMs, endAt)
  const after: TrafficPackage = { ...before, endMs: endAt }
  await trafficPackages.replace(after)
  await recordChange(change, 'traffic-package.update', id, { before, after })
  return after
}

/** Gives an elastic IP its own refilling volume. Errors: `conflict` when it has one already. */
export async function createExclusivePackage(
  change: Change,
  input: z.input<typeof CreateExclusivePackage>,
): Promise<ExclusivePackage> {
  const { rows } = change
  const fields = parseInput(CreateExclusivePackage, input)
  const resource = await findAddress(rows, fields.resource)
  const createdMs = fields.createdAt ?? change.nowMs
  if (createdMs > change.nowMs) {
    throw invalidInput([{ field: 'createdAt', message: 'must not be in the future' }])
  }
  const taken = await rows.exclusivePackages.find({ resourceId: resource.id })
  refuseTaken(taken !== undefined, 'resource', `${resource.id} already has package ${taken?.id}.`)
  const entry: ExclusivePackage = {
    id: fields.id ?? newId('utp'),
    accountId: resource.accountId,
    resourceId: resource.id,
    sizeBytes: fields.size,
    resetPolicy: fields.resetPolicy,
    createdMs,
  }
  const same = await rows.exclusivePackages.get(entry.id)
  refuseTaken(same !== undefined, 'id', `package ${entry.id} exists already.`)
  await rows.exclusivePackages.insert(entry)
  await recordChange(change, 'exclusive-package.create', entry.id, { before: null, after: entry })
  return entry
}

async function findAddress(rows: CatalogRows, ref: string): Promise<Resource> {
  const name = canonicalAddress(ref)
  const resource =
    (await rows.resources.get(ref)) ??
    (name === undefined
      ? undefined
      : await rows.resources.find({ meter: 'eip', name, deletedMs: null }))
  if (resource === undefined) return unknownRef('elastic IP', ref, 'resource')
  if (resource.meter !== 'eip' || resource.deletedMs !== null) {
    throw invalidInput([{ field: 'resource', message: 'must be a living elastic IP' }])
  }
  return resource
}

/** Takes an elastic IP's volume away. */
export async function deleteExclusivePackage(
  change: Change,
  id: string,
): Promise<ExclusivePackage> {
  const { exclusivePackages } = change.rows
  const before = (await exclusivePackages.get(id)) ?? unknownRef('package', id, 'id')
  await exclusivePackages.remove(id)
  await recordChange(change, 'exclusive-package.delete', id, { before, after: null })
  return before
}
