import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from './config/config.ts'
import { geoVersion } from './geo/geo.ts'
import { probeControlStore } from './store/control/probe.ts'
import { isUrl } from './store/usage/open.ts'
import { probeUsageStore } from './store/usage/probe.ts'

/** Asks the parts that a server would open, one by one, without changing what they hold. */
export interface Probes {
  /** Version of the engine. Errors: why the usage store cannot be used. */
  usageStore(config: Config): Promise<string>
  /** Version of the database. Errors: why the control store cannot be used. */
  controlStore(config: Config): Promise<string>
  /** Version of the address database. */
  addresses(): string
}

/** The probes of this installation. */
export const PROBES: Probes = {
  async usageStore({ usageStore }) {
    if (isUrl(usageStore.location)) return await probeUsageStore(usageStore.location)
    // Elsewhere, because the directory itself belongs to the one server that runs on it.
    const directory = await mkdtemp(join(tmpdir(), 'weir-doctor-'))
    try {
      return await probeUsageStore(directory)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
  controlStore: ({ controlStore }) => probeControlStore(controlStore.location),
  addresses: geoVersion,
}
