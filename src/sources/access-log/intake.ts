import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { AppError } from '../../core/errors.ts'
import { splitChunk, wholeOf } from './chunk-split.ts'
import type { FormatSpec } from './format.ts'
import { type CutChunk, LineCutter } from './line-cutter.ts'
import type { RecentContent } from './recent-content.ts'
import {
  CHUNK_BYTES_MAX,
  CHUNK_LINES_MAX,
  type KnownFile,
  type LogSink,
  type SplittingSink,
} from './sink.ts'

/** Bytes handed to the cutter at a time; also by how much a chunk may exceed its limits. */
const SLICE_BYTES = 64 << 10
/** Bytes after which everybody else in the process gets a turn: half a millisecond of work. */
const TURN_BYTES = 256 << 10
/** Turns after which it gives way; with 10 ms each time, 50 MB/s are still read. */
const TURNS_PER_WAY = 2
/** The first line is known by its first bytes: it may be of any length. */
const HEAD_BYTES_MAX = 64 << 10
const LF = 10

/** What an intake reads for, and where it puts it. */
export interface IntakeOptions {
  readonly source: string
  readonly spec: FormatSpec
  readonly path: string
  readonly sink: LogSink
  /** Waits before the next attempt when the sink is overloaded; rejects to give up. */
  readonly waitForRoom: (attempt: number) => Promise<void>
  /** Lets go first what somebody is waiting for; absent: nobody waits for anything. */
  readonly giveWay?: () => Promise<void>
  /** What helps to know a copy that ends inside a known chunk; absent: its lines are new. */
  readonly copies?: { readonly recent: RecentContent; readonly split: SplittingSink['split'] }
}

/** A chunk that is durable now. */
export interface AppendedChunk {
  readonly batchId: string
  readonly lines: number
}

/** Where an intake that continues a known file begins. */
export interface IntakeStart {
  readonly headHash: string
  readonly fileId: string
  readonly offset: number
  /** The known content ends inside a line. */
  readonly afterUnfinishedLine: boolean
}

/**
 * Takes in the content of one file from its first byte on, skipping what is known of it.
 *
 * Content is compared chunk by chunk with what is durable under the same first line, so a rotated,
 * renamed, copied or compressed copy of a known file adds nothing, and one that grew continues
 * behind the last known chunk. From the first byte that is not known on, chunks are appended.
 *
 * Errors: what the sink throws; conflict when somebody else takes the same file in meanwhile.
 * Limits: holds at most two chunks.
 */
export class Intake {
  readonly #options: IntakeOptions
  #cutter: LineCutter
  #head: Buffer[] | null = []
  #headHash = ''
  #fileId: string | null = null
  /** Ends of known chunks, by where they begin; null once everything is new. */
  #known: Boundaries | null = new Map()
  /** Where a known chunk was found to go on behind what is held. */
  #splitAt: number | null = null
  #inFlight: Promise<void> = Promise.resolve()
  #duplicateLines = 0
  #bytesThisTurn = 0
  #turns = 0
  #chunks: AppendedChunk[] = []

