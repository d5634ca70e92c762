import type { MeterName } from '../catalog/model.ts'
import type { CatalogRows } from '../catalog/ports.ts'
import { AppError } from '../core/errors.ts'
import type { RulePack } from '../rating/rule-pack.ts'

/** What a pack is to bill. */
export interface PackUse {
  readonly accountId?: string
  readonly meter: MeterName
  /** Group name → resource ids. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

/**
 * Makes sure that a pack can bill a book: it prices the meter, and has the groups that its rules
 * are about. Resources are looked up where the catalog's rows are given.
 *
 * Errors: `parameter_invalid` (`rules`, `groups`).
 */
export async function checkFit(
  { name, meters, rules }: RulePack,
  { accountId, meter, groups }: PackUse,
  rows?: CatalogRows,
): Promise<void> {
  if (!meters.includes(meter)) {
    refuse('rules', `The pack ${name} prices ${meters.join(', ')}, not ${meter}.`)
  }
  const grouped = rules.find(({ level }) => level === 'group')
  const ids = Object.values(groups).flat()
  if (grouped !== undefined && ids.length === 0) {
    refuse(
      'groups',
      `The rule ${grouped.name} of ${name} prices groups; name the resources of each.`,
    )
  }
  if (grouped === undefined && ids.length > 0) {
    refuse('groups', `No rule of ${name} prices groups; leave them out.`)
  }
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) {
    refuse('groups', `${twice} is in the groups twice; its usage would be billed twice.`)
  }
  for (const id of rows === undefined ? [] : ids) {
    const resource = await rows?.resources.get(id)
    if (resource?.accountId !== accountId || resource?.meter !== meter) {
      refuse('groups', `The account has no ${meter} resource with the id ${id}.`)
    }
  }
}

function refuse(field: string, message: string): never {
  throw new AppError('parameter_invalid', message, { field })
}
