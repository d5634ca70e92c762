import type { Region } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import type { OperationDeps } from './caller.ts'

/** Lists every region with its zones, ordered by region id. */
export function listRegions(deps: Pick<OperationDeps, 'catalog'>): Promise<readonly Region[]> {
  return deps.catalog.regions()
}

/**
 * Checks that a region exists and, when a zone is given, that the zone lies in it.
 *
 * Errors: `region_unsupported` with field `region` or `zone`.
 */
export async function checkRegion(
  name: string,
  deps: Pick<OperationDeps, 'catalog'>,
  zone?: string,
): Promise<void> {
  const region = (await deps.catalog.regions()).find((candidate) => candidate.region === name)
  if (region === undefined) {
    throw new AppError('region_unsupported', `There is no region ${name}.`, { field: 'region' })
  }
  if (zone !== undefined && !region.zones.includes(zone)) {
    throw new AppError('region_unsupported', `There is no zone ${zone} in ${name}.`, {
      field: 'zone',
    })
  }
}
