import { type FSWatcher, watch } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import { AppError, toAppError } from '../../core/errors.ts'
import { FollowedFile } from './followed-file.ts'
import { compileFormat, type FormatSpec } from './format.ts'
import { createReadCoverage, type ReadCoverage, type ReadReport } from './read-coverage.ts'
import { createRotatedFiles, type RotatedFiles } from './rotated-files.ts'
import { createRecentContent, type RecentContent } from './recent-content.ts'
import type { SplittingSink } from './sink.ts'
import { createTailMemory, type TailMemory } from './tail-memory.ts'
import { findFiles, type FoundFile, watchedDirectories } from './tail-paths.ts'

/** One configured log source. */
export interface TailConfig {
  readonly name: string
  /** Files, directories, or patterns with `*` and `?`. */
  readonly paths: readonly string[]
  readonly spec: FormatSpec
  /** Longest time until growth is noticed; changes in the directories are noticed sooner. */
  readonly pollIntervalMs: number
  /** Where to remember which inode was which file; null: only while running. */
  readonly stateDirectory: string | null
}

/** Where a tailer says what it does. */
export interface TailLog {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/** What a tailer works with. */
export interface TailDeps {
  readonly sink: SplittingSink
  readonly clock: Clock
  readonly log: TailLog
  /** Lets go first what somebody is waiting for; absent: nobody waits for anything. */
  readonly giveWay?: () => Promise<void>
  /** Told how completely the source is read; absent: nobody asks. */
  readonly report?: ReadReport
  /** Kept together with other sources'; absent: for this one alone. */
  readonly recent?: RecentContent
}

/** One followed file, for metrics and `weir doctor`. */
export interface TailedFile {
  readonly path: string
  readonly lagBytes: number
}

export interface Tailer {
  readonly name: string
  start(): Promise<void>
  /** Resolves when nothing is being appended any more. */
  stop(): Promise<void>
  files(): readonly TailedFile[]
}

/** Files held open; beyond it those idle longest are closed, and opened again when they grow. */
const OPEN_FILES_MAX = 256
/** A rotated file is let go when it was idle for this long: servers reopen within seconds. */
const ROTATED_IDLE_MS = 60_000
/** Each pass that finds lines costs an fsync and a chunk to remember, however busy the log is. */
const PAUSE_MS_MIN = 250
const RETRY_MS_MIN = 200
const RETRY_MS_MAX = 10_000
const UNHEARD: ReadReport = { complete: () => undefined, lost: async () => undefined }

/**
 * Follows log files as they grow and rotate, each line once.
 *
 * Shape: a line counts when its LF is there; the last line of a rotated file without it, once that
 * file is let go. Rotation by rename, by copy and truncate, and later compression are followed;
 * after a pause, what was rotated meanwhile is found beside the configured file.
 * Errors: parameter_invalid for a wrong format; later none: a file that fails is tried again, after
 * 10 s at the latest, and said in the log.
 * Limits: 256 open files; one chunk of memory per file that has unread lines.
 */
export function createTailer(config: TailConfig, deps: TailDeps): Tailer {
  // Not when the first lines are loaded: they would be durable by then.
  compileFormat(config.spec)
  return new LogTailer(config, deps)
}

interface Failing {
  readonly attempt: number
  readonly retryMs: number
}

class LogTailer implements Tailer {
  readonly #config: TailConfig
  readonly #deps: TailDeps
  readonly #memory: TailMemory
  readonly #recent: RecentContent
  readonly #files = new Map<string, FollowedFile>()
  readonly #failing = new Map<string, Failing>()
  /** The inode that each path had, to notice that another file took its place. */
  readonly #inodes = new Map<string, string>()
  readonly #abort = new AbortController()
  #watchers: FSWatcher[] = []
  #loop: Promise<void> = Promise.resolve()
  #wake: () => void = () => undefined
  #isWoken = false
  readonly #rotated: RotatedFiles
  readonly #coverage: ReadCoverage
  /** Something may lie beside the configured files that is not followed. */
  #isLookDue = true

  constructor(config: TailConfig, deps: TailDeps) {
    this.#config = config
    this.#deps = deps
    this.#recent = deps.recent ?? createRecentContent()
    this.#memory = createTailMemory(config.stateDirectory, config.name)
    this.#rotated = createRotatedFiles(config.paths, this.#memory, deps.sink)
    this.#coverage = createReadCoverage(this.#memory, deps.report ?? UNHEARD)
  }

  get name(): string {
    return `tail ${this.#config.name}`
  }

