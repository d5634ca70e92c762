import type { MeterName } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'

/** Reads a resource by its id; undefined when there is none. */
export type ResourceReader = (
  id: string,
) => Promise<{ readonly accountId: string; readonly meter: MeterName } | undefined>

/** Whose resources groups may hold. */
interface GroupOwner {
  readonly accountId: string
  readonly meters: readonly MeterName[]
}

/**
 * Makes sure that groups hold resources of the account, each once: a wrong id would be priced as a
 * line without usage.
 *
 * Errors: `parameter_invalid` (`groups`).
 */
export async function checkGroups(
  groups: Readonly<Record<string, readonly string[]>>,
  { accountId, meters }: GroupOwner,
  resource: ResourceReader,
): Promise<void> {
  const ids = Object.values(groups).flat()
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) {
    refuse(`${twice} is in the groups twice; its usage would be billed twice.`)
  }
  for (const id of ids) {
    const found = await resource(id)
    if (found?.accountId !== accountId || !meters.includes(found.meter)) {
      const what = meters.join(' or ')
      refuse(`The account has no ${what} resource with the id ${id}; see weir resource list.`)
    }
  }
}

function refuse(message: string): never {
  throw new AppError('parameter_invalid', message, { field: 'groups' })
}
