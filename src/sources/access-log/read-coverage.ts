import type { EpochMs } from '../../core/clock.ts'
import { MINUTE_MS, type Interval } from '../../core/period.ts'
import type { TailMemory } from './tail-memory.ts'

/** Told how completely a source is read. */
export interface ReadReport {
  /** All that was written to its logs in the span has been read; also when that was nothing. */
  complete(span: Interval): void
  /** A part of a log file that was written in the span is gone, and nobody read it. */
  lost(part: Interval & { readonly file: string }): Promise<void>
}

/** One followed file, as far as it matters here. */
export interface ReadFile {
  /** Identities of its content: that of its chunks, that of its first line; empty: none yet. */
  readonly identities: readonly string[]
  /** How much of its content has been read. */
  readonly readTo: number
  /** Nothing of it is waiting to be read. */
  readonly isReadToEnd: boolean
  /** When it was made; 0: not known. */
  readonly bornMs: EpochMs
}

/** Watches that what was being read is read to its end, under whatever name it goes on. */
export interface ReadCoverage {
  /** Takes up what an earlier run was reading: it has to turn up again. */
  restore(nowMs: EpochMs): void
  /** Notes content that is not where it was, and of which bytes were seen that are not read. */
  missing(content: { readonly identity: string; readonly size: number }, nowMs: EpochMs): void
  /**
   * Ends one look at all files.
   *
   * @param isComplete Every file there is was read to its end in this look.
   */
  endLook(
    files: readonly ReadFile[],
    look: { readonly isComplete: boolean; readonly nowMs: EpochMs },
  ): Promise<void>
}

/**
 * Content that is not found for this long, while everything there is was read, is lost: rotating,
 * copying and compressing take less.
 */
const LOST_AFTER_MS = MINUTE_MS
/** How often is remembered how far all was read: at every look it would be a file each second. */
const REMEMBER_MS = MINUTE_MS

interface Missing {
  readonly size: number
  /** All was read then. */
  readonly sinceMs: EpochMs
  readonly noticedMs: EpochMs
  /** From here on, what was written is in another file that is there. */
  goneMs: EpochMs
}

/** Builds the watch over one source. */
export function createReadCoverage(
  memory: Pick<TailMemory, 'followed' | 'rememberFollowed'>,
  report: ReadReport,
): ReadCoverage {
  const missing = new Map<string, Missing>()
  let readMs: EpochMs | null = null
  let remembered = { atMs: 0, key: '' }

  function note(identity: string, size: number, nowMs: EpochMs): void {
    const sinceMs = readMs ?? nowMs
    const before = missing.get(identity)
    missing.set(identity, {
      size: Math.max(size, before?.size ?? 0),
      sinceMs: Math.min(sinceMs, before?.sinceMs ?? sinceMs),
      noticedMs: nowMs,
      goneMs: nowMs,
    })
  }

  function find(files: readonly ReadFile[]): void {
    for (const { identities, readTo } of files) {
      for (const identity of identities) {
        if (readTo >= (missing.get(identity)?.size ?? Number.POSITIVE_INFINITY)) {
          missing.delete(identity)
        }
      }
    }
    for (const part of missing.values()) {
      const later = files.map(({ bornMs }) => bornMs).filter((bornMs) => bornMs > part.sinceMs)
      part.goneMs = Math.min(part.goneMs, ...later)
    }
  }

  async function giveUp(nowMs: EpochMs): Promise<void> {
    for (const [file, { sinceMs, noticedMs, goneMs }] of missing) {
      if (nowMs - noticedMs < LOST_AFTER_MS) continue
      await report.lost({ file, startMs: sinceMs, endMs: goneMs })
      missing.delete(file)
    }
  }

  function remember(files: readonly ReadFile[], nowMs: EpochMs): void {
    if (readMs === null) return
    const known = files.flatMap(({ identities, readTo }) =>
      identities[0] === undefined ? [] : [{ file: identities[0], size: readTo }],
    )
    // A file that is done must not be looked for after a crash, so a change is remembered at once.
    const key = known
      .map(({ file }) => file)
      .sort()
      .join(' ')
    if (nowMs - remembered.atMs < REMEMBER_MS && key === remembered.key) return
    remembered = { atMs: nowMs, key }
    memory.rememberFollowed({ readMs, files: known })
  }

  return {
    restore(nowMs) {
      const before = memory.followed()
      if (before === null) return
      readMs = before.readMs
      for (const { file, size } of before.files) note(file, size, nowMs)
    },
    missing: ({ identity, size }, nowMs) => note(identity, size, nowMs),
    async endLook(files, { isComplete, nowMs }) {
      find(files)
      if (!isComplete) return
      await giveUp(nowMs)
      if (missing.size > 0) return
      report.complete({ startMs: readMs ?? nowMs, endMs: nowMs })
      readMs = nowMs
      remember(files, nowMs)
    },
  }
}
