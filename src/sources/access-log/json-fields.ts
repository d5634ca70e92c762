import { firstPresent, quoted, type StepList, withValue } from './expressions.ts'
import type { RawValues } from './line-values.ts'

/**
 * Keys of a JSON log line that mean the same, the preferred one first.
 *
 * Source: nginx variable names, then the names that log shippers and other servers write.
 */
export const JSON_KEYS = {
  time: ['msec', 'time_iso8601', 'time_local', 'time', 'timestamp', '@timestamp', 'ts', 'datetime'],
  bytesOut: ['bytes_sent', 'body_bytes_sent', 'bytes', 'bytes_out', 'size', 'response_size'],
  bytesIn: ['request_length', 'bytes_received', 'bytes_in', 'request_size'],
  host: ['host', 'http_host', 'server_name', 'domain', 'vhost'],
  client: ['remote_addr', 'client', 'client_ip', 'clientip', 'remote_ip', 'ip'],
  forwardedFor: ['http_x_forwarded_for', 'x_forwarded_for', 'xff'],
  status: ['status', 'status_code', 'response_status'],
  cacheStatus: ['upstream_cache_status', 'cache_status', 'cache'],
  cacheHeader: ['sent_http_x_cache', 'x_cache'],
  scheme: ['scheme'],
  https: ['https'],
  serverPort: ['server_port'],
  serverProtocol: ['server_protocol', 'protocol', 'request'],
} as const satisfies Record<string, readonly string[]>

/** What lines of JSON yield. */
export interface JsonFields {
  readonly broken: readonly string[]
  readonly raw: RawValues
}

/**
 * Reads one JSON object per line.
 *
 * Shape: numbers and strings are both taken as text; of several keys that mean the same, the first
 * with a value counts. Bytes that are no UTF-8 and nginx's `\xNN` escapes (escape=default used for
 * JSON by mistake) are repaired first: they stand in values that are not used, and would otherwise
 * cost the whole line.
 * Errors: per line; a number that no integer type holds is `bad_bytes`, although it breaks the
 * parser.
 */
export function findJsonFields(list: StepList): JsonFields {
  const text = list.add('json_text', withValue('line', 's', REPAIRED_TEXT))
  const keys = [...new Set(Object.values(JSON_KEYS).flat())]
  const tuple = keys.map((key) => `\`${key}\` String`).join(', ')
  const object = list.add('json', `JSONExtract(${text}, ${quoted(`Tuple(${tuple})`)})`)
  const valueOf = (field: keyof typeof JSON_KEYS): string =>
    list.add(
      `j_${field.toLowerCase()}`,
      firstPresent(
        JSON_KEYS[field].map((key) => `tupleElement(${object}, ${keys.indexOf(key) + 1})`),
      ),
    )
  const time = valueOf('time')
  const parsedBytes = valueOf('bytesOut')
  // Short-circuit: the pattern runs only over lines in which the parser found neither.
  const isHuge = `match(${text}, ${quoted(HUGE_NUMBER_PATTERN)})`
  const huge = list.add('huge', `if(${time} = '' AND ${parsedBytes} = '', ${isHuge}, 0)`)
  const status = valueOf('status')
  return {
    broken: [
      // The engine would fill the keys from an array by position.
      `NOT startsWith(trimLeft(line), '{')`,
      `${time} = '' AND ${parsedBytes} = '' AND ${status} = '' AND NOT ${huge}`,
    ],
    raw: {
      time: { kind: 'any', text: list.add('j_when', `if(${huge}, '0', ${time})`) },
      bytesOut: parsedBytes,
      bytesIn: `if(${valueOf('bytesIn')} = '', '-', f_j_bytesin)`,
      hosts: [valueOf('host')],
      remoteAddress: valueOf('client'),
      forwardedFor: valueOf('forwardedFor'),
      status,
      cacheStatus: valueOf('cacheStatus'),
      cacheHeader: valueOf('cacheHeader'),
      scheme: valueOf('scheme'),
      https: list.add('j_tls', `if(${valueOf('https')} = '', 'unknown', f_j_https)`),
      serverPort: valueOf('serverPort'),
      serverProtocol: valueOf('serverProtocol'),
    },
  }
}

/** `\xNN` becomes `\u00NN`; both repairs run only over the lines that need them. */
const REPAIRED_TEXT = withValue(
  'if(isValidUTF8(s), s, toValidUTF8(s))',
  'u',
  `if(position(u, ${quoted('\\x')}) > 0, replaceRegexpAll(u, ${quoted('\\\\x([0-9A-Fa-f]{2})')}, ${quoted('\\\\u00\\1')}), u)`,
)

/**
 * A byte count of twenty digits and more: 2^64 has twenty, smaller ones reach the number parser
 * intact.
 */
const HUGE_NUMBER_PATTERN = `"(${[...JSON_KEYS.bytesOut, ...JSON_KEYS.bytesIn].join('|')})"\\s*:\\s*-?[0-9]{19,}`
