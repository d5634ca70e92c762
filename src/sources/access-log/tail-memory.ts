import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

/** Files remembered; the oldest are forgotten, which only costs reading them once more. */
const FILES_MAX = 10_000

const State = z.array(
  z.union([
    z.strictObject({ key: z.string(), fileId: z.string() }),
    z.strictObject({ key: z.string(), size: z.number(), mtimeMs: z.number() }),
    z.strictObject({ key: z.string(), sinceMs: z.number() }),
    z.strictObject({
      key: z.string(),
      readMs: z.number(),
      files: z.array(z.strictObject({ file: z.string(), size: z.number() })),
    }),
  ]),
)

/** Content that a source was reading. */
export interface FollowedContent {
  readonly readMs: number
  /** Identity of the content, and how much of it was read. */
  readonly files: readonly { readonly file: string; readonly size: number }[]
}

/** No inode's key. */
const FOLLOWED_KEY = 'followed'

/**
 * Remembers across restarts which inode had which identity, which files are done, and since when
 * rotated files matter.
 *
 * A cache: losing it costs reading files again, never a line, because what was taken in is known
 * by its content. Only files that went away unread while nobody looked are not missed then.
 */
export interface TailMemory {
  load(): Promise<void>
  fileIdOf(key: string): string | null
  rememberFile(key: string, fileId: string): void
  isDone(key: string, size: number, mtimeMs: number): boolean
  rememberDone(key: string, size: number, mtimeMs: number): void
  /** What this file was rotated to and was last written to by then is not wanted any more. */
  sinceMsOf(path: string): number | null
  rememberSince(path: string, sinceMs: number): void
  /** What was being read, and when all of it had been read to its end; null: not known. */
  followed(): FollowedContent | null
  rememberFollowed(content: FollowedContent): void
  /** Writes what changed. */
  save(): Promise<void>
}

/** Keeps the memory of one source in a file; null keeps it in memory only. */
export function createTailMemory(directory: string | null, name: string): TailMemory {
  const path = directory === null ? null : join(directory, `${encodeURIComponent(name)}.json`)
  const entries = new Map<string, z.output<typeof State>[number]>()
  let isChanged = false

  function set(entry: z.output<typeof State>[number]): void {
    entries.delete(entry.key)
    entries.set(entry.key, entry)
    isChanged = true
  }

  return {
    async load() {
      if (path === null) return
      for (const entry of await readState(path)) entries.set(entry.key, entry)
    },
    fileIdOf(key) {
      const entry = entries.get(key)
      return entry !== undefined && 'fileId' in entry ? entry.fileId : null
    },
    rememberFile(key, fileId) {
      const entry = entries.get(key)
      if (entry !== undefined && 'fileId' in entry && entry.fileId === fileId) return
      set({ key, fileId })
    },
    isDone(key, size, mtimeMs) {
      const entry = entries.get(key)
      return (
        entry !== undefined && 'size' in entry && entry.size === size && entry.mtimeMs === mtimeMs
      )
    },
    rememberDone: (key, size, mtimeMs) => set({ key, size, mtimeMs }),
    sinceMsOf(file) {
      const entry = entries.get(sinceKey(file))
      return entry !== undefined && 'sinceMs' in entry ? entry.sinceMs : null
    },
    rememberSince: (file, sinceMs) => set({ key: sinceKey(file), sinceMs }),
    followed() {
      const entry = entries.get(FOLLOWED_KEY)
      if (entry === undefined || !('readMs' in entry)) return null
      return { readMs: entry.readMs, files: entry.files }
    },
    rememberFollowed: ({ readMs, files }) =>
      set({ key: FOLLOWED_KEY, readMs, files: files.map((one) => ({ ...one })) }),
    async save() {
      if (!isChanged || path === null || directory === null) return
      isChanged = false
      await mkdir(directory, { recursive: true })
      const kept = [...entries.values()].slice(-FILES_MAX)
      await writeFile(`${path}.new`, JSON.stringify(kept))
      await rename(`${path}.new`, path)
    },
  }
}

/** Names of the sources that were ever followed with this directory. */
export async function readTailedNames(directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(directory)
    return names
      .filter((name) => name.endsWith('.json'))
      .map((name) => decodeURIComponent(name.slice(0, -'.json'.length)))
      .sort()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** No inode's key begins like this. */
function sinceKey(path: string): string {
  return `since ${path}`
}

/** A file that is missing, torn or of another version is an empty memory. */
async function readState(path: string): Promise<z.output<typeof State>> {
  try {
    const state = State.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return state.success ? state.data : []
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    if (isMissing || error instanceof SyntaxError) return []
    throw error
  }
}
