import { unreachable } from '../../core/errors.ts'
import type { LineColumns } from '../../meters/line-format.ts'
import { firstPresent, quoted, type StepList, withValue } from './expressions.ts'

/** How a format writes its time. `any` tells them apart per line. */
export type TimeKind = 'local' | 'iso8601' | 'epoch' | 'any'

/** String expressions of what a format says; absent where it says nothing. */
export interface RawValues {
  readonly time: { readonly kind: TimeKind; readonly text: string }
  readonly bytesOut: string
  readonly bytesIn?: string | undefined
  /** In order of preference. */
  readonly hosts: readonly string[]
  readonly remoteAddress?: string | undefined
  readonly forwardedFor?: string | undefined
  readonly status?: string | undefined
  readonly cacheStatus?: string | undefined
  readonly cacheHeader?: string | undefined
  readonly scheme?: string | undefined
  readonly https?: string | undefined
  readonly serverPort?: string | undefined
  /** `HTTP/1.1`, or a whole request line that ends with it. */
  readonly serverProtocol?: string | undefined
}

export interface ValueOptions {
  /** Selects the domain of every line, whatever the line says. */
  readonly domain: string | null
  readonly clientFrom: 'remote_addr' | 'x_forwarded_for'
  readonly timeZone: string | null
}

/**
 * Turns raw texts into the columns of a line.
 *
 * Shape: values that few lines differ in (times, hosts, cache results) pass through a dictionary,
 * so that the engine parses each distinct one once per block.
 * Errors: per line, `unparseable` before `bad_time` before `bad_bytes`.
 */
export function lineColumns(
  raw: RawValues,
  broken: readonly string[],
  list: StepList,
  options: ValueOptions,
): LineColumns {
  const when = list.add('when', timeExpression(raw.time, options.timeZone))
  const bytesOut = list.add('out', bytesExpression(raw.bytesOut))
  const bytesIn = raw.bytesIn === undefined ? null : list.add('in', bytesExpression(raw.bytesIn))
  const status = raw.status === undefined ? null : list.add('status', statusExpression(raw.status))
  const unparseable = [...broken, ...(status === null ? [] : [`isNull(${status})`])].join(' OR ')
  const badBytes = [bytesOut, ...(bytesIn === null ? [] : [bytesIn])]
    .map((name) => `isNull(${name})`)
    .join(' OR ')
  const cases = [
    ...(unparseable === '' ? [] : [`${unparseable}, 'unparseable'`]),
    `isNull(${when}), 'bad_time'`,
    `${badBytes}, 'bad_bytes'`,
  ]
  return {
    error: `multiIf(${cases.join(', ')}, '')`,
    time: `ifNull(${when}, toDateTime64(0, 3, 'UTC'))`,
    host: options.domain === null ? hostExpression(raw.hosts) : quoted(options.domain),
    client: clientExpression(raw, options.clientFrom),
    bytesOut: `ifNull(${bytesOut}, toUInt64(0))`,
    bytesIn: bytesIn === null ? 'toUInt64(0)' : `ifNull(${bytesIn}, toUInt64(0))`,
    status: status === null ? 'toUInt16(0)' : `ifNull(${status}, toUInt16(0))`,
    cache: cacheExpression(raw),
    protocol: protocolExpression(raw, status),
  }
}

const EPOCH_PATTERN = quoted('^[0-9]{1,11}([.][0-9]{1,9})?$')
const EPOCH_MS_PATTERN = quoted('^[0-9]{12,14}$')
const ISO_DATE_PATTERN = '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]'
const ISO_FRACTION_PATTERN = '([.,][0-9]{1,9})?'
const ISO_OFFSET_PATTERN = '(Z|[+-][0-9]{2}:?[0-9]{2})'

