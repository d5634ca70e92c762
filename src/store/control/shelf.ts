import type { Kysely } from 'kysely'
import type { Page, PageRequest, Shelf } from '../../catalog/ports.ts'
import { AppError, assert } from '../../core/errors.ts'
import type { Shape } from './catalog-rows.ts'
import type { ControlDatabase } from './tables.ts'

/** Kysely over tables whose names are only known at run time. */
type AnyDb = Kysely<Record<string, Record<string, unknown>>>

interface ShelfPlan {
  readonly table: keyof ControlDatabase
  readonly id: string
  /** Columns that order lists: a time or number, then something unique. */
  readonly order: readonly [string, string]
  readonly newestFirst?: boolean
  /** Column of each filter field. */
  readonly filters: Readonly<Record<string, string>>
}

/** A shelf whose inserts also fill the hidden columns. */
export interface OpenShelf<T> extends Omit<Shelf<T, object>, 'insert'> {
  insert(value: T, hidden?: Readonly<Record<string, unknown>>): Promise<void>
}

/** Keeps one kind of catalog entry in its table. */
export function createShelf<T, Row>(
  control: Kysely<ControlDatabase>,
  shape: Shape<T, Row>,
  plan: ShelfPlan,
): OpenShelf<T> {
  const db = control as unknown as AnyDb
  const fromRow = (row: unknown): T => shape.fromRow(row as Parameters<typeof shape.fromRow>[0])
  const direction = plan.newestFirst === true ? 'desc' : 'asc'
  const after = plan.newestFirst === true ? '<' : '>'
  const select = (filter: object) => {
    let query = db.selectFrom(plan.table).selectAll()
    for (const [field, wanted] of Object.entries<unknown>({ ...filter })) {
      const column = plan.filters[field]
      assert(column !== undefined, `${plan.table} cannot be filtered by ${field}`)
      if (wanted === null) query = query.where(column, 'is', null)
      else if (Array.isArray(wanted)) query = query.where(column, 'in', wanted)
      else if (typeof wanted === 'boolean') query = query.where(column, '=', wanted ? 1 : 0)
      else if (wanted !== undefined) query = query.where(column, '=', wanted)
    }
    return query.orderBy(plan.order[0], direction).orderBy(plan.order[1], direction)
  }
  return {
    get: async (id) => {
      const row = await db
        .selectFrom(plan.table)
        .selectAll()
        .where(plan.id, '=', id)
        .executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    find: async (filter) => {
      const row = await select(filter).limit(1).executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    list: async (filter, page) => {
      let query = select(filter)
      if (page.cursor !== null) {
        const [first, second] = parseCursor(page.cursor)
        const [column, tie] = plan.order
        query = query.where((is) =>
          is.or([
            is(column, after, first),
            is.and([is(column, '=', first), is(tie, after, second)]),
          ]),
        )
      }
      const rows = await query.limit(page.limit + 1).execute()
      return cutPage(rows, page, plan.order, fromRow)
    },
    insert: async (value, hidden = {}) => {
      await db
        .insertInto(plan.table)
        .values({ ...shape.toRow(value), ...hidden })
        .execute()
    },
    replace: async (value) => {
      const row: Record<string, unknown> = { ...shape.toRow(value) }
      await db.updateTable(plan.table).set(row).where(plan.id, '=', row[plan.id]).execute()
    },
    remove: async (id) => {
      await db.deleteFrom(plan.table).where(plan.id, '=', id).execute()
    },
  }
}

function cutPage<T>(
  rows: readonly Record<string, unknown>[],
  page: PageRequest,
  order: readonly [string, string],
  fromRow: (row: unknown) => T,
): Page<T> {
  const items = rows.slice(0, page.limit)
  const last = items.at(-1)
  const more = rows.length > page.limit && last !== undefined
  return {
    items: items.map(fromRow),
    nextCursor: more ? formatCursor(last[order[0]], last[order[1]]) : null,
  }
}

function formatCursor(first: unknown, second: unknown): string {
  return Buffer.from(JSON.stringify([first, second])).toString('base64url')
}

function parseCursor(cursor: string): readonly [number, string] {
  const text = Buffer.from(cursor, 'base64url').toString()
  const match = /^\[(\d{1,15}),"([\w.-]{1,100})"\]$/.exec(text)
  // Decoding skips what is no base64; only text that encodes back is ours.
  if (match === null || Buffer.from(text).toString('base64url') !== cursor) {
    throw new AppError(
      'parameter_invalid',
      'cursor is not one that this server gave out; start without a cursor.',
      { field: 'cursor' },
    )
  }
  return [Number(match[1]), match[2] ?? '']
}