  files(): readonly TailedFile[] {
    return [...this.#files.values()].map(({ path, lagBytes }) => ({ path, lagBytes }))
  }

  async start(): Promise<void> {
    await this.#memory.load()
    this.#coverage.restore(this.#deps.clock.nowMs())
    this.#loop = this.#run()
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.#loop
    for (const watcher of this.#watchers) watcher.close()
    for (const file of this.#files.values()) await file.close()
    await this.#memory.save()
  }

  async #run(): Promise<void> {
    while (!this.#abort.signal.aborted) {
      let isBehind = false
      try {
        isBehind = await this.#pass()
        await this.#memory.save()
      } catch (error) {
        this.#warn(error, 'the files could not be looked through')
      }
      if (!isBehind) await this.#pause()
    }
  }

  /** Looks at every file once; true when some have more to read. */
  async #pass(): Promise<boolean> {
    const nowMs = this.#deps.clock.nowMs()
    const found = await findFiles(this.#config.paths)
    await this.#watchDirectories()
    let isBehind = false
    // Known files first: what a copy of one has in common with it is then known already.
    const listed = new Map(found.map((file) => [file.key, file]))
    for (const file of this.#files.values()) {
      const entry = listed.get(file.key)
      if (entry !== undefined) file.rename(entry.path)
      if (entry !== undefined && file.isUpToDate(entry)) continue
      if ((await this.#step(file, nowMs)) === 'more') isBehind = true
      if (entry === undefined) await this.#letGoWhenIdle(file, nowMs)
    }
    for (const file of found) if (await this.#follow(file, nowMs)) isBehind = true
    this.#noticeReplaced(found)
    if (await this.#followRotated(listed, nowMs)) isBehind = true
    await this.#endLook(found, isBehind, nowMs)
    await this.#closeIdle()
    return isBehind
  }

  /** Says how completely everything was read that there is; a log that is not there never was. */
  async #endLook(found: readonly FoundFile[], isBehind: boolean, nowMs: number): Promise<void> {
    const files = [...this.#files.values()]
    const isComplete =
      !isBehind &&
      !this.#isLookDue &&
      !this.#abort.signal.aborted &&
      this.#failing.size === 0 &&
      found.length > 0 &&
      files.every((file) => file.isReadToEnd)
    await this.#coverage.endLook(files, { isComplete, nowMs })
  }

  /**
   * Looks for rotated files, after the beginnings of all configured files are known: whatever was
   * rotated before that lies there now, whatever is rotated later is noticed by its beginning.
   */
  async #followRotated(listed: ReadonlyMap<string, FoundFile>, nowMs: number): Promise<boolean> {
    if (!this.#isLookDue || this.#abort.signal.aborted) return false
    const isFollowed = (key: string): boolean => this.#files.has(key)
    const rotated = await this.#rotated.unfinished(isFollowed, (key) => listed.has(key))
    this.#isLookDue = false
    let isBehind = false
    for (const file of rotated) if (await this.#follow(file, nowMs)) isBehind = true
    return isBehind
  }

  /** Starts to follow a file that is new here. */
  async #follow(found: FoundFile, nowMs: number): Promise<boolean> {
    if (this.#abort.signal.aborted || this.#files.has(found.key)) return false
    if (this.#memory.isDone(found.key, found.size, found.mtimeMs)) return false
    const { sink, giveWay } = this.#deps
    const file = new FollowedFile(
      found,
      {
        source: this.#config.name,
        spec: this.#config.spec,
        sink,
        signal: this.#abort.signal,
        recall: (key) => this.#memory.fileIdOf(key),
        waitForRoom: (attempt) => this.#backOff(attempt),
        ...(giveWay !== undefined && { giveWay }),
        copies: { recent: this.#recent, split: (split) => sink.split(split) },
      },
      nowMs,
    )
    this.#files.set(found.key, file)
    this.#deps.log.info({ source: this.#config.name, path: found.path }, 'following a log file')
    return (await this.#step(file, nowMs)) === 'more'
  }

  async #step(file: FollowedFile, nowMs: number): Promise<'more' | 'idle'> {
    if (this.#abort.signal.aborted || (this.#failing.get(file.key)?.retryMs ?? 0) > nowMs) {
      return 'idle'
    }
    const { generation } = file
    try {
      const result = await file.step(nowMs)
      this.#failing.delete(file.key)
      if (file.fileId !== null && !file.isTaken) this.#memory.rememberFile(file.key, file.fileId)
      if (file.isTaken) this.#memory.rememberDone(file.key, file.size, file.mtimeMs)
      return result
    } catch (error) {
      await this.#failed(file, error, nowMs)
      return 'idle'
    } finally {
      if (file.generation !== generation) this.#isLookDue = true
      const overwritten = file.takeOverwritten()
      if (overwritten !== null) this.#coverage.missing(overwritten, nowMs)
    }
  }

  /** Whatever failed: what is durable is known, so starting over is safe. */
  async #failed(file: FollowedFile, error: unknown, nowMs: number): Promise<void> {
    if (this.#abort.signal.aborted) return
    if (error instanceof AppError && error.code === 'not_found') {
      // Rotated while it was closed: it lies there under another name.
      this.#isLookDue = true
      const [identity] = file.identities
      if (file.lagBytes > 0 && identity !== undefined) {
        this.#coverage.missing({ identity, size: file.size }, nowMs)
      }
      await this.#forget(file)
      return
    }
    const attempt = (this.#failing.get(file.key)?.attempt ?? -1) + 1
    this.#failing.set(file.key, { attempt, retryMs: nowMs + delayMs(attempt) })
    this.#warn(error, `${file.path}: reading failed; it is tried again`)
    await file.reset()
    await file.close()
  }

  async #forget(file: FollowedFile): Promise<void> {
    this.#files.delete(file.key)
    this.#failing.delete(file.key)
    await file.close()
  }

  /** A file that no configured path means any more: rotated away, or deleted. */
  async #letGoWhenIdle(file: FollowedFile, nowMs: number): Promise<void> {
    if (this.#abort.signal.aborted || this.#failing.has(file.key)) return
    if (file.lagBytes > 0 || nowMs - file.changedMs < ROTATED_IDLE_MS) return
    try {
      await file.finish()
    } catch (error) {
      await this.#failed(file, error, nowMs)
      return
    }
    this.#memory.rememberDone(file.key, file.size, file.mtimeMs)
    this.#isLookDue = true
    await this.#forget(file)
  }

  /** Another file took the place of one. */
  #noticeReplaced(found: readonly FoundFile[]): void {
    for (const { path, key } of found) {
      const before = this.#inodes.get(path)
      if (before !== undefined && before !== key) this.#isLookDue = true
      this.#inodes.set(path, key)
    }
  }

  async #closeIdle(): Promise<void> {
    const open = [...this.#files.values()].filter(({ isOpen }) => isOpen)
    if (open.length <= OPEN_FILES_MAX) return
    open.sort((a, b) => a.changedMs - b.changedMs)
    for (const file of open.slice(0, open.length - OPEN_FILES_MAX)) await file.close()
  }

  /** Changes in the directories end the pause early; where watching fails, polling remains. */
  async #watchDirectories(): Promise<void> {
    if (this.#watchers.length > 0) return
    for (const directory of await watchedDirectories(this.#config.paths)) {
      try {
        const watcher = watch(directory, () => {
          this.#isWoken = true
          this.#wake()
        })
        watcher.on('error', () => watcher.close())
        this.#watchers.push(watcher)
      } catch (error) {
        this.#warn(error, `${directory} cannot be watched; it is polled`)
      }
    }
  }

  /** Waits for the next poll, or for a hint that something changed. */
  async #pause(): Promise<void> {
    const { signal } = this.#abort
    const { pollIntervalMs } = this.#config
    const leastMs = Math.min(PAUSE_MS_MIN, pollIntervalMs)
    await abortableSleep(leastMs, signal)
    if (this.#isWoken || signal.aborted || leastMs === pollIntervalMs) {
      this.#isWoken = false
      return
    }
    const woken = new AbortController()
    this.#wake = () => woken.abort()
    await abortableSleep(pollIntervalMs - leastMs, AbortSignal.any([woken.signal, signal]))
    this.#wake = () => undefined
    this.#isWoken = false
  }

  async #backOff(attempt: number): Promise<void> {
    if (attempt === 0) {
      this.#deps.log.warn({ source: this.#config.name }, 'the journal is full; reading waits')
    }
    await sleep(delayMs(attempt), undefined, { signal: this.#abort.signal })
  }

  #warn(error: unknown, message: string): void {
    const { code } = toAppError(error)
    this.#deps.log.warn({ source: this.#config.name, code, err: error }, message)
  }
}

async function abortableSleep(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function delayMs(attempt: number): number {
  return Math.min(RETRY_MS_MIN * 2 ** attempt, RETRY_MS_MAX)
}
