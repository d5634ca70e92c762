import type { Clock } from '../../src/core/clock.ts'
import { ConfigFile, locate, type Config } from '../../src/config/config.ts'
import { openCore, type Core, type Telemetry } from '../../src/compose.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

/** The moment at which every benchmark takes place: generated data is the same every day. */
export const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0)

/** Resources exist for longer than any generated usage. */
export const CREATED_AT = '2026-01-01T00:00:00Z'

/** A clock that starts at an instant and runs; `setMs` makes it another instant. */
export function startClock(atMs = NOW_MS): Clock & { setMs(nowMs: number): void } {
  let startMs = atMs - performance.now()
  return {
    nowMs: () => Math.floor(startMs + performance.now()),
    setMs: (nowMs) => {
      startMs = nowMs - performance.now()
    },
  }
}

/** The configuration that an empty file gives, with its data in a directory. */
export function configIn(directory: string): Config {
  return locate(ConfigFile.parse({ data: { directory } }))
}

/**
 * Metrics as the server has them, and a log of failures: a load that fails is tried again for ever.
 */
export function createTelemetry(): Telemetry {
  return { log: createLog({ level: 'warn' }), metrics: createMetrics({ version: 'bench' }) }
}

/** Opens Weir over a directory as the server does, with its loader running. */
export async function openWeir(
  directory: string,
  clock: Clock = startClock(),
): Promise<Core & { stop(): Promise<void> }> {
  const core = await openCore(configIn(directory), createTelemetry(), { clock })
  await core.loader.start()
  // The first lookup makes the engine read the address database; servers do that once.
  await core.engine.rows(`SELECT dictGet('geo_places', 'place', tuple(toIPv6('1.2.3.4'))) AS place`)
  return {
    ...core,
    async stop() {
      await core.loader.stop()
      await core.close()
    },
  }
}

/** Registers an account with domains in its default project. */
export async function registerDomains(
  core: Core,
  domains: readonly string[],
  accountName = 'Bench',
): Promise<{ accountId: string; projectId: string; resourceIds: string[] }> {
  const catalog = core.catalog.as('bench')
  const account = await catalog.createAccount({ name: accountName })
  const project = await core.catalog.rows.projects.find({ accountId: account.id, isDefault: true })
  if (project === undefined) throw new Error('the account has no default project')
  const resourceIds: string[] = []
  for (const name of domains) {
    const { id } = await catalog.createResource({
      meter: 'cdn',
      account: account.id,
      name,
      createdAt: CREATED_AT,
    })
    resourceIds.push(id)
  }
  return { accountId: account.id, projectId: project.id, resourceIds }
}
