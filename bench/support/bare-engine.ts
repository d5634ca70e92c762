import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { geoVersion, writeGeoPrefixes } from '../../src/geo/geo.ts'
import type { Engine } from '../../src/store/usage/engine.ts'
import { openEngine } from '../../src/store/usage/open.ts'
import { installPlaces, REFERENCE_STATEMENTS } from '../../src/store/usage/reference.ts'

/** Opens an engine without Weir's tables, with the address dictionary loaded. */
export async function openBareEngine(directory: string): Promise<Engine> {
  await mkdir(directory, { recursive: true })
  const engine = await openEngine({
    location: join(directory, 'bare'),
    cluster: null,
    queryConnections: 1,
    requestTimeoutMs: 600_000,
  })
  for (const statement of REFERENCE_STATEMENTS) await engine.command(statement)
  await installPlaces(engine, geoVersion(), writeGeoPrefixes, directory)
  await engine.rows(`SELECT dictGet('geo_places', 'place', tuple(toIPv6('1.2.3.4'))) AS place`)
  return engine
}
