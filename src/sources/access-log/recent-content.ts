import type { EpochMs } from '../../core/clock.ts'
import { MINUTE_MS } from '../../core/period.ts'

/** Most bytes kept of one content, and of all together; the ones not added to for longest go. */
const CONTENT_BYTES_MAX = 8 << 20
const TOTAL_BYTES_MAX = 64 << 20
/** Copying, syncing and truncating a log takes less. */
const KEPT_MS = 10 * MINUTE_MS
/** A smaller part of what was allocated for a read is copied, so that the rest can go. */
const SHARED_BYTES_MIN = 512 << 10

/** The last bytes that were read of each file, for as long as they may be missing in a copy. */
export interface RecentContent {
  /**
   * Notes bytes that were taken in; they are not written to afterwards. `content` stands for what
   * one file held until it was overwritten.
   */
  note(block: {
    readonly content: object
    readonly headHash: string
    readonly offset: number
    readonly bytes: Buffer
    readonly nowMs: EpochMs
  }): void
  /** What stood from `from` up to `to` in contents with this first line, as far as it is kept. */
  find(headHash: string, from: number, to: number): readonly Buffer[]
}

interface Kept {
  readonly headHash: string
  readonly blocks: { readonly offset: number; readonly bytes: Buffer }[]
  length: number
  /** Offset behind the last byte. */
  end: number
  addedMs: EpochMs
}

/**
 * Keeps what was read lately, in memory only.
 *
 * Limits: 8 MiB of each content, 64 MiB of all together, ten minutes.
 */
export function createRecentContent(): RecentContent {
  const contents = new Map<object, Kept>()
  let total = 0

  function drop(content: object, kept: Kept): void {
    contents.delete(content)
    total -= kept.length
  }

  function shorten(kept: Kept): void {
    while (kept.length > CONTENT_BYTES_MAX) {
      const length = kept.blocks.shift()?.bytes.length ?? 0
      kept.length -= length
      total -= length
    }
  }

  function forgetOldest(nowMs: EpochMs): void {
    // In the order in which they were added to.
    for (const [content, kept] of contents) {
      if (total <= TOTAL_BYTES_MAX && nowMs - kept.addedMs < KEPT_MS) return
      drop(content, kept)
    }
  }

  return {
    note({ content, headHash, offset, bytes, nowMs }) {
      let kept = contents.get(content) ?? startOf(headHash, offset)
      if (kept.end !== offset) {
        // Read again from elsewhere: what was kept does not continue.
        drop(content, kept)
        kept = startOf(headHash, offset)
      }
      const own = bytes.length < SHARED_BYTES_MIN ? Buffer.from(bytes) : bytes
      kept.blocks.push({ offset, bytes: own })
      kept.length += own.length
      kept.end = offset + own.length
      kept.addedMs = nowMs
      total += own.length
      contents.delete(content)
      contents.set(content, kept)
      shorten(kept)
      forgetOldest(nowMs)
    },
    find(headHash, from, to) {
      return [...contents.values()]
        .filter((kept) => kept.headHash === headHash && covers(kept, from, to))
        .map(({ blocks }) => joinFrom(blocks, from, to))
    },
  }
}

function startOf(headHash: string, offset: number): Kept {
  return { headHash, blocks: [], length: 0, end: offset, addedMs: 0 }
}

function covers({ blocks, end }: Kept, from: number, to: number): boolean {
  return (blocks[0]?.offset ?? Number.POSITIVE_INFINITY) <= from && to <= end
}

function joinFrom(blocks: Kept['blocks'], from: number, to: number): Buffer {
  const parts = blocks.map(({ offset, bytes }) =>
    bytes.subarray(Math.max(0, from - offset), Math.max(0, to - offset)),
  )
  return Buffer.concat(parts)
}
