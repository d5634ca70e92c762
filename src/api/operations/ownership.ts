import type { Resource, ResourceVersion } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import type { Interval } from '../../core/period.ts'
import type { MeterName } from '../../meters/meter.ts'
import type { Caller, OperationDeps } from './caller.ts'

/** Whose past is asked for. Without a project: everything of the account. */
export interface Owner {
  readonly accountId: string
  readonly projectId?: string
}

/** A resource with its history. */
export interface OwnedResource {
  readonly resource: Resource
  readonly versions: readonly ResourceVersion[]
}

/**
 * Finds a resource by id or name that the project owns, or once owned within the same account.
 *
 * Errors: `not_found` with the given field, the same for unknown and for foreign ones.
 */
export async function resourceOf(
  caller: Caller,
  wanted: { meter: MeterName; idOrName: string; projectId: string; field: string },
  deps: Pick<OperationDeps, 'catalog'>,
): Promise<OwnedResource> {
  const resource = await deps.catalog.resource(caller.account, wanted.meter, wanted.idOrName)
  if (resource !== undefined) {
    const versions = await deps.catalog.resourceVersions(resource.id)
    const owner = { accountId: caller.payer.id, projectId: wanted.projectId }
    const isOwner =
      resource.projectId === wanted.projectId ||
      versions.some((version) => belongsTo(version, owner))
    if (isOwner) return { resource, versions }
  }
  throw new AppError('not_found', `There is no ${wanted.meter} resource ${wanted.idOrName}.`, {
    field: wanted.field,
  })
}

/**
 * Cuts out of the interval what belonged to the owner.
 *
 * Shape: ascending, not overlapping, touching pieces joined; nothing before the first version.
 */
export function ownedIntervals(
  versions: readonly ResourceVersion[],
  interval: Interval,
  owner: Owner,
): Interval[] {
  const pieces: Interval[] = []
  for (const [index, version] of versions.entries()) {
    if (!belongsTo(version, owner)) continue
    const startMs = Math.max(version.fromMs, interval.startMs)
    const endMs = Math.min(versions[index + 1]?.fromMs ?? interval.endMs, interval.endMs)
    if (startMs >= endMs) continue
    const last = pieces.at(-1)
    if (last?.endMs === startMs) pieces[pieces.length - 1] = { startMs: last.startMs, endMs }
    else pieces.push({ startMs, endMs })
  }
  return pieces
}

function belongsTo(version: ResourceVersion, owner: Owner): boolean {
  return (
    version.accountId === owner.accountId &&
    (owner.projectId === undefined || version.projectId === owner.projectId)
  )
}
