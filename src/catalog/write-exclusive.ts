import type { z } from 'zod'
import type { EpochMs } from '../core/clock.ts'
import { newId } from '../core/ids.ts'
import { floorTo, MINUTE_MS } from '../core/period.ts'
import { type Change, recordChange, refuseTaken, unknownRef } from './change.ts'
import { invalidInput, parseInput } from './input.ts'
import type { ExclusivePackage, Resource } from './model.ts'
import { canonicalAddress } from './names.ts'
import { CreateExclusivePackage } from './package-inputs.ts'
import type { CatalogRows } from './ports.ts'

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
  const living = { resourceId: resource.id, deletedMs: null }
  const taken = await rows.exclusivePackages.find(living)
  refuseTaken(taken !== undefined, 'resource', `${resource.id} already has package ${taken?.id}.`)
  const entry: ExclusivePackage = {
    id: fields.id ?? newId('utp'),
    accountId: resource.accountId,
    resourceId: resource.id,
    sizeBytes: fields.size,
    resetPolicy: fields.resetPolicy,
    createdMs,
    deletedMs: null,
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

/**
 * Takes an elastic IP's volume away; what it gave until then stays given.
 *
 * Time: at the end of the current minute, so that usage of the minute is still covered.
 * Errors: `not_found` also for one that was taken away before.
 */
export async function deleteExclusivePackage(
  change: Change,
  id: string,
): Promise<ExclusivePackage> {
  const found = await change.rows.exclusivePackages.get(id)
  if (found === undefined || found.deletedMs !== null) return unknownRef('package', id, 'id')
  return await endExclusivePackage(change, found, floorTo(change.nowMs, MINUTE_MS) + MINUTE_MS)
}

/** Ends the volume of an elastic IP whose life ends then, if it has one. */
export async function endVolumeOf(
  change: Change,
  resourceId: string,
  endMs: EpochMs,
): Promise<void> {
  const found = await change.rows.exclusivePackages.find({ resourceId, deletedMs: null })
  if (found !== undefined) await endExclusivePackage(change, found, endMs)
}

async function endExclusivePackage(
  change: Change,
  before: ExclusivePackage,
  endMs: EpochMs,
): Promise<ExclusivePackage> {
  const after = { ...before, deletedMs: Math.max(endMs, before.createdMs) }
  await change.rows.exclusivePackages.replace(after)
  await recordChange(change, 'exclusive-package.delete', before.id, { before, after })
  return after
}
