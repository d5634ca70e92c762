/**
 * Where each variable of a text format stands in a line, as engine expressions.
 *
 * The idea: a quote in the line is always part of the format, because servers escape the quotes
 * inside values. So the literals that hold a quote are walls that nothing a client sends can
 * imitate, and the line falls into zones between walls. Inside a zone variables are found from the
 * left up to its last free one (a value that may contain spaces, chosen by the client) and from the
 * right after it, so that one such value, whatever it contains, cannot shift the fields around it.
 * Everything is position() and substring(): a regular expression per line costs several times more.
 */
import { quoted, type StepList } from './expressions.ts'
import type { FormatString } from './format-string.ts'

/** What a line of a text format yields. */
export interface TextFields {
  /** Conditions under which the line does not have the shape of the format. */
  readonly broken: readonly string[]
  /** Variable → String expression of its raw text. */
  readonly values: ReadonlyMap<string, string>
}

export interface TextOptions {
  /** The times of the log end without an offset. */
  readonly timeWithoutOffset: boolean
}

/** Variables whose values the server makes and that contain no space (times are handled apart). */
const TIGHT = new Set(
  (
    'remote_addr remote_port realip_remote_addr time_local time_iso8601 msec status bytes_sent ' +
    'body_bytes_sent request_length request_time request_method request_id server_protocol scheme ' +
    'https http2 http3 host server_name server_port server_addr connection connection_requests pid ' +
    'pipe gzip_ratio hostname ssl_protocol ssl_cipher upstream_cache_status tcpinfo_rtt nginx_version'
  ).split(' '),
)

/**
 * A time_local value holds one space, 20 characters in: a search for the text after it starts past
 * that.
 */
const TIME_LOCAL_SKIP = 21
const TIME_LOCAL_WITHOUT_OFFSET_SKIP = 20
/** The same from the right: ` +0800` is six characters, so the seventh is past the space. */
const TIME_LOCAL_SKIP_REVERSED = 6

interface Builder {
  readonly list: StepList
  readonly format: FormatString
  readonly line: string
  readonly timeLocalSkip: number
  readonly timeLocalSkipReversed: number
  readonly broken: string[]
  readonly values: Map<string, string>
}

/**
 * Finds the needed variables of a line.
 *
 * Shape: adds its steps to the list; a variable that occurs twice counts where it stands first.
 * Errors: none; a line of another shape meets one of the `broken` conditions.
 */
export function findTextFields(
  format: FormatString,
  needed: ReadonlySet<string>,
  list: StepList,
  options: TextOptions,
): TextFields {
  const quotes = format.literals.join('').split('"').length - 1
  const builder: Builder = {
    list,
    format,
    line: quotes === 0 ? 'line' : list.add('line', UNESCAPED_LINE),
    timeLocalSkip: options.timeWithoutOffset ? TIME_LOCAL_WITHOUT_OFFSET_SKIP : TIME_LOCAL_SKIP,
    timeLocalSkipReversed: options.timeWithoutOffset ? 0 : TIME_LOCAL_SKIP_REVERSED,
    broken: [],
    values: new Map(),
  }
  if (quotes > 0) builder.broken.push(`countSubstrings(${builder.line}, '"') != ${quotes}`)
  findZones(builder, needed)
  return { broken: builder.broken, values: builder.values }
}

/** `\"` and `\\` (Apache, escape=json) become `\x22` and `\x5C`, as nginx itself escapes them. */
const UNESCAPED_LINE = String.raw`replaceAll(replaceAll(line, '\\\\', '\\x5C'), '\\"', '\\x22')`

