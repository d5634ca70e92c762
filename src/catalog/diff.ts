import {
  type CatalogSnapshot,
  type Draft,
  type Step,
  type StepKind,
  formatValue,
  keyText,
} from './diff-draft.ts'
import { diffAccounts, diffBrands, diffRegions } from './diff-owners.ts'
import { diffPackages, diffSources } from './diff-packages.ts'
import { diffResources } from './diff-resources.ts'
import type { Manifest } from './manifest.ts'

/** What to do, what is as it should be, and what the file asks that cannot be done. */
export interface CatalogDiff {
  readonly steps: readonly Step[]
  readonly unchanged: number
  /** Sentences; with any of them nothing should be applied. */
  readonly conflicts: readonly string[]
}

/**
 * Computes what separates the catalog from the file, in an order in which it can be applied.
 *
 * Entries are matched by their natural names; fields that the file leaves out are not compared.
 * Nothing is removed unless `prune` is asked for, and then only resources, exclusive packages and
 * sources whose section the file has, resources and packages only of accounts that it names.
 */
export function diffCatalog(
  manifest: Manifest,
  now: CatalogSnapshot,
  options: { readonly prune: boolean },
): CatalogDiff {
  const draft: Draft = { manifest, now, steps: [], conflicts: [], unchanged: 0 }
  diffBrands(draft)
  diffRegions(draft)
  diffAccounts(draft)
  diffResources(draft)
  diffPackages(draft)
  diffSources(draft)
  if (options.prune) prune(draft)
  const { steps, unchanged, conflicts } = draft
  return { steps, unchanged, conflicts }
}

function prune(draft: Draft): void {
  const { manifest, now, steps } = draft
  const named = new Set([
    ...(manifest.accounts ?? []).map((account) => account.name),
    ...(manifest.resources ?? []).map((resource) => resource.account),
  ])
  const mine = new Set(
    now.accounts.filter(({ id, name }) => named.has(id) || named.has(name)).map(({ id }) => id),
  )
  const drop = (verb: 'delete' | 'revoke', kind: StepKind, id: string, name: string): void => {
    steps.push({ verb, kind, id, name, body: {}, changes: [] })
  }
  const kept = new Set((manifest.resources ?? []).map((resource) => keyText(draft, resource)))
  const nameOf = (id: string): string => now.accounts.find((each) => each.id === id)?.name ?? id
  const doomed = now.resources.filter(
    (each) =>
      manifest.resources !== undefined &&
      mine.has(each.accountId) &&
      !kept.has(keyText(draft, { ...each, account: nameOf(each.accountId) })),
  )
  for (const entry of now.exclusivePackages) {
    if (manifest.packages === undefined || !mine.has(entry.accountId)) continue
    const address = now.resources.find((each) => each.id === entry.resourceId)
    const wanted = manifest.packages.some(
      (each) =>
        each.type === 'exclusive' &&
        (each.resource === entry.resourceId || each.resource === address?.name),
    )
    if (!wanted) drop('delete', 'exclusive-package', entry.id, `of ${address?.name ?? entry.id}`)
  }
  for (const each of doomed) drop('delete', 'resource', each.id, `${each.meter} ${each.name}`)
  for (const source of now.sources) {
    const wanted = manifest.sources?.some((each) => each.name === source.name) ?? true
    if (!wanted && source.active) drop('revoke', 'source', source.id, source.name)
  }
}

const MARKS: Readonly<Record<Step['verb'], string>> = {
  create: '+',
  update: '~',
  move: '>',
  'pay-mode': '~',
  delete: '-',
  revoke: '-',
}

/** Writes the steps for people, one line each: `+` create, `~` change, `>` move, `-` remove. */
export function formatDiff(diff: CatalogDiff): string {
  const lines = diff.steps.map((step) => {
    const changes = step.changes.map(
      ({ field, from, to }) => `${field} ${formatValue(from)} → ${formatValue(to)}`,
    )
    const what = changes.length === 0 ? '' : `: ${changes.join(', ')}`
    return `${MARKS[step.verb]} ${step.kind} ${step.name}${what}`
  })
  const { length: count } = diff.steps
  const summary = `${count} ${count === 1 ? 'change' : 'changes'}, ${diff.unchanged} unchanged`
  return [...lines, ...diff.conflicts.map((text) => `! ${text}`), summary].join('\n')
}
