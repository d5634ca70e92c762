import { createHash } from 'node:crypto'
import { createRemoteSink } from '../../src/cli/remote-sink.ts'
import { AppError } from '../../src/core/errors.ts'
import type { LogChunk } from '../../src/sources/access-log/sink.ts'
import type { CrashChild } from './crash-child.ts'
import { NOW_MS } from './pipeline.ts'

/** A request that a sender repeats, exactly as it is, until it is acked. */
export interface Job {
  readonly kind: 'ids' | 'keys' | 'logs'
  /** Tries to send it once; true when it was acked. Errors: `BrokenError` when nobody answered. */
  send(child: Target): Promise<boolean>
}

/** Where a job is sent to. */
export type Target = Pick<CrashChild, 'url' | 'tokens'>

/** The connection broke before the answer came. */
export class BrokenError extends Error {}

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
    return { kind: 'ids', send: (child) => postUsage(child, body, { source: 'ids' }) }
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
      send: (child) => postUsage(child, body, { source: 'keys', key }),
    }
  }

  function logJob(): Job {
    const fileId = `file-${(number += 1)}`
    // Now and then a chunk that is too large to lie inside the journal's segment.
    const sizes = integer(20) === 0 ? [4000] : [1 + integer(50), 1 + integer(50)]
    let offset = 0
    const chunks = sizes.map((count): LogChunk => {
      const body = Buffer.from(logLines(count))
      const start = offset
      offset += body.length
      return {
        source: 'logs',
        formatSpec: LOG_SPEC,
        fileId,
        headHash: sha256(fileId),
        path: `/var/log/${fileId}`,
        offset: start,
        length: body.length,
        lines: count,
        sha256: sha256(body.toString()),
        oversize: [],
        body,
      }
    })
    return {
      kind: 'logs',
      async send(child) {
        for (const chunk of chunks) if (!(await sendChunk(child, chunk))) return false
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

// As `weir ingest` does it: it asks what is known before it sends a piece.
async function sendChunk({ url, tokens }: Target, chunk: LogChunk): Promise<boolean> {
  const sink = createRemoteSink({ url, token: tokens.admin })
  try {
    const known = await sink.candidates(chunk.headHash)
    const mine = known.find(({ fileId }) => fileId === chunk.fileId)
    if (mine?.chunks.some(({ offset }) => offset === chunk.offset) === true) return true
    await sink.append(chunk)
    return true
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'overloaded') return false
    if (error.code === 'timeout') throw new BrokenError(error.message, { cause: error })
    throw error
  }
}

async function postUsage(
  { url, tokens }: Target,
  body: string,
  options: { readonly source: string; readonly key?: string },
): Promise<boolean> {
  const headers = {
    'content-type': 'application/x-ndjson',
    authorization: `Bearer ${tokens.sources[options.source] ?? ''}`,
    ...(options.key !== undefined && { 'idempotency-key': options.key }),
  }
  const { status, text } = await send(`${url}/v1/usage/eip`, { method: 'POST', body, headers })
  if (status === 503) return false
  if (status !== 202) throw new Error(`${status} ${text}`)
  return true
}

async function send(url: string, init: RequestInit): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(url, init)
    return { status: response.status, text: await response.text() }
  } catch (error) {
    throw new BrokenError('The connection broke.', { cause: error })
  }
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
