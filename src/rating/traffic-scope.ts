import { coversArea } from '../catalog/area-scope.ts'
import { AppError, unreachable } from '../core/errors.ts'
import type { Level, Scope } from './rules.ts'
import type { TrafficBasis, TrafficUsage } from './traffic-usage.ts'

/** Tells whether a rule is about this usage: each list that is present takes it in. */
export function isInScope(scope: Scope, usage: TrafficUsage): boolean {
  return (
    coversArea(scope.areas, usage) &&
    (scope.provinces?.includes(usage.province) ?? true) &&
    (scope.kinds?.includes(usage.kind) ?? true) &&
    (scope.directions?.includes(usage.direction) ?? true)
  )
}

/**
 * Makes the function that names whose sum an entry belongs to.
 *
 * Shape: at level `group`, null for a resource that no group names: such a rule leaves it alone.
 * Errors: `parameter_invalid` when two groups name one resource, since its bytes would be billed
 * twice.
 */
export function createMemberOf(
  level: Level,
  basis: TrafficBasis,
): (usage: TrafficUsage) => string | null {
  switch (level) {
    case 'account':
      return () => basis.accountId
    case 'project':
      return ({ projectId }) => projectId
    case 'resource':
      return ({ resourceId }) => resourceId
    case 'group': {
      const groupOf = groupsByResource(basis.groups ?? {})
      return ({ resourceId }) => groupOf.get(resourceId) ?? null
    }
    default:
      return unreachable(level)
  }
}

function groupsByResource(groups: Readonly<Record<string, readonly string[]>>) {
  const groupOf = new Map<string, string>()
  for (const [name, resourceIds] of Object.entries(groups)) {
    for (const resourceId of resourceIds) {
      const other = groupOf.get(resourceId) ?? name
      if (other !== name) {
        throw new AppError(
          'parameter_invalid',
          `groups: ${resourceId} is in ${other} and in ${name}; leave it in one of them.`,
          { field: `groups.${name}` },
        )
      }
      groupOf.set(resourceId, name)
    }
  }
  return groupOf
}
