import { crc32 } from 'node:zlib'
import type { FrameMeta, FrameOutcome } from './batch.ts'

/** Where a frame's lines are: behind its entry, or in a file of their own. */
export type BodyPlace =
  | { readonly kind: 'inline' }
  | { readonly kind: 'file'; readonly name: string; readonly length: number; readonly crc: number }

/** What the journal records, one entry each. Marks follow the batch that they are about. */
export type Entry =
  | {
      readonly t: 'frame'
      readonly seq: number
      readonly meta: FrameMeta
      readonly body: BodyPlace
    }
  /** These frames will be loaded together, now; `attempt` counts the tries. */
  | {
      readonly t: 'plan'
      readonly batch: number
      readonly attempt: number
      readonly frames: readonly number[]
    }
  /** Usage and rejects are in their tables; rollups may not be. */
  | { readonly t: 'inserted'; readonly batch: number; readonly outcomes: readonly StoredOutcome[] }
  /** Every table and the control store have the batch. */
  | { readonly t: 'done'; readonly batch: number; readonly frames: readonly number[] }

/** A FrameOutcome whose bytes survive JSON. */
export type StoredOutcome = Omit<FrameOutcome, 'bytes'> & { readonly bytes: string }

// "WEIR" in ASCII: finds the place where garbage begins.
const MAGIC = 0x57454952

/** Bytes before an entry's JSON: magic, JSON length, body length, CRC-32 of JSON and body. */
export const HEADER_BYTES = 16

/** Longest JSON of an entry; a longer one can only be damage. */
const META_BYTES_MAX = 64 << 20

/** Longest body behind an entry. */
export const INLINE_BYTES_MAX = 256 << 10

/** Encodes an entry and the lines that belong behind it. */
export function encodeEntry(entry: Entry, body: Buffer): Buffer {
  const meta = Buffer.from(JSON.stringify(entry))
  const header = Buffer.allocUnsafe(HEADER_BYTES)
  header.writeUInt32BE(MAGIC, 0)
  header.writeUInt32BE(meta.length, 4)
  header.writeUInt32BE(body.length, 8)
  header.writeUInt32BE(crc32(body, crc32(meta)), 12)
  return Buffer.concat([header, meta, body])
}

/** One entry found in a segment, and where its body begins. */
export interface FoundEntry {
  readonly entry: Entry
  readonly bodyOffset: number
  readonly bodyLength: number
  readonly end: number
}

/**
 * Reads the entry at `offset`.
 *
 * Errors: undefined when the bytes from there on are not a whole, undamaged entry.
 */
export function decodeEntry(segment: Buffer, offset: number): FoundEntry | undefined {
  if (offset + HEADER_BYTES > segment.length) return undefined
  if (segment.readUInt32BE(offset) !== MAGIC) return undefined
  const metaLength = segment.readUInt32BE(offset + 4)
  const bodyLength = segment.readUInt32BE(offset + 8)
  const metaOffset = offset + HEADER_BYTES
  const bodyOffset = metaOffset + metaLength
  const end = bodyOffset + bodyLength
  if (metaLength > META_BYTES_MAX || end > segment.length) return undefined
  const content = segment.subarray(metaOffset, end)
  if (crc32(content) !== segment.readUInt32BE(offset + 12)) return undefined
  const entry = JSON.parse(segment.toString('utf8', metaOffset, bodyOffset)) as Entry
  return { entry, bodyOffset, bodyLength, end }
}
