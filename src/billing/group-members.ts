import type { MeterName } from '../catalog/model.ts'
import { AppError } from '../core/errors.ts'

/** Group name → resource ids, or on their way in, what names them. */
export type ResourceGroups = Readonly<Record<string, readonly string[]>>

/** Finds a resource of an account by id, or by name while it lives. */
export type ResourceFinder = (
  owner: { readonly accountId: string; readonly meter: MeterName },
  ref: string,
) => Promise<{ readonly id: string } | undefined>

/** Whose resources groups may hold. */
interface GroupOwner {
  readonly accountId: string
  readonly meters: readonly MeterName[]
}

/**
 * Finds the resources that groups name, each once: a wrong one would be priced as a line without
 * usage.
 *
 * Shape: the same groups in the same order, with ids.
 * Errors: `parameter_invalid` (`groups`) for a resource that the account does not have, and for one
 * that is named twice.
 */
export async function findGroupMembers(
  groups: ResourceGroups,
  owner: GroupOwner,
  find: ResourceFinder,
): Promise<ResourceGroups> {
  const found: [string, string[]][] = []
  const known = new Set<string>()
  for (const [name, refs] of Object.entries(groups)) {
    const ids: string[] = []
    for (const ref of refs) {
      const id = await findMember(ref, owner, find)
      if (known.has(id)) refuse(`${ref} is in the groups twice; its usage would be billed twice.`)
      known.add(id)
      ids.push(id)
    }
    found.push([name, ids])
  }
  return Object.fromEntries(found)
}

async function findMember(
  ref: string,
  { accountId, meters }: GroupOwner,
  find: ResourceFinder,
): Promise<string> {
  for (const meter of meters) {
    const resource = await find({ accountId, meter }, ref)
    if (resource !== undefined) return resource.id
  }
  return refuse(
    `The account has no ${meters.join(' or ')} resource ${ref}; see weir resource list.`,
  )
}

function refuse(message: string): never {
  throw new AppError('parameter_invalid', message, { field: 'groups' })
}
