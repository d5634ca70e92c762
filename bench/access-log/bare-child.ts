import { compileFormat } from '../../src/sources/access-log/format.ts'
import { addressOf, placeOfAddress } from '../../src/store/usage/places.ts'
import { EAGER } from '../../src/store/usage/stage.ts'
import { openBareEngine } from '../support/bare-engine.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { DOMAIN } from './generate.ts'
import { BARE } from './scripts.ts'

// The yardstick: check, parse, enrich and group in one statement, with Weir's own expressions and
// dictionary, without owners, identity, durability, rejects or more than one table.
await BARE.act(async ({ directory, log }) => {
  const engine = await openBareEngine(directory)
  await engine.command(`CREATE TABLE bare
(minute DateTime('UTC'), place UInt16, requests UInt64, bytes_out UInt64)
ENGINE = MergeTree ORDER BY (minute, place)`)
  const { steps, columns } = compileFormat({
    format: 'combined',
    domain: DOMAIN,
    clientFrom: 'remote_addr',
    timeZone: null,
  })
  const watch = startStopwatch()
  await engine.command(`INSERT INTO bare
SELECT minute, place, count(), sum(sent)
FROM (
  SELECT
    ${steps.map(([name, expression]) => `(${expression}) AS ${name}`).join(',\n    ')},
    toStartOfMinute(toDateTime((${columns.time}), 'UTC')) AS minute,
    (${columns.error}) AS error,
    (${columns.client}) AS client,
    (${columns.bytesOut}) AS sent,
    ${placeOfAddress(addressOf('client'))} AS place
  FROM file('${log.path}', 'LineAsString', 'line String')
)
WHERE error = ''
GROUP BY minute, place
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
