import { createHash } from 'node:crypto'
import { NOW_MS } from './pipeline.ts'

/** A request that a sender repeats, exactly as it is, until it is acked. */
export interface Job {
  readonly kind: 'ids' | 'keys' | 'logs'
  /** Tries to send it once; true when it was acked. */
  send(url: string): Promise<boolean>
}

/** What must be in the tables when every job was acked. */
export interface Expected {
  readonly ids: Map<string, bigint>
  keyLines: number
  keyBytes: bigint
  keyRejected: number
  logLines: number
  logBytes: bigint
  logRejected: number
}

export const LATE_ADDRESS = '192.0.2.200'

const LOG_SPEC = {
  format: '$host $remote_addr [$time_iso8601] "$request" $status $bytes_sent',
  domain: null,
  clientFrom: 'remote_addr',
  timeZone: null,
} as const

const DAY_MS = 86_400_000

/** Makes an endless, reproducible mix of requests, and keeps the books about them. */
export function createJobs(random: () => number): { next(): Job; readonly expected: Expected } {
  const expected: Expected = {
    ids: new Map(),
    keyLines: 0,
    keyBytes: 0n,
    keyRejected: 0,
    logLines: 0,
    logBytes: 0n,
    logRejected: 0,
  }
  const integer = (below: number): number => Math.floor(random() * below)
  // Several days: a batch then writes several partitions.
  const time = (): string => new Date(NOW_MS - integer(4 * DAY_MS)).toISOString()
  const record = (resource: string, bytes: number): object => ({
    time: time(),
    resource,
    direction: 'out',
    bytes,
  })
  let number = 0

  function idJob(): Job {
    const lines = Array.from({ length: 1 + integer(20) }, () => {
      // Every third id was sent before, in this or an earlier request.
      const isOld = expected.ids.size > 0 && integer(3) === 0
      const id = `id-${isOld ? integer(expected.ids.size) : expected.ids.size}`
      const bytes = idBytes(id)
      expected.ids.set(id, BigInt(bytes))
      // Its time is fixed by its id, or it would be another record.
      const at = new Date(NOW_MS - (idBytes(`${id}-time`) % (4 * DAY_MS))).toISOString()
      return JSON.stringify({ ...record('192.0.2.1', bytes), time: at, id })
    })
    const body = `${lines.join('\n')}\n`
    return { kind: 'ids', send: (url) => post(`${url}/v1/usage/eip`, body, { source: 'ids' }) }
  }

  function keyJob(): Job {
    const key = `key-${(number += 1)}`
    const lines = Array.from({ length: 1 + integer(20) }, () => {
      const isLate = integer(10) === 0
      const bytes = 1 + integer(1e9)
      expected.keyLines += 1
      expected.keyBytes += BigInt(bytes)
      if (isLate) expected.keyRejected += 1
      return JSON.stringify(record(isLate ? LATE_ADDRESS : '192.0.2.1', bytes))
    })
    const body = `${lines.join('\n')}\n`
    return {
      kind: 'keys',
      send: (url) => post(`${url}/v1/usage/eip`, body, { source: 'keys', key }),
    }
  }

  function logJob(): Job {
    const fileId = `file-${(number += 1)}`
    // Now and then a chunk that is too large to lie inside the journal's segment.
    const sizes = integer(20) === 0 ? [4000] : [1 + integer(50), 1 + integer(50)]
    let offset = 0
    const pieces = sizes.map((count) => {
      const body = logLines(count)
      const file = {
        fileId,
        headHash: sha256(fileId),
        path: `/var/log/${fileId}`,
        offset,
        length: body.length,
        sha256: sha256(body),
      }
      offset += body.length
      return { body, chunk: { source: 'logs', spec: LOG_SPEC, lines: count, oversize: [], file } }
    })
    return {
      kind: 'logs',
      async send(url) {
        for (const { chunk, body } of pieces) {
          if (!(await sendChunk(url, chunk, body))) return false
        }
        return true
      },
    }
  }

  function logLines(count: number): string {
    const lines = Array.from({ length: count }, () => {
      const bytes = 1 + integer(1e6)
      const isKnown = integer(10) !== 0
      expected.logLines += 1
      if (isKnown) expected.logBytes += BigInt(bytes)
      else expected.logRejected += 1
      const host = isKnown ? 'a.example.com' : 'nobody.example.com'
      return `${host} 1.2.3.4 [${time()}] "GET / HTTP/1.1" 200 ${bytes}`
    })
    return `${lines.join('\n')}\n`
  }

  const makers = [idJob, keyJob, logJob]
  return { expected, next: () => (makers[integer(makers.length)] ?? idJob)() }
}

interface Chunk {
  readonly file: { readonly headHash: string; readonly fileId: string; readonly offset: number }
}

// As a reader of log files does: it asks what is known before it sends a piece.
async function sendChunk(url: string, chunk: Chunk, body: string): Promise<boolean> {
  const { headHash, fileId, offset } = chunk.file
  const answer = await fetch(`${url}/files?head=${headHash}`)
  const known = (await answer.json()) as { fileId: string; chunks: { offset: number }[] }[]
  const mine = known.find((file) => file.fileId === fileId)
  if (mine?.chunks.some((piece) => piece.offset === offset) === true) return true
  return await post(`${url}/log?meta=${encodeURIComponent(JSON.stringify(chunk))}`, body, {})
}

async function post(
  url: string,
  body: string,
  options: { source?: string; key?: string },
): Promise<boolean> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/x-ndjson',
      ...(options.source !== undefined && { authorization: `Bearer ${options.source}` }),
      ...(options.key !== undefined && { 'idempotency-key': options.key }),
    },
  })
  const text = await response.text()
  if (response.status === 503) return false
  if (!response.ok) throw new TypeError(`${response.status} ${text}`)
  return true
}

/** Bytes of a record, fixed by its id. */
function idBytes(id: string): number {
  return 1 + (Number.parseInt(sha256(id).slice(0, 8), 16) % 1_000_000_007)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Reproducible random numbers in [0, 1). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
