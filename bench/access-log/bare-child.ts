import { compileFormat } from '../../src/sources/access-log/format.ts'
import { addressOf, placeOfAddress, versionOfAddress } from '../../src/store/usage/places.ts'
import { EAGER } from '../../src/store/usage/stage.ts'
import { openBareEngine } from '../support/bare-engine.ts'
import { touchMemory } from '../support/memory.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { DOMAIN } from './generate.ts'
import { BARE } from './scripts.ts'

// The yardstick: check, parse, enrich and group in one statement, with Weir's own expressions and
// dictionary, without owners, identity, durability, rejects or more than one table. It groups by
// everything that a minute of Weir's usage is told apart by; `places`, for comparison, by the
// place alone, which also leaves the other fields unparsed.
await BARE.act(async ({ directory, log, grouping }) => {
  const engine = await openBareEngine(directory)
  await engine.command(`CREATE TABLE bare
(minute DateTime('UTC'), place UInt16, ip_version UInt8, status UInt16,
 cache LowCardinality(String), protocol LowCardinality(String),
 requests UInt64, bytes_out UInt64, bytes_in UInt64)
ENGINE = MergeTree ORDER BY (minute, place)`)
  const { steps, columns } = compileFormat({
    format: 'combined',
    domain: DOMAIN,
    clientFrom: 'remote_addr',
    timeZone: null,
  })
  const keys =
    grouping === 'places'
      ? ['minute', 'place']
      : ['minute', 'place', 'ip_version', 'status', 'cache', 'protocol']
  touchMemory()
  const watch = startStopwatch()
  await engine.command(`INSERT INTO bare (${keys.join(', ')}, requests, bytes_out, bytes_in)
SELECT ${keys.join(', ')}, count(), sum(sent), sum(received)
FROM (
  SELECT
    ${steps.map(([name, expression]) => `(${expression}) AS ${name}`).join(',\n    ')},
    toStartOfMinute(toDateTime((${columns.time}), 'UTC')) AS minute,
    (${columns.error}) AS error,
    (${columns.client}) AS client,
    (${columns.bytesOut}) AS sent,
    (${columns.bytesIn}) AS received,
    (${columns.status}) AS status,
    (${columns.cache}) AS cache,
    (${columns.protocol}) AS protocol,
    ${addressOf('client')} AS address,
    ${versionOfAddress('address')} AS ip_version,
    ${placeOfAddress('address')} AS place
  FROM file('${log.path}', 'LineAsString', 'line String')
)
WHERE error = ''
GROUP BY ${keys.join(', ')}
SETTINGS ${EAGER}`)
  const time = watch.read()
  const [total] = await engine.rows<{ requests: string; bytes: string }>(
    'SELECT sum(b.requests) AS requests, sum(b.bytes_out) AS bytes FROM bare AS b',
  )
  if (total?.requests !== String(log.lines) || total.bytes !== String(log.bytesOut)) {
    throw new Error(`the bare engine counted ${JSON.stringify(total)}`)
  }
  await engine.close()
  return time
})
