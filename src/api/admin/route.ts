import { z } from 'zod'
import type { Catalog, CatalogWriter } from '../../catalog/catalog.ts'
import type { Page, PageRequest } from '../../catalog/ports.ts'
import type { AlertDesk } from '../operations/alert-desk.ts'
import { AppError } from '../../core/errors.ts'
import type { PackageDesk } from '../operations/buy-package.ts'
import type { ChargeDeps } from '../operations/charge-modes.ts'

/** Entries of one page of a list. */
const PAGE_DEFAULT = 100
const PAGE_MAX = 1000

/** One call, already authenticated, its query checked. */
export interface AdminCall<Query> {
  /** The `{id}` of the path; empty where the path has none. */
  readonly id: string
  readonly query: Query
  /** As the caller sent it; the catalog checks it. */
  readonly body: unknown
  /** Name of the caller’s token. */
  readonly actor: string
  readonly catalog: Catalog
  /** Changes made in the caller's name. */
  readonly writer: CatalogWriter
  readonly alerts: AlertDesk
  readonly charges: ChargeDeps
  readonly packages: PackageDesk
}

/** One operation of the admin API: what serves it and what documents it. */
export interface AdminRoute {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Below /admin/v1, with `{id}` where an entry is named. */
  readonly path: string
  readonly summary: string
  readonly status: 200 | 201
  readonly query: z.ZodObject
  readonly body: z.ZodType | null
  readonly answer: z.ZodType
  run(call: AdminCall<unknown>): Promise<unknown>
}

interface RoutePlan<Query extends z.ZodObject> {
  readonly summary: string
  readonly query?: Query
  readonly body?: z.ZodType
  readonly answer: z.ZodType
  run(call: AdminCall<z.output<Query>>): Promise<unknown>
}

/**
 * Declares one operation, e.g. `route('POST', '/accounts', { … })`. POST on a collection answers
 * 201.
 */
export function route<Query extends z.ZodObject = z.ZodObject>(
  method: AdminRoute['method'],
  path: string,
  plan: RoutePlan<Query>,
): AdminRoute {
  const creates = method === 'POST' && /(^|s)$/.test(path)
  return {
    method,
    path,
    summary: plan.summary,
    status: creates ? 201 : 200,
    query: plan.query ?? z.strictObject({}),
    body: plan.body ?? null,
    answer: plan.answer,
    // The server parses the query with this route's own schema before it calls.
    run: (call) => plan.run(call as AdminCall<z.output<Query>>),
  }
}

const PAGE_QUERY = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(PAGE_MAX)
    .default(PAGE_DEFAULT)
    .describe(`Entries per page, at most ${PAGE_MAX}.`),
  cursor: z.string().max(400).optional().describe('nextCursor of the page before.'),
}

/** The query of a list: its filters and the page. */
export function listQuery<Shape extends z.ZodRawShape>(filters: Shape) {
  return z.strictObject({ ...filters, ...PAGE_QUERY })
}

/** `true` or `false` in a query. */
export const Flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ override: { type: 'boolean' } })

/** Takes the page out of a list's query. */
export function pageOf(query: {
  readonly limit: number
  readonly cursor?: string | undefined
}): PageRequest {
  return { limit: query.limit, cursor: query.cursor ?? null }
}

/** The answer of a list. */
export function pageAnswer(item: z.ZodType) {
  return z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().describe('Ask with it for the next page; null on the last.'),
  })
}

/** Writes a page in its wire form. */
export function pageToWire<T>(page: Page<T>, toWire: (item: T) => unknown): unknown {
  return { items: page.items.map(toWire), nextCursor: page.nextCursor }
}

/**
 * Cuts a page out of a list that is short enough to be read whole.
 *
 * Errors: `parameter_invalid` for a strange cursor.
 */
export function cutPage<T>(
  list: readonly T[],
  { limit, cursor }: PageRequest,
  keyOf: (item: T) => string,
): Page<T> {
  const before = cursor === null ? -1 : list.findIndex((item) => keyOf(item) === cursor)
  if (cursor !== null && before < 0) {
    const message = 'cursor is not one that this server gave out; start without a cursor.'
    throw new AppError('parameter_invalid', message, { field: 'cursor' })
  }
  const items = list.slice(before + 1, before + 1 + limit)
  const last = items.at(-1)
  const hasMore = before + 1 + limit < list.length
  return { items, nextCursor: hasMore && last !== undefined ? keyOf(last) : null }
}

/** Drops filters that were not asked for. */
export function filterOf<T extends Record<string, unknown>>(
  filter: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined)
  return Object.fromEntries(asked) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
