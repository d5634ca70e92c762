import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { createClients } from '../../src/example/clients.ts'
import { createRandom, pick } from '../../src/example/random.ts'
import { startProgram, type UsageRow, type WeirServer } from './built-weir.ts'

/** How the lines are written. */
export const COUNTED_FORMAT = '$host $remote_addr [$time_iso8601] "$request" $status $bytes_sent'

/** Registered domains by the id of their resource. */
export const COUNTED_DOMAINS: Readonly<Record<string, string>> = {
  'ucdn-counted-a': 'a.example.com',
  'ucdn-counted-b': 'b.example.com',
  'ucdn-counted-c': 'c.example.com',
}

/** A domain that nobody registered. */
export const UNKNOWN_DOMAIN = 'nobody.example.com'
/** What shows that a line was cut by its writer. */
const BROKEN = 'cut by a crash'

const STATUSES = [200, 200, 200, 206, 304, 404, 500] as const
const SLICE_LINES = 20_000
const DAY_S = 86_400

/** What a log is made from; equal recipes give equal files. */
export interface LogRecipe {
  readonly lines: number
  readonly seed: number
  /** The lines ascend over the 24 hours before it. */
  readonly endMs: number
}

/** Writes a log of many domains and clients, with some lines that cannot be used. */
export async function writeCountedLog(path: string, recipe: LogRecipe): Promise<void> {
  const file = createWriteStream(path)
  for (let from = 0; from < recipe.lines; from += SLICE_LINES) {
    if (!file.write(countedLines(recipe, from, SLICE_LINES))) await once(file, 'drain')
  }
  file.end()
  await once(file, 'close')
}

/** The lines from one number on; each slice is the same however the log is cut. */
export function countedLines(recipe: LogRecipe, from: number, count: number): string {
  const random = createRandom(recipe.seed, `lines-${from}`)
  const client = createClients(random)
  const domains = Object.values(COUNTED_DOMAINS)
  const until = Math.min(from + count, recipe.lines)
  let text = ''
  for (let line = from; line < until; line += 1) {
    const second = recipe.endMs / 1000 - DAY_S + Math.floor((line / recipe.lines) * DAY_S)
    const time = `${new Date(second * 1000).toISOString().slice(0, 19)}+00:00`
    const chance = random()
    const host = chance < 0.001 ? UNKNOWN_DOMAIN : pick(domains, random)
    const head = `${host} ${client()} [${time}]`
    const bytes = Math.floor(random() * random() * 1_000_000)
    if (chance > 0.9995) text += `${head} ${BROKEN}\n`
    else text += `${head} "GET /${line % 977} HTTP/1.1" ${pick(STATUSES, random)} ${bytes}\n`
  }
  return text
}

/** What is in a log: used lines by `resource minute status`, the others by reason. */
export interface Counted {
  /** `<lines> <bytes>` of each. */
  readonly cells: ReadonlyMap<string, string>
  readonly lines: number
  readonly bytes: bigint
  readonly rejected: Readonly<Record<string, number>>
}

const AWK = `{
  if (NF != 8) { bad["unparseable"]++; next }
  if (!($1 in id)) { bad["unknown_resource"]++; next }
  key = id[$1] " " substr($3, 2, 16) " " $7; n[key]++; b[key] += $8
} END {
  for (key in n) printf "%s %d %.0f\\n", key, n[key], b[key]
  for (reason in bad) printf "%s %d\\n", reason, bad[reason]
}`

/** Counts logs by a program that shares nothing with Weir. */
export async function countByAwk(awk: string, paths: readonly string[]): Promise<Counted> {
  const ids = Object.entries(COUNTED_DOMAINS).map(([id, name]) => `id["${name}"] = "${id}"`)
  const program = `BEGIN { ${ids.join('; ')} } ${AWK}`
  const { code, out, err } = await startProgram(awk, [program, ...paths]).ended
  if (code !== 0) throw new Error(`awk ended with ${code}: ${err}`)
  const cells = new Map<string, string>()
  const rejected: Record<string, number> = {}
  let lines = 0
  let bytes = 0n
  for (const row of out.trimEnd().split('\n')) {
    const [first = '', second = '', third = '', n = '', b = ''] = row.split(' ')
    if (n === '') rejected[first] = Number(second)
    else {
      cells.set(`${first} ${second} ${third}`, `${n} ${b}`)
      lines += Number(n)
      bytes += BigInt(b)
    }
  }
  return { cells, lines, bytes, rejected }
}

/** What differs between Weir's minutes and awk's, at most ten lines; empty when nothing does. */
export async function differences(
  server: WeirServer,
  account: string,
  expected: Counted,
  endMs: number,
): Promise<string[]> {
  const rows = await server.query({
    account,
    meter: 'cdn',
    start: endMs - DAY_S * 1000,
    end: endMs,
    granularity: 'minute',
    groupBy: ['resource', 'status'],
    measures: ['bytes', 'requests'],
    dense: false,
  })
  const actual = new Map(rows.map((row) => [keyOf(row), `${row['requests']} ${row['bytes']}`]))
  const keys = [...new Set([...expected.cells.keys(), ...actual.keys()])]
  return keys
    .filter((key) => actual.get(key) !== expected.cells.get(key))
    .slice(0, 10)
    .map((key) => `${key}: ${actual.get(key)}, not ${expected.cells.get(key)}`)
}

function keyOf(row: UsageRow): string {
  return `${row['resource']} ${String(row['time']).slice(0, 16)} ${row['status']}`
}

/** Lines and bytes of the whole account over the day of the log. */
export async function totalsOf(
  server: WeirServer,
  account: string,
  endMs: number,
): Promise<{ readonly lines: number; readonly bytes: bigint }> {
  const [row] = await server.query({
    account,
    meter: 'cdn',
    start: endMs - DAY_S * 1000,
    end: endMs,
    granularity: 'total',
    measures: ['bytes', 'requests'],
  })
  return { lines: Number(row?.['requests'] ?? 0), bytes: BigInt(row?.['bytes'] ?? 0) }
}

/** Registers an account with the domains that the logs name, as of two days before their end. */
export async function registerCounted(server: WeirServer, endMs: number): Promise<string> {
  const { id } = await server.json<{ id: string }>('account', 'create', 'counted')
  const since = new Date(endMs - 2 * DAY_S * 1000).toISOString()
  for (const [resource, name] of Object.entries(COUNTED_DOMAINS)) {
    const options = ['--meter', 'cdn', '--account', id, '--id', resource, '--created-at', since]
    await server.json('resource', 'create', name, ...options)
  }
  return id
}
