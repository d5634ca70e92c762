import { AppError } from '../../core/errors.ts'
import type { Engine } from './engine.ts'
import { renderAddColumns, type Topology } from './render.ts'
import type { Column, Table } from './tables.ts'

/** A table as the engine has it. */
export interface StoredTable {
  readonly types: ReadonlyMap<string, string>
  /** Names of columns, parted by commas; empty where rows are not sorted. */
  readonly sortingKey: string
}

/**
 * Adds the columns to stored tables that a later release has declared, and puts those that are sort
 * keys at the end of the sort key.
 *
 * Rows that are there read as empty in a new column; `dimensionValue` says what that means.
 *
 * Errors: `config_invalid` for a table whose columns have other types, or whose rows are sorted
 * otherwise; nothing of it is altered then.
 * Limits: columns that are not declared are left alone, as a newer release may have added them.
 */
export async function convergeTables(engine: Engine, tables: readonly Table[]): Promise<void> {
  const stored = await readTables(engine)
  const statements = tables.flatMap((table) => planTable(table, stored, engine.topology))
  for (const statement of statements) await engine.command(statement)
}

/**
 * Plans the statements for one declared table, in their order.
 *
 * Shape: on a cluster the replicated table first: the distributed one would pass on columns that
 * it does not have.
 */
export function planTable(
  table: Table,
  stored: ReadonlyMap<string, StoredTable>,
  topology: Topology,
): string[] {
  const parts =
    topology.kind === 'cluster'
      ? [
          { name: `${table.name}_local`, sorts: true },
          { name: table.name, sorts: false },
        ]
      : [{ name: table.name, sorts: true }]
  return parts.flatMap((part) => {
    const missing = missingColumns(table, part, stored.get(part.name))
    return missing.length === 0 ? [] : [renderAddColumns(table, missing, topology, part)]
  })
}

function missingColumns(
  table: Table,
  { name, sorts }: { readonly name: string; readonly sorts: boolean },
  stored: StoredTable | undefined,
): Column[] {
  if (stored === undefined) throw unfit(name, 'is not there')
  for (const { name: column, type } of table.columns) {
    const known = stored.types.get(column)
    if (known !== undefined && known !== type) {
      throw unfit(name, `has the column ${column} as ${known}, not as ${type}`)
    }
  }
  const missing = table.columns.filter((column) => !stored.types.has(column.name))
  const added = new Set(missing.map((column) => column.name))
  const expected = table.orderBy.filter((column) => !added.has(column)).join(', ')
  const isLast = table.orderBy.join(', ').startsWith(expected)
  if ((sorts && stored.sortingKey !== expected) || !isLast) {
    throw unfit(name, `sorts by (${stored.sortingKey}), not by (${table.orderBy.join(', ')})`)
  }
  return missing
}

function unfit(name: string, problem: string): AppError {
  return new AppError(
    'config_invalid',
    `The table ${name} of the usage store ${problem}. It is of another release, or was changed by ` +
      'hand: start the release that wrote it, or name another usage store.',
  )
}

async function readTables(engine: Engine): Promise<ReadonlyMap<string, StoredTable>> {
  const rows = await engine.rows<{
    name: string
    key: string
    columns: readonly (readonly [name: string, type: string])[]
  }>(
    `SELECT t.name AS name, any(t.sorting_key) AS key, groupArray((c.name, c.type)) AS columns
FROM system.tables AS t INNER JOIN system.columns AS c ON c.table = t.name
WHERE t.database = currentDatabase() AND c.database = currentDatabase()
GROUP BY name`,
  )
  return new Map(
    rows.map(({ name, key, columns }) => [name, { types: new Map(columns), sortingKey: key }]),
  )
}
