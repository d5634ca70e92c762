import type { Engine } from '../../src/store/usage/engine.ts'
import { END_MS, START_MS } from './fill.ts'

/** The yardstick of call 2: the same rows summed and shaped as JSON in the most direct way. */
export async function queryBareSeries(engine: Engine, resourceId: string): Promise<string> {
  return await engine.text(
    `SELECT concat('{"Province":"', province, '","BandwidthTrafficList":[', arrayStringConcat(groupArray(point), ','), ']}')
FROM (
  SELECT toString(t.province) AS province,
    concat('{"Time":', toString(toUnixTimestamp(t.bucket)), ',"CdnBandwidth":',
      toString(sum(t.bytes_out) / 37500000), ',"Traffic":', toString(sum(t.bytes_out)), '}') AS point
  FROM cdn_5m AS t
  WHERE t.resource = {resource:String} AND t.bucket >= {start:DateTime} AND t.bucket < {end:DateTime}
  GROUP BY t.province, t.bucket
  ORDER BY t.province, t.bucket
)
GROUP BY province
FORMAT TSVRaw`,
    { resource: resourceId, start: START_MS / 1000, end: END_MS / 1000 },
  )
}