/** Nullable(DateTime64(3, 'UTC')); NULL where the text is no time. */
function timeExpression(time: RawValues['time'], zone: string | null): string {
  switch (time.kind) {
    case 'local':
      return localTime(time.text, zone)
    case 'iso8601':
      return isoTime(time.text, zone)
    case 'epoch':
      return epochTime(time.text)
    case 'any':
      return withValue(
        time.text,
        't',
        `multiIf(position(t, '/') > 0, ${localTime('t', zone)}, position(t, '-') > 0, ${isoTime('t', zone)}, ${epochTime('t')})`,
      )
    default:
      return unreachable(time.kind)
  }
}

function localTime(text: string, zone: string | null): string {
  const distinct = 'toLowCardinality(t)'
  const exact = `toDateTime64(${jodaTime(distinct, 'dd/MMM/yyyy:HH:mm:ss Z', 'UTC')}, 3, 'UTC')`
  // Only the canonical widths: the Joda parser would take 9/Nov for 09/Nov.
  const withOffset = `length(t) = 26, ${exact}`
  if (zone === null) return withValue(text, 't', `multiIf(${withOffset}, NULL)`)
  const zoned = `toDateTime64(${jodaTime(distinct, 'dd/MMM/yyyy:HH:mm:ss', zone)}, 3, 'UTC')`
  return withValue(text, 't', `multiIf(${withOffset}, length(t) = 20, ${zoned}, NULL)`)
}

function jodaTime(text: string, layout: string, zone: string): string {
  return `parseDateTimeInJodaSyntaxOrNull(${text}, ${quoted(layout)}, ${quoted(zone)})`
}

function isoTime(text: string, zone: string | null): string {
  const offset = zone === null ? ISO_OFFSET_PATTERN : `${ISO_OFFSET_PATTERN}?`
  const pattern = quoted(`${ISO_DATE_PATTERN}${ISO_FRACTION_PATTERN}${offset}$`)
  const parsed = `parseDateTime64BestEffortOrNull(replaceOne(t, ',', '.'), 3, ${quoted(zone ?? 'UTC')})`
  return withValue(
    text,
    't',
    `if(match(toLowCardinality(t), ${pattern}), toDateTime64(${parsed}, 3, 'UTC'), NULL)`,
  )
}

function epochTime(text: string): string {
  const seconds = timeOfMs('toInt64(toDecimal64OrNull(t, 3) * 1000)')
  const milliseconds = timeOfMs('toInt64OrNull(t)')
  return withValue(
    text,
    't',
    `multiIf(match(t, ${EPOCH_PATTERN}), ${seconds}, match(t, ${EPOCH_MS_PATTERN}), ${milliseconds}, NULL)`,
  )
}

/** The engine's times end in 2299. */
function timeOfMs(ms: string): string {
  return `if(${ms} < 10413792000000, fromUnixTimestamp64Milli(assumeNotNull(${ms}), 'UTC'), NULL)`
}

/** Nullable(UInt64). `-` is Apache's way to write zero bytes; a sign or 2^64 and above is NULL. */
function bytesExpression(text: string): string {
  return withValue(
    text,
    'n',
    "multiIf(n = '-', toUInt64(0), startsWith(n, '+'), NULL, toUInt64OrNull(n))",
  )
}

/** Nullable(UInt16): 0 when the line does not know, NULL when the text is no status. */
function statusExpression(text: string): string {
  return withValue(
    text,
    'n',
    "multiIf(n IN ('', '-'), toUInt16(0), length(n) > 3 OR startsWith(n, '+'), NULL, toUInt16OrNull(n))",
  )
}

/** Takes the port, a final dot and the brackets' outside off; `_` is nginx's name for "no name". */
function hostExpression(hosts: readonly string[]): string {
  const host = `lower(toLowCardinality(${firstPresent(hosts)}))`
  const bare = `replaceRegexpOne(${host}, ${quoted(HOST_PATTERN)}, ${quoted('\\1')})`
  return `CAST(replaceRegexpOne(${bare}, '^_$', ''), 'String')`
}

const HOST_PATTERN = '^([^:\\[\\]]*?|\\[[^\\]]*\\])[.]?(:[0-9]*)?$'

