import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { BandwidthRule } from '../rating/rules.ts'
import type { BookTerms } from './book.ts'

/** Puts members together that are billed as one. */
export function memberGroups(
  { level }: BandwidthRule,
  members: readonly MemberUsage[],
  { accountId, groups }: { readonly accountId: string; readonly groups: BookTerms['groups'] },
): ReadonlyMap<string, readonly MemberUsage[]> {
  if (level === 'account') return new Map([[accountId, members]])
  if (level === 'group') {
    return new Map(
      Object.entries(groups).map(([name, ids]) => [
        name,
        members.filter(({ memberId }) => ids.includes(memberId)),
      ]),
    )
  }
  const found = new Map<string, MemberUsage[]>()
  for (const member of members) {
    const list = found.get(member.memberId) ?? []
    list.push(member)
    found.set(member.memberId, list)
  }
  return found
}