  constructor(options: IntakeOptions, start?: IntakeStart) {
    this.#options = options
    this.#cutter = new LineCutter(start?.offset ?? 0, {
      afterUnfinishedLine: start?.afterUnfinishedLine ?? false,
    })
    if (start === undefined) return
    this.#head = null
    this.#headHash = start.headHash
    this.#fileId = start.fileId
    this.#known = null
  }

  /** Lines that were known already. */
  get duplicateLines(): number {
    return this.#duplicateLines
  }

  /** Lines read but neither skipped nor appended. */
  get heldLines(): number {
    return this.#cutter.lines
  }

  get headHash(): string {
    return this.#headHash
  }

  /** Set once something of the file is known or appended. */
  get fileId(): string | null {
    return this.#fileId
  }

  /** Still comparing with what is known: what it holds may turn out to be known. */
  get isComparing(): boolean {
    return this.#known !== null && this.#cutter.position > this.#cutter.start
  }

  /** Whatever is pushed is new. */
  get isTakingIn(): boolean {
    return this.#head === null && this.#known === null
  }

  /** Offset behind the last byte pushed. */
  get position(): number {
    return this.#cutter.position + (this.#head ?? []).reduce((sum, part) => sum + part.length, 0)
  }

  /** Hands out the chunks that became durable since the last call. */
  takeAppended(): AppendedChunk[] {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }

  /**
   * Takes the next bytes of the content; they are the caller's again once it resolves, which is
   * when there is room for more.
   */
  async push(buffer: Buffer): Promise<void> {
    if (this.#head !== null) {
      this.#head.push(Buffer.from(buffer))
      const head = headOf(this.#head)
      if (head === null) return
      await this.#begin(head)
      return
    }
    await this.#feed(buffer)
  }

  /** Appends the whole lines held, and waits until everything is durable. */
  async flush(): Promise<void> {
    if (this.#known === null) await this.#append(this.#cutter.cut())
    await this.#inFlight
    this.#cutter.shrink()
  }

  /**
   * Ends the content: what is held counts, a last line without LF included.
   *
   * A known chunk that the content does not reach the end of is another file's, unless it is known
   * to go on as the rest of the chunk does.
   */
  async finish(): Promise<void> {
    if (this.#head !== null) {
      const rest = Buffer.concat(this.#head)
      if (rest.length === 0) return
      await this.#begin(rest)
    }
    await this.endComparing()
    await this.#append(this.#cutter.cutAll())
    await this.#inFlight
    this.#cutter.shrink()
  }

  /** Waits until nothing is being appended any more, whatever came of it. */
  async settle(): Promise<void> {
    await Promise.allSettled([this.#inFlight])
  }

  /**
   * Decides about what is held, where the content ends: the beginning of a known chunk is known,
   * anything else is new.
   *
   * Errors: conflict when something was taken in meanwhile that it was not compared with.
   */
  async endComparing(): Promise<void> {
    if (await this.endsInKnownChunk()) this.#duplicateLines += this.#cutter.skip()
    else await this.#giveUpComparing()
  }

  /**
   * Tells whether what is held is the beginning of a known chunk: together with bytes that were
   * read of that file lately, it hashes to what the chunk does. So it is when a log was copied and
   * lines were written and read between the copy and the truncation.
   *
   * The chunk is known as two from then on, also to whoever compares the copy later.
   */
  async endsInKnownChunk(): Promise<boolean> {
    const { start, position, lines } = this.#cutter
    if (this.#splitAt === position) return position > start
    const { copies, path } = this.#options
    if (!this.isComparing || copies === undefined) return false
    for (const { end, sha256, fileId } of this.#boundariesAhead()) {
      const rest = copies.recent
        .find(this.#headHash, position, end)
        .find((bytes) => this.#cutter.digest(bytes) === sha256)
      if (rest === undefined) continue
      const part = { offset: start, length: position - start, lines, sha256: this.#cutter.digest() }
      const split = splitChunk({ headHash: this.#headHash, path, fileId }, part, rest)
      await copies.split(split)
      this.#fileId = wholeOf(fileId)
      this.#known = boundariesOf([{ fileId, chunks: split.parts }], this.#known ?? [])
      this.#splitAt = position
      return true
    }
    return false
  }

  async #giveUpComparing(): Promise<void> {
    if (this.#known === null) return
    // What was learned at the beginning may be old by now.
    const files = await this.#options.sink.candidates(this.#headHash)
    const { start } = this.#cutter
    const compared = this.#known.get(start)?.length ?? 0
    const known = boundariesOf(files).get(start)?.length ?? 0
    if (known > compared) {
      throw new AppError(
        'conflict',
        `${this.#options.path} is being taken in by somebody else at the same time. Run it again: what is known is skipped.`,
      )
    }
    this.#continueKnownFile(files)
    this.#known = null
  }

  async #begin(head: Buffer): Promise<void> {
    this.#headHash = headHashOf(head)
    this.#known = boundariesOf(await this.#options.sink.candidates(this.#headHash))
    const content = this.#head ?? []
    this.#head = null
    if (this.#boundariesAhead().length === 0) this.#known = null
    for (const part of content) await this.#feed(part)
  }

  async #feed(buffer: Buffer): Promise<void> {
    let from = 0
    while (from < buffer.length) {
      const boundary = this.#nextBoundary()
      const to = Math.min(
        buffer.length,
        from + SLICE_BYTES,
        from + boundary - this.#cutter.position,
      )
      this.#cutter.push(buffer.subarray(from, to))
      this.#bytesThisTurn += to - from
      from = to
      if (this.#bytesThisTurn >= TURN_BYTES) await this.#yieldTurn()
      if (this.#known === null) await this.#appendWhenFull()
      else await this.#compare()
    }
  }

  async #yieldTurn(): Promise<void> {
    this.#bytesThisTurn = 0
    this.#turns += 1
    if (this.#turns % TURNS_PER_WAY === 0) await this.#options.giveWay?.()
    // Also behind that: what was waited for is answered before this goes on.
    await nextTurn()
  }

  /**
   * The nearest end of a known chunk that begins where the cutter does; infinite when none is left.
   */
  #nextBoundary(): number {
    return Math.min(...this.#boundariesAhead().map(({ end }) => end), Number.POSITIVE_INFINITY)
  }

  #boundariesAhead(): readonly Boundary[] {
    const { start, position } = this.#cutter
    return (this.#known?.get(start) ?? []).filter(({ end }) => end > position)
  }

  /**
   * At the end of a known chunk: equal content is skipped. Where no chunk can match any more, all
   * is new.
   */
  async #compare(): Promise<void> {
    const { start, position } = this.#cutter
    const ending = (this.#known?.get(start) ?? []).filter(({ end }) => end === position)
    const sha256 = ending.length === 0 ? '' : this.#cutter.digest()
    const same = ending.find((boundary) => boundary.sha256 === sha256)
    if (same !== undefined) {
      this.#duplicateLines += this.#cutter.skip()
      this.#fileId = wholeOf(same.fileId)
    }
    const isFull = this.#cutter.bodyBytes > CHUNK_BYTES_MAX
    if (isFull || this.#boundariesAhead().length === 0) await this.#giveUpComparing()
  }

  /**
   * Chunks go on under the identity of the file that ends here; otherwise the file is a new one.
   */
  #continueKnownFile(known: readonly KnownFile[]): void {
    const { start } = this.#cutter
    const ends = known.filter(({ fileId, chunks }) => {
      const last = chunks.at(-1)
      const isWhole = wholeOf(fileId) === fileId
      return isWhole && last !== undefined && last.offset + last.length === start
    })
    this.#fileId = (ends.find(({ fileId }) => fileId === this.#fileId) ?? ends[0])?.fileId ?? null
  }

  async #appendWhenFull(): Promise<void> {
    const { bodyBytes, lines } = this.#cutter
    // A slice more must still fit, even if it were all line ends, and the unfinished line with it.
    const isFull =
      bodyBytes + SLICE_BYTES + (1 << 20) > CHUNK_BYTES_MAX || lines + SLICE_BYTES > CHUNK_LINES_MAX
    if (isFull) await this.#append(this.#cutter.cut())
  }

  /** Waits for the chunk before, then starts on this one while the caller reads on. */
  async #append(chunk: CutChunk | null): Promise<void> {
    await this.#inFlight
    if (chunk === null) return
    this.#inFlight = this.#send(chunk)
    // Reported where it is awaited; an unhandled rejection in between would end the process.
    this.#inFlight.catch(() => undefined)
  }

  async #send(chunk: CutChunk): Promise<void> {
    const { sink, source, spec, path, waitForRoom } = this.#options
    const headHash = this.#headHash
    // Deterministic, so that two that take in the same file at the same moment give it the same
    // name.
    this.#fileId ??= createHash('sha256')
      .update(`${headHash} ${chunk.offset} ${chunk.sha256}`)
      .digest('hex')
      .slice(0, 32)
    const fileId = this.#fileId
    for (let attempt = 0; ; attempt += 1) {
      try {
        const { batchId } = await sink.append({
          source,
          formatSpec: spec,
          fileId,
          headHash,
          path,
          ...chunk,
        })
        this.#chunks.push({ batchId, lines: chunk.lines + chunk.oversize.length })
        return
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'overloaded') throw error
        await waitForRoom(attempt)
      }
    }
  }
}

interface Boundary {
  readonly end: number
  readonly sha256: string
  readonly fileId: string
}

type Boundaries = ReadonlyMap<number, readonly Boundary[]>

function boundariesOf(
  files: readonly KnownFile[],
  before: Iterable<readonly [number, readonly Boundary[]]> = [],
): Boundaries {
  const known = new Map([...before].map(([offset, each]) => [offset, [...each]]))
  for (const { fileId, chunks } of files) {
    for (const { offset, length, sha256 } of chunks) {
      const boundaries = known.get(offset) ?? []
      boundaries.push({ end: offset + length, sha256, fileId })
      known.set(offset, boundaries)
    }
  }
  return known
}

/** Where to look for what is known of a file that begins with this line. */
export function headHashOf(head: Buffer): string {
  return createHash('sha256').update(head).digest('hex')
}

/** The first line without its LF, cut at HEAD_BYTES_MAX; null while it is not complete. */
export function headOf(parts: readonly Buffer[]): Buffer | null {
  const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
  const end = whole.indexOf(LF)
  if (end !== -1 && end <= HEAD_BYTES_MAX) return whole.subarray(0, end)
  return whole.length >= HEAD_BYTES_MAX ? whole.subarray(0, HEAD_BYTES_MAX) : null
}
