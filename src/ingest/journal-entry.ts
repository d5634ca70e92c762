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

/** Bytes before an entry's JSON: magic, JSON length, body length, start of its group, CRC-32. */
export const HEADER_BYTES = 20
const CRC_AT = 16

/** Longest JSON of an entry; a longer one can only be damage. */
const META_BYTES_MAX = 64 << 20

/** Longest body behind an entry. */
export const INLINE_BYTES_MAX = 256 << 10

/** Encodes an entry and the lines that belong behind it; `sealEntry` has to complete it. */
export function encodeEntry(entry: Entry, body: Buffer): Buffer {
  const meta = Buffer.from(JSON.stringify(entry))
  const header = Buffer.alloc(HEADER_BYTES)
  header.writeUInt32BE(MAGIC, 0)
  header.writeUInt32BE(meta.length, 4)
  header.writeUInt32BE(body.length, 8)
  header.writeUInt32BE(crc32(body, crc32(meta)), CRC_AT)
  return Buffer.concat([header, meta, body])
}

/**
 * Completes an encoded entry, once, with the place in the segment where its group begins.
 *
 * Everything before a group was synced before the group was written: a damaged entry in front of
 * a later group is lost data, and not an append that a crash cut short.
 */
export function sealEntry(encoded: Buffer, groupOffset: number): void {
  encoded.writeUInt32BE(groupOffset, 12)
  encoded.writeUInt32BE(crc32(encoded.subarray(4, CRC_AT), encoded.readUInt32BE(CRC_AT)), CRC_AT)
}

/** One entry found in a segment, and where its body begins. */
export interface FoundEntry {
  readonly entry: Entry
  readonly groupOffset: number
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
  const lengths = segment.subarray(offset + 4, offset + CRC_AT)
  const crc = crc32(lengths, crc32(segment.subarray(metaOffset, end)))
  if (crc !== segment.readUInt32BE(offset + CRC_AT)) return undefined
  const entry = JSON.parse(segment.toString('utf8', metaOffset, bodyOffset)) as Entry
  return { entry, groupOffset: segment.readUInt32BE(offset + 12), bodyOffset, bodyLength, end }
}

/** Finds the first whole entry after `offset` whose group began after it, too. */
export function findLaterGroup(segment: Buffer, offset: number): FoundEntry | undefined {
  const magic = Buffer.alloc(4)
  magic.writeUInt32BE(MAGIC)
  for (let at = segment.indexOf(magic, offset + 1); at !== -1;) {
    const found = decodeEntry(segment, at)
    if (found !== undefined && found.groupOffset > offset) return found
    at = segment.indexOf(magic, at + 1)
  }
  return undefined
}