function findZones(builder: Builder, needed: ReadonlySet<string>): void {
  const { format, line, list, broken } = builder
  const opening = format.literals[0] ?? ''
  const closing = format.literals.at(-1) ?? ''
  const closingBytes = Buffer.byteLength(closing)
  // A line that came with CR LF ends before its CR.
  const lineEnd = list.add('end', `toUInt64(length(${line}) + 1 - endsWith(${line}, '\\r'))`)
  const end =
    closingBytes === 0
      ? lineEnd
      : list.add('close', `toUInt64(greatest(toInt64(${lineEnd}) - ${closingBytes}, 1))`)
  if (closingBytes > 0)
    broken.push(`substring(${line}, ${end}, ${closingBytes}) != ${quoted(closing)}`)
  if (opening !== '') broken.push(`NOT startsWith(${line}, ${quoted(opening)})`)
  const lastNeeded = format.variables.findLastIndex((variable) => needed.has(variable.name))
  let start = String(Buffer.byteLength(opening) + 1)
  let first = 0
  while (first <= lastNeeded) {
    let last = first
    while (last < format.variables.length - 1 && !isWall(format, last)) last += 1
    const isFinal = last === format.variables.length - 1
    const wall = format.literals[last + 1] ?? ''
    const zoneEnd = isFinal
      ? end
      : list.add(`wall${last}`, `position(${line}, ${quoted(wall)}, ${start})`)
    if (!isFinal) broken.push(`${zoneEnd} = 0`)
    else broken.push(`${end} < ${start}`)
    if (anyNeeded(format, first, last, needed))
      findInZone(builder, { first, last, start, end: zoneEnd })
    start = isFinal ? start : `(${zoneEnd} + ${Buffer.byteLength(wall)})`
    first = last + 1
  }
}

function isWall(format: FormatString, variable: number): boolean {
  return (format.literals[variable + 1] ?? '').includes('"')
}

function anyNeeded(
  format: FormatString,
  first: number,
  last: number,
  needed: ReadonlySet<string>,
): boolean {
  return format.variables.slice(first, last + 1).some((variable) => needed.has(variable.name))
}

interface Zone {
  readonly first: number
  readonly last: number
  /** Position of the zone's first byte, and of the first byte after it. */
  readonly start: string
  readonly end: string
}

function findInZone(builder: Builder, zone: Zone): void {
  const { format, line, list, broken } = builder
  let free = -1
  for (let index = zone.first; index <= zone.last; index += 1) {
    if (!TIGHT.has(format.variables[index]?.name ?? '')) free = index
  }
  const leftLast = free === -1 ? zone.last : free
  let start = zone.start
  for (let index = zone.first; index < leftLast; index += 1) {
    const literal = format.literals[index + 1] ?? ''
    const skip = isTimeLocal(format, index) ? ` + ${builder.timeLocalSkip}` : ''
    const cut = list.add(`cut${index}`, `position(${line}, ${quoted(literal)}, ${start}${skip})`)
    broken.push(`${cut} = 0`)
    setValue(builder, index, start, `${cut} - ${start}`)
    start = `(${cut} + ${Buffer.byteLength(literal)})`
  }
  const right = findFromRight(builder, zone, leftLast, start)
  setValue(builder, leftLast, start, `${zone.end} - ${start}${right}`)
  if (leftLast > zone.first || right !== '')
    broken.push(`toInt64(${zone.end}) - toInt64(${start})${right} < 0`)
}

/** Finds the variables after the zone's last free one; returns ` - n` for the bytes they take. */
function findFromRight(builder: Builder, zone: Zone, leftLast: number, start: string): string {
  if (leftLast === zone.last) return ''
  const { format, line, list, broken } = builder
  const reversed = list.add(
    `back${leftLast}`,
    `reverse(substring(${line}, ${start}, ${zone.end} - ${start}))`,
  )
  let taken = '0'
  for (let index = zone.last; index > leftLast; index -= 1) {
    const literal = Buffer.from(format.literals[index] ?? '').reverse()
    const skip = isTimeLocal(format, index) ? builder.timeLocalSkipReversed : 0
    const cut = list.add(
      `cut${index}`,
      `position(${reversed}, ${quoted(literal)}, ${taken} + ${1 + skip})`,
    )
    broken.push(`${cut} = 0`)
    setValue(builder, index, `${zone.end} + 1 - ${cut}`, `${cut} - 1 - ${taken}`)
    taken = `(${cut} + ${literal.length - 1})`
  }
  return ` - ${taken}`
}

function isTimeLocal(format: FormatString, index: number): boolean {
  return format.variables[index]?.name === 'time_local'
}

function setValue(builder: Builder, index: number, start: string, length: string): void {
  const name = builder.format.variables[index]?.name ?? ''
  if (builder.values.has(name)) return
  builder.values.set(name, `substring(${builder.line}, ${start}, ${length})`)
}
