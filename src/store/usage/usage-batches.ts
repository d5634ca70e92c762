import type { UsageBatches, UsageOrigin } from '../../billing/books-usage.ts'
import { selectScope } from './books-source.ts'
import type { Engine } from './engine.ts'

/** Lists the batches that brought usage into a stretch of time; see `UsageOrigin.batches`. */
export async function readBatches(
  engine: Engine,
  { accountId, afterBatch, namedMax, ...scope }: Parameters<UsageOrigin['batches']>[0],
): Promise<UsageBatches> {
  const query = { ...scope, accountIds: [accountId] }
  const { where, parameters } = selectScope(query, { time: 't.minute', hasResource: true })
  const [row] = await engine.rows<{ numbers: string[]; count: string }>(
    `SELECT arraySlice(arraySort(groupUniqArray(t.batch)), 1, {named:UInt32}) AS numbers,
  uniqExact(t.batch) AS count
FROM usage_${query.meter} AS t WHERE ${where} AND t.batch > {after:UInt64}`,
    { ...parameters, after: afterBatch, named: namedMax },
  )
  return { numbers: (row?.numbers ?? []).map(Number), count: Number(row?.count ?? 0) }
}
