import { mkdir, open, rm, type FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Clock } from '../core/clock.ts'
import { AppError, assert } from '../core/errors.ts'
import type { Frame, FrameMeta } from './batch.ts'
import { createBodyFiles, type BodyFiles } from './body-files.ts'
import { createDiskRoom, FREE_BYTES_MIN, type DiskRoom } from './disk-room.ts'
import {
  encodeEntry,
  INLINE_BYTES_MAX,
  sealEntry,
  type BodyPlace,
  type Entry,
} from './journal-entry.ts'
import { recoverJournal, segmentName, type UnfinishedBatch } from './journal-recovery.ts'
import type { StepListener } from './steps.ts'

export interface JournalConfig {
  readonly directory: string
  /** Bytes of frames not yet loaded above which appends are refused. */
  readonly bytesMax: number
  /** Length after which a new segment begins; at most 1 GiB. */
  readonly segmentBytes: number
  /**
   * Free bytes of the disk below which appends are refused; default FREE_BYTES_MIN. Loading what
   * is accepted needs room, too: without it, a disk that the journal itself filled stays full.
   */
  readonly freeBytesMin?: number
}

/** What the journal needs. */
export interface JournalDeps {
  readonly clock: Clock
  readonly onStep: StepListener
  readonly log: { warn(details: object, message: string): void }
}

// Recovery reads a segment as a whole, and an entry names its group by 32 bits.
const SEGMENT_BYTES_MAX = 1 << 30

interface Write {
  readonly bytes: Buffer
  readonly frame: { seq: number; meta: FrameMeta; body: Buffer; place: BodyPlace } | null
  resolve(): void
  reject(error: unknown): void
}

interface Segment {
  readonly path: string
  readonly frames: Set<number>
}

/**
 * Keeps accepted frames on disk until every table has them.
 *
 * An append resolves after its bytes are synced; appends that wait for the disk share one sync.
 * Large bodies go to files of their own, which the engine reads as they are.
 */
export class Journal {
  readonly #config: JournalConfig
  readonly #deps: JournalDeps
  readonly #room: DiskRoom
  readonly #bodies: BodyFiles
  readonly #frames = new Map<number, Frame>()
  readonly #listeners: (() => void)[] = []
  #segments: Segment[] = []
  #file: FileHandle | undefined
  #length = 0
  #pendingBytes = 0
  #reservedBytes = 0
  #lastSeq = 0
  #lastSegment = 0
  #queue: Write[] = []
  #writing: Promise<void> | null = null
  #failure: AppError | null = null
  #unfinished: UnfinishedBatch | null = null

  constructor(config: JournalConfig, deps: JournalDeps) {
    this.#config = config
    this.#deps = deps
    this.#bodies = createBodyFiles(config.directory)
    this.#room = createDiskRoom(config.directory, config.freeBytesMin ?? FREE_BYTES_MIN)
  }

  /** Opens the directory, takes up what it holds and cuts off a torn, never acked end. */
  async open(): Promise<void> {
    const { directory } = this.#config
    await mkdir(directory, { recursive: true })
    const found = await recoverJournal(directory)
    if (found.tornBytes > 0) {
      this.#deps.log.warn({ bytes: found.tornBytes }, 'journal: cut off an unfinished append')
    }
    for (const frame of found.frames) this.#remember(frame)
    await this.#bodies.open(new Set(found.frames.map((frame) => basename(frame.body.path))))
    this.#unfinished = found.unfinished
    this.#segments = found.segments.map(({ path, frames }) => ({ path, frames: new Set(frames) }))
    // Numbers start from the time of creation, so that a second journal never repeats the first
    // one's.
    this.#lastSegment = segmentNumber(found.segments.at(-1)?.path)
    this.#lastSeq = Math.max(found.lastSeq, this.#lastSegment - 1, this.#deps.clock.nowMs() * 1024)
    const last = this.#segments.at(-1)
    if (last === undefined) {
      await this.#beginSegment()
      return
    }
    this.#file = await open(last.path, 'r+')
    await this.#file.truncate(found.validLength)
    await this.#file.datasync()
    this.#length = found.validLength
  }

  /** The batch that was being loaded when the last process ended. */
  get unfinished(): UnfinishedBatch | null {
    return this.#unfinished
  }

  /** The highest frame number given out so far. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** Bytes of frames that are accepted and not yet loaded. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Tells whether appends can succeed. */
  get healthy(): boolean {
    return this.#failure === null && this.#file !== undefined
  }

