import type { BooksUsage } from '../../billing/books-usage.ts'
import { TABLES } from './tables.ts'
import { selectScope } from './books-source.ts'
import type { Engine } from './engine.ts'

type Query = Parameters<BooksUsage['proofs']>[0]

interface ProofRow {
  readonly account: string
  readonly first: string
  readonly batches: string
  readonly rows: string
  readonly hash: string
  readonly geo: string[]
}

/**
 * Sums up which rows of the usage belong to each account; see `BooksUsage.proofs`.
 *
 * Every stored column is in a row's hash, so that a row cannot change its resource, its source or
 * its record id without being noticed; columns that are added later change the hash, too.
 */
export async function readProofs(
  engine: Engine,
  query: Query,
): Promise<Awaited<ReturnType<BooksUsage['proofs']>>> {
  const table = `usage_${query.meter}`
  const { where, parameters } = selectScope(query, { time: 't.minute', hasResource: true })
  const rows = await engine.rows<ProofRow>(
    `SELECT t.account AS account, min(t.batch) AS first, uniqExact(t.batch) AS batches,
  count() AS rows, sum(${renderRowHash(table)}) AS hash,
  arraySort(groupUniqArrayIf(t.geo_version, t.geo_version != '')) AS geo
FROM ${table} AS t WHERE ${where} GROUP BY account ORDER BY account`,
    parameters,
  )
  const { throughBatch } = query
  return new Map(
    rows.map((row) => [
      row.account,
      {
        throughBatch,
        firstBatch: Number(row.first),
        batches: Number(row.batches),
        rows: Number(row.rows),
        hash: BigInt(row.hash).toString(16).padStart(16, '0'),
        geoVersions: row.geo,
      },
    ]),
  )
}

/** Expression: 64-bit hash of all columns of a row of `t`; sums of it wrap at 2^64. */
function renderRowHash(name: string): string {
  const columns = TABLES.find((table) => table.name === name)?.columns ?? []
  return `cityHash64(${columns.map((column) => `t.${column.name}`).join(', ')})`
}
