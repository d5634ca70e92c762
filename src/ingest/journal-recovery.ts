import { open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { AppError } from '../core/errors.ts'
import type { Frame } from './batch.ts'
import {
  decodeEntry,
  findLaterGroup,
  type Entry,
  type FoundEntry,
  type StoredOutcome,
} from './journal-entry.ts'

/** A batch that was planned but not finished when the process ended. */
export interface UnfinishedBatch {
  readonly id: number
  readonly attempt: number
  readonly frames: readonly number[]
  /** Set once its usage was inserted: only rolling and checkpointing are left. */
  readonly outcomes: readonly StoredOutcome[] | null
}

/** What a journal directory holds. */
export interface Recovered {
  /** Frames that no `done` mark covers, ascending. */
  readonly frames: readonly Frame[]
  readonly unfinished: UnfinishedBatch | null
  readonly segments: readonly { readonly path: string; readonly frames: readonly number[] }[]
  /** Highest sequence number seen, or 0. */
  readonly lastSeq: number
  /** Length of the last segment up to its last whole entry. */
  readonly validLength: number
  /** Bytes of a torn last entry that was never acked. */
  readonly tornBytes: number
}

/** File name of the segment whose first frame will have this number. */
export function segmentName(firstSeq: number): string {
  return `${String(firstSeq).padStart(16, '0')}.wal`
}

/**
 * Reads a journal directory from its first segment to its last.
 *
 * Errors: `internal` when a segment is damaged anywhere but in its last, never synced appends, or
 * a body file is missing or damaged: something acked would be lost, so a person has to decide.
 */
export async function recoverJournal(directory: string): Promise<Recovered> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.wal')).sort()
  const state = new RecoveryState(directory)
  let validLength = 0
  let tornBytes = 0
  for (const [index, name] of names.entries()) {
    const path = join(directory, name)
    const bytes = await readFile(path)
    validLength = await state.applySegment(path, bytes)
    tornBytes = bytes.length - validLength
    const isLast = index === names.length - 1
    if (tornBytes > 0 && (!isLast || findLaterGroup(bytes, validLength) !== undefined)) {
      throw new AppError(
        'internal',
        `The journal segment ${path} is damaged at byte ${validLength}. ` +
          'Restore it from a backup, or move it away to give up what it held.',
      )
    }
  }
  return state.result(validLength, tornBytes)
}

class RecoveryState {
  readonly #directory: string
  readonly #frames = new Map<number, Frame>()
  readonly #segments: { path: string; frames: number[] }[] = []
  #unfinished: UnfinishedBatch | null = null
  #lastSeq = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Applies a segment's entries and returns the length that is whole. */
  async applySegment(path: string, bytes: Buffer): Promise<number> {
    const segment = { path, frames: [] as number[] }
    this.#segments.push(segment)
    let offset = 0
    for (;;) {
      const found = decodeEntry(bytes, offset)
      if (found === undefined) return offset
      await this.#apply(found.entry, found, segment)
      offset = found.end
    }
  }

  async #apply(
    entry: Entry,
    found: FoundEntry,
    segment: { path: string; frames: number[] },
  ): Promise<void> {
    switch (entry.t) {
      case 'frame': {
        segment.frames.push(entry.seq)
        this.#lastSeq = Math.max(this.#lastSeq, entry.seq)
        const body =
          entry.body.kind === 'inline'
            ? { path: segment.path, offset: found.bodyOffset, length: found.bodyLength }
            : { path: join(this.#directory, entry.body.name), offset: 0, length: entry.body.length }
        this.#frames.set(entry.seq, { ...entry.meta, seq: entry.seq, body })
        if (entry.body.kind === 'file') this.#checks.set(entry.seq, entry.body.crc)
        return
      }
      case 'plan':
        this.#unfinished = {
          id: entry.batch,
          attempt: entry.attempt,
          frames: entry.frames,
          outcomes: null,
        }
        return
      case 'inserted':
        if (this.#unfinished?.id === entry.batch) {
          this.#unfinished = { ...this.#unfinished, outcomes: entry.outcomes }
        }
        return
      case 'done':
        if (this.#unfinished?.id === entry.batch) this.#unfinished = null
        for (const seq of entry.frames) this.#frames.delete(seq)
        return
      default:
        throw new AppError('internal', 'The journal was written by a newer version of Weir.')
    }
  }

  readonly #checks = new Map<number, number>()

  async result(validLength: number, tornBytes: number): Promise<Recovered> {
    const frames = [...this.#frames.values()].sort((a, b) => a.seq - b.seq)
    for (const frame of frames) {
      const crc = this.#checks.get(frame.seq)
      if (crc !== undefined) await checkBody(frame, crc)
    }
    return {
      frames,
      unfinished: this.#unfinished,
      segments: this.#segments,
      lastSeq: this.#lastSeq,
      validLength,
      tornBytes,
    }
  }
}

async function checkBody(frame: Frame, crc: number): Promise<void> {
  const file = await open(frame.body.path, 'r').catch((error: unknown) => {
    throw new AppError('internal', `The journal's file ${frame.body.path} cannot be read.`, {
      cause: error,
    })
  })
  try {
    let actual = 0
    for await (const chunk of file.createReadStream({ autoClose: false })) {
      actual = crc32(chunk as Buffer, actual)
    }
    if (actual !== crc) {
      throw new AppError('internal', `The journal's file ${frame.body.path} is damaged.`)
    }
  } finally {
    await file.close()
  }
}
