import { formatWindow } from '../core/day-window.ts'
import { formatMoney } from '../core/money.ts'
import {
  type Draft,
  compare,
  create,
  instant,
  refuse,
  rootName,
  spelled,
  update,
} from './diff-draft.ts'
import type { Manifest } from './manifest.ts'
import type { Paid, TrafficPackage } from './model.ts'

type PackageEntry = NonNullable<Manifest['packages']>[number]
type TrafficEntry = Extract<PackageEntry, { readonly type: 'traffic' }>

/** Compares a prepaid package; of a bought one only the end may change. */
export function diffTrafficPackage(draft: Draft, wanted: TrafficEntry): void {
  const actual = draft.now.trafficPackages.find((each) => each.id === wanted.id)
  if (actual === undefined) {
    create(draft, 'traffic-package', wanted.id, toBody(wanted))
    return
  }
  if (actual.refundedMs !== null) {
    draft.conflicts.push(`package ${wanted.id} was given back for good; take it out of the file.`)
    return
  }
  const fixed = compare(fixedFields(draft, wanted), fixedFieldsOf(draft, wanted, actual))
  refuse(draft, `package ${wanted.id}`, fixed, 'what was bought stays; add another package')
  const changes = compare({ endAt: instant(wanted.endAt) }, { endAt: instant(actual.endMs) })
  const label = { id: actual.id, name: actual.id }
  if (changes.length > 0) update(draft, 'traffic-package', label, changes)
  else if (fixed.length === 0) draft.unchanged += 1
}

/** What the admin API takes for a new package. */
function toBody(wanted: TrafficEntry): Record<string, unknown> {
  const { type: _, size, purchasedAt, startAt, endAt, windows, paid, ...rest } = wanted
  return {
    ...rest,
    ...(windows !== undefined && { windows: windows.map(formatWindow) }),
    ...(paid !== undefined && {
      paid: paid === null ? null : { ...paid, amount: formatMoney(paid.amount) },
    }),
    purchasedAt: instant(purchasedAt),
    startAt: instant(startAt),
    endAt: instant(endAt),
    size: String(size),
  }
}

/** What the file says and cannot be changed, as people write it; `any` where null means that. */
function fixedFields(draft: Draft, wanted: TrafficEntry): Record<string, unknown> {
  const { meter, area, areas, kind, kinds, projects, resources, windows, size } = wanted
  return {
    account: rootName(draft, wanted.account),
    meter,
    area,
    areas: anyOr(areas),
    kind,
    kinds: anyOr(kinds),
    projects: anyOr(projects),
    resources: anyOr(resources),
    windows: windows?.map(formatWindow),
    size,
    purchasedAt: instant(wanted.purchasedAt),
    startAt: instant(wanted.startAt),
    firstUseMonths: wanted.firstUseMonths,
    paid: paidText(wanted.paid),
    offer: wanted.offer,
  }
}

/** The same fields of the existing package, spelled as the file spells them. */
function fixedFieldsOf(
  draft: Draft,
  wanted: TrafficEntry,
  actual: TrafficPackage,
): Record<string, unknown> {
  const { now } = draft
  const spelledAll = (
    refs: readonly string[] | null | undefined,
    entries: Parameters<typeof spelled>[1],
    ids: readonly string[] | null,
  ): unknown =>
    anyOr(
      ids?.map((id) => spelled(refs?.includes(id) === true ? id : undefined, entries, id)) ?? null,
    )
  return {
    account: spelled(rootName(draft, wanted.account), now.accounts, actual.accountId),
    meter: actual.meter,
    area: oneOf(actual.areas),
    areas: anyOr(actual.areas),
    kind: oneOf(actual.kinds),
    kinds: anyOr(actual.kinds),
    projects: spelledAll(wanted.projects, now.projects, actual.projectIds),
    resources: spelledAll(wanted.resources, now.resources, actual.resourceIds),
    windows: actual.windows.map(formatWindow),
    size: actual.sizeBytes,
    purchasedAt: instant(actual.purchasedMs),
    startAt: instant(actual.startMs),
    firstUseMonths: actual.firstUseMonths,
    paid: paidText(actual.paid),
    offer: actual.offer,
  }
}

// Lists mean the same in any order.
function anyOr(list: readonly unknown[] | null | undefined): unknown {
  if (list === null) return 'any'
  return list?.map(String).toSorted()
}

function oneOf(list: readonly string[] | null): unknown {
  return list?.length === 1 ? list[0] : anyOr(list)
}

function paidText(paid: Paid | null | undefined): string | null | undefined {
  if (paid === null || paid === undefined) return paid
  return `${formatMoney(paid.amount)} ${paid.currency}`
}
