import { MINUTE_MS, toLocal } from '../core/period.ts'
import { createClients } from './clients.ts'
import { EDGE_OFFSET_MS, loadAt } from './load-curve.ts'
import { createRandom, pick, type Random, weighted } from './random.ts'
import { EXAMPLE_DOMAINS } from './resources.ts'

/** What the example's usage is made from. Equal plans give equal bytes. */
export interface ExamplePlan {
  readonly seed: number
  /** Half-open, both on whole minutes. */
  readonly startMs: number
  readonly endMs: number
  /** Lines of the access log. */
  readonly lines: number
}

/**
 * The format of the example's access log: the host, then nginx's `combined`, then what combined
 * leaves out and metering needs.
 */
export const EXAMPLE_LOG_FORMAT =
  '$host $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent ' +
  '"$http_referer" "$http_user_agent" $request_length $bytes_sent $upstream_cache_status $scheme'

/** Characters in one piece. */
const PIECE_LENGTH = 64 << 10

/** A kind of content that a domain serves. */
interface Content {
  readonly weight: number
  readonly host: string
  readonly method: 'GET' | 'POST'
  /** Path before and after a number below `count`. */
  readonly path: readonly [string, string]
  readonly count: number
  readonly status: 200 | 206
  readonly bytes: readonly [number, number]
  /** Share answered from cache in percent; null: never cached. */
  readonly hitPercent: number | null
}

const [VIDEO, WWW, API] = EXAMPLE_DOMAINS.map(({ name }) => name) as [string, string, string]

const CONTENTS = weighted<Content>([
  ...served(WWW, 92, [
    [12, '/', '', 1, 9_000, 60_000],
    [10, '/articles/', '.html', 4000, 12_000, 90_000],
    [12, '/assets/app.', '.js', 40, 40_000, 420_000],
    [12, '/images/', '.webp', 20_000, 8_000, 300_000],
  ]),
  ...served(VIDEO, 97, [
    [8, '/live/channel-', '/index.m3u8', 30, 900, 6_000],
    [22, '/live/channel-2/segment-', '.ts', 90_000, 700_000, 5_000_000],
    [2, '/films/', '.mp4', 600, 8_000_000, 90_000_000],
  ]),
  ...served(API, null, [
    [14, '/v1/items?page=', '', 300, 400, 24_000],
    [5, '/v1/items/', '', 90_000, 300, 6_000],
    [3, '/v1/orders?cart=', '', 90_000, 200, 2_000],
  ]),
])

type Row = readonly [
  weight: number,
  before: string,
  after: string,
  count: number,
  min: number,
  max: number,
]

function served(host: string, hitPercent: number | null, rows: readonly Row[]): Content[] {
  return rows.map(([weight, before, after, count, min, max]) => ({
    weight,
    host,
    method: before.startsWith('/v1/orders') ? 'POST' : 'GET',
    path: [before, after],
    count,
    status: after === '.mp4' ? 206 : 200,
    bytes: [min, max],
    hitPercent,
  }))
}

/** Of a thousand requests, those that end otherwise than well. */
const TROUBLES = [
  { weight: 34, status: 304 },
  { weight: 16, status: 404 },
  { weight: 5, status: 403 },
  { weight: 4, status: 499 },
  { weight: 2, status: 502 },
] as const

const TROUBLE_BY_MILLE = weighted(TROUBLES).map(({ status }) => status)

const PROTOCOLS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/2.0', 'HTTP/2.0', 'HTTP/2.0', 'HTTP/3.0'] as const
const REFERERS = ['-', '-', `https://${WWW}/`, 'https://www.example.org/search'] as const
const BROWSERS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
  'Mozilla/5.0 (Linux; Android 15; V2366HA) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0',
  'okhttp/5.1.0',
] as const

/**
 * Generates an access log in EXAMPLE_LOG_FORMAT.
 *
 * Shape: pieces of about 64 KiB of whole ASCII lines, `plan.lines` lines in all, ascending by time.
 * Time: spread over the plan's interval by `loadAt`; written in the edge's zone, +08:00.
 */
export function* accessLogPieces(plan: ExamplePlan): Generator<string, void, undefined> {
  const random = createRandom(plan.seed, 'access-log')
  const nextClient = createClients(random)
  let piece = ''
  for (const { startMs, lines } of linesByMinute(plan)) {
    if (lines === 0) continue
    const minute = minuteText(startMs)
    for (let index = 0; index < lines; index += 1) {
      const second = Math.floor(((index + random()) * 60) / lines)
      piece += logLine(minute + (second < 10 ? `0${second}` : String(second)), nextClient(), random)
      if (piece.length < PIECE_LENGTH) continue
      yield piece
      piece = ''
    }
  }
  if (piece !== '') yield piece
}

/** Spreads the lines over the minutes; the parts add up to the whole. */
function* linesByMinute(plan: ExamplePlan): Generator<{ startMs: number; lines: number }> {
  let weight = 0
  for (let atMs = plan.startMs; atMs < plan.endMs; atMs += MINUTE_MS) weight += loadAt(atMs)
  let passed = 0
  let given = 0
  for (let atMs = plan.startMs; atMs < plan.endMs; atMs += MINUTE_MS) {
    passed += loadAt(atMs)
    const isLast = atMs + MINUTE_MS >= plan.endMs
    const due = isLast ? plan.lines : Math.floor((plan.lines * passed) / weight)
    yield { startMs: atMs, lines: due - given }
    given = due
  }
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** Writes a minute as `$time_local` begins, `21/Nov/2026:15:04:`. */
function minuteText(startMs: number): string {
  const { year, month, day, hour, minute } = toLocal(startMs + EDGE_OFFSET_MS, 'UTC')
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(day)}/${MONTHS[month - 1]}/${year}:${two(hour)}:${two(minute)}:`
}

function logLine(time: string, client: string, random: Random): string {
  const content = pick(CONTENTS, random)
  const [before, after] = content.path
  const path = content.count === 1 ? before : before + Math.floor(random() * content.count) + after
  const status = TROUBLE_BY_MILLE[Math.floor(random() * 1000)] ?? content.status
  const body = bodyBytes(content, status, random)
  const sent = body + 280 + Math.floor(random() * 200)
  const received = 320 + Math.floor(random() * 900)
  const scheme = random() < 0.94 ? 'https' : 'http'
  const protocol = scheme === 'http' ? 'HTTP/1.1' : pick(PROTOCOLS, random)
  return (
    `${content.host} ${client} - - [${time} +0800] "${content.method} ${path} ${protocol}" ` +
    `${status} ${body} "${pick(REFERERS, random)}" "${pick(BROWSERS, random)}" ` +
    `${received} ${sent} ${cacheResult(content.hitPercent, random)} ${scheme}\n`
  )
}

function bodyBytes(content: Content, status: number, random: Random): number {
  if (status === 304 || status === 499) return 0
  if (status >= 400) return 153
  const [min, max] = content.bytes
  // Squared: most objects are small, few are large.
  const skew = random()
  return min + Math.floor((max - min) * skew * skew)
}

function cacheResult(hitPercent: number | null, random: Random): string {
  if (hitPercent === null) return '-'
  const roll = random() * 100
  if (roll < hitPercent) return 'HIT'
  return roll < hitPercent + 2 ? 'EXPIRED' : 'MISS'
}
