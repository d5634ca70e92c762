import { mkdir } from 'node:fs/promises'
import type { Clock } from '../core/clock.ts'
import { AppError, toAppError } from '../core/errors.ts'
import { layOutFiles, type BatchFile, type BatchFiles } from './batch-files.ts'
import type { Batch, Frame, FrameOutcome } from './batch.ts'
import type { StoredOutcome } from './journal-entry.ts'
import type { Journal } from './journal.ts'
import type { StepListener } from './steps.ts'

/** What the loader needs of the usage store. Every call may be repeated after a crash. */
export interface BatchStore {
  /** Takes up catalog changes; called between batches. */
  synchronise(): Promise<void>
  /** Removes whatever an interrupted attempt to insert the batch left behind. */
  discard(batch: Batch): Promise<void>
  /**
   * Parses the batch into memory, unless that is done; changes nothing that anybody sees. Two
   * batches can be staged at a time.
   */
  stage(batch: Batch, files: readonly BatchFile[]): Promise<void>
  /** Does the same while another batch is inserted and rolled, if nothing speaks against it. */
  stageAhead(batch: Batch, files: readonly BatchFile[]): Promise<void>
  /**
   * Puts the staged batch's usable lines into the usage table and the others into `rejected`; it
   * is not staged any more afterwards.
   */
  insert(batch: Batch, files: readonly BatchFile[], onStep: StepListener): Promise<FrameOutcome[]>
  /** Adds the batch to every rollup, once however often it is called. */
  roll(batch: Batch, onStep: StepListener): Promise<void>
}

/** What the loader tells the control store when a batch is in every table. Idempotent. */
export interface Checkpointer {
  checkpoint(batch: Batch, outcomes: readonly FrameOutcome[]): Promise<void>
}

export interface LoaderConfig {
  /** The journal's directory: files that join small frames lie beside the large ones. */
  readonly directory: string
  readonly batchBytesMax: number
  readonly batchLinesMax: number
  readonly batchFramesMax: number
  /** First wait after a failed load; doubles up to a minute. */
  readonly retryMs: number
}

export interface LoaderDeps {
  readonly journal: Journal
  readonly store: BatchStore
  readonly checkpointer: Checkpointer
  readonly clock: Clock
  readonly onStep: StepListener
  /** Told after each batch, before its frames leave the journal. */
  readonly onLoaded: (batch: Batch, outcomes: readonly FrameOutcome[], seconds: number) => void
  readonly log: {
    info(details: object, message: string): void
    error(details: object, message: string): void
  }
}

const RETRY_MS_MAX = 60_000

/** Records become a row each, log lines are summed: of those, a load may hold more. */
const LOG_LINES_PER_ROW = 2

/** The next batch, which is parsed while the one before is inserted and rolled. */
interface Ahead {
  readonly batch: Batch
  /** Null when its lines could not be laid out. */
  readonly files: Promise<BatchFiles | null>
}

/**
 * Moves frames from the journal into the usage store, one batch after the other; only the parsing
 * of the next one, which leaves no trace, overlaps with the rest.
 *
 * A batch that fails is tried again until it succeeds; the journal fills meanwhile and refuses
 * new frames when it is full, so senders slow down and nothing is lost.
 */
export class Loader {
  readonly name = 'loader'
  readonly #config: LoaderConfig
  readonly #deps: LoaderDeps
  #running: Promise<void> | null = null
  #stopping = false
  #wake: () => void = () => undefined
  #failing = false
  #ahead: Ahead | null = null
  /** Resolves when the batch at work, or the work between two batches, is done. */
  #turn: Promise<void> = Promise.resolve()

  constructor(config: LoaderConfig, deps: LoaderDeps) {
    this.#config = config
    this.#deps = deps
  }

  /** False while the current batch keeps failing. */
  get healthy(): boolean {
    return !this.#failing
  }

