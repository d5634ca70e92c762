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
import { diffTrafficPackage } from './diff-traffic-packages.ts'
import type { Manifest } from './manifest.ts'

/** Compares packages; of a bought one only the end may change. */
export function diffPackages(draft: Draft): void {
  for (const wanted of draft.manifest.packages ?? []) {
    if (wanted.type === 'traffic') diffTrafficPackage(draft, wanted)
    else diffExclusivePackage(draft, wanted)
  }
}

type PackageEntry = NonNullable<Manifest['packages']>[number]

function diffExclusivePackage(
  draft: Draft,
  wanted: Extract<PackageEntry, { readonly type: 'exclusive' }>,
): void {
  const { now } = draft
  const { type: _, size, createdAt, ...rest } = wanted
  const address = now.resources.find(
    (each) =>
      each.meter === 'eip' && (each.id === wanted.resource || each.name === wanted.resource),
  )
  const actual = now.exclusivePackages.find((each) => each.resourceId === address?.id)
  const name = `of ${wanted.resource}`
  if (actual === undefined) {
    const body = { ...rest, size: String(size), createdAt: instant(createdAt) }
    create(draft, 'exclusive-package', name, body)
    return
  }
  const { id, resetPolicy } = wanted
  const fixed = compare(
    { id, size, resetPolicy, createdAt: instant(createdAt) },
    { ...actual, size: actual.sizeBytes, createdAt: instant(actual.createdMs) },
  )
  refuse(draft, `exclusive package ${name}`, fixed, 'delete it and create it anew')
  if (fixed.length === 0) draft.unchanged += 1
}

/** Compares sources; what they may report is fixed, what is expected of them is not. */
export function diffSources(draft: Draft): void {
  for (const wanted of draft.manifest.sources ?? []) {
    const actual = draft.now.sources.find((source) => source.name === wanted.name)
    if (actual === undefined) {
      create(draft, 'source', wanted.name, wanted)
      continue
    }
    if (!actual.active) {
      draft.conflicts.push(`source ${wanted.name} was revoked for good; choose another name.`)
      continue
    }
    const { meters } = wanted
    const account =
      typeof wanted.account === 'string' ? rootName(draft, wanted.account) : wanted.account
    const fixed = compare(
      { meters, account },
      {
        ...actual,
        account: spelled(account ?? undefined, draft.now.accounts, actual.accountId),
      },
    )
    refuse(draft, `source ${wanted.name}`, fixed, 'make one of another name and revoke this one')
    const changes = compare({ expects: wanted.expects }, { ...actual })
    if (changes.length > 0) update(draft, 'source', actual, changes)
    else if (fixed.length === 0) draft.unchanged += 1
  }
}
