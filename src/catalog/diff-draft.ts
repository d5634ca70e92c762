import type {
  Account,
  Brand,
  ExclusivePackage,
  Project,
  Region,
  Resource,
  Source,
  TrafficPackage,
} from './model.ts'
import { type Manifest, resourceKey } from './manifest.ts'
import { formatInstant } from './versions.ts'

/** What the catalog holds now; of resources the living ones. */
export interface CatalogSnapshot {
  readonly brands: readonly Brand[]
  readonly regions: readonly Region[]
  readonly accounts: readonly Account[]
  readonly projects: readonly Project[]
  readonly resources: readonly Resource[]
  readonly trafficPackages: readonly TrafficPackage[]
  readonly exclusivePackages: readonly ExclusivePackage[]
  readonly sources: readonly Source[]
}

/** Kinds of entries that a catalog file may hold. */
export type StepKind =
  | 'brand'
  | 'region'
  | 'account'
  | 'project'
  | 'resource'
  | 'traffic-package'
  | 'exclusive-package'
  | 'source'

/** One change that brings the catalog closer to the file. */
export interface Step {
  readonly verb: 'create' | 'update' | 'move' | 'pay-mode' | 'delete' | 'revoke'
  readonly kind: StepKind
  /** Natural name, for people. */
  readonly name: string
  /** Of the existing entry; empty for creations. */
  readonly id: string
  /** What the admin API takes for it. */
  readonly body: Readonly<Record<string, unknown>>
  /** Field: from → to. Empty for creations and removals. */
  readonly changes: readonly FieldChange[]
}

/** One field of an entry, before and after. */
export interface FieldChange {
  readonly field: string
  readonly from: unknown
  readonly to: unknown
}

/** A diff in the making. */
export interface Draft {
  readonly manifest: Manifest
  readonly now: CatalogSnapshot
  readonly steps: Step[]
  readonly conflicts: string[]
  unchanged: number
}

/** Drops fields that the file leaves out. */
export function given(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** Lists the fields of the file that the catalog has otherwise. */
export function compare(
  wanted: Readonly<Record<string, unknown>>,
  actual: Readonly<Record<string, unknown>>,
): FieldChange[] {
  return Object.entries(given(wanted)).flatMap(([field, to]) =>
    toText(actual[field]) === toText(to) ? [] : [{ field, from: actual[field], to }],
  )
}

function toText(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value ?? null)
}

/** Plans a new entry. */
export function create(
  draft: Draft,
  kind: StepKind,
  name: string,
  body: Record<string, unknown>,
): void {
  draft.steps.push({ verb: 'create', kind, name, id: '', body: given(body), changes: [] })
}

/** Plans a change of an existing entry. */
export function update(
  draft: Draft,
  kind: StepKind,
  entry: { readonly id: string; readonly name: string },
  changes: readonly FieldChange[],
  verb: Step['verb'] = 'update',
): void {
  const body = Object.fromEntries(changes.map(({ field, to }) => [field, to]))
  draft.steps.push({ verb, kind, name: entry.name, id: entry.id, body, changes })
}

/** Notes what the file asks of an existing entry and cannot have. */
export function refuse(
  draft: Draft,
  what: string,
  changes: readonly FieldChange[],
  wayOut: string,
): void {
  for (const { field, from, to } of changes) {
    draft.conflicts.push(
      `${what}: ${field} is ${formatValue(from)} and cannot become ${formatValue(to)}; ${wayOut}.`,
    )
  }
}

/** The existing entry as the file spells it: by id when the file does, else by name. */
export function spelled(
  wanted: string | undefined,
  entries: readonly { readonly id: string; readonly name: string }[],
  id: string | null,
): string | null {
  return wanted === id ? id : (entries.find((entry) => entry.id === id)?.name ?? id)
}

/**
 * The root account's name of an account that the file names; sub-accounts own nothing themselves.
 */
export function rootName(draft: Draft, ref: string): string {
  const { accounts } = draft.now
  const account = accounts.find(({ id, name }) => id === ref || name === ref)
  if (account === undefined || account.parentId === null) return ref
  return accounts.find(({ id }) => id === account.parentId)?.name ?? ref
}

/** The natural key of a resource, whichever way its account is spelled. */
export function keyText(
  draft: Draft,
  entry: { readonly meter: string; readonly name: string; readonly account: string },
): string {
  const byRef = draft.now.accounts.find((each) => each.id === entry.account)
  return JSON.stringify(
    resourceKey({ ...entry, account: rootName(draft, byRef?.name ?? entry.account) }),
  )
}

/** An instant as the admin API writes it. */
export function instant(ms: number | null | undefined): string | null | undefined {
  return typeof ms === 'number' ? formatInstant(ms) : ms
}

/** Writes a value for people. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(' ')
  return typeof value === 'string' || typeof value === 'bigint'
    ? String(value)
    : JSON.stringify(value)
}
