import type { BooksUsage } from '../../billing/books-usage.ts'
import { METERS } from '../../meters/meter.ts'
import { selectScope } from './books-source.ts'
import type { Engine } from './engine.ts'
import { TABLES } from './tables.ts'

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
 * its record id without being noticed. A dimension that was added later is hashed on top of the
 * others where a row has it: rows from before keep the hash that closed days were proved with.
 */
export async function readProofs(
  engine: Engine,
  query: Query,
): Promise<Awaited<ReturnType<BooksUsage['proofs']>>> {
  const table = `usage_${query.meter}`
  const { where, parameters } = selectScope(query, { time: 't.minute', hasResource: true })
  const rows = await engine.rows<ProofRow>(
    `SELECT t.account AS account, min(t.batch) AS first, uniqExact(t.batch) AS batches,
  count() AS rows, sum(${renderRowHash(query.meter)}) AS hash,
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
function renderRowHash(meter: Query['meter']): string {
  const columns = TABLES.find(({ name }) => name === `usage_${meter}`)?.columns ?? []
  const added = METERS[meter].dimensions.filter(({ emptyMeans }) => emptyMeans !== undefined)
  const first = columns.filter(({ name }) => added.every((each) => each.name !== name))
  return added.reduce(
    (hash, { name }) => `if(t.${name} = '', ${hash}, cityHash64(${hash}, t.${name}))`,
    `cityHash64(${first.map(({ name }) => `t.${name}`).join(', ')})`,
  )
}
