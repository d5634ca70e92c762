import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openEngine } from '../../src/store/usage/open.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { BARE } from './scripts.ts'

// The yardstick: the engine's own typed JSON reader into a table, without owners, deduplication,
// places, durability or rollups.
await BARE.act(async ({ directory, usage }) => {
  await mkdir(directory, { recursive: true })
  const engine = await openEngine({
    location: join(directory, 'bare'),
    cluster: null,
    queryConnections: 1,
    requestTimeoutMs: 600_000,
  })
  const columns =
    "id String, time DateTime64(3, 'UTC'), resource LowCardinality(String), bytesOut UInt64, " +
    'client String, status UInt16, cache LowCardinality(String)'
  await engine.command(
    `CREATE TABLE bare (${columns}) ENGINE = MergeTree ORDER BY (resource, time)`,
  )
  const structure = columns.replaceAll("'", "\\'")
  const watch = startStopwatch()
  await engine.command(
    `INSERT INTO bare SELECT * FROM file('${usage.path}', 'JSONEachRow', '${structure}')
SETTINGS date_time_input_format = 'best_effort'`,
  )
  const time = watch.read()
  const [total] = await engine.rows<{ records: string; bytes: string }>(
    'SELECT count() AS records, sum(b.bytesOut) AS bytes FROM bare AS b',
  )
  if (total?.records !== String(usage.records) || total.bytes !== String(usage.bytesOut)) {
    throw new Error(`the bare engine counted ${JSON.stringify(total)}`)
  }
  await engine.close()
  return time
})
