import { isRegion, PARTS_ABROAD, sharesArea } from '../catalog/area-scope.ts'
import type { AreaScope, ContentKind } from '../catalog/model.ts'
import type { Rule } from './rules.ts'

/** Usage abroad that matches no rule although other parts of abroad have prices of their own. */
export interface Unpriced {
  readonly kinds: readonly ContentKind[]
  /** Regions, and `abroad-other` for what no region is known of. */
  readonly areas: readonly AreaScope[]
}

const KINDS: readonly ContentKind[] = ['static', 'dynamic']

/**
 * Finds parts of abroad that were forgotten where prices are by region: nobody pays for them.
 *
 * Shape: empty when no rule names a part of abroad, which may be meant: a pack for cn alone. Kinds
 * with the same parts are one entry; a kind without any price by region is not looked at.
 * Limits: looks at areas and kinds; provinces, directions and windows are taken as covering all.
 */
export function findUnpriced(rules: readonly Rule[]): Unpriced[] {
  const found: Unpriced[] = []
  for (const kind of KINDS) {
    const areas = unpricedOf(rules.filter(({ scope }) => scope.kinds?.includes(kind) ?? true))
    if (areas.length === 0) continue
    const same = found.findIndex((other) => other.areas.join() === areas.join())
    const kinds = [...(found[same]?.kinds ?? []), kind]
    found.splice(same === -1 ? found.length : same, 1, { kinds, areas })
  }
  return found
}

function unpricedOf(rules: readonly Rule[]): AreaScope[] {
  if (!rules.some(({ scope }) => scope.areas?.some(isRegion))) return []
  return PARTS_ABROAD.filter((part) => !rules.some(({ scope }) => sharesArea(scope.areas, [part])))
}
