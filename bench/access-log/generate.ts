import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NOW_MS } from '../support/weir.ts'
import { createRandom, popular, type Random } from '../support/random.ts'

/** The domain that the whole log is about: `combined` names none. */
export const DOMAIN = 'www.example.com'

/** A generated log and what is in it. */
export interface GeneratedLog {
  readonly path: string
  readonly lines: number
  readonly fileBytes: number
  /** Sum of the response sizes. */
  readonly bytesOut: bigint
}

/** What a log is made from; equal recipes give equal files. */
const RECIPE = {
  version: 2,
  seed: 20_261_120,
  clients: 50_000,
  paths: 8_000,
  spanSeconds: 86_400,
} as const

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

// First octets that belong to Chinese carriers for the most part.
const CHINESE_OCTETS = [1, 14, 27, 36, 39, 42, 49, 58, 59, 60, 61, 101, 106, 110, 111, 112, 113,
  114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 171, 175, 180, 182, 183, 202, 210,
  211, 218, 219, 220, 221, 222, 223] as const // prettier-ignore

const IPV6_STARTS = ['240e:', '2408:8', '2409:8', '2001:4860:'] as const

// Apps and players fetch most of what a CDN serves, browsers the rest.
const AGENTS = [
  'okhttp/4.12.0',
  'okhttp/5.1.0',
  'Dalvik/2.1.0 (Linux; U; Android 15; V2309A)',
  'AppleCoreMedia/1.0.0.23A341 (iPhone; U; CPU OS 19_0 like Mac OS X; zh_cn)',
  'ExoPlayerLib/2.19.1',
  'curl/8.11.0',
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
] as const

const REFERERS = ['-', '-', '-', `https://${DOMAIN}/`] as const

const STATUSES = [200, 200, 200, 200, 200, 200, 200, 206, 304, 404] as const

/** Lines written at a time. */
const SLICE_LINES = 20_000

/**
 * Makes a log of `combined` lines over 24 hours, or finds the one that an earlier run made.
 *
 * Shape: ascending by time, more at noon than at night; addresses of many provinces and carriers,
 * one in ten IPv6; a few files take most of the requests.
 */
export async function generateLog(lines: number): Promise<GeneratedLog> {
  const recipe = JSON.stringify({ ...RECIPE, lines })
  const name = createHash('sha256').update(recipe).digest('hex').slice(0, 16)
  const folder = join(tmpdir(), 'weir-bench')
  const path = join(folder, `${name}.log`)
  const known = await readFile(`${path}.json`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return null
  })
  if (known !== null) {
    const { fileBytes, bytesOut } = JSON.parse(known) as { fileBytes: number; bytesOut: string }
    return { path, lines, fileBytes, bytesOut: BigInt(bytesOut) }
  }
  await mkdir(folder, { recursive: true })
  const { fileBytes, bytesOut } = await writeLog(path, lines)
  await writeFile(`${path}.json`, JSON.stringify({ fileBytes, bytesOut: bytesOut.toString() }))
  return { path, lines, fileBytes, bytesOut }
}

async function writeLog(
  path: string,
  lines: number,
): Promise<Pick<GeneratedLog, 'fileBytes' | 'bytesOut'>> {
  const random = createRandom(RECIPE.seed)
  const clients = Array.from({ length: RECIPE.clients }, () => randomAddress(random))
  const paths = Array.from({ length: RECIPE.paths }, (_, index) => randomPath(random, index))
  const seconds = timesOf(random, lines)
  const file = await open(`${path}.part`, 'w')
  let fileBytes = 0
  let bytesOut = 0n
  try {
    for (let from = 0; from < lines; from += SLICE_LINES) {
      const slice: string[] = []
      let sliceBytes = 0
      for (let line = from; line < Math.min(from + SLICE_LINES, lines); line += 1) {
        const status = random.pick(STATUSES)
        const size = status === 304 ? 0 : random.below(random.below(64) === 0 ? 4 << 20 : 60_000)
        sliceBytes += size
        const client = clients[popular(random, clients.length)] ?? ''
        const time = timeText(seconds[line] ?? 0)
        const request = paths[popular(random, paths.length)] ?? '/'
        slice.push(
          `${client} - - [${time}] "GET ${request} HTTP/1.1" ${status} ${size} ` +
            `"${random.pick(REFERERS)}" "${random.pick(AGENTS)}"\n`,
        )
      }
      bytesOut += BigInt(sliceBytes)
      const { bytesWritten } = await file.write(slice.join(''))
      fileBytes += bytesWritten
    }
  } finally {
    await file.close()
  }
  await rename(`${path}.part`, path)
  return { fileBytes, bytesOut }
}

function randomAddress(random: Random): string {
  const kind = random.below(10)
  if (kind === 0) {
    const groups = Array.from({ length: 3 }, () => random.below(65_536).toString(16))
    return `${random.pick(IPV6_STARTS)}${groups.join(':')}::${random.below(65_536).toString(16)}`
  }
  const first = kind < 8 ? random.pick(CHINESE_OCTETS) : 2 + random.below(220)
  return `${first}.${random.below(256)}.${random.below(256)}.${1 + random.below(254)}`
}

function randomPath(random: Random, index: number): string {
  const extension = random.pick(['jpg', 'js', 'css', 'ts', 'mp4', 'html', 'webp'])
  const query = random.below(4) === 0 ? `?v=${random.below(1e6)}` : ''
  return `/assets/${random.below(90)}/item-${index}.${extension}${query}`
}

/** Seconds of the day, ascending; the busiest hour has three times the requests of the quietest. */
function timesOf(random: Random, lines: number): Uint32Array {
  const seconds = new Uint32Array(lines)
  for (let line = 0; line < lines; line += 1) {
    let second = random.below(RECIPE.spanSeconds)
    const load = 0.5 + 0.5 * Math.sin((second / RECIPE.spanSeconds - 0.25) * 2 * Math.PI)
    // Half of the requests of a quiet second are moved to any other one.
    if (random.fraction() * 2 > 1 + load) second = random.below(RECIPE.spanSeconds)
    seconds[line] = second
  }
  return seconds.sort()
}

/** The second as nginx writes it, in the zone of Shanghai. */
function timeText(second: number): string {
  const start = NOW_MS - RECIPE.spanSeconds * 1000
  const local = new Date(start + second * 1000 + 8 * 3_600_000)
  const month = MONTHS[local.getUTCMonth()]
  const two = (value: number): string => String(value).padStart(2, '0')
  const clock = [local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()].map(two)
  return `${two(local.getUTCDate())}/${month}/${local.getUTCFullYear()}:${clock.join(':')} +0800`
}
