import { createHash } from 'node:crypto'
import { AppError } from '../../core/errors.ts'
import { isZone } from '../../core/period.ts'
import type { LineColumns, LineFormat } from '../../meters/line-format.ts'
import { createSteps } from './expressions.ts'
import { parseFormatString } from './format-string.ts'
import { findJsonFields } from './json-fields.ts'
import { bareHost, lineColumns, type RawValues, type ValueOptions } from './line-values.ts'
import { findTextFields } from './text-fields.ts'

/** How the lines of one access log are to be read. Plain data: it travels with every chunk. */
export interface FormatSpec {
  /** `combined`, `common`, `json`, or an nginx log_format string. */
  readonly format: string
  /** The domain of every line, whatever the line says; null: the line's host. */
  readonly domain: string | null
  /** `x_forwarded_for`: its first address; the connection's own when that is `-` or empty. */
  readonly clientFrom: 'remote_addr' | 'x_forwarded_for'
  /** IANA zone of times that carry no offset; null: such times are `bad_time`. */
  readonly timeZone: string | null
}

/** Formats with a name. Source: nginx's own `combined`; Apache's `common`. */
export const NAMED_FORMATS: Readonly<Record<string, string>> = {
  combined:
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
  common: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent',
}

const USED_VARIABLES = [
  'time_local', 'time_iso8601', 'msec', 'remote_addr', 'http_x_forwarded_for', 'host', 'http_host',
  'server_name', 'request', 'server_protocol', 'status', 'bytes_sent', 'body_bytes_sent',
  'request_length', 'upstream_cache_status', 'sent_http_x_cache', 'scheme', 'https', 'server_port',
] as const // prettier-ignore

type UsedVariable = (typeof USED_VARIABLES)[number]

/**
 * Compiles a log format to the expressions with which the engine reads its lines.
 *
 * Shape: pure; equal specs give equal expressions and ids. No JavaScript runs per line.
 * Errors: parameter_invalid, naming the place in the format: unknown syntax, variables without a
 * separator, no time, no bytes, neither host nor domain; an unknown time zone.
 * Source: docs/reference/access-log-formats.md.
 */
export function compileFormat(spec: FormatSpec): LineFormat {
  if (spec.timeZone !== null && !isZone(spec.timeZone)) {
    throw new AppError(
      'parameter_invalid',
      `Time zone "${spec.timeZone}" is unknown; use an IANA name such as Asia/Shanghai.`,
      { field: 'timeZone' },
    )
  }
  if (spec.domain !== null && bareHost(spec.domain) === '') {
    throw new AppError('parameter_invalid', `"${spec.domain}" is no domain name.`, {
      field: 'domain',
    })
  }
  const options: ValueOptions = {
    domain: spec.domain === null ? null : bareHost(spec.domain),
    clientFrom: spec.clientFrom,
    timeZone: spec.timeZone,
  }
  const list = createSteps()
  const columns = spec.format.trim() === 'json' ? jsonColumns() : textColumns()
  const id = createHash('sha256')
    .update(JSON.stringify([list.steps, columns]))
    .digest('hex')
  return { id: `access-log-${id.slice(0, 12)}`, steps: list.steps, columns }

  function jsonColumns(): LineColumns {
    const { broken, raw } = findJsonFields(list)
    return lineColumns(raw, broken, list, options)
  }

  function textColumns(): LineColumns {
    const format = parseFormatString(NAMED_FORMATS[spec.format.trim()] ?? spec.format)
    const present = new Set(format.variables.map((variable) => variable.name))
    const used = chooseVariables(present, spec)
    const { broken, values } = findTextFields(format, new Set(Object.values(used).flat()), list, {
      timeWithoutOffset: spec.timeZone !== null,
    })
    const textOf = (name: string): string => list.add(`v_${name}`, values.get(name) ?? "''")
    const texts = new Map(
      [...new Set(Object.values(used).flat())].map((name) => [name, textOf(name)]),
    )
    return lineColumns(rawValues(used, texts), broken, list, options)
  }
}

type Role = keyof RawValues
type Chosen = Partial<Record<Role, UsedVariable[]>>

/** Which variable serves which purpose, the better one where a format has both. */
function chooseVariables(present: ReadonlySet<string>, spec: FormatSpec): Chosen {
  const pick = (...names: UsedVariable[]): UsedVariable[] =>
    names.filter((name) => present.has(name)).slice(0, 1)
  const time = pick('msec', 'time_iso8601', 'time_local')
  if (time.length === 0) throw missing('time', '$time_local, $time_iso8601 or $msec')
  const bytesOut = pick('bytes_sent', 'body_bytes_sent')
  if (bytesOut.length === 0) throw missing('byte count', '$bytes_sent or $body_bytes_sent')
  const hosts = (['host', 'http_host', 'server_name'] as const).filter((name) => present.has(name))
  if (hosts.length === 0 && spec.domain === null) {
    throw new AppError(
      'parameter_invalid',
      `The log format names no domain: add $host to it, or give a fixed domain (--domain).`,
      { field: 'domain' },
    )
  }
  return {
    time,
    bytesOut,
    hosts: spec.domain === null ? hosts : [],
    bytesIn: pick('request_length'),
    remoteAddress: pick('remote_addr'),
    forwardedFor: spec.clientFrom === 'x_forwarded_for' ? pick('http_x_forwarded_for') : [],
    status: pick('status'),
    cacheStatus: pick('upstream_cache_status'),
    cacheHeader: pick('sent_http_x_cache'),
    scheme: pick('scheme'),
    https: pick('https'),
    serverPort: pick('server_port'),
    serverProtocol: pick('server_protocol', 'request'),
  }
}

function missing(what: string, names: string): AppError {
  return new AppError('parameter_invalid', `The log format has no ${what}: add ${names}.`, {
    field: 'format',
  })
}

function rawValues(used: Chosen, texts: ReadonlyMap<string, string>): RawValues {
  const one = (role: Role): string | undefined => {
    const name = used[role]?.[0]
    return name === undefined ? undefined : texts.get(name)
  }
  const kinds = { msec: 'epoch', time_iso8601: 'iso8601', time_local: 'local' } as const
  const timeVariable = used.time?.[0] as keyof typeof kinds
  return {
    time: { kind: kinds[timeVariable], text: texts.get(timeVariable) ?? "''" },
    bytesOut: one('bytesOut') ?? "''",
    hosts: (used.hosts ?? []).map((name) => texts.get(name) ?? "''"),
    bytesIn: one('bytesIn'),
    remoteAddress: one('remoteAddress'),
    forwardedFor: one('forwardedFor'),
    status: one('status'),
    cacheStatus: one('cacheStatus'),
    cacheHeader: one('cacheHeader'),
    scheme: one('scheme'),
    https: one('https'),
    serverPort: one('serverPort'),
    serverProtocol: one('serverProtocol'),
  }
}
