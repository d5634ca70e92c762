import { createHash } from 'node:crypto'
import { AppError } from '../../src/core/errors.ts'
import type {
  ChunkOutcome,
  KnownFile,
  LogChunk,
  SplittingSink,
} from '../../src/sources/access-log/sink.ts'

/** A log sink that keeps chunks in memory and checks each of them as it comes. */
export interface MemoryLogSink extends SplittingSink {
  readonly chunks: LogChunk[]
  /** All lines taken in, in order, LFs included. */
  text(): string
  lines(): number
  /** The next appends fail this many times with `overloaded`. */
  overload(times: number): void
}

/** Makes an empty sink. */
export function createMemoryLogSink(): MemoryLogSink {
  const chunks: LogChunk[] = []
  const splits = new Map<string, KnownFile & { readonly headHash: string }>()
  let overloads = 0
  return {
    chunks,
    text: () => Buffer.concat(chunks.map(({ body }) => body)).toString('latin1'),
    lines: () => chunks.reduce((sum, { lines, oversize }) => sum + lines + oversize.length, 0),
    overload(times) {
      overloads = times
    },
    async candidates(headHash) {
      const files = new Map<string, KnownFile['chunks'][number][]>()
      for (const chunk of chunks.filter((one) => one.headHash === headHash)) {
        const { offset, length, lines, sha256 } = chunk
        const known = files.get(chunk.fileId) ?? []
        known.push({ offset, length, lines, sha256 })
        files.set(chunk.fileId, known)
      }
      return [
        ...[...files].map(([fileId, known]) => ({ fileId, chunks: known })),
        ...[...splits.values()].filter((split) => split.headHash === headHash),
      ]
    },
    async split({ headHash, splitId, parts }) {
      splits.set(splitId, { headHash, fileId: splitId, chunks: parts })
    },
    async append(chunk) {
      if (overloads > 0) {
        overloads -= 1
        throw new AppError('overloaded', 'The journal is full.')
      }
      check(chunk)
      const overlapping = chunks.some(
        ({ fileId, offset, length }) => fileId === chunk.fileId && chunk.offset < offset + length,
      )
      if (overlapping) {
        throw new AppError('conflict', `chunk ${chunk.fileId}@${chunk.offset} was there already`)
      }
      // The body is its reader's again.
      chunks.push({ ...chunk, body: Buffer.from(chunk.body) })
      return { batchId: String(chunks.length - 1) }
    },
    async outcome(batchId): Promise<ChunkOutcome> {
      const chunk = chunks[Number(batchId)]
      if (chunk === undefined) throw new Error(`no batch ${batchId}`)
      const rejected = chunk.oversize.length === 0 ? {} : { line_too_long: chunk.oversize.length }
      return { accepted: chunk.lines, duplicate: 0, rejected, bytesOut: BigInt(chunk.lines) }
    },
  }
}

function check(chunk: LogChunk): void {
  const text = chunk.body.toString('latin1')
  const lines = text.split('\n').length - 1
  if (lines !== chunk.lines || (text !== '' && !text.endsWith('\n'))) {
    throw new Error(`chunk says ${chunk.lines} lines and has ${lines}`)
  }
  if (chunk.lines + chunk.oversize.length === 0) throw new Error('chunk is empty')
  const plain = chunk.oversize.length === 0 && chunk.body.length === chunk.length
  if (plain && createHash('sha256').update(chunk.body).digest('hex') !== chunk.sha256) {
    throw new Error('chunk does not hash to what it says')
  }
}
