import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AppError } from '../core/errors.ts'

/** Who holds a data directory. */
export interface Holder {
  readonly pid: number
  /** When the kernel started it, in its own ticks; empty where that cannot be told. */
  readonly started: string
  /** What it does: `serve`, `ingest`. */
  readonly task: string
}

function lockPath(directory: string): string {
  return join(directory, 'lock')
}

/**
 * Takes the data directory for this process, and returns how to let go of it.
 *
 * A lock that a killed process left behind is taken over.
 * Errors: `conflict` while another process holds it; `config_invalid` where it cannot be written.
 */
export function lockData(directory: string, task: string): () => void {
  makeDirectory(directory)
  const path = lockPath(directory)
  for (let tries = 0; tries < 3; tries += 1) {
    if (tryCreate(path, task)) return () => rmSync(path, { force: true })
    const holder = holderOf(directory)
    if (holder !== undefined) {
      throw new AppError(
        'conflict',
        `The data directory ${directory} is in use by process ${holder.pid} (weir ${holder.task}). ` +
          'Stop it first, or speak to it with --url.',
      )
    }
    rmSync(path, { force: true })
  }
  throw new AppError('conflict', `The lock ${path} keeps changing hands; try again.`)
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true })
  } catch (error) {
    throw unusable(`The data directory ${directory} cannot be made`, error)
  }
}

/** A failure of the file system that has a code is the operator's to mend, not ours. */
function unusable(what: string, error: unknown): unknown {
  const code = codeOf(error)
  if (typeof code !== 'string') return error
  return new AppError(
    'config_invalid',
    `${what} (${code}). Name another with --data, or mend its place or rights.`,
    { cause: error },
  )
}

/** The living process that holds a data directory; undefined when nobody does. */
export function holderOf(directory: string): Holder | undefined {
  let holder: Holder
  try {
    holder = JSON.parse(readFileSync(lockPath(directory), 'utf8')) as Holder
  } catch (error) {
    const isNone =
      error instanceof SyntaxError || ['ENOENT', 'ENOTDIR'].includes(String(codeOf(error)))
    if (isNone) return undefined
    throw error
  }
  return isAlive(holder) ? holder : undefined
}

function tryCreate(path: string, task: string): boolean {
  let file: number
  try {
    file = openSync(path, 'wx', 0o644)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw unusable(`The data directory ${dirname(path)} cannot be written`, error)
  }
  const holder: Holder = { pid: process.pid, started: startOf(process.pid), task }
  writeSync(file, JSON.stringify(holder))
  closeSync(file)
  return true
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false
    if (codeOf(error) !== 'EPERM') throw error
  }
  // Another process may have got the number meanwhile; in a container often this very one.
  return startOf(pid) === started && (pid !== process.pid || started === '')
}

/** Field 22 of /proc/<pid>/stat; the name before it may contain anything but ends with `)`. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return ''
    throw error
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
