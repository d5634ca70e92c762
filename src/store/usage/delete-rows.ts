import type { Engine } from './engine.ts'

/** Deletes the rows of a table that meet a condition, on every shard; done when it resolves. */
export async function deleteRows(engine: Engine, table: string, condition: string): Promise<void> {
  const { topology } = engine
  const target =
    topology.kind === 'cluster' ? `${table}_local ON CLUSTER ${topology.cluster}` : table
  await engine.command(`DELETE FROM ${target} WHERE ${condition}`)
}
