import type { LogSpec, OversizeLine } from './batch.ts'
import type { Ingest } from './ingest.ts'
import type { ChunkSplit, KnownFile } from './registry.ts'
import { AppError } from '../core/errors.ts'

/** What a reader of log files hands over: one piece of one file, cut at line ends. */
export interface LogPiece {
  readonly source: string
  readonly formatSpec: LogSpec
  readonly fileId: string
  readonly headHash: string
  readonly path: string
  readonly offset: number
  readonly length: number
  readonly lines: number
  readonly sha256: string
  readonly oversize: readonly OversizeLine[]
  readonly body: Buffer
}

/** What became of a piece. */
export interface PieceOutcome {
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Record<string, number>>
  readonly bytesOut: bigint
}

/** Longest wait for a piece before the wait begins again. */
const WAIT_MS = 60_000

/** Lets readers of log files in this process take their files in. */
export function createLogSink(
  ingest: Pick<Ingest, 'acceptLog' | 'files' | 'loaded' | 'splitChunk' | 'state'>,
): {
  candidates(headHash: string): Promise<readonly KnownFile[]>
  append(piece: LogPiece): Promise<{ batchId: string }>
  outcome(batchId: string): Promise<PieceOutcome>
  split(split: ChunkSplit): Promise<void>
} {
  return {
    candidates: (headHash) => ingest.files(headHash),
    split: (split) => ingest.splitChunk(split),
    async append({ source, formatSpec, fileId, headHash, path, offset, length, sha256, ...rest }) {
      const { seq } = await ingest.acceptLog({
        source,
        spec: formatSpec,
        file: { fileId, headHash, path, offset, length, sha256 },
        body: rest.body,
        lines: rest.lines,
        oversize: rest.oversize,
      })
      return { batchId: String(seq) }
    },
    async outcome(batchId) {
      const seq = Number(batchId)
      for (;;) {
        const frame = await ingest.loaded(seq, WAIT_MS)
        if (frame !== undefined) {
          const { accepted, duplicate, rejected, bytes } = frame.outcome
          return { accepted, duplicate, rejected, bytesOut: bytes }
        }
        if ((await ingest.state(seq)) === undefined) {
          throw new AppError('not_found', `There is no batch ${batchId}.`)
        }
      }
    },
  }
}
