import type { Batch } from '../../ingest/batch.ts'
import type { LineFormat } from '../../meters/line-format.ts'
import { QUANTITY_MAX } from '../../meters/records.ts'
import type { LineSource } from './engine.ts'
import { addressOf, arrayOf, placeOfAddress, versionOfAddress } from './places.ts'
import {
  CACHE_HITS,
  CACHE_RESULTS,
  EAGER,
  mapFrames,
  numberedLines,
  PROTOCOLS,
  rejectReason,
  type Lateness,
} from './stage.ts'

const KEYS =
  'f, at, reason, version, minute, place, ip_version, protocol_code, status_code, cache_code'

/**
 * Nests the steps of a format by what they build upon.
 *
 * One flat list of aliases would be correct, too, but the engine needs longer to resolve it, for
 * every batch again.
 */
function nestSteps(format: LineFormat, lines: string): string {
  const levels: (readonly [name: string, expression: string])[][] = []
  const levelOf = new Map<string, number>()
  for (const step of format.steps) {
    const names = new Set(step[1].match(/\bf_\w+/g))
    const level = Math.max(0, ...[...names].map((name) => (levelOf.get(name) ?? -1) + 1))
    levelOf.set(step[0], level)
    levels[level] = [...(levels[level] ?? []), step]
  }
  return levels.reduce((inner, steps) => {
    const aliases = steps.map(([name, expression]) => `(${expression}) AS ${name}`)
    return `(SELECT *, ${aliases.join(',\n    ')} FROM ${inner})`
  }, lines)
}

/** The parsed columns of log lines: `line`, `position`, `f` and what the format names. */
export function parsedLines(batch: Batch, format: LineFormat, source: LineSource): string {
  const { columns } = format
  return `(
  SELECT
    line, position, ${mapFrames(batch.frames).frame} AS f,
    (${columns.error}) AS error,
    (${columns.time}) AS time,
    (${columns.host}) AS host,
    (${columns.client}) AS client,
    (${columns.bytesOut}) AS sent,
    (${columns.bytesIn}) AS received,
    (${columns.status}) AS status_code,
    (${columns.cache}) AS cache_name,
    (${columns.protocol}) AS protocol_name
  FROM ${nestSteps(format, numberedLines(source))}
)`
}

/**
 * Renders the statement that parses, attributes and sums log lines into the stage.
 *
 * Shape: one row per minute and combination of dimensions of each frame, and one row per unusable
 * line, which keeps its position so that its text can be found again.
 */
export function renderStageLog(
  batch: Batch,
  format: LineFormat,
  lateness: Lateness,
  stage: string,
  source: LineSource,
): string {
  const hit = `cache_code IN (${CACHE_HITS.map((name) => CACHE_RESULTS.indexOf(name)).join(', ')})`
  const oversized = `greatest(sent, received) > ${QUANTITY_MAX}`
  return `INSERT INTO ${stage}
  (f, position, reason, version, minute, place, ip_version, protocol, status, cache, located,
   bytes_out, bytes_in, requests, hit_bytes, hit_requests, records)
SELECT
  f, at, reason, version, minute, place, ip_version, protocol_code, status_code, cache_code, 1,
  sum(sent), sum(received), count(), if(${hit}, sum(sent), 0), if(${hit}, count(), 0), count()
FROM (
  SELECT
    f, sent, received, minute, version, ip_version, protocol_code, status_code, cache_code,
    ${rejectReason(batch, lateness, oversized)} AS reason,
    if(reason = 0, toUInt64(0), position) AS at,
    ${placeOfAddress('address')} AS place
  FROM (
    SELECT
      f, position, error, time, sent, received, status_code,
      toStartOfMinute(toDateTime(time, 'UTC')) AS minute,
      dictGet('attribution_cdn', 'version', tuple(host), toUInt32(minute)) AS version,
      ${addressOf('client')} AS address,
      ${versionOfAddress('address')} AS ip_version,
      transform(protocol_name, ${arrayOf([...PROTOCOLS, 'ws', 'wss'])}, [toUInt8(0), 1, 2, 3, 4, 3, 3], toUInt8(0)) AS protocol_code,
      transform(cache_name, ${arrayOf(CACHE_RESULTS)}, range(toUInt8(0), toUInt8(${CACHE_RESULTS.length})), toUInt8(${CACHE_RESULTS.length - 1})) AS cache_code
    FROM ${parsedLines(batch, format, source)}
  )
)
GROUP BY ${KEYS}
SETTINGS ${EAGER}${source.suffix}`
}
