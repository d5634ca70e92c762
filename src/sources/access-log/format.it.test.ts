import * as fc from 'fast-check'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Session } from 'chdb'
import { afterAll, describe, expect, test } from 'vitest'
import { compileFormat, type FormatSpec } from './format.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-format-'))
const session = new Session(join(directory, 'db'))

afterAll(() => {
  session.cleanup()
  rmSync(directory, { recursive: true })
})

interface Row {
  error: string
  time: string
  host: string
  client: string
  bytesOut: string
  bytesIn: string
  status: number
  cache: string
  protocol: string
}

/**
 * Reads the lines with the compiled expressions, as the loader does. Lines are latin1: one
 * character a byte.
 */
async function read(spec: Partial<FormatSpec>, lines: readonly string[]): Promise<Row[]> {
  const format = compileFormat({
    format: 'combined',
    domain: null,
    clientFrom: 'remote_addr',
    timeZone: null,
    ...spec,
  })
  const path = join(directory, 'lines.log')
  writeFileSync(path, Buffer.from(`${lines.join('\n')}\n`, 'latin1'))
  const columns = Object.entries(format.columns).map(([name, text]) => `(${text}) AS o_${name}`)
  const steps = format.steps.map(([name, text]) => `(${text}) AS ${name}`)
  const sql = `SELECT o_error, toString(toUnixTimestamp64Milli(o_time)), o_host, o_client, toString(o_bytesOut), toString(o_bytesIn),
      o_status, o_cache, o_protocol,
      toTypeName(o_error) || ',' || toTypeName(o_time) || ',' || toTypeName(o_host) || ',' || toTypeName(o_client) || ',' ||
      toTypeName(o_bytesOut) || ',' || toTypeName(o_bytesIn) || ',' || toTypeName(o_status) || ',' || toTypeName(o_cache) || ',' || toTypeName(o_protocol)
    FROM (SELECT ${[...steps, ...columns].join(',\n')} FROM file('${path}', LineAsString, 'line String'))`
  const result = await session.queryAsync(sql, { format: 'JSONCompactEachRow' })
  return result
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => {
      const values = JSON.parse(line) as [
        string,
        string,
        string,
        string,
        string,
        string,
        number,
        string,
        string,
        string,
      ]
      const [error, time, host, client, bytesOut, bytesIn, status, cache, protocol, types] = values
      expect(types).toBe(COLUMN_TYPES)
      return { error, time, host, client, bytesOut, bytesIn, status, cache, protocol }
    })
}

const COLUMN_TYPES = "String,DateTime64(3, 'UTC'),String,String,UInt64,UInt64,UInt16,String,String"

const T = '20/Nov/2026:13:00:00 +0800'
const T_MS = String(Date.UTC(2026, 10, 20, 5))
const COMBINED = { domain: 'cdn.example' }

