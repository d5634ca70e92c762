import { type FileHandle, open } from 'node:fs/promises'
import { constants, createGunzip, type Gunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { AppError } from '../../core/errors.ts'

/** Bytes read from a file at a time. */
const READ_BYTES = 1 << 20
/**
 * Compressed bytes decoded at a time: bounds what one step can expand to (about a thousandfold at
 * worst).
 */
const DECODE_BYTES = 32 << 10

/** The content of a log, decompressed, and how far the reading is. */
export interface LogContent {
  /**
   * Yields the content in order; a block is overwritten once the next one is asked for.
   * Errors: not_found, forbidden, body_malformed when it breaks off.
   */
  readonly blocks: AsyncIterable<Buffer>
  /** Bytes read of the file as it lies on the disk. */
  bytesRead(): number
  /** Size of that file; null for a stream. */
  readonly bytesTotal: number | null
}

/**
 * Opens a log file; gzip and zstd are told by their first bytes, not by the name.
 *
 * Errors: not_found, forbidden, parameter_invalid for a directory; while reading, body_malformed
 * for compressed content that breaks off: what came before has been yielded.
 */
export async function openLogFile(path: string): Promise<LogContent> {
  const handle = await openHandle(path)
  const { size } = await handle.stat()
  return contentOf(readHandle(handle), path, size)
}

/** Reads a log from a stream such as standard input. */
export function openLogStream(stream: AsyncIterable<Buffer>, name: string): LogContent {
  return contentOf(stream, name, null)
}

/** Opens a regular file for reading. */
export async function openHandle(path: string): Promise<FileHandle> {
  try {
    const handle = await open(path, 'r')
    if (!(await handle.stat()).isDirectory()) return handle
    await handle.close()
  } catch (error) {
    throw fileError(error, path)
  }
  throw new AppError('parameter_invalid', `${path} is a directory; name the files in it.`)
}

/** Says of a failed file operation what the operator can do about it. */
export function fileError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') {
    return new AppError('not_found', `There is no file ${path}.`, { cause: error })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new AppError('forbidden', `The file ${path} may not be read by this user.`, {
      cause: error,
    })
  }
  return error
}

async function* readHandle(handle: FileHandle): AsyncGenerator<Buffer> {
  try {
    // One for all blocks: a fresh one for each keeps the garbage collector busier than the disk.
    const buffer = Buffer.allocUnsafe(READ_BYTES)
    for (;;) {
      const { bytesRead } = await handle.read(buffer, 0, READ_BYTES, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

function contentOf(raw: AsyncIterable<Buffer>, name: string, total: number | null): LogContent {
  let bytesRead = 0
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const block of raw) {
      bytesRead += block.length
      yield block
    }
  }
  return { blocks: decoded(counted(), name), bytesRead: () => bytesRead, bytesTotal: total }
}

async function* decoded(raw: AsyncGenerator<Buffer>, name: string): AsyncGenerator<Buffer> {
  try {
    const first = await firstBlock(raw)
    if (first.length === 0) return
    const rest = prepended(first, raw)
    if (isGzip(first)) yield* gunzipped(rest, name)
    else if (isZstd(first)) yield* unzstded(rest, name)
    else yield* rest
  } finally {
    await raw.return(undefined)
  }
}

/** At least four bytes, or all there are: a pipe may hand out fewer. */
async function firstBlock(raw: AsyncGenerator<Buffer>): Promise<Buffer> {
  let first: Buffer = Buffer.alloc(0)
  while (first.length < 4) {
    const next = await raw.next()
    if (next.done === true) break
    first =
      first.length === 0 && next.value.length >= 4 ? next.value : Buffer.concat([first, next.value])
  }
  return first
}

async function* prepended(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* rest
}

/** Tells compressed content by its first bytes. */
export function isCompressed(first: Buffer): boolean {
  return isGzip(first) || isZstd(first)
}

function isGzip(first: Buffer): boolean {
  return first[0] === 0x1f && first[1] === 0x8b
}

function isZstd(first: Buffer): boolean {
  return first.length >= 4 && first.readUInt32LE(0) === 0xfd2fb528
}

function broken(name: string, kind: string, cause: unknown): AppError {
  return new AppError(
    'body_malformed',
    `${name} is not complete ${kind}: it breaks off or is damaged. What came before was taken in.`,
    { cause },
  )
}

/** Node's own stream iteration would drop decoded data that is queued when the input breaks off. */
async function* gunzipped(raw: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const gunzip = createGunzip({ chunkSize: 256 << 10, flush: constants.Z_SYNC_FLUSH })
  const queue: Buffer[] = []
  const failures: unknown[] = []
  gunzip.on('data', (block: Buffer) => queue.push(block))
  gunzip.on('error', (error) => failures.push(error))
  try {
    for await (const block of raw) {
      for (let from = 0; from < block.length && failures.length === 0; from += DECODE_BYTES) {
        await written(gunzip, block.subarray(from, from + DECODE_BYTES))
        yield* queue.splice(0)
      }
      if (failures.length > 0) break
    }
    if (failures.length === 0) await ended(gunzip)
    yield* queue.splice(0)
    if (failures.length > 0) throw broken(name, 'gzip', failures[0])
  } finally {
    gunzip.destroy()
  }
}

function written(gunzip: Gunzip, block: Buffer): Promise<void> {
  return new Promise((resolve) => {
    // After damaged input the callback never comes.
    gunzip.once('error', resolve)
    gunzip.write(block, () => {
      gunzip.off('error', resolve)
      // The decoded data is emitted in this turn of the loop.
      setImmediate(resolve)
    })
  })
}

function ended(gunzip: Gunzip): Promise<void> {
  return new Promise((resolve) => {
    gunzip.once('end', resolve)
    gunzip.once('error', () => resolve())
    gunzip.end()
  })
}

async function* unzstded(raw: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const queue: Buffer[] = []
  const decoder = new Decompress((block) => queue.push(Buffer.from(block)))
  // The decoder throws on damaged input, and at the end when frames are missing.
  const push = (block: Uint8Array, isLast: boolean): unknown => {
    try {
      decoder.push(block, isLast)
      return undefined
    } catch (error) {
      return broken(name, 'zstd', error)
    }
  }
  for await (const block of raw) {
    for (let from = 0; from < block.length; from += DECODE_BYTES) {
      // The decoder keeps what it cannot decode yet.
      const failure = push(Uint8Array.from(block.subarray(from, from + DECODE_BYTES)), false)
      yield* queue.splice(0)
      if (failure !== undefined) throw failure
    }
  }
  const failure = push(new Uint8Array(0), true)
  yield* queue.splice(0)
  if (failure !== undefined) throw failure
}
