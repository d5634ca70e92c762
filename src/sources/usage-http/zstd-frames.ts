import { AppError } from '../../core/errors.ts'

/**
 * Largest window that a zstd body may ask for.
 *
 * Source: RFC 9659, Window Sizing for Zstandard Content Encoding.
 */
export const WINDOW_BYTES_MAX = 8 << 20

const MAGIC = 0xfd2fb528
const SKIPPABLE_MAGIC = 0x184d2a50
const BLOCK_RLE = 1
const BLOCK_RESERVED = 3

/**
 * Walks over the frames and blocks of a zstd body without decoding them.
 *
 * It is what keeps a few bytes from asking the decoder for gigabytes of window, and what notices
 * a body that was cut short.
 *
 * Source: RFC 8878, section 3.1.
 * Errors: `body_malformed` when a frame is cut short or asks for more than WINDOW_BYTES_MAX.
 */
export function checkZstdFrames(body: Buffer): void {
  for (let at = 0; at < body.length;) {
    need(body, at + 4)
    const magic = body.readUInt32LE(at)
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
      need(body, at + 8)
      at += 8 + body.readUInt32LE(at + 4)
      need(body, at)
    } else if (magic === MAGIC) {
      at = skipFrame(body, at + 4)
    } else {
      throw malformed('it does not begin like one')
    }
  }
}

function skipFrame(body: Buffer, start: number): number {
  need(body, start + 1)
  const descriptor = body.readUInt8(start)
  const isSingle = (descriptor & 0x20) !== 0
  const hasChecksum = (descriptor & 0x04) !== 0
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0
  const sizeBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  const windowBytes = isSingle ? 0 : 1
  const sizeAt = start + 1 + windowBytes + dictionaryBytes
  let at = sizeAt + sizeBytes
  need(body, at)
  const window = isSingle
    ? contentSize(body, sizeAt, sizeBytes)
    : windowSize(body.readUInt8(start + 1))
  if (window > WINDOW_BYTES_MAX) {
    throw malformed(`its window is larger than ${WINDOW_BYTES_MAX} bytes; compress without --long`)
  }
  for (let isLast = false; !isLast;) {
    need(body, at + 3)
    const header = body.readUIntLE(at, 3)
    isLast = (header & 1) === 1
    const type = (header >> 1) & 3
    if (type === BLOCK_RESERVED) throw malformed('it has a block of no known type')
    at += 3 + (type === BLOCK_RLE ? 1 : header >> 3)
    need(body, at)
  }
  at += hasChecksum ? 4 : 0
  need(body, at)
  return at
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3))
  return base + (base / 8) * (descriptor & 7)
}

function contentSize(body: Buffer, at: number, bytes: number): number {
  switch (bytes) {
    case 1:
      return body.readUInt8(at)
    case 2:
      return body.readUInt16LE(at) + 256
    case 4:
      return body.readUInt32LE(at)
    default:
      return Number(body.readBigUInt64LE(at))
  }
}

function need(body: Buffer, end: number): void {
  if (end > body.length) throw malformed('it was cut short')
}

function malformed(why: string): AppError {
  return new AppError('body_malformed', `The body is not a usable zstd frame: ${why}.`)
}
