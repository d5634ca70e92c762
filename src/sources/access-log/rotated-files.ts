import { resolve } from 'node:path'
import { AppError } from '../../core/errors.ts'
import { isCompressed, openHandle, openLogFile } from './content.ts'
import { headHashOf, headOf } from './intake.ts'
import type { LogSink } from './sink.ts'
import type { TailMemory } from './tail-memory.ts'
import { findRotated, type FoundFile, isOneFile } from './tail-paths.ts'

type IsKey = (key: string) => boolean

/** Finds what the configured files were rotated to, as far as it may have unread lines. */
export interface RotatedFiles {
  /**
   * Looks beside the configured files.
   *
   * @param isFollowed Tells of an inode's key that it is read anyway.
   * @param isWanted Tells of one that it was a configured file a moment ago.
   */
  unfinished(isFollowed: IsKey, isWanted: IsKey): Promise<readonly FoundFile[]>
}

/**
 * Looks for rotated files beside those that one source names.
 *
 * Every rotated file counts that was written to since Weir follows the log and is not known to be
 * done: also one between two that are done, and one that came and was rotated between two looks.
 */
export function createRotatedFiles(
  paths: readonly string[],
  memory: TailMemory,
  sink: Pick<LogSink, 'candidates'>,
): RotatedFiles {
  const isDone = ({ key, size, mtimeMs }: FoundFile): boolean => memory.isDone(key, size, mtimeMs)

  async function unfinishedOf(
    path: string,
    isFollowed: IsKey,
    isWanted: IsKey,
  ): Promise<readonly FoundFile[]> {
    const oldestFirst = (await findRotated(path)).reverse()
    let sinceMs = memory.sinceMsOf(path)
    if (sinceMs === null) {
      // Logs from before Weir, nobody asked for them: those older than the oldest that is known,
      // all if none is.
      const oldest = await firstIndex(
        oldestFirst,
        async (file) =>
          isFollowed(file.key) || isWanted(file.key) || isDone(file) || (await isKnown(file, sink)),
      )
      sinceMs = lastWrittenBefore(oldestFirst, oldest) ?? 0
      memory.rememberSince(path, sinceMs)
    }
    const from = sinceMs
    const later = oldestFirst.filter(({ mtimeMs }) => mtimeMs > from)
    // A compressed copy of a file that is done keeps its time: it need not be read.
    const pending = later.findIndex((file) => isFollowed(file.key) || !isDone(file))
    const doneMs = lastWrittenBefore(later, pending)
    if (doneMs !== null) memory.rememberSince(path, doneMs)
    return later.filter((file) => !isFollowed(file.key) && !isDone(file))
  }

  return {
    async unfinished(isFollowed, isWanted) {
      const unfinished: FoundFile[] = []
      for (const path of paths) {
        if (await isOneFile(path)) {
          unfinished.push(...(await unfinishedOf(resolve(path), isFollowed, isWanted)))
        }
      }
      return unfinished
    },
  }
}

/** Time of the last write to the files before this one (-1: to all), if it is before this one's. */
function lastWrittenBefore(oldestFirst: readonly FoundFile[], index: number): number | null {
  const next = oldestFirst[index]?.mtimeMs ?? Number.POSITIVE_INFINITY
  const before = index === -1 ? oldestFirst : oldestFirst.slice(0, index)
  return before.findLast(({ mtimeMs }) => mtimeMs < next)?.mtimeMs ?? null
}

async function firstIndex<Item>(
  items: readonly Item[],
  test: (item: Item) => Promise<boolean>,
): Promise<number> {
  for (const [index, item] of items.entries()) if (await test(item)) return index
  return -1
}

async function isKnown(file: FoundFile, sink: Pick<LogSink, 'candidates'>): Promise<boolean> {
  try {
    const headHash = await headHashAt(file.path)
    return headHash !== null && (await sink.candidates(headHash)).length > 0
  } catch (error) {
    if (error instanceof AppError) return false
    throw error
  }
}

/** Where to look for what is known of the file; null while it has no first line. */
async function headHashAt(path: string): Promise<string | null> {
  const handle = await openHandle(path)
  const first = Buffer.alloc(64 << 10)
  const { bytesRead } = await handle.read(first, 0, first.length, 0)
  await handle.close()
  if (!isCompressed(first)) return hashOrNull(first.subarray(0, bytesRead))
  const parts: Buffer[] = []
  for await (const block of (await openLogFile(path)).blocks) {
    parts.push(Buffer.from(block))
    if (headOf(parts) !== null) break
  }
  return hashOrNull(Buffer.concat(parts))
}

function hashOrNull(content: Buffer): string | null {
  const head = content.length === 0 ? null : headOf([content])
  return head === null ? null : headHashOf(head)
}
