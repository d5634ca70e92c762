import { AppError } from '../core/errors.ts'
import type { FileChunk } from './batch.ts'
import type { Journal } from './journal.ts'
import type { IngestRegistry } from './registry.ts'

/** Files whose ends are kept in memory; the end of any other is looked up when it grows. */
const FILES_MAX = 10_000

/** Makes sure that no part of a log file is taken in twice. */
export interface FileEnds {
  /**
   * Claims the chunk for the caller, and returns how to give it back when it could not be kept.
   *
   * Errors: `conflict` when the file is known to reach further than where the chunk begins.
   */
  claim(chunk: FileChunk): Promise<() => void>
}

/** Knows how far each log file has been taken in, in the journal or loaded. */
export function createFileEnds(
  journal: Journal,
  registry: Pick<IngestRegistry, 'fileEnd'>,
): FileEnds {
  const ends = new Map<string, number>()
  async function endOf(fileId: string): Promise<number> {
    const known = ends.get(fileId)
    if (known !== undefined) return known
    const waiting = journal
      .pending()
      .flatMap(({ file }) => (file?.fileId === fileId ? [file.offset + file.length] : []))
    const loaded = await registry.fileEnd(fileId)
    // Another claim may have been made during the look-up.
    return Math.max(loaded, ends.get(fileId) ?? 0, ...waiting)
  }
  return {
    async claim({ fileId, offset, length, path }) {
      const end = await endOf(fileId)
      if (offset < end) {
        throw new AppError(
          'conflict',
          `${path} is being taken in by somebody else at the same time. Run it again: what is known is skipped.`,
        )
      }
      ends.delete(fileId)
      ends.set(fileId, offset + length)
      const [oldest] = ends.keys()
      if (ends.size > FILES_MAX && oldest !== undefined) ends.delete(oldest)
      return () => {
        if (ends.get(fileId) === offset + length) ends.delete(fileId)
      }
    },
  }
}
