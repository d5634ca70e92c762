import type { FormatSpec } from './format.ts'

/**
 * Bytes of lines in one chunk; a batch of the journal holds several. Joining and checking a chunk
 * keeps everybody else in the process waiting, some milliseconds at this size.
 */
export const CHUNK_BYTES_MAX = 8 << 20
/** Lines in one chunk: bounds what one load stages. */
export const CHUNK_LINES_MAX = 500_000
/** A longer line is not taken in. No request line a server accepts comes near it. */
export const LINE_BYTES_MAX = 1 << 20
/** What is kept of a line that is too long. */
export const LINE_HEAD_BYTES = 4096

/** A part of a log file that is durable already. */
export interface KnownChunk {
  readonly offset: number
  readonly length: number
  readonly lines: number
  readonly sha256: string
}

/** A log file, known by its content. Chunks ascend by offset. */
export interface KnownFile {
  readonly fileId: string
  readonly chunks: readonly KnownChunk[]
}

/** A line that was cut out because it is too long. */
export interface OversizeLine {
  readonly offset: number
  readonly length: number
  /** Its first LINE_HEAD_BYTES bytes. */
  readonly head: string
}

/**
 * A run of whole lines of one file, decompressed.
 *
 * Shape: `offset` and `length` say which bytes of the content it covers, `sha256` is their hash,
 * oversize lines included; `body` has the other lines, `lines` of them, each ended by LF.
 */
export interface LogChunk {
  readonly source: string
  readonly formatSpec: FormatSpec
  readonly fileId: string
  /** SHA-256 of the file's first line: where to look for what is known of it. */
  readonly headHash: string
  readonly path: string
  readonly offset: number
  readonly length: number
  readonly lines: number
  readonly sha256: string
  readonly body: Buffer
  readonly oversize: readonly OversizeLine[]
}

/** What became of a chunk; accepted + duplicate + Σ rejected = its lines and oversize lines. */
export interface ChunkOutcome {
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Record<string, number>>
  readonly bytesOut: bigint
}

/**
 * A known chunk in two parts: a copy of the file ends between them.
 *
 * Shape: the parts cover the chunk without a gap, in order.
 */
export interface ChunkSplit {
  readonly headHash: string
  /** What the two parts are known by; no other chunk is. */
  readonly splitId: string
  readonly path: string
  readonly parts: readonly [KnownChunk, KnownChunk]
}

/** Where log lines go. */
export interface LogSink {
  /** Known files with this first line, durable or loaded. */
  candidates(headHash: string): Promise<readonly KnownFile[]>
  /**
   * Takes a chunk in: durable when it resolves, and its body the caller's to write into again.
   *
   * Errors: `overloaded` when there is no room now, the caller waits and tries again; `conflict`
   * when this part of the file has been taken in meanwhile.
   */
  append(chunk: LogChunk): Promise<{ readonly batchId: string }>
  /** Resolves when the chunk is loaded. */
  outcome(batchId: string): Promise<ChunkOutcome>
}

/** Where a follower of files puts their lines. */
export interface SplittingSink extends LogSink {
  /** Makes the parts of a known chunk known, too: durable when it resolves. May be repeated. */
  split(split: ChunkSplit): Promise<void>
}
