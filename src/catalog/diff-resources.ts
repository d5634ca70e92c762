import { MINUTE_MS, floorTo } from '../core/period.ts'
import {
  type Draft,
  compare,
  create,
  keyText,
  refuse,
  rootName,
  spelled,
  update,
} from './diff-draft.ts'
import type { Manifest } from './manifest.ts'
import type { Resource } from './model.ts'
import { formatInstant } from './versions.ts'

/** Compares resources: where they belong and how they are paid for may change. */
export function diffResources(draft: Draft): void {
  const { now } = draft
  const nameOf = (id: string): string => now.accounts.find((each) => each.id === id)?.name ?? id
  for (const wanted of draft.manifest.resources ?? []) {
    const key = keyText(draft, wanted)
    const actual = now.resources.find(
      (each) => keyText(draft, { ...each, account: nameOf(each.accountId) }) === key,
    )
    if (actual !== undefined) {
      diffResource(draft, wanted, actual)
      continue
    }
    create(draft, 'resource', `${wanted.meter} ${wanted.name}`, {
      ...wanted,
      createdAt: wanted.createdAt === undefined ? undefined : formatInstant(wanted.createdAt),
    })
  }
}

type ResourceEntry = NonNullable<Manifest['resources']>[number]

function diffResource(draft: Draft, wanted: ResourceEntry, actual: Resource): void {
  const { now } = draft
  const label = { id: actual.id, name: `${actual.meter} ${actual.name}` }
  const { id, region, zone, kind, gatewayType, createdAt, payMode } = wanted
  const createdMs = createdAt === undefined ? undefined : floorTo(createdAt, MINUTE_MS)
  const fixed = compare({ id, region, zone, kind, gatewayType, createdMs }, { ...actual })
  refuse(draft, `resource ${label.name}`, fixed, 'delete it and create it anew')
  const place = compare(
    { account: rootName(draft, wanted.account), project: wanted.project },
    {
      account: spelled(rootName(draft, wanted.account), now.accounts, actual.accountId),
      project: spelled(wanted.project, now.projects, actual.projectId),
    },
  )
  const handedOver = place.some((change) => change.field === 'account')
  if (handedOver && wanted.project === undefined) {
    draft.conflicts.push(
      `resource ${label.name}: name the project of ${wanted.account} that it is handed to.`,
    )
  } else if (place.length > 0) {
    const project = { project: wanted.project, ...(handedOver ? { account: wanted.account } : {}) }
    draft.steps.push({
      verb: 'move',
      kind: 'resource',
      ...label,
      body: project,
      changes: place,
    })
  }
  const paid = compare({ payMode }, { ...actual })
  if (paid.length > 0) update(draft, 'resource', label, paid, 'pay-mode')
  if (fixed.length + place.length + paid.length === 0) draft.unchanged += 1
}
