import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { AppError, unreachable } from '../../core/errors.ts'
import { isCompressed, openHandle, openLogFile } from './content.ts'
import { headHashOf, headOf, Intake, type IntakeOptions, type IntakeStart } from './intake.ts'
import type { FoundFile } from './tail-paths.ts'

/** What one step of a file came to. */
export type StepResult = 'more' | 'idle'

export interface FollowOptions extends Omit<IntakeOptions, 'path'> {
  /** The identity that this file had when it was last followed. */
  readonly recall: (key: string) => string | null
  /** Aborts a step between two reads. */
  readonly signal: AbortSignal
}

/** Read in one step, so that one large file does not keep the others waiting. */
const STEP_BYTES = 16 << 20
const READ_BYTES = 1 << 20
/** Enough to tell what kind of file it is, and where its first line ends. */
const FIRST_BYTES = 64 << 10
/** Beginning of the file that is compared to notice that it was overwritten. */
const HEAD_BYTES = 4096
/** A file that stops inside a known chunk may be a copy in progress; later it is another file. */
const COMPARE_WAIT_MS = 10_000
/** A compressed file is complete when it has not changed for this long. */
const SETTLE_MS = 2000

/**
 * Follows one file on the disk, by its inode: under whatever name, until it is closed.
 *
 * Errors of a step leave it ready to start over: what was durable is then skipped.
 */
export class FollowedFile {
  readonly key: string
  #path: string
  readonly #options: FollowOptions
  #handle: FileHandle | null = null
  #intake: Intake
  /** Stands for what it holds, until that is overwritten or read anew. */
  #content: object = {}
  /** Offset of the next read. */
  #position = 0
  #head: Buffer = Buffer.alloc(0)
  #size = 0
  #mtimeMs = -1
  #changedMs: number
  #kind: 'unknown' | 'plain' | 'compressed' = 'unknown'
  #takenMtimeMs: number | null = null
  #generation = 0
  #overwritten: { identity: string; size: number } | null = null
  readonly #bornMs: number

  constructor(found: FoundFile, options: FollowOptions, nowMs: number) {
    this.key = found.key
    this.#path = found.path
    this.#bornMs = found.bornMs
    this.#options = options
    this.#changedMs = nowMs
    this.#intake = this.#newIntake()
  }

  get path(): string {
    return this.#path
  }

  get isOpen(): boolean {
    return this.#handle !== null
  }

  /** When it last grew or was written to. */
  get changedMs(): number {
    return this.#changedMs
  }

  /** Bytes on the disk that are not read yet. */
  get lagBytes(): number {
    return this.#kind === 'compressed' ? 0 : Math.max(0, this.#size - this.#position)
  }

  get fileId(): string | null {
    return this.#intake.fileId
  }

  /** What its content is known by: its chunks, then its first line; both once they are known. */
  get identities(): readonly string[] {
    const { fileId, headHash } = this.#intake
    return [fileId ?? '', headHash].filter((identity) => identity !== '')
  }

  /** How much of its content has been read, decompressed. */
  get readTo(): number {
    return this.#kind === 'compressed' ? this.#intake.position : this.#position
  }

