import { openEngine } from './open.ts'

/** A server that takes longer to say its version is of no use. */
const PROBE_MS_MAX = 10_000

/**
 * Opens the engine, asks for its version and closes it again. Makes no tables.
 *
 * Errors: as `openEngine`, and what the engine answers.
 */
export async function probeUsageStore(location: string): Promise<string> {
  const engine = await openEngine({
    location,
    cluster: null,
    queryConnections: 1,
    requestTimeoutMs: PROBE_MS_MAX,
  })
  try {
    const [row] = await engine.rows<{ version: string }>('SELECT version() AS version')
    return row?.version ?? 'unknown'
  } finally {
    await engine.close()
  }
}
