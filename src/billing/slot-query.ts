import type { BandwidthRule } from '../rating/rules.ts'
import type { BooksSlotQuery } from './books-usage.ts'

type SlotChoice = Pick<
  BooksSlotQuery,
  'member' | 'samples' | 'reported' | 'areas' | 'provinces' | 'kinds'
>

/** What of a rule chooses the slots that it ranks. */
export function slotQueryOf({
  level,
  slot,
  missingSlot,
  scope: { areas, provinces, kinds },
}: BandwidthRule): SlotChoice {
  return {
    member: level === 'group' ? 'resource' : level,
    samples: slot === 'max-sample',
    ...(missingSlot === 'exclude-unreported' && { reported: true }),
    ...(areas !== undefined && { areas }),
    ...(provinces !== undefined && { provinces }),
    ...(kinds !== undefined && { kinds }),
  }
}
