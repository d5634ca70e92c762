import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from './open.ts'
import { usageStoreSuite } from './usage-store.suite.ts'

usageStoreSuite('the embedded engine', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-usage-'))
  const engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 2,
    requestTimeoutMs: 30_000,
  })
  return {
    engine,
    directory,
    async close() {
      await engine.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
})
