import type { BooksScope } from '../../billing/books-usage.ts'
import { AppError } from '../../core/errors.ts'
import type { Interval } from '../../core/period.ts'
import { METERS } from '../../meters/meter.ts'
import { dimensionValue } from './dimension.ts'
import type { Parameters } from './bind.ts'
import type { Engine } from './engine.ts'
import { chooseSource } from './query-plan.ts'

/** Rows that one question may answer; each becomes an object of some 200 bytes. */
const ROWS_MAX = 2_000_000

/** What a question needs of a table: which dimensions it tells apart, and how fine its time is. */
export interface Need {
  readonly dimensions: readonly (
    | 'project'
    | 'resource'
    | 'area'
    | 'billing_region'
    | 'kind'
    | 'province'
  )[]
  readonly grainSeconds: 60 | 300
  /** Whether rows of zeros are needed, which rollups forget. */
  readonly hasZeros?: boolean
}

/** A table and how its columns say what the books ask for; the table goes by `t`. */
export interface BooksSource {
  readonly table: string
  readonly time: string
  readonly bytesOut: string
  readonly bytesIn: string
  readonly area: string
  /** The area, where regions are not needed. */
  readonly billingRegion: string
  readonly kind: string
  readonly province: string
  /** Whether rows name their resource. */
  readonly hasResource: boolean
}

/**
 * Picks the table that answers a question: the smallest rollup that has its dimensions, or the
 * usage itself where only rows up to a batch count, or rows of zeros do, too: rollups forget both.
 *
 * Shape: for a gateway device up is out and down is in; addresses and gateways are in the area
 * `cn`, of kind `static`, in no province.
 */
export function booksSource(scope: BooksScope, need: Need): BooksSource {
  const meter = METERS[scope.meter]
  const isCdn = meter.name === 'cdn'
  const own = isCdn ? need.dimensions : need.dimensions.filter((name) => isOwner(name))
  const dimensions = new Set(['account', ...own, ...(isCdn ? [] : ['direction'])])
  const { table, time } =
    scope.throughBatch === null && need.hasZeros !== true
      ? chooseSource(meter, dimensions, need.grainSeconds)
      : { table: `usage_${meter.name}`, time: 'minute' }
  const rollup = meter.rollups.find((each) => each.table === table)
  const hasResource = rollup === undefined || rollup.orderBy.includes('resource')
  const at = { table, time: `t.${time}`, hasResource }
  if (isCdn) {
    const needs = new Set(need.dimensions)
    return {
      ...at,
      area: 't.area',
      billingRegion: needs.has('billing_region')
        ? dimensionValue(meter, 'billing_region')
        : 't.area',
      kind: 't.kind',
      province: needs.has('province') ? 't.province' : `''`,
      bytesOut: 't.bytes_out',
      bytesIn: 't.bytes_in',
    }
  }
  const out = meter.name === 'eip' ? 'out' : 'up'
  return {
    ...at,
    bytesOut: `if(t.direction = '${out}', t.bytes, 0)`,
    bytesIn: `if(t.direction = '${out}', 0, t.bytes)`,
    area: `'cn'`,
    billingRegion: `'cn'`,
    kind: `'static'`,
    province: `''`,
  }
}

function isOwner(name: string): boolean {
  return name === 'project' || name === 'resource'
}

/** Conditions that select what a question is about, and the values that they are bound to. */
export interface Selection {
  readonly where: string
  readonly parameters: Parameters
}

/** Renders whose rows count, of which time, and up to which batch. */
export function selectScope(
  scope: BooksScope & Interval,
  source: Pick<BooksSource, 'time' | 'hasResource'>,
): Selection {
  const { accountIds, startMs, endMs, throughBatch } = scope
  const resources = source.hasResource ? scope.resourceIds : undefined
  const conditions = [
    't.account IN {accounts:Array(String)}',
    `${source.time} >= {start:DateTime}`,
    `${source.time} < {end:DateTime}`,
    ...(throughBatch === null ? [] : ['t.batch <= {through:UInt64}']),
    ...(resources === undefined ? [] : ['t.resource IN {resources:Array(String)}']),
  ]
  return {
    where: conditions.join(' AND '),
    parameters: {
      accounts: accountIds,
      start: startMs / 1000,
      end: endMs / 1000,
      ...(throughBatch !== null && { through: throughBatch }),
      ...(resources !== undefined && { resources }),
    },
  }
}

/**
 * Runs a query that answers as many rows as can be held.
 *
 * Errors: `too_large` for more.
 */
export async function limitedRows<Row>(
  engine: Engine,
  sql: string,
  parameters: Parameters,
): Promise<Row[]> {
  const rows = await engine.rows<Row>(`${sql} LIMIT ${ROWS_MAX + 1}`, parameters)
  if (rows.length <= ROWS_MAX) return rows
  throw new AppError(
    'too_large',
    `The usage has more than ${ROWS_MAX} sums at this level; rate a shorter period, ` +
      'fewer accounts at a time, or at a level above the resource.',
  )
}

/** Collects what rows say by account, in the order of the rows. */
export function byAccount<Row extends { readonly account: string }, Item>(
  rows: readonly Row[],
  itemsOf: (row: Row) => readonly Item[],
): Map<string, Item[]> {
  const accounts = new Map<string, Item[]>()
  for (const row of rows) {
    const items = accounts.get(row.account) ?? []
    accounts.set(row.account, items)
    items.push(...itemsOf(row))
  }
  return accounts
}