describe('combined', () => {
  test.each([
    [
      'a usual line',
      `1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 512 "-" "curl/8"`,
      ['', '1.2.3.4', '512', 200],
    ],
    [
      'an IPv6 client',
      `2001:db8::1 - bob [${T}] "GET / HTTP/1.1" 206 9 "-" "x"`,
      ['', '2001:db8::1', '9', 206],
    ],
    [
      'a mapped client',
      `::ffff:1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 1 "-" "-"`,
      ['', '1.2.3.4', '1', 200],
    ],
    ['a socket client', `unix: - - [${T}] "GET / HTTP/1.1" 200 1 "-" "-"`, ['', '', '1', 200]],
    [
      'a TLS handshake on a plain port',
      `1.2.3.4 - - [${T}] "\\x16\\x03\\x01\\x00\\xEE" 400 150 "-" "-"`,
      ['', '1.2.3.4', '150', 400],
    ],
    ['an empty request', `1.2.3.4 - - [${T}] "" 400 0 "-" "-"`, ['', '1.2.3.4', '0', 400]],
    [
      'escaped quotes of nginx',
      `1.2.3.4 - - [${T}] "GET /\\x22] \\x22 200 HTTP/1.1" 200 7 "-" "\\x22"`,
      ['', '1.2.3.4', '7', 200],
    ],
    [
      'escaped quotes of Apache',
      `1.2.3.4 - - [${T}] "GET /\\" 9 9 \\\\" 200 7 "-" "a\\"b"`,
      ['', '1.2.3.4', '7', 200],
    ],
    [
      'a user that imitates fields',
      `1.2.3.4 - x - y [${T}] 200 1 [${T}] "GET / HTTP/1.1" 200 7 "-" "-"`,
      ['', '1.2.3.4', '7', 200],
    ],
    [
      'raw bytes',
      `1.2.3.4 - - [${T}] "GET /\xff\xfe\x00\x01 HTTP/1.1" 200 7 "\xc3" "\x00"`,
      ['', '1.2.3.4', '7', 200],
    ],
    ['CR LF', `1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 7 "-" "-"\r`, ['', '1.2.3.4', '7', 200]],
    [
      'no bytes in Apache',
      `1.2.3.4 - - [${T}] "GET / HTTP/1.1" 304 - "-" "-"`,
      ['', '1.2.3.4', '0', 304],
    ],
    [
      'the largest count',
      `1.2.3.4 - - [${T}] "G" 200 18446744073709551615 "-" "-"`,
      ['', '1.2.3.4', '18446744073709551615', 200],
    ],
    ['no status', `1.2.3.4 - - [${T}] "G" - 1 "-" "-"`, ['', '1.2.3.4', '1', 0]],
  ])('takes %s', async (_, line, [error, client, bytesOut, status]) => {
    const [row] = await read(COMBINED, [line])
    expect(row).toMatchObject({ error, client, bytesOut, status, time: T_MS, host: 'cdn.example' })
  })

  test.each([
    ['', 'unparseable'],
    ['\r', 'unparseable'],
    ['\x00\x00\x00', 'unparseable'],
    ['"""""" - [] "', 'unparseable'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 512 "-" "curl/8`, 'unparseable'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 51`, 'unparseable'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 5 "-" "a" "b"`, 'unparseable'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 2000 5 "-" "a"`, 'unparseable'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" ok 5 "-" "a"`, 'unparseable'],
    [`1.2.3.4 - - [32/Nov/2026:13:00:00 +0800] "GET / HTTP/1.1" 200 5 "-" "a"`, 'bad_time'],
    [`1.2.3.4 - - [30/Feb/2026:13:00:00 +0800] "GET / HTTP/1.1" 200 5 "-" "a"`, 'bad_time'],
    [`1.2.3.4 - - [20/Nov/2026:24:00:00 +0800] "GET / HTTP/1.1" 200 5 "-" "a"`, 'bad_time'],
    [`1.2.3.4 - - [20/Nov/2026:13:00:00] "GET / HTTP/1.1" 200 5 "-" "a"`, 'bad_time'],
    [`1.2.3.4 - - [-] "GET / HTTP/1.1" 200 5 "-" "a"`, 'unparseable'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 -5 "-" "a"`, 'bad_bytes'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 +5 "-" "a"`, 'bad_bytes'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 NaN "-" "a"`, 'bad_bytes'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 1.5 "-" "a"`, 'bad_bytes'],
    [`1.2.3.4 - - [${T}] "GET / HTTP/1.1" 200 18446744073709551616 "-" "a"`, 'bad_bytes'],
  ])('refuses %j as %s', async (line, error) => {
    const [row] = await read(COMBINED, [line])
    expect(row?.error).toBe(error)
  })
})

test.each([
  ['+0000', Date.UTC(2026, 10, 20, 13)],
  ['-0330', Date.UTC(2026, 10, 20, 16, 30)],
  ['+0545', Date.UTC(2026, 10, 20, 7, 15)],
])('the offset %s of a local time is applied', async (offset, ms) => {
  const line = `1.2.3.4 - - [20/Nov/2026:13:00:00 ${offset}] "G" 200 1 "-" "-"`
  expect((await read(COMBINED, [line]))[0]?.time).toBe(String(ms))
})

test.each([
  ['$time_iso8601', '2026-11-20T13:00:00+08:00', null, T_MS],
  ['$time_iso8601', '2026-11-20T05:00:00Z', null, T_MS],
  ['$time_iso8601', '2026-11-20T05:00:00.250Z', null, String(Number(T_MS) + 250)],
  ['$time_iso8601', '2026-11-20T13:00:00', 'Asia/Shanghai', T_MS],
  ['$time_iso8601', '2026-11-20T13:00:00', null, 'bad_time'],
  ['$time_iso8601', '2026-11-31T13:00:00Z', null, 'bad_time'],
  ['$time_iso8601', '2026-11-20T24:00:00Z', null, 'bad_time'],
  ['$time_iso8601', 'now', null, 'bad_time'],
  ['$msec', '1795150800.123', null, '1795150800123'],
  ['$msec', '1795150800', null, '1795150800000'],
  ['$msec', '-1.000', null, 'bad_time'],
  ['$msec', '1e9', null, 'bad_time'],
  ['$msec', '99999999999.000', null, 'bad_time'],
  ['[$time_local]', '20/Nov/2026:13:00:00', 'Asia/Shanghai', T_MS],
  ['[$time_local]', T, 'America/New_York', T_MS],
])('%s of %s (zone %s) is %s', async (variable, text, timeZone, want) => {
  const format = `$host ${variable} $bytes_sent`
  const written = variable.replace(/\$\w+/, text)
  const [row] = await read({ format, timeZone }, [`a.example ${written} 5`])
  expect(row?.error === '' ? row.time : row?.error).toBe(want)
})

describe('hosts, clients, cache and protocol', () => {
  const format =
    '$msec|$host|$http_host|$remote_addr|$http_x_forwarded_for|$bytes_sent|$request_length|$upstream_cache_status|$sent_http_x_cache|$scheme|$server_protocol|$status|end'
  const line = (values: Record<string, string>): string =>
    [
      '1795150800.000',
      values['host'] ?? 'a.example',
      values['http_host'] ?? '-',
      values['remote'] ?? '9.9.9.9',
      values['xff'] ?? '-',
      '7',
      values['in'] ?? '3',
      values['cache'] ?? '-',
      values['header'] ?? '-',
      values['scheme'] ?? 'http',
      values['protocol'] ?? 'HTTP/1.1',
      values['status'] ?? '200',
      'end',
    ].join('|')

  test.each<[Record<string, string>, Partial<Row>]>([
    [{ host: 'CDN.Example:8443' }, { host: 'cdn.example' }],
    [{ host: 'cdn.example.' }, { host: 'cdn.example' }],
    [{ host: '[2001:db8::1]:80' }, { host: '[2001:db8::1]' }],
    [{ host: '-', http_host: 'b.example' }, { host: 'b.example' }],
    [{ host: '', http_host: '-' }, { host: '' }],
    [{ host: '_' }, { host: '' }],
    [{ xff: '1.1.1.1, 2.2.2.2' }, { client: '1.1.1.1' }],
    [{ xff: ' 1.1.1.1 ' }, { client: '1.1.1.1' }],
    [{ xff: '1.1.1.1:5678, 2.2.2.2' }, { client: '1.1.1.1' }],
    [{ xff: '[2001:db8::5]:443' }, { client: '2001:db8::5' }],
    [{ xff: '2001:db8::5' }, { client: '2001:db8::5' }],
    [{ xff: '-' }, { client: '9.9.9.9' }],
    [{ xff: '' }, { client: '9.9.9.9' }],
    [{ xff: 'unknown' }, { client: '' }],
    [{ xff: "'; DROP TABLE x" }, { client: '' }],
    [{ in: '-' }, { bytesIn: '0' }],
    [{ in: '-4' }, { error: 'bad_bytes' }],
    [{ cache: 'hit' }, { cache: 'HIT' }],
    [{ cache: '-', header: 'TCP_MISS from edge-3' }, { cache: 'MISS' }],
    [{ cache: 'EXPIRED', header: 'HIT' }, { cache: 'EXPIRED' }],
    [{ scheme: 'HTTPS' }, { protocol: 'https' }],
    [{ scheme: 'https', status: '101' }, { protocol: 'wss' }],
    [{ scheme: 'http', status: '101' }, { protocol: 'ws' }],
    [{ scheme: 'https', protocol: 'HTTP/3.0' }, { protocol: 'quic' }],
    [{ scheme: '-' }, { protocol: '' }],
  ])('%o gives %o', async (values, want) => {
    const [row] = await read({ format, clientFrom: 'x_forwarded_for' }, [line(values)])
    expect(row).toMatchObject({ error: '', ...want })
  })

  test('the forwarded address is not believed unless the source says so', async () => {
    expect((await read({ format }, [line({ xff: '1.1.1.1' })]))[0]?.client).toBe('9.9.9.9')
  })

  test('a fixed domain goes before the host of the line', async () => {
    expect((await read({ format, domain: 'Fix.Example:80' }, [line({})]))[0]?.host).toBe(
      'fix.example',
    )
  })
})

describe('json', () => {
  const json = { format: 'json' }
  test.each<[string, string, Partial<Row>]>([
    [
      'nginx names',
      `{"time_iso8601":"2026-11-20T13:00:00+08:00","host":"A.example","remote_addr":"1.2.3.4","status":"200","bytes_sent":"7","request_length":"5"}`,
      { host: 'a.example', client: '1.2.3.4', status: 200, bytesOut: '7', bytesIn: '5' },
    ],
    [
      'numbers and aliases',
      `{"ts":1795150800,"domain":"a.example","client_ip":"1.2.3.4","status_code":404,"bytes":7}`,
      { host: 'a.example', client: '1.2.3.4', status: 404, bytesOut: '7', bytesIn: '0' },
    ],
    ['milliseconds', `{"timestamp":1795150800000,"host":"a.example","bytes":7}`, { status: 0 }],
    [
      'nested escapes',
      `{"time":"${T}","host":"a.example","request":"GET /\\"},{\\"bytes\\":9 \\\\\\u0000 HTTP/3.0","bytes":7}`,
      { host: 'a.example', bytesOut: '7', protocol: 'quic' },
    ],
    [
      'objects inside',
      `{"time":"${T}","req":{"host":"b.example","bytes":1},"host":"a.example","bytes":7}`,
      { host: 'a.example' },
    ],
    [
      'escapes that are no JSON',
      `{"time":"${T}","host":"a.example","request":"\\x16\\x03","bytes":7}`,
      { host: 'a.example' },
    ],
    [
      'bytes that are no UTF-8',
      `{"time":"${T}","host":"a.example","ua":"\xff\xc3","bytes":7}`,
      { host: 'a.example' },
    ],
    ['CR LF', `{"time":"${T}","host":"a.example","bytes":7}\r`, { host: 'a.example' }],
    [
      'the largest count',
      `{"time":"${T}","host":"a.example","bytes":18446744073709551615}`,
      { bytesOut: '18446744073709551615' },
    ],
  ])('takes %s', async (_, line, want) => {
    const [row] = await read(json, [line])
    expect(row).toMatchObject({ error: '', time: T_MS, ...want })
  })

  test.each([
    ['', 'unparseable'],
    ['[1,2]', 'unparseable'],
    ['{"time":"x"', 'unparseable'],
    ['{"a":1}', 'unparseable'],
    [`{"time":"${T}","host":"a","status":200}`, 'bad_bytes'],
    [`{"time":"${T}","host":"a","bytes":-1}`, 'bad_bytes'],
    [`{"time":"${T}","host":"a","bytes":1.5}`, 'bad_bytes'],
    [`{"time":"${T}","host":"a","bytes":"18446744073709551616"}`, 'bad_bytes'],
    [`{"time":"${T}","host":"a","bytes":18446744073709551616}`, 'bad_bytes'],
    [`{"host":"a","bytes":1}`, 'bad_time'],
    [`{"time":"yesterday","host":"a","bytes":1}`, 'bad_time'],
    [`{"time":{"s":1},"host":"a","bytes":1}`, 'bad_time'],
  ])('refuses %j as %s', async (line, error) => {
    expect((await read(json, [line]))[0]?.error).toBe(error)
  })
})

test('a JSON-shaped log_format is an ordinary format', async () => {
  const format =
    '{"t":"$time_iso8601","h":"$host","r":"$request","b":$bytes_sent,"ua":"$http_user_agent"}'
  const line = `{"t":"2026-11-20T13:00:00+08:00","h":"a.example","r":"GET /\\"x\\\\ HTTP/1.1","b":12,"ua":"\\""}`
  expect((await read({ format }, [line]))[0]).toMatchObject({
    error: '',
    host: 'a.example',
    bytesOut: '12',
    time: T_MS,
  })
})

// A parser of combined lines as plain as possible, to compare with: quotes split the line, then the
// rest.
function reference(line: string): Pick<Row, 'error' | 'client' | 'bytesOut' | 'status' | 'time'> {
  const unescaped = line.replaceAll('\\\\', '\\x5C').replaceAll('\\"', '\\x22').replace(/\r$/, '')
  const bad = (error: string): ReturnType<typeof reference> => ({
    error,
    client: '',
    bytesOut: '0',
    status: 0,
    time: '',
  })
  const parts = unescaped.split('"')
  if (parts.length !== 7 || parts[6] !== '') return bad('unparseable')
  const left = /^(.*?) - (.*) \[([^]*)\] $/s.exec(parts[0] ?? '')
  const middle = /^ ([^ ]*) (.*) $/s.exec(parts[2] ?? '')
  if (left === null || middle === null) return bad('unparseable')
  const [, client = '', , when = ''] = left
  const [, status = '', bytes = ''] = middle
  if (!/^(-|\d{0,3})$/.test(status)) return bad('unparseable')
  const match = /^(\d\d)\/(\w\w\w)\/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(when)
  if (match === null) return bad('bad_time')
  const [, day, month, year, hour, minute, second, sign, zoneHour, zoneMinute] = match
  const index = 'JanFebMarAprMayJunJulAugSepOctNovDec'.indexOf(month ?? '') / 3
  if (!Number.isInteger(index) || index < 0) return bad('bad_time')
  const utc = Date.UTC(
    Number(year),
    index,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  if (
    !(
      new Date(utc).getUTCDate() === Number(day) &&
      Number(hour) < 24 &&
      Number(minute) < 60 &&
      Number(second) < 60
    )
  )
    return bad('bad_time')
  const offset = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000 * (sign === '-' ? -1 : 1)
  if (bytes !== '-' && (!/^\d+$/.test(bytes) || BigInt(bytes) >= 1n << 64n)) return bad('bad_bytes')
  return {
    error: '',
    client,
    bytesOut: bytes === '-' ? '0' : String(BigInt(bytes)),
    status: Number(status === '-' ? 0 : status),
    time: String(utc - offset),
  }
}

test('random lines, broken in random ways, read as the reference reads them', async () => {
  const months = ['Jan', 'Feb', 'Jun', 'Nov', 'Dec', 'Foo']
  const two = fc.integer({ min: 0, max: 34 }).map((number) => String(number).padStart(2, '0'))
  const time = fc
    .tuple(
      two,
      fc.constantFrom(...months),
      fc.integer({ min: 1990, max: 2090 }),
      two,
      two,
      two,
      fc.constantFrom('+0800', '-0500', '+0000', '+0530'),
    )
    .map(([d, m, y, h, i, s, z]) => `${d}/${m}/${y}:${h}:${i}:${s} ${z}`)
  const noise = fc.string({
    unit: fc.constantFrom(
      'a',
      ' ',
      '\\x22',
      '\\"',
      '\\\\',
      '[',
      ']',
      '-',
      '/',
      '\xff',
      '\x00',
      '9',
      ' - ',
      '] ',
    ),
    maxLength: 12,
  })
  const bytes = fc.oneof(
    fc.bigInt({ min: 0n, max: 1n << 65n }).map(String),
    fc.constantFrom(
      '-',
      '-1',
      '0',
      '007',
      '',
      '1e5',
      '18446744073709551615',
      '18446744073709551616',
    ),
  )
  const status = fc.constantFrom('200', '404', '-', '', '000', '99', 'x', '1000')
  const line = fc
    .tuple(
      fc.constantFrom('1.2.3.4', '2001:db8::1', 'x'),
      noise,
      time,
      noise,
      status,
      bytes,
      noise,
      noise,
    )
    .map(
      ([client, user, when, request, code, count, referer, agent]) =>
        `${client} - ${user} [${when}] "${request}" ${code} ${count} "${referer}" "${agent}"`,
    )
  const broken = fc.oneof(
    { weight: 4, arbitrary: line },
    {
      weight: 1,
      arbitrary: fc
        .tuple(line, fc.nat())
        .map(([text, at]) => text.slice(0, at % (text.length + 1))),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(line, fc.nat())
        .map(([text, at]) => text.slice(0, at % text.length) + text.slice((at % text.length) + 1)),
    },
  )
  const lines = fc.sample(broken, { numRuns: 5000, seed: 7 })
  const rows = await read(COMBINED, lines)
  expect(rows).toHaveLength(lines.length)
  const errors = new Map<string, number>()
  for (const [index, text] of lines.entries()) {
    const want = reference(text)
    const got = rows[index]
    errors.set(want.error, (errors.get(want.error) ?? 0) + 1)
    const client = isIP(want.client) === 0 ? '' : want.client
    const expected = want.error === '' ? { ...want, client } : { error: want.error }
    // A line of the wrong shape must be refused; which of its fields is named first does not
    // matter.
    if (want.error === 'unparseable' && got?.error !== '') continue
    expect({ text, ...got }).toMatchObject({ text, ...expected })
  }
  // The sample is worth something only if every outcome occurs in it.
  expect([...errors.keys()].sort()).toEqual(['', 'bad_bytes', 'bad_time', 'unparseable'])
})
