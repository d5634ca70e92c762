import { createHash } from 'node:crypto'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom, popular } from '../support/random.ts'
import { NOW_MS } from '../support/weir.ts'

/** Generated usage, one JSON record per line, and where each request's records end. */
export interface GeneratedUsage {
  readonly path: string
  readonly records: number
  readonly fileBytes: number
  readonly bytesOut: bigint
  /** Offset behind the last byte of each request body. */
  readonly bodyEnds: readonly number[]
}

/** What usage is made from; equal recipes give equal files. */
const RECIPE = {
  version: 1,
  seed: 7,
  domains: 20,
  clients: 20_000,
  recordsPerBody: 10_000,
  spanMs: 3_600_000,
} as const

/** The domains that report usage. */
export const DOMAINS: readonly string[] = Array.from(
  { length: RECIPE.domains },
  (_, index) => `d${String(index).padStart(2, '0')}.example.com`,
)

/** Makes records of the last hour, each with an id of its own, or finds those of an earlier run. */
export async function generateUsage(records: number): Promise<GeneratedUsage> {
  const recipe = JSON.stringify({ ...RECIPE, records })
  const name = createHash('sha256').update(recipe).digest('hex').slice(0, 16)
  const folder = join(tmpdir(), 'weir-bench')
  const path = join(folder, `${name}.ndjson`)
  const known = await readFile(`${path}.json`, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
    return null
  })
  if (known !== null) {
    const { bodyEnds, bytesOut } = JSON.parse(known) as { bodyEnds: number[]; bytesOut: string }
    return { path, records, fileBytes: bodyEnds.at(-1) ?? 0, bodyEnds, bytesOut: BigInt(bytesOut) }
  }
  await mkdir(folder, { recursive: true })
  const { bodyEnds, bytesOut } = await writeRecords(path, records)
  await writeFile(`${path}.json`, JSON.stringify({ bodyEnds, bytesOut: bytesOut.toString() }))
  return { path, records, fileBytes: bodyEnds.at(-1) ?? 0, bodyEnds, bytesOut }
}

async function writeRecords(
  path: string,
  records: number,
): Promise<{ bodyEnds: number[]; bytesOut: bigint }> {
  const random = createRandom(RECIPE.seed)
  const clients = Array.from(
    { length: RECIPE.clients },
    () => `${1 + random.below(222)}.${random.below(256)}.${random.below(256)}.${random.below(256)}`,
  )
  const bodyEnds: number[] = []
  let bytesOut = 0n
  let end = 0
  const file = await open(`${path}.part`, 'w')
  try {
    for (let from = 0; from < records; from += RECIPE.recordsPerBody) {
      const lines: string[] = []
      let bodyBytesOut = 0
      for (let index = from; index < Math.min(from + RECIPE.recordsPerBody, records); index += 1) {
        const size = random.below(200_000)
        bodyBytesOut += size
        // Records arrive roughly in the order in which they happened.
        const age = RECIPE.spanMs * (1 - index / records) + random.below(30_000)
        lines.push(
          `{"id":"edge-7-${String(index).padStart(9, '0')}",` +
            `"time":"${new Date(NOW_MS - Math.floor(age)).toISOString()}",` +
            `"resource":"${DOMAINS[popular(random, DOMAINS.length)]}","bytesOut":${size},` +
            `"client":"${random.pick(clients)}","status":${random.pick([200, 200, 206, 304])},` +
            `"cache":"${random.pick(['HIT', 'HIT', 'HIT', 'MISS'])}"}\n`,
        )
      }
      bytesOut += BigInt(bodyBytesOut)
      const { bytesWritten } = await file.write(lines.join(''))
      end += bytesWritten
      bodyEnds.push(end)
    }
  } finally {
    await file.close()
  }
  await rename(`${path}.part`, path)
  return { bodyEnds, bytesOut }
}
