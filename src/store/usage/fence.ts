import { AppError } from '../../core/errors.ts'
import type { Batch } from '../../ingest/batch.ts'
import type { Engine } from './engine.ts'
import { quote } from './render.ts'

/** Looks for what still runs at most so often, before the loader waits longer. */
const LOOKS_MAX = 50
const LOOK_MS = 100

/**
 * An engine whose statements name the batch that they are for.
 *
 * A server goes on with a statement whose connection broke. Its text says then what it belongs to,
 * to this process and to the next one after a crash. A statement of the embedded engine ends with
 * the call, so nothing is added there.
 */
export function forBatch(engine: Engine, batch: Pick<Batch, 'id'>): Engine {
  if (engine.topology.kind === 'embedded') return engine
  const mark = markOf(batch)
  return {
    ...engine,
    command: (sql, options) => engine.command(`${mark} ${sql}`, options),
    loadLines: (render, files) => engine.loadLines((source) => `${mark} ${render(source)}`, files),
  }
}

function markOf({ id }: Pick<Batch, 'id'>): string {
  return `/* weir batch ${id} */`
}

/**
 * Waits until nothing runs any more that an earlier attempt at the batch has started.
 *
 * Otherwise its rows could appear after they were looked for and discarded, and count twice.
 *
 * Errors: `overloaded` when something still runs after five seconds.
 */
export async function waitForEarlierStatements(
  engine: Engine,
  batch: Pick<Batch, 'id'>,
): Promise<void> {
  const { topology } = engine
  if (topology.kind === 'embedded') return
  const processes =
    topology.kind === 'cluster'
      ? `clusterAllReplicas(${quote(topology.cluster)}, system.processes)`
      : 'system.processes'
  for (let look = 0; look < LOOKS_MAX; look += 1) {
    const [found] = await engine.rows<{ running: string }>(
      `SELECT count() AS running FROM ${processes} AS p WHERE startsWith(p.query, ${quote(markOf(batch))})`,
    )
    if (found?.running === '0') return
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  throw new AppError(
    'overloaded',
    'The usage store is still busy with an earlier attempt at the same batch.',
    { retryAfterSeconds: 5 },
  )
}
