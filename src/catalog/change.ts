import type { EpochMs } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import type { Account, Brand, Project, Resource } from './model.ts'
import type { CatalogRows } from './ports.ts'

/** One change of the catalog in the making: the rows of its transaction, who makes it, and when. */
export interface Change {
  readonly rows: CatalogRows
  readonly actor: string
  readonly nowMs: EpochMs
}

/** Writes down who changed what. Values hold no secrets; bigints become decimal text. */
export async function recordChange(
  { rows, actor, nowMs }: Change,
  action: string,
  target: string,
  states: { readonly before: unknown; readonly after: unknown },
): Promise<void> {
  await rows.audit.append({
    id: newId('log', 12),
    atMs: nowMs,
    actor,
    action,
    target,
    before: toPlain(states.before),
    after: toPlain(states.after),
  })
}

function toPlain(value: unknown): unknown {
  if (value === null || value === undefined) return null
  const text = JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'bigint' ? String(part) : part,
  )
  return JSON.parse(text) as unknown
}

/** Finds an account by id, name or number. Errors: `not_found` at `field`. */
export async function findAccount(
  rows: CatalogRows,
  ref: string,
  field = 'account',
): Promise<Account> {
  const found =
    (await rows.accounts.get(ref)) ??
    (await rows.accounts.find({ name: ref })) ??
    (/^\d{1,10}$/.test(ref) ? await rows.accounts.find({ number: Number(ref) }) : undefined)
  return found ?? unknownRef('account', ref, field)
}

/**
 * Finds the account that owns projects and resources: the named one, or the parent of a
 * sub-account.
 */
export async function findRootAccount(
  rows: CatalogRows,
  ref: string,
  field = 'account',
): Promise<Account> {
  const account = await findAccount(rows, ref, field)
  return account.parentId === null ? account : findAccount(rows, account.parentId, field)
}

/** Finds a brand by id or name. Errors: `not_found`. */
export async function findBrand(rows: CatalogRows, ref: string): Promise<Brand> {
  const found = (await rows.brands.get(ref)) ?? (await rows.brands.find({ name: ref }))
  return found ?? unknownRef('brand', ref, 'brand')
}

/** Finds a project of the account by id or name; its default one when none is named. */
export async function findProject(
  rows: CatalogRows,
  accountId: string,
  ref: string | undefined,
): Promise<Project> {
  if (ref === undefined) {
    const found = await rows.projects.find({ accountId, isDefault: true })
    return found ?? unknownRef('default project of', accountId, 'project')
  }
  const byId = await rows.projects.get(ref)
  if (byId !== undefined && byId.accountId === accountId) return byId
  const byName = await rows.projects.find({ accountId, name: ref })
  return byName ?? unknownRef('project', ref, 'project')
}

/** Finds a resource by id. Errors: `not_found`. */
export async function findResource(rows: CatalogRows, id: string): Promise<Resource> {
  return (await rows.resources.get(id)) ?? unknownRef('resource', id, 'id')
}

/** Stops with `not_found`, naming what was looked for. */
export function unknownRef(kind: string, ref: string, field: string): never {
  throw new AppError('not_found', `${kind} "${ref}" does not exist.`, { field })
}

/** Stops with `conflict` at the field when something already has the value. */
export function refuseTaken(taken: boolean, field: string, message: string): void {
  if (taken) throw new AppError('conflict', message, { field })
}