  /** Frames that are accepted and not yet loaded, in order of acceptance. */
  pending(): readonly Frame[] {
    return [...this.#frames.values()]
  }

  /** Numbers of pending frames that take rejected lines in again. */
  replaysWaiting(): readonly number[] {
    return this.pending().flatMap(({ seq, replays }) => (replays.length > 0 ? [seq] : []))
  }

  /** Finds an accepted, not yet loaded frame. */
  frame(seq: number): Frame | undefined {
    return this.#frames.get(seq)
  }

  /** Calls back whenever a frame became durable. */
  onFrame(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /**
   * Accepts a frame: it survives power loss once this resolves to its sequence number.
   *
   * Shape: `body` is the frame's lines, each ended by LF.
   * Errors: `overloaded` when the journal is full or its disk refuses.
   * Limits: `bytesMax` of the journal's configuration.
   */
  async append(meta: FrameMeta, body: Buffer): Promise<number> {
    assert(body.length === 0 || body.at(-1) === 0x0a, 'a frame ends with a line feed')
    this.#deps.onStep('journal.append.before')
    if (this.#failure !== null) throw this.#failure
    if (this.#pendingBytes + this.#reservedBytes + body.length > this.#config.bytesMax) {
      throw new AppError('overloaded', 'The journal is full until the usage store catches up.', {
        retryAfterSeconds: 5,
      })
    }
    this.#reservedBytes += body.length
    try {
      await this.#takeRoom(body.length)
      const seq = ++this.#lastSeq
      const place = await this.#placeBody(seq, body)
      const inline = place.kind === 'inline' ? body : Buffer.alloc(0)
      const entry: Entry = { t: 'frame', seq, meta, body: place }
      const bytes = encodeEntry(entry, inline)
      try {
        await this.#write({ bytes, frame: { seq, meta, body, place } })
      } catch (error) {
        // After a failed sync nobody knows whether the entry is on disk: then its body stays.
        if (this.#failure === null && place.kind === 'file') {
          await this.#bodies.release([place.name])
        }
        throw error
      }
      return seq
    } finally {
      this.#reservedBytes -= body.length
    }
  }

  /** Records how far a batch has come; durable when it resolves. */
  async mark(entry: Exclude<Entry, { t: 'frame' }>): Promise<void> {
    await this.#write({ bytes: encodeEntry(entry, Buffer.alloc(0)), frame: null })
  }

  /** Forgets frames whose `done` mark is durable, and frees what only they used. */
  async retire(seqs: readonly number[]): Promise<void> {
    this.#unfinished = null
    const spilled: string[] = []
    for (const seq of seqs) {
      const frame = this.#frames.get(seq)
      if (frame === undefined) continue
      this.#frames.delete(seq)
      this.#pendingBytes -= frame.body.length
      if (frame.body.path.endsWith('.body')) spilled.push(basename(frame.body.path))
    }
    await this.#bodies.release(spilled)
    // Only from the front: a later segment may hold the marks of an earlier one's frames.
    while (this.#segments.length > 1) {
      const [oldest] = this.#segments
      if (oldest === undefined || [...oldest.frames].some((seq) => this.#frames.has(seq))) return
      this.#segments.shift()
      await rm(oldest.path, { force: true })
      // One after the other: a segment must never outlive a later one, which holds its marks.
      await this.#syncDirectory()
    }
  }

  /** Finishes what is queued and closes the files. */
  async close(): Promise<void> {
    while (this.#writing !== null) await this.#writing
    await this.#file?.close()
    this.#file = undefined
  }

  #remember(frame: Frame): void {
    this.#frames.set(frame.seq, frame)
    this.#pendingBytes += frame.body.length
  }

  async #placeBody(seq: number, body: Buffer): Promise<BodyPlace> {
    if (body.length <= INLINE_BYTES_MAX) return { kind: 'inline' }
    const name = await this.#bodies.write(seq, body).catch((error: unknown) => {
      throw diskRefused(error)
    })
    return { kind: 'file', name, length: body.length, crc: crc32(body) }
  }

  async #takeRoom(bytes: number): Promise<void> {
    try {
      await this.#room.take(bytes)
    } catch {
      await this.#bodies.dropSpares()
      await this.#room.take(bytes)
    }
  }

  #write(write: Pick<Write, 'bytes' | 'frame'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...write, resolve, reject })
      this.#writing ??= this.#drain()
    })
  }

  // One writer: everything queued while the disk was busy goes out with the next sync.
  async #drain(): Promise<void> {
    // The first write waits for the turn to end, so that neighbours join its group.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = this.#queue
      this.#queue = []
      try {
        await this.#commit(group)
        for (const write of group) write.resolve()
        if (group.some((write) => write.frame !== null)) {
          for (const listener of this.#listeners) listener()
        }
      } catch (error) {
        for (const write of group) write.reject(error)
      }
    }
    // In the same step as the last look at the queue, or a write in between would never be seen.
    this.#writing = null
  }

  async #commit(group: readonly Write[]): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    const segmentBytes = Math.min(this.#config.segmentBytes, SEGMENT_BYTES_MAX)
    if (this.#length > segmentBytes) await this.#beginSegment()
    const file = this.#file
    const segment = this.#segments.at(-1)
    assert(file !== undefined && segment !== undefined, 'the journal is open')
    try {
      const bytes = group.map((write) => write.bytes)
      for (const entry of bytes) sealEntry(entry, this.#length)
      const { bytesWritten } = await file.writev(bytes, this.#length)
      const expected = bytes.reduce((sum, part) => sum + part.length, 0)
      if (bytesWritten !== expected) throw new AppError('overloaded', 'The disk is full.')
    } catch (error) {
      // Nothing of the group was acked: take it back and stay usable, the disk may get room again.
      await this.#takeBack(file).catch((cause: unknown) => this.#fail(cause))
      throw diskRefused(error)
    }
    this.#deps.onStep('journal.append.after')
    this.#deps.onStep('journal.fsync.before')
    await this.#sync(file, group)
    this.#deps.onStep('journal.fsync.after')
    for (const write of group) {
      if (write.frame !== null) this.#accept(write.frame, write.bytes, segment)
      this.#length += write.bytes.length
    }
  }

  async #takeBack(file: FileHandle): Promise<void> {
    await file.truncate(this.#length)
    await file.datasync()
  }

  async #sync(file: FileHandle, group: readonly Write[]): Promise<void> {
    try {
      // The directory holds the names of new body files and segments.
      if (group.some((write) => write.frame?.place.kind === 'file')) await this.#syncDirectory()
      await file.datasync()
    } catch (error) {
      // After a failed sync the kernel may have dropped the pages: no later sync can be trusted.
      this.#fail(error)
      throw diskRefused(error)
    }
  }

  #fail(cause: unknown): void {
    this.#failure = new AppError(
      'overloaded',
      'The journal cannot be written; free or repair its disk and restart Weir.',
      { cause, retryAfterSeconds: 60 },
    )
  }

  #accept(frame: NonNullable<Write['frame']>, bytes: Buffer, segment: Segment): void {
    const { seq, meta, body, place } = frame
    const where =
      place.kind === 'inline'
        ? { path: segment.path, offset: this.#length + bytes.length - body.length }
        : { path: join(this.#config.directory, place.name), offset: 0 }
    segment.frames.add(seq)
    this.#remember({ ...meta, seq, body: { ...where, length: body.length } })
  }

  async #beginSegment(): Promise<void> {
    // Never a name twice, even when the last segment holds marks only or could not be begun.
    this.#lastSegment = Math.max(this.#lastSeq, this.#lastSegment) + 1
    const path = join(this.#config.directory, segmentName(this.#lastSegment))
    try {
      const file = await open(path, 'wx')
      try {
        await this.#syncDirectory()
        await this.#file?.close()
      } catch (error) {
        await file.close()
        await rm(path, { force: true })
        throw error
      }
      this.#file = file
    } catch (error) {
      throw diskRefused(error)
    }
    this.#length = 0
    this.#segments.push({ path, frames: new Set() })
  }

  async #syncDirectory(): Promise<void> {
    const directory = await open(this.#config.directory, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }
}

/** The number in a segment's file name; 0 without one. */
function segmentNumber(path: string | undefined): number {
  return Number(path?.match(/(\d{16})\.wal$/)?.[1] ?? 0)
}

function diskRefused(error: unknown): AppError {
  if (error instanceof AppError) return error
  return new AppError('overloaded', 'The journal cannot be written at the moment.', {
    cause: error,
    retryAfterSeconds: 5,
  })
}
