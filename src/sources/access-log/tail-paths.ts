import { type Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'

/** A file as it lies on the disk now. `key` is its device and inode: it survives a rename. */
export interface FoundFile {
  readonly key: string
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
  /** When it was made; 0 where the file system does not say. */
  readonly bornMs: number
}

/** Files looked at in one directory; more are not followed. */
const ENTRIES_MAX = 10_000

/**
 * Finds the files that patterns mean now, each once.
 *
 * Shape: a pattern is a file, a directory (every file directly in it), or has `*` and `?` in any of
 * its parts. Names that begin with a dot are left out unless the pattern has the dot.
 * Errors: none for what does not exist or may not be read; it may appear later.
 */
export async function findFiles(patterns: readonly string[]): Promise<FoundFile[]> {
  const found = new Map<string, FoundFile>()
  for (const pattern of patterns) {
    for (const path of await expand(resolve(pattern))) {
      const file = await findFile(path)
      if (file !== null && !found.has(file.key)) found.set(file.key, file)
    }
  }
  return [...found.values()]
}

/** Looks at one file; null when it is none, or gone. */
export async function findFile(path: string): Promise<FoundFile | null> {
  const stats = await unlessMissing(stat(path))
  if (stats === null || !stats.isFile()) return null
  return {
    key: `${stats.dev}:${stats.ino}`,
    path,
    size: stats.size,
    mtimeMs: stats.mtimeMs,
    bornMs: stats.birthtimeMs,
  }
}

/**
 * Finds what a rotation made of a file: its name with more behind it (`access.log.1`,
 * `access.log-20261120.gz`). Newest first.
 */
export async function findRotated(path: string): Promise<FoundFile[]> {
  const name = basename(path)
  const directory = dirname(resolve(path))
  const found: FoundFile[] = []
  for (const entry of await entries(directory)) {
    if (!entry.name.startsWith(name) || !/^[-._]\w/.test(entry.name.slice(name.length))) continue
    const file = await findFile(join(directory, entry.name))
    if (file !== null) found.push(file)
  }
  return found.sort((a, b) => b.mtimeMs - a.mtimeMs)
}

/** The directories in which something may appear that a pattern means. */
export async function watchedDirectories(patterns: readonly string[]): Promise<string[]> {
  const directories = new Set<string>()
  for (const pattern of patterns) {
    const path = resolve(pattern)
    const stats = hasWildcard(path) ? null : await unlessMissing(stat(path))
    for (const directory of stats?.isDirectory() === true
      ? [path]
      : await expandParts(dirname(path))) {
      directories.add(directory)
    }
  }
  return [...directories]
}

/** The pattern names one file, so that what it was rotated to is found beside it. */
export async function isOneFile(pattern: string): Promise<boolean> {
  if (hasWildcard(pattern)) return false
  const stats = await unlessMissing(stat(pattern))
  return stats === null || !stats.isDirectory()
}

function hasWildcard(text: string): boolean {
  return /[*?]/.test(text)
}

/** The paths a pattern means, part by part. */
async function expandParts(pattern: string): Promise<string[]> {
  let paths = ['/']
  for (const part of pattern.split('/').filter((one) => one !== '')) {
    if (!hasWildcard(part)) {
      paths = paths.map((path) => join(path, part))
      continue
    }
    const matcher = matcherOf(part)
    const next: string[] = []
    for (const path of paths) {
      const names = (await entries(path)).map((entry) => entry.name)
      next.push(...names.filter((name) => matcher.test(name)).map((name) => join(path, name)))
    }
    paths = next.slice(0, ENTRIES_MAX)
  }
  return paths
}

/** The same, with the files in a directory in its place. */
async function expand(pattern: string): Promise<string[]> {
  const opened: string[] = []
  for (const path of await expandParts(pattern)) {
    const stats = await unlessMissing(stat(path))
    if (stats?.isDirectory() !== true) opened.push(path)
    else
      for (const entry of await entries(path))
        if (!entry.name.startsWith('.')) opened.push(join(path, entry.name))
  }
  return opened
}

function matcherOf(part: string): RegExp {
  const source = part
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  // As in a shell: a wildcard at the beginning does not mean hidden files.
  return new RegExp(/^[*?]/.test(part) ? `^(?!\\.)${source}$` : `^${source}$`, 's')
}

async function entries(directory: string): Promise<Dirent[]> {
  const all = (await unlessMissing(readdir(directory, { withFileTypes: true }))) ?? []
  return all.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, ENTRIES_MAX)
}

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP'])

async function unlessMissing<Value>(value: Promise<Value>): Promise<Value | null> {
  try {
    return await value
  } catch (error) {
    if (ABSENT.has((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}
