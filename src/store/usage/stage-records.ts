import type { Batch } from '../../ingest/batch.ts'
import type { MeterName } from '../../meters/meter.ts'
import { QUANTITY_MAX, RECORD_FIELDS, type RecordField } from '../../meters/records.ts'
import type { LineSource } from './engine.ts'
import { addressOf, arrayOf, placeCode, placeOfAddress, versionOfAddress } from './places.ts'
import { quote } from './render.ts'
import {
  BACKGROUND,
  CACHE_RESULTS,
  mapFrames,
  meterOf,
  numberedLines,
  PROTOCOLS,
  rejectReason,
  textPerFrame,
  type Lateness,
} from './stage.ts'

// Quantities are signed on the way in so that a negative one is seen rather than wrapped.
function engineType(field: RecordField): string {
  return field.type === 'quantity' ? 'Nullable(Int128)' : 'String'
}

/** Expression: the record's fields as a named tuple, from the JSON text in `line`. */
function extract(meter: MeterName): string {
  const fields = RECORD_FIELDS[meter].map((field) => `${field.name} ${engineType(field)}`)
  return `JSONExtract(line, ${quote(`Tuple(${fields.join(', ')})`)})`
}

function quantity(name: string, otherwise = 0): string {
  return `ifNull(r.${name}, ${otherwise})`
}

// An area is the region abroad, or cn, of which nothing more is known.
const BILLING_REGION = `if(r.billingRegion != '', r.billingRegion, r.area)`

/** Column → expression over the tuple `r`, beside what every meter has. */
const COLUMNS: Readonly<Record<MeterName, Readonly<Record<string, string>>>> = {
  cdn: {
    place: `if(r.client != '', ${placeOfAddress(addressOf('r.client'))}, ${placeCode(BILLING_REGION, 'r.province', 'r.isp')})`,
    ip_version: versionOfAddress(addressOf('r.client')),
    protocol: `transform(r.protocol, ${arrayOf(PROTOCOLS)}, range(toUInt8(0), toUInt8(${PROTOCOLS.length})), toUInt8(0))`,
    status: `toUInt16(least(greatest(${quantity('status')}, 0), 65535))`,
    cache: `transform(upper(r.cache), ${arrayOf(CACHE_RESULTS)}, range(toUInt8(0), toUInt8(${CACHE_RESULTS.length})), toUInt8(${CACHE_RESULTS.length - 1}))`,
    located: `toUInt8(r.client != '')`,
    bytes_out: quantity('bytesOut'),
    bytes_in: quantity('bytesIn'),
    requests: quantity('requests', 1),
    hit_bytes: quantity('hitBytes'),
    hit_requests: quantity('hitRequests'),
    origin_bytes: quantity('originBytes'),
    origin_requests: quantity('originRequests'),
  },
  eip: {
    direction: 'r.direction',
    bytes: quantity('bytes'),
    packets: quantity('packets'),
  },
  mna: {
    gateway_type: `if(r.gatewayType != '', r.gatewayType, dictGet('attribution_versions', 'gateway_type', toUInt64(version)))`,
    access_region: 'r.accessRegion',
    direction: 'r.direction',
    link: 'r.link',
    bytes: quantity('bytes'),
  },
}

// Epoch numbers below 10^11 are seconds (until the year 5138), above it milliseconds.
const TIME = `if(match(r.time, '^[0-9]+(\\\\.[0-9]+)?$'),
      fromUnixTimestamp64Milli(toInt64(toFloat64OrZero(r.time) * if(toFloat64OrZero(r.time) < 1e11, 1000, 1)), 'UTC'),
      parseDateTime64BestEffortOrZero(r.time, 3, 'UTC'))`

const ID_SEPARATOR = '\\0'

/** The extracted columns of usage records: `line`, `position`, `f`, `r`, `time`, `error`. */
export function parsedRecords(batch: Batch, source: LineSource): string {
  const choices = RECORD_FIELDS[batch.meter].flatMap(({ name, choices: accepted, required }) =>
    accepted === undefined
      ? []
      : [`r.${name} NOT IN ${arrayOf(required ? accepted : ['', ...accepted])}`],
  )
  const contradicted = RECORD_FIELDS[batch.meter].flatMap(({ name, implies }) => {
    if (implies === undefined) return []
    const [own, other] = [Object.keys(implies.choiceOf), Object.values(implies.choiceOf)]
    const follows = `transform(r.${name}, ${arrayOf(own)}, ${arrayOf(other)}, '')`
    return [`r.${name} != '' AND r.${implies.field} NOT IN ('', ${follows})`]
  })
  // What is not a number at all reads as NULL; a required quantity must never turn into 0.
  const missing = RECORD_FIELDS[batch.meter]
    .filter(({ type, required }) => required && type === 'quantity')
    .map(({ name }) => `isNull(r.${name})`)
  const wrong = [...choices, ...contradicted, ...missing].join(' OR ')
  const hasBlank = batch.frames.some(({ blankLines = 0 }) => blankLines > 0)
  return `(
  SELECT
    line, position, ${mapFrames(batch.frames).frame} AS f,
    ${extract(batch.meter)} AS r,
    ${TIME} AS time,
    multiIf(r.resource = '', 'unparseable', time = toDateTime64(0, 3, 'UTC'), 'bad_time', ${wrong}, 'bad_field', '') AS error
  FROM ${numberedLines(source)}${hasBlank ? " WHERE line != ''" : ''}
)`
}

/**
 * Renders the statement that extracts and attributes usage records into the stage, one row each.
 */
export function renderStageRecords(
  batch: Batch,
  lateness: Lateness,
  stage: string,
  source: LineSource,
): string {
  const meter = meterOf(batch)
  const columns = Object.entries(COLUMNS[batch.meter])
  const quantities = new Set(meter.quantities.map(({ name }) => name))
  const amounts = columns.filter(([name]) => quantities.has(name)).map(([, text]) => text)
  const oversized =
    `greatest(${[...amounts, '0'].join(', ')}) > ${QUANTITY_MAX} ` +
    `OR least(${[...amounts, '0'].join(', ')}) < 0`
  const owner = textPerFrame(batch.frames, (frame) => frame.source)
  const values = columns.map(([name, text]) =>
    quantities.has(name)
      ? `toUInt64(if(reason = 0, ${text}, 0)) AS v_${name}`
      : `${text} AS v_${name}`,
  )
  return `INSERT INTO ${stage}
  (f, position, reason, rid, rid_check, version, minute, ${columns.map(([name]) => name).join(', ')}, records)
SELECT f, position, reason, rid, rid_check, version, minute, ${columns.map(([name]) => `v_${name}`).join(', ')}, 1
FROM (
  SELECT
    f, position,
    toStartOfMinute(toDateTime(time, 'UTC')) AS minute,
    dictGet('attribution_${batch.meter}', 'version', tuple(r.resource), toUInt32(minute)) AS version,
    ${rejectReason(batch, lateness, oversized)} AS reason,
    if(r.id = '', toUInt64(0), bitOr(cityHash64(${owner}, '${ID_SEPARATOR}', r.id), 1)) AS rid,
    if(r.id = '', toUInt64(0), sipHash64(${owner}, '${ID_SEPARATOR}', r.id)) AS rid_check,
    ${values.join(',\n    ')}
  FROM ${parsedRecords(batch, source)}
)
SETTINGS ${BACKGROUND}${source.suffix}`
}