  async start(): Promise<void> {
    await mkdir(this.#config.directory, { recursive: true })
    this.#deps.journal.onFrame(() => this.#wake())
    this.#running = this.#run()
  }

  /** Stops after the batch at work; what is left in the journal is loaded at the next start. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#wake()
    await this.#running
    const files = await this.#ahead?.files
    await files?.remove()
  }

  /**
   * Runs the work while no batch is in some of its tables only: after the one at work, before the
   * next. What is accepted meanwhile waits in the journal, so the work must be short.
   *
   * Errors: what the work throws; `overloaded` when a batch was left half loaded and nobody loads.
   */
  async between<T>(work: () => Promise<T>): Promise<T> {
    return await this.#inTurn(async () => {
      if (this.#deps.journal.unfinished !== null) {
        throw new AppError('overloaded', 'A batch is half loaded; start the loader to finish it.')
      }
      return await work()
    })
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn
    let done: () => void = () => undefined
    this.#turn = new Promise((resolve) => {
      done = resolve
    })
    await before
    try {
      return await work()
    } finally {
      done()
    }
  }

  async #run(): Promise<void> {
    let resume = this.#resumable()
    for (;;) {
      if (this.#stopping) return
      const batch = resume?.batch ?? this.#ahead?.batch ?? this.#next()
      if (batch === undefined) {
        await this.#sleep(null)
        continue
      }
      const outcomes = resume?.outcomes ?? null
      await this.#inTurn(() => this.#loadUntilDone(batch, outcomes))
      resume = undefined
    }
  }

  #resumable(): { batch: Batch; outcomes: readonly StoredOutcome[] | null } | undefined {
    const { journal } = this.#deps
    const unfinished = journal.unfinished
    if (unfinished === null) return undefined
    const frames = unfinished.frames.flatMap((seq) => journal.frame(seq) ?? [])
    const [first] = frames
    if (first === undefined) return undefined
    const { meter, reading } = first
    const attempt = unfinished.attempt
    return {
      batch: { id: unfinished.id, attempt, meter, reading, frames },
      outcomes: unfinished.outcomes,
    }
  }

  async #loadUntilDone(batch: Batch, inserted: readonly StoredOutcome[] | null): Promise<void> {
    let attempt = inserted === null ? batch.attempt : batch.attempt - 1
    let outcomes = inserted
    for (let waitMs = this.#config.retryMs; ; waitMs = Math.min(waitMs * 2, RETRY_MS_MAX)) {
      try {
        const startedMs = this.#deps.clock.nowMs()
        attempt += 1
        outcomes ??= await this.#insert({ ...batch, attempt })
        await this.#finish({ ...batch, attempt }, outcomes, startedMs)
        this.#failing = false
        return
      } catch (error) {
        this.#failing = true
        const { code, message } = toAppError(error)
        this.#deps.log.error(
          { err: error, batch: batch.id, code },
          `loader: ${message} Trying again.`,
        )
        if (this.#stopping) return
        await this.#sleep(waitMs)
        if (this.#stopping) return
      }
    }
  }

  async #insert(batch: Batch): Promise<readonly StoredOutcome[]> {
    const { journal, store, onStep } = this.#deps
    const frames = batch.frames.map((frame) => frame.seq)
    onStep('load.plan.before')
    await journal.mark({ t: 'plan', batch: batch.id, attempt: batch.attempt, frames })
    onStep('load.plan.after')
    if (batch.attempt > 1) await store.discard(batch)
    await store.synchronise()
    const laidOut = await this.#files(batch)
    const { files } = laidOut
    try {
      await store.stage(batch, files)
      onStep('load.stage.after')
      this.#stageAhead(batch)
      const outcomes = (await store.insert(batch, files, onStep)).map(toStored)
      await journal.mark({ t: 'inserted', batch: batch.id, outcomes })
      onStep('load.inserted.after')
      return outcomes
    } finally {
      await laidOut.remove()
    }
  }

  async #files(batch: Batch): Promise<BatchFiles> {
    const ahead = this.#ahead
    if (ahead?.batch.id !== batch.id) return await layOutFiles(batch, this.#config.directory)
    this.#ahead = null
    return (await ahead.files) ?? (await layOutFiles(batch, this.#config.directory))
  }

  #stageAhead(current: Batch): void {
    if (this.#ahead !== null || this.#stopping) return
    const batch = this.#next(new Set(current.frames.map(({ seq }) => seq)))
    if (batch === undefined) return
    this.#ahead = { batch, files: this.#prepare(batch) }
  }

  // What fails here is tried again, and reported, when the batch's turn comes.
  async #prepare(batch: Batch): Promise<BatchFiles | null> {
    try {
      const laidOut = await layOutFiles(batch, this.#config.directory)
      await this.#deps.store.stageAhead(batch, laidOut.files).catch(() => undefined)
      return laidOut
    } catch {
      return null
    }
  }

  async #finish(batch: Batch, stored: readonly StoredOutcome[], startedMs: number): Promise<void> {
    const { journal, store, checkpointer, clock, onStep, onLoaded } = this.#deps
    const outcomes = stored.map(fromStored)
    onStep('roll.before')
    await store.roll(batch, onStep)
    onStep('roll.after')
    onStep('checkpoint.before')
    await checkpointer.checkpoint(batch, outcomes)
    onStep('checkpoint.after')
    const seqs = batch.frames.map((frame) => frame.seq)
    await journal.mark({ t: 'done', batch: batch.id, frames: seqs })
    onStep('retire.before')
    onLoaded(batch, outcomes, (clock.nowMs() - startedMs) / 1000)
    await journal.retire(seqs)
    onStep('retire.after')
  }

  /** Takes the oldest frame and as many later ones of its kind as a batch may hold. */
  #next(except: ReadonlySet<number> = new Set()): Batch | undefined {
    const pending = this.#deps.journal.pending().filter(({ seq }) => !except.has(seq))
    const [first] = pending
    if (first === undefined) return undefined
    const key = streamKey(first)
    const frames: Frame[] = []
    let bytes = 0
    let lines = 0
    for (const frame of pending) {
      if (streamKey(frame) !== key) continue
      bytes += frame.body.length
      lines += frame.reading.kind === 'log' ? frame.lines / LOG_LINES_PER_ROW : frame.lines
      const full =
        bytes > this.#config.batchBytesMax ||
        lines > this.#config.batchLinesMax ||
        frames.length >= this.#config.batchFramesMax
      if (full && frames.length > 0) break
      frames.push(frame)
    }
    return { id: first.seq, attempt: 0, meter: first.meter, reading: first.reading, frames }
  }

  #sleep(ms: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = ms === null ? undefined : setTimeout(resolve, ms)
      this.#wake = () => {
        // A failed batch keeps its wait even when new frames arrive.
        if (ms !== null && !this.#stopping) return
        clearTimeout(timer)
        resolve()
      }
      if (ms === null && (this.#stopping || this.#deps.journal.pending().length > 0)) resolve()
    })
  }
}

function streamKey(frame: Frame): string {
  return JSON.stringify([frame.meter, frame.reading, frame.replays.length > 0])
}

function toStored(outcome: FrameOutcome): StoredOutcome {
  return { ...outcome, bytes: outcome.bytes.toString() }
}

function fromStored(outcome: StoredOutcome): FrameOutcome {
  return { ...outcome, bytes: BigInt(outcome.bytes) }
}
