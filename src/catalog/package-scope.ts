import { AppError } from '../core/errors.ts'
import { unknownRef } from './change.ts'
import type { MeterName, Resource, TrafficPackage } from './model.ts'
import { canonicalName } from './names.ts'
import type { CatalogRows } from './ports.ts'
import { formatInstant } from './versions.ts'

/** Packages of one account that are looked through at a time. */
const PAGE = 1000

/**
 * Finds the projects that a package names, by id or name; null stays null.
 *
 * Errors: `not_found` at `projects[n]` for an unknown one and for another account's, alike;
 * `parameter_invalid` when two of them are one.
 */
export async function findNamedProjects(
  rows: CatalogRows,
  accountId: string,
  refs: readonly string[] | null,
): Promise<readonly string[] | null> {
  return findNamed(refs, 'projects', async (ref, field) => {
    const byId = await rows.projects.get(ref)
    if (byId?.accountId === accountId) return byId.id
    const byName = await rows.projects.find({ accountId, name: ref })
    return byName?.id ?? unknownRef('project', ref, field)
  })
}

/**
 * Finds the resources that a package names, by id, or by name while they live; null stays null.
 *
 * Errors: `not_found` at `resources[n]` for an unknown one, for one of another meter and for
 * another account's, alike; `parameter_invalid` when two of them are one.
 */
export async function findNamedResources(
  rows: CatalogRows,
  owner: { readonly accountId: string; readonly meter: MeterName },
  refs: readonly string[] | null,
): Promise<readonly string[] | null> {
  return findNamed(refs, 'resources', async (ref, field) => {
    const found = await findOwnResource(rows, owner, ref)
    return found?.id ?? unknownRef(`${owner.meter} resource`, ref, field)
  })
}

/** Finds a resource of an account by id, or by name while it lives; undefined: it has none such. */
export async function findOwnResource(
  rows: Pick<CatalogRows, 'resources'>,
  owner: { readonly accountId: string; readonly meter: MeterName },
  ref: string,
): Promise<Resource | undefined> {
  const byId = await rows.resources.get(ref)
  if (byId?.accountId === owner.accountId && byId.meter === owner.meter) return byId
  const name = canonicalName(owner.meter, ref) ?? ref
  return rows.resources.find({ ...owner, name, deletedMs: null })
}

async function findNamed(
  refs: readonly string[] | null,
  list: string,
  find: (ref: string, field: string) => Promise<string>,
): Promise<readonly string[] | null> {
  if (refs === null) return null
  const ids: string[] = []
  for (const [index, ref] of refs.entries()) {
    const field = `${list}[${index}]`
    const id = await find(ref, field)
    if (ids.includes(id)) {
      throw new AppError('parameter_invalid', `${field}: ${ref} is named twice.`, { field })
    }
    ids.push(id)
  }
  return ids.sort()
}

/**
 * Refuses a package that pays for a gateway which another package pays for at the same time.
 *
 * Only packages of gateways do not stack: those of domains and addresses are drawn one after the
 * other, in the order of the rule pack.
 * Time: one that lasts from its first use is taken to last for ever, since nobody knows its end.
 * Errors: `conflict` at the field.
 * Source: tencent.md §3.6, packages do not stack.
 */
export async function refuseStacked(
  rows: CatalogRows,
  entry: TrafficPackage,
  field: string,
): Promise<void> {
  if (entry.meter !== 'mna' || entry.resourceIds === null) return
  let cursor: string | null = null
  do {
    const filter = { accountId: entry.accountId, meter: entry.meter }
    const page = await rows.trafficPackages.list(filter, { limit: PAGE, cursor })
    for (const other of page.items) {
      const shared = sharedResource(entry, other)
      if (shared !== undefined) throw stacked(shared, other, field)
    }
    cursor = page.nextCursor
  } while (cursor !== null)
}

/** The first resource that two different, held packages pay for at the same time. */
export function sharedResource(a: StackablePackage, b: StackablePackage): string | undefined {
  if (a.id === b.id || a.refundedMs !== null || b.refundedMs !== null) return undefined
  const endOf = ({ endMs }: StackablePackage): number => endMs ?? Number.POSITIVE_INFINITY
  if (a.startMs >= endOf(b) || b.startMs >= endOf(a)) return undefined
  return a.resourceIds?.find((id) => b.resourceIds?.includes(id) === true)
}

/** What decides whether two packages of gateways stack. */
export type StackablePackage = Pick<
  TrafficPackage,
  'id' | 'startMs' | 'endMs' | 'refundedMs' | 'resourceIds'
>

function stacked(resource: string, other: TrafficPackage, field: string): AppError {
  const until = other.endMs === null ? 'without end' : `until ${formatInstant(other.endMs)}`
  const message =
    `${resource} has package ${other.id} ${until}; packages of gateways do not stack. ` +
    'Let the new one begin when that one ends, or end that one first.'
  return new AppError('conflict', message, { field })
}
