import { createHash } from 'node:crypto'
import type { ChunkSplit, KnownChunk } from './sink.ts'

const LF = 10
/** Stands between the identity of a file and where one of its chunks is split; in neither. */
const SPLIT_MARK = '/'

/** The file that a known chunk, or a part of one, belongs to. */
export function wholeOf(fileId: string): string {
  return fileId.split(SPLIT_MARK)[0] ?? fileId
}

/** Makes two known parts of a chunk: one that a copy of the file has, and the rest of it. */
export function splitChunk(
  file: Pick<ChunkSplit, 'headHash' | 'path'> & { readonly fileId: string },
  part: KnownChunk,
  rest: Buffer,
): ChunkSplit {
  const offset = part.offset + part.length
  const sha256 = createHash('sha256').update(rest).digest('hex')
  const { headHash, path } = file
  return {
    headHash,
    splitId: `${wholeOf(file.fileId)}${SPLIT_MARK}${offset}`,
    path,
    parts: [part, { offset, length: rest.length, lines: countLines(rest), sha256 }],
  }
}

function countLines(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) lines += 1
  return lines
}
