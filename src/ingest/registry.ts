import type { EpochMs } from '../core/clock.ts'
import type { MeterName } from '../meters/meter.ts'
import type { FrameOutcome } from './batch.ts'
import type { Checkpointer } from './loader.ts'

/** A loaded frame as it is remembered. */
export interface LoadedFrame {
  readonly seq: number
  readonly source: string
  readonly meter: MeterName
  readonly receivedMs: EpochMs
  readonly loadedMs: EpochMs
  readonly outcome: Omit<FrameOutcome, 'accounts'>
}

/** A part of a log file that has been taken in. */
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

/** A known chunk in two parts, known by an identity of their own. */
export interface ChunkSplit {
  readonly headHash: string
  readonly splitId: string
  readonly path: string
  readonly parts: readonly [KnownChunk, KnownChunk]
}

/** Sums over everything a source ever sent; lines = accepted + duplicate + rejected. */
export interface SourceTotals {
  readonly source: string
  readonly meter: MeterName
  readonly lines: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: number
}

/** What the ingest side keeps in the control store. */
export interface IngestRegistry extends Checkpointer {
  loadedFrame(seq: number): Promise<LoadedFrame | undefined>
  /** Loaded files that begin with this line. */
  files(headHash: string): Promise<readonly KnownFile[]>
  /** Makes the parts of a known chunk known, too; repeating it changes nothing. */
  splitChunk(split: ChunkSplit): Promise<void>
  /** Where the loaded part of a file ends; 0 when nothing of it is loaded. */
  fileEnd(fileId: string): Promise<number>
  /** The loaded frame that a source sent under this key. */
  frameOfRequest(source: string, key: string): Promise<number | undefined>
  totals(): Promise<readonly SourceTotals[]>
  /** Forgets frames and request keys received before the instant. */
  prune(beforeMs: EpochMs): Promise<void>
}