/** A literal domain, written as hostExpression would read it. */
export function bareHost(host: string): string {
  return host
    .trim()
    .toLowerCase()
    .replace(/^([^:[\]]*?|\[[^\]]*\])\.?(:[0-9]*)?$/, '$1')
}

function clientExpression(raw: RawValues, from: ValueOptions['clientFrom']): string {
  const candidates: string[] = []
  if (from === 'x_forwarded_for' && raw.forwardedFor !== undefined) {
    const first = `trimBoth(substringIndex(${raw.forwardedFor}, ',', 1))`
    candidates.push(withValue(first, 'a', ADDRESS_WITHOUT_PORT))
  }
  if (raw.remoteAddress !== undefined) candidates.push(raw.remoteAddress)
  if (candidates.length === 0) return "''"
  return withValue(withValue(firstPresent(candidates), 'a', UNMAPPED_ADDRESS), 'a', VALID_ADDRESS)
}

/** Some proxies write 192.0.2.1:4711 or [2001:db8::1]:4711. */
const ADDRESS_WITHOUT_PORT =
  "multiIf(startsWith(a, '['), substring(a, 2, toInt64(position(a, ']')) - 2), " +
  "countSubstrings(a, ':') = 1, substring(a, 1, position(a, ':') - 1), a)"

/** ::ffff:192.0.2.1 is 192.0.2.1. */
const UNMAPPED_ADDRESS =
  "if(startsWith(lower(substring(a, 1, 7)), '::ffff:') AND isIPv4String(substring(a, 8)), substring(a, 8), a)"

const VALID_ADDRESS = "if(isIPv4String(a) OR isIPv6String(a), a, '')"

const CACHE_PATTERN = quoted('(HIT|MISS|EXPIRED|BYPASS|STALE|UPDATING|REVALIDATED)')

/** $upstream_cache_status as it is; of a header such as `TCP_HIT from edge-3` its result word. */
function cacheExpression(raw: RawValues): string {
  const texts: string[] = []
  if (raw.cacheStatus !== undefined) texts.push(raw.cacheStatus)
  if (raw.cacheHeader !== undefined) texts.push(raw.cacheHeader)
  if (texts.length === 0) return "''"
  const text = `upper(toLowCardinality(${firstPresent(texts)}))`
  return `CAST(extract(${text}, ${CACHE_PATTERN}), 'String')`
}

function protocolExpression(raw: RawValues, status: string | null): string {
  const cases: string[] = []
  if (raw.serverProtocol !== undefined) {
    const protocol = raw.serverProtocol
    cases.push(`endsWith(${protocol}, 'HTTP/3.0') OR endsWith(${protocol}, 'HTTP/3'), 'quic'`)
  }
  const isSecure: string[] = []
  const isPlain: string[] = []
  if (raw.scheme !== undefined) {
    isSecure.push(`lower(${raw.scheme}) IN ('https', 'wss')`)
    isPlain.push(`lower(${raw.scheme}) IN ('http', 'ws')`)
  }
  if (raw.https !== undefined) {
    isSecure.push(`lower(${raw.https}) = 'on'`)
    isPlain.push(`${raw.https} IN ('', '-', 'off')`)
  }
  if (raw.serverPort !== undefined) {
    isSecure.push(`${raw.serverPort} = '443'`)
    isPlain.push(`${raw.serverPort} = '80'`)
  }
  if (isSecure.length > 0) {
    const isWebSocket = status === null ? '0' : `ifNull(${status}, 0) = 101`
    // Each pair in turn: what the scheme says goes before what a port suggests.
    for (const [index, secure] of isSecure.entries()) {
      cases.push(`${secure}, if(${isWebSocket}, 'wss', 'https')`)
      cases.push(`${isPlain[index] ?? '0'}, if(${isWebSocket}, 'ws', 'http')`)
    }
  }
  return cases.length === 0 ? "''" : `multiIf(${cases.join(', ')}, '')`
}
