import { unreachable } from '../../core/errors.ts'
import type { Column, Table } from './tables.ts'

/**
 * Where the tables live: in this process, on one server, or on a replicated and sharded cluster.
 *
 * On a cluster each table is a local replicated one under `<name>_local` and a distributed one
 * under its own name, so that every statement of the store stays the same.
 */
export type Topology =
  | { readonly kind: 'embedded' }
  | { readonly kind: 'single' }
  | { readonly kind: 'cluster'; readonly cluster: string }

/** Recent insert tokens that a table remembers. Only unfinished batches are ever inserted again. */
const DEDUPLICATION_WINDOW = 1000

/** Writes an SQL string literal. */
export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function renderColumn(column: Column): string {
  const codec = column.codec === undefined ? '' : ` CODEC(${column.codec})`
  return `  ${column.name} ${column.type} COMMENT ${quote(column.comment)}${codec}`
}

function engineOf(table: Table, topology: Topology): string {
  const replicated = topology.kind === 'cluster' ? 'Replicated' : ''
  const path = `'/clickhouse/tables/{shard}/{database}/${table.name}', '{replica}'`
  const sums = table.sums.length === 0 ? '' : `(${table.sums.join(', ')})`
  const parameters = [
    ...(topology.kind === 'cluster' ? [path] : []),
    ...(sums === '' ? [] : [sums]),
  ].join(', ')
  return `${replicated}${sums === '' ? '' : 'Summing'}MergeTree(${parameters})`
}

function settingsOf(topology: Topology): string {
  // Acked frames leave the journal once they are in the tables, so the tables must be on disk by
  // then.
  const durable = 'fsync_after_insert = 1, fsync_part_directory = 1'
  switch (topology.kind) {
    case 'embedded':
    case 'single':
      return `${durable}, non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`
    case 'cluster':
      return `${durable}, replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`
    default:
      return unreachable(topology)
  }
}

function renderLocal(table: Table, topology: Topology, name: string, onCluster: string): string {
  const body = [
    ...table.columns.map(renderColumn),
    ...table.indexes.map(
      (index) => `  INDEX ${index.name} ${index.column} TYPE ${index.type} GRANULARITY 1`,
    ),
  ].join(',\n')
  return [
    `CREATE TABLE IF NOT EXISTS ${name}${onCluster}`,
    `(\n${body}\n)`,
    `ENGINE = ${engineOf(table, topology)}`,
    `PARTITION BY ${table.partitionBy}`,
    `ORDER BY (${table.orderBy.join(', ')})`,
    `SETTINGS ${settingsOf(topology)}`,
    `COMMENT ${quote(table.comment)}`,
  ].join('\n')
}

/**
 * Renders the statement that adds columns to a stored table; safe to repeat.
 *
 * Shape: columns that the table sorts by join its sort key in the same statement, as the engine
 * demands: rows that are there have no value of them, so their order stays right. `sorts` is false
 * for the distributed table of a cluster, which only passes rows on.
 */
export function renderAddColumns(
  table: Table,
  columns: readonly Column[],
  topology: Topology,
  { name, sorts }: { readonly name: string; readonly sorts: boolean },
): string {
  const onCluster = topology.kind === 'cluster' ? ` ON CLUSTER ${topology.cluster}` : ''
  const isKey = columns.some((column) => table.orderBy.includes(column.name))
  return [
    `ALTER TABLE ${name}${onCluster}`,
    [
      ...columns.map((column) => `  ADD COLUMN IF NOT EXISTS ${renderColumn(column).trimStart()}`),
      ...(sorts && isKey ? [`  MODIFY ORDER BY (${table.orderBy.join(', ')})`] : []),
    ].join(',\n'),
  ].join('\n')
}

/**
 * Renders the statements that create a table.
 *
 * Shape: one statement, or two on a cluster (the replicated table, then the distributed one).
 */
export function renderCreate(table: Table, topology: Topology): string[] {
  if (topology.kind !== 'cluster') return [renderLocal(table, topology, table.name, '')]
  const onCluster = ` ON CLUSTER ${topology.cluster}`
  const local = `${table.name}_local`
  return [
    renderLocal(table, topology, local, onCluster),
    [
      `CREATE TABLE IF NOT EXISTS ${table.name}${onCluster} AS ${local}`,
      `ENGINE = Distributed(${topology.cluster}, currentDatabase(), ${local}, ${table.shardBy})`,
    ].join('\n'),
  ]
}
