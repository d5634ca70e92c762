import { createHash, type Hash } from 'node:crypto'
import { LINE_BYTES_MAX, LINE_HEAD_BYTES, type OversizeLine } from './sink.ts'
import { spareBodies } from './spare-bodies.ts'

const LF = 10

/** A run of whole lines cut out of a file's content. */
export interface CutChunk {
  readonly offset: number
  readonly length: number
  readonly lines: number
  readonly sha256: string
  /** Overwritten by what is pushed after the next cut, and by anybody after `shrink`. */
  readonly body: Buffer
  readonly oversize: readonly OversizeLine[]
}

interface LongLine {
  readonly offset: number
  readonly head: Buffer
  length: number
  /** The chunk's hash as it was before this line, and a hash of the line so far. */
  readonly hashBefore: Hash
  readonly hashSince: Hash
}

/** What a body's buffer begins with; it doubles as needed. */
const BODY_BYTES_FIRST = 64 << 10
const NOTHING: Buffer = Buffer.alloc(0)

/**
 * Cuts a stream of bytes at line ends and hashes what it cuts.
 *
 * Holds the lines of two chunks, the one at work and the one cut last, and at most LINE_BYTES_MAX
 * of an unfinished line, however long that is. The two take turns: a fresh buffer for each chunk
 * costs more than filling it does.
 * Pure: time and I/O are the caller's.
 */
export class LineCutter {
  #start: number
  #position: number
  #body: Buffer = NOTHING
  #cutBody: Buffer = NOTHING
  #bodyBytes = 0
  #lines = 0
  #oversize: OversizeLine[] = []
  #hash = createHash('sha256')
  #carry: Buffer[] = []
  #carryBytes = 0
  #long: LongLine | null = null
  #skipsNewline: boolean
  #lastByte: number | null = null

  /**
   * @param start Offset of the first byte that will be pushed.
   * @param afterUnfinishedLine The line before `start` was taken without its LF: one that comes
   * first ends it.
   */
  constructor(start: number, options: { afterUnfinishedLine: boolean }) {
    this.#start = start
    this.#position = start
    this.#skipsNewline = options.afterUnfinishedLine
  }

  /** Offset of the first byte that is not cut off yet. */
  get start(): number {
    return this.#start
  }

  /** Offset behind the last byte pushed. */
  get position(): number {
    return this.#position
  }

  /** Whole lines and oversize lines held. */
  get lines(): number {
    return this.#lines + this.#oversize.length
  }

  get bodyBytes(): number {
    return this.#bodyBytes
  }

  /** The bytes pushed so far end inside a line. */
  get endsInsideLine(): boolean {
    return this.#lastByte !== null && this.#lastByte !== LF
  }

  /** Takes the next bytes; copies what it keeps. */
  push(buffer: Buffer): void {
    if (buffer.length === 0) return
    this.#position += buffer.length
    this.#lastByte = buffer.at(-1) ?? null
    let from = 0
    if (this.#skipsNewline) {
      this.#skipsNewline = false
      if (buffer[0] === LF) {
        this.#hash.update(buffer.subarray(0, 1))
        from = 1
      }
    }
    from = this.#finishLine(buffer, from)
    if (from < buffer.length) this.#takeLines(buffer, from)
  }

