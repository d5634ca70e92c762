import type { z } from 'zod'
import { newId } from '../core/ids.ts'
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
