import type { MeterName } from '../catalog/model.ts'
import { AppError } from '../core/errors.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import type { ResourceGroups } from './group-members.ts'

/** What a pack is to bill. */
export interface PackUse {
  readonly meter: MeterName
  readonly groups: ResourceGroups
}

/**
 * Makes sure that a pack can bill a book: it prices the meter, and groups are named exactly where
 * a rule is about them.
 *
 * Errors: `parameter_invalid` (`rules`, `groups`).
 */
export function checkFit({ name, meters, rules }: RulePack, { meter, groups }: PackUse): void {
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
}

function refuse(field: string, message: string): never {
  throw new AppError('parameter_invalid', message, { field })
}