  /** SHA-256 of everything from `start` to `position`, and of what is thought to follow. */
  digest(rest: Buffer = Buffer.alloc(0)): string {
    const hash = this.#hash.copy()
    for (const part of this.#carry) hash.update(part)
    return hash.update(rest).digest('hex')
  }

  /**
   * Forgets what it holds and goes on from `position`; returns the lines forgotten, the unfinished
   * one included.
   */
  skip(): number {
    const lines = this.lines + (this.endsInsideLine ? 1 : 0)
    this.#skipsNewline = this.endsInsideLine
    this.#carry = []
    this.#carryBytes = 0
    this.#long = null
    this.#reset(this.#position)
    return lines
  }

  /** Cuts the whole lines off; null when there are none. */
  cut(): CutChunk | null {
    if (this.lines === 0) return null
    const long = this.#long
    const end = long === null ? this.#position - this.#carryBytes : long.offset
    const hash = long === null ? this.#hash : long.hashBefore
    const chunk = this.#chunkTo(end, hash)
    this.#reset(end)
    // The long line goes on, now as the first of the next chunk.
    if (long !== null) {
      this.#hash = long.hashSince
      this.#long = { ...long, hashBefore: createHash('sha256'), hashSince: long.hashSince.copy() }
    }
    return chunk
  }

  /** Cuts everything off, a last line without LF included; null when there is nothing. */
  cutAll(): CutChunk | null {
    if (this.#carryBytes > 0) {
      this.#addLine([...this.#carry])
      // The body's lines all end with LF; the content's last one does not, so the hash goes
      // without.
      this.#keep(Buffer.from([LF]))
      this.#carry = []
      this.#carryBytes = 0
    }
    if (this.#long !== null) this.#endLongLine()
    this.#skipsNewline = this.endsInsideLine
    return this.cut()
  }

  /** Gives memory back while there is nothing to do; chunks cut before are forgotten. */
  shrink(): void {
    spareBodies.give(this.#cutBody)
    this.#cutBody = NOTHING
    if (this.#bodyBytes > 0) return
    spareBodies.give(this.#body)
    this.#body = NOTHING
  }

  #chunkTo(end: number, hash: Hash): CutChunk {
    const chunk = {
      offset: this.#start,
      length: end - this.#start,
      lines: this.#lines,
      sha256: hash.copy().digest('hex'),
      body: this.#body.subarray(0, this.#bodyBytes),
      oversize: this.#oversize,
    }
    const next = this.#cutBody
    this.#cutBody = this.#body
    this.#body = next
    return chunk
  }

  #reset(start: number): void {
    this.#start = start
    this.#bodyBytes = 0
    this.#lines = 0
    this.#oversize = []
    this.#hash = createHash('sha256')
  }

  /** Completes the line that an earlier buffer began; returns where the next one starts. */
  #finishLine(buffer: Buffer, from: number): number {
    if (this.#long === null && this.#carryBytes === 0) return from
    const end = buffer.indexOf(LF, from)
    const stop = end === -1 ? buffer.length : end + 1
    const piece = buffer.subarray(from, stop)
    if (this.#long !== null) {
      this.#long.length += piece.length
      this.#long.hashSince.update(piece)
      this.#hash.update(piece)
      if (end !== -1) this.#endLongLine()
      return stop
    }
    const content = piece.length - (end === -1 ? 0 : 1)
    this.#carry.push(Buffer.from(piece))
    this.#carryBytes += piece.length
    if (this.#carryBytes - piece.length + content > LINE_BYTES_MAX) {
      this.#beginLongLine(this.#position - buffer.length + stop)
      if (end !== -1) this.#endLongLine()
    } else if (end !== -1) {
      this.#addLine(this.#carry)
      this.#carry = []
      this.#carryBytes = 0
    }
    return stop
  }

  /** Takes the lines that begin in this buffer; what is left of it becomes the carry. */
  #takeLines(buffer: Buffer, from: number): void {
    let run = from
    let line = from
    for (let end = buffer.indexOf(LF, line); end !== -1; end = buffer.indexOf(LF, line)) {
      if (end - line > LINE_BYTES_MAX) {
        this.#addRun(buffer.subarray(run, line))
        this.#setCarry(buffer.subarray(line, end + 1), this.#position - buffer.length + end + 1)
        this.#endLongLine()
        run = end + 1
      } else {
        this.#lines += 1
      }
      line = end + 1
    }
    this.#addRun(buffer.subarray(run, line))
    this.#setCarry(buffer.subarray(line), this.#position)
  }

  #setCarry(piece: Buffer, end: number): void {
    if (piece.length === 0) return
    this.#carry = [Buffer.from(piece)]
    this.#carryBytes = piece.length
    if (piece.length > LINE_BYTES_MAX) this.#beginLongLine(end)
  }

  #addRun(run: Buffer): void {
    if (run.length === 0) return
    this.#keep(run)
    this.#hash.update(run)
  }

  #keep(run: Buffer): void {
    const bytes = this.#bodyBytes + run.length
    if (bytes > this.#body.length) {
      const grown = spareBodies.take(bytes) ?? this.#doubled(bytes)
      this.#body.copy(grown, 0, 0, this.#bodyBytes)
      spareBodies.give(this.#body)
      this.#body = grown
    }
    run.copy(this.#body, this.#bodyBytes)
    this.#bodyBytes = bytes
  }

  #doubled(bytesMin: number): Buffer {
    let size = Math.max(this.#body.length, BODY_BYTES_FIRST)
    while (size < bytesMin) size *= 2
    return Buffer.allocUnsafeSlow(size)
  }

  #addLine(pieces: readonly Buffer[]): void {
    for (const piece of pieces) this.#addRun(piece)
    this.#lines += 1
  }

  #beginLongLine(end: number): void {
    const hashBefore = this.#hash.copy()
    const hashSince = createHash('sha256')
    for (const piece of this.#carry) {
      this.#hash.update(piece)
      hashSince.update(piece)
    }
    this.#long = {
      offset: end - this.#carryBytes,
      head: Buffer.concat(this.#carry).subarray(0, LINE_HEAD_BYTES),
      length: this.#carryBytes,
      hashBefore,
      hashSince,
    }
    this.#carry = []
    this.#carryBytes = 0
  }

  #endLongLine(): void {
    const long = this.#long
    if (long === null) return
    this.#oversize.push({
      offset: long.offset,
      length: long.length,
      head: long.head.toString('utf8'),
    })
    this.#long = null
  }
}
