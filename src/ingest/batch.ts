import type { EpochMs } from '../core/clock.ts'
import type { MeterName } from '../meters/meter.ts'
import type { RejectReason } from '../meters/reject-reasons.ts'

/** How the lines of a frame are read. Plain data, kept in the journal beside the lines. */
export type Reading =
  | { readonly kind: 'records' }
  | { readonly kind: 'log'; readonly spec: LogSpec }

/** What turns a log line into usage; compiled to engine expressions by the access-log source. */
export interface LogSpec {
  readonly format: string
  readonly domain: string | null
  readonly clientFrom: 'remote_addr' | 'x_forwarded_for'
  readonly timeZone: string | null
}

/** The part of a log file that a frame holds, by content rather than by path. */
export interface FileChunk {
  readonly fileId: string
  readonly headHash: string
  readonly path: string
  readonly offset: number
  readonly length: number
  readonly sha256: string
}

/** A line too long to be taken in; only its beginning is kept. */
export interface OversizeLine {
  readonly offset: number
  readonly length: number
  readonly head: string
}

/** What the journal knows of a frame beside its lines. */
export interface FrameMeta {
  readonly source: string
  readonly meter: MeterName
  readonly reading: Reading
  readonly receivedMs: EpochMs
  readonly lines: number
  /** Empty lines between those; absent: none. They have numbers, and nothing else. */
  readonly blankLines?: number
  /** Only this account's resources may be reported; null: any. */
  readonly onlyAccount: string | null
  readonly file: FileChunk | null
  readonly oversize: readonly OversizeLine[]
  readonly idempotencyKey: string | null
  /** Set on frames made from rejected lines: which ones they take the place of. */
  readonly replays: readonly {
    readonly batch: number
    readonly line: number
    readonly frame: number
  }[]
  /** When a replay took its lines in again: what lay in the future then still does. */
  readonly replayedMs?: EpochMs
}

/** One unit of acceptance: what one ack covered. `seq` grows with every frame of a journal. */
export interface Frame extends FrameMeta {
  readonly seq: number
  /** File with the frame's lines, each ended by LF, and where in it they are. */
  readonly body: { readonly path: string; readonly offset: number; readonly length: number }
}

/** A run of frames that are loaded together, all of one meter and one reading. */
export interface Batch {
  /** The sequence number of its first frame. */
  readonly id: number
  /** Grows each time the batch had to be started over. */
  readonly attempt: number
  readonly meter: MeterName
  readonly reading: Reading
  readonly frames: readonly Frame[]
}

/** What became of one frame; accepted + duplicate + Σ rejected = its lines. */
export interface FrameOutcome {
  readonly seq: number
  readonly lines: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Partial<Record<RejectReason, number>>>
  /** Accounts whose usage it changed. */
  readonly accounts: readonly string[]
  readonly bytes: bigint
}