  /** Nothing that was there at the last look is waiting; a line without its LF may be. */
  get isReadToEnd(): boolean {
    switch (this.#kind) {
      case 'unknown':
        return true
      case 'compressed':
        return this.isTaken
      case 'plain':
        return this.lagBytes === 0 && !this.#intake.isComparing
      default:
        return unreachable(this.#kind)
    }
  }

  get bornMs(): number {
    return this.#bornMs
  }

  /** Content that was overwritten before all of it was read that had been seen, told once. */
  takeOverwritten(): { readonly identity: string; readonly size: number } | null {
    const overwritten = this.#overwritten
    this.#overwritten = null
    return overwritten
  }

  /** Size and time of the last write when it was last looked at. */
  get size(): number {
    return this.#size
  }

  get mtimeMs(): number {
    return this.#mtimeMs
  }

  /**
   * Rises when it is found overwritten, and again when the beginning of what it holds now is known.
   *
   * What came before may lie beside it, also what nobody has read a byte of: what is overwritten
   * from now on is noticed by its beginning, what was before that is not.
   */
  get generation(): number {
    return this.#generation
  }

  /** The compressed file was taken in as it is on the disk now. */
  get isTaken(): boolean {
    return this.#takenMtimeMs !== null && this.#takenMtimeMs === this.#mtimeMs
  }

  /** Nothing to do: the file is as it was when it was read to its end. */
  isUpToDate(found: FoundFile): boolean {
    if (found.size !== this.#size || found.mtimeMs !== this.#mtimeMs) return false
    return this.#kind === 'compressed'
      ? this.isTaken
      : this.lagBytes === 0 && !this.#intake.isComparing
  }

  rename(path: string): void {
    this.#path = path
  }

  /** Reads what is new; whole lines are durable when it resolves. */
  async step(nowMs: number): Promise<StepResult> {
    const handle = await this.#open()
    const { size, mtimeMs } = await handle.stat()
    if (size !== this.#size || mtimeMs !== this.#mtimeMs) {
      this.#changedMs = nowMs
      if (this.#mtimeMs !== -1 && (await this.#isOverwritten(handle, size))) await this.#startOver()
      this.#size = size
      this.#mtimeMs = mtimeMs
    }
    if (this.#kind === 'unknown' && !(await this.#begin(handle))) return 'idle'
    return this.#kind === 'compressed'
      ? await this.#takeCompressed(nowMs)
      : await this.#readOn(handle, nowMs)
  }

  /** Takes the last line even without LF: nobody will write to this file any more. */
  async finish(): Promise<void> {
    if (this.#kind === 'unknown') await this.#intake.push(await this.#shortContent())
    if (this.#kind !== 'compressed') await this.#intake.finish()
    await this.close()
  }

  /** All of a file that is too short to have a first line. */
  async #shortContent(): Promise<Buffer> {
    return readAt(await this.#open(), 0, FIRST_BYTES)
  }

  /** Closes the file once nothing is being appended; a later step opens it again by its path. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = null
    await this.#intake.settle()
    await handle?.close()
  }

  /** Forgets what was read; the next step compares from the start. */
  async reset(): Promise<void> {
    // What is still on its way must be known before anything is compared with what is known.
    await this.#intake.settle()
    this.#intake = this.#newIntake()
    this.#content = {}
    this.#position = 0
    this.#kind = 'unknown'
    this.#head = Buffer.alloc(0)
  }

  #newIntake(start?: IntakeStart): Intake {
    return new Intake({ ...this.#options, path: this.#path }, start)
  }

  async #startOver(): Promise<void> {
    this.#generation += 1
    const [identity] = this.identities
    if (this.lagBytes > 0 && identity !== undefined) {
      this.#overwritten = { identity, size: this.#size }
    }
    // What was read was there before, and part of it may be in no file any more.
    if (this.#kind === 'plain' && !this.#intake.isComparing) await this.#intake.flush()
    await this.reset()
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle !== null) return this.#handle
    const handle = await openHandle(this.#path)
    const { dev, ino } = await handle.stat()
    if (`${dev}:${ino}` !== this.key) {
      await handle.close()
      throw new AppError('not_found', `${this.#path} was replaced by another file.`)
    }
    this.#handle = handle
    return handle
  }

  /** Shorter than before, or other bytes at its beginning: copytruncate, or an inode used again. */
  async #isOverwritten(handle: FileHandle, size: number): Promise<boolean> {
    return size < this.#position || !(await this.#beginsAsBefore(handle))
  }

  async #beginsAsBefore(handle: FileHandle): Promise<boolean> {
    const now = await readAt(handle, 0, this.#head.length)
    return now.equals(this.#head)
  }

  /** Tells plain from compressed, finds where to continue; false while it is too short to tell. */
  async #begin(handle: FileHandle): Promise<boolean> {
    const first = await readAt(handle, 0, FIRST_BYTES)
    if (first.length < 4 && !first.includes(10)) return false
    if (isCompressed(first)) {
      this.#kind = 'compressed'
      return true
    }
    const head = headOf([first])
    if (head === null) return false
    this.#kind = 'plain'
    this.#head = Buffer.from(first.subarray(0, HEAD_BYTES))
    const start = await this.#resume(handle, headHashOf(head))
    this.#intake = this.#newIntake(start)
    this.#position = start?.offset ?? 0
    this.#generation += 1
    return true
  }

  /**
   * Continues a file that was followed before without reading all of it again.
   *
   * The identity comes from the inode; the last known chunk is compared all the same.
   */
  async #resume(handle: FileHandle, headHash: string): Promise<IntakeStart | undefined> {
    const fileId = this.#options.recall(this.key)
    if (fileId === null) return undefined
    const known = (await this.#options.sink.candidates(headHash)).find(
      (file) => file.fileId === fileId,
    )
    let offset = 0
    for (const chunk of known?.chunks ?? []) {
      if (chunk.offset !== offset) return undefined
      offset += chunk.length
    }
    const last = known?.chunks.at(-1)
    if (last === undefined || offset > this.#size) return undefined
    if ((await hashOf(handle, last.offset, last.length)) !== last.sha256) return undefined
    const end = await readAt(handle, offset - 1, 1)
    return { headHash, fileId, offset, afterUnfinishedLine: end[0] !== 10 }
  }

  async #readOn(handle: FileHandle, nowMs: number): Promise<StepResult> {
    const stop = this.#position + STEP_BYTES
    while (this.#position < stop) {
      this.#options.signal.throwIfAborted()
      const block = await readAt(handle, this.#position, READ_BYTES)
      if (block.length === 0) break
      // It may have been overwritten since it was looked at. The beginning is looked at after the
      // block was read: when it is the same then, the block belongs to it.
      if (!(await this.#beginsAsBefore(handle))) {
        await this.#startOver()
        return 'more'
      }
      this.#keepHead(block)
      this.#position += block.length
      await this.#intake.push(block)
      this.#noteRecent(block, nowMs)
    }
    if (this.#position >= stop) {
      // A copy of this file may be next: it is compared with what is durable.
      await this.#intake.settle()
      return 'more'
    }
    const hasWaited = nowMs - this.#changedMs >= COMPARE_WAIT_MS
    // Found out at once, while what it takes is in memory; decided when nothing more came.
    if (this.#intake.isComparing) await this.#intake.endsInKnownChunk()
    if (this.#intake.isComparing && hasWaited) await this.#intake.endComparing()
    await this.#intake.flush()
    this.#intake.takeAppended()
    return 'idle'
  }

  #noteRecent(bytes: Buffer, nowMs: number): void {
    const { headHash, isTakingIn } = this.#intake
    // What is only compared may be a copy, and is known by what was taken in.
    if (!isTakingIn || headHash === '') return
    const offset = this.#position - bytes.length
    this.#options.copies?.recent.note({ content: this.#content, headHash, offset, bytes, nowMs })
  }

  #keepHead(block: Buffer): void {
    if (this.#head.length >= HEAD_BYTES || this.#position > this.#head.length) return
    const fresh = block.subarray(this.#head.length - this.#position)
    this.#head = Buffer.concat([this.#head, fresh]).subarray(0, HEAD_BYTES)
  }

  /** A rotated file that was compressed: complete, so it is taken in as a whole once it settled. */
  async #takeCompressed(nowMs: number): Promise<StepResult> {
    if (this.isTaken || nowMs - this.#changedMs < SETTLE_MS) return 'idle'
    // Also when it turns out to be damaged: another attempt makes sense only after it changed.
    this.#takenMtimeMs = this.#mtimeMs
    const intake = this.#newIntake()
    this.#intake = intake
    try {
      const content = await openLogFile(this.#path)
      for await (const block of content.blocks) {
        this.#options.signal.throwIfAborted()
        await intake.push(block)
      }
      await intake.finish()
    } catch (error) {
      const isDamaged = error instanceof AppError && error.code === 'body_malformed'
      if (!isDamaged) this.#takenMtimeMs = null
      else if (!intake.isComparing) await intake.flush()
      throw error
    }
    return 'idle'
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

async function hashOf(handle: FileHandle, offset: number, length: number): Promise<string> {
  const hash = createHash('sha256')
  const end = offset + length
  for (let position = offset; position < end;) {
    const block = await readAt(handle, position, Math.min(READ_BYTES, end - position))
    if (block.length === 0) break
    hash.update(block)
    position += block.length
  }
  return hash.digest('hex')
}
