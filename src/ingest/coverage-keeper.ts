import type { Clock, EpochMs } from '../core/clock.ts'
import { ceilTo, FIVE_MINUTES_MS, floorTo, type Interval } from '../core/period.ts'
import { createPeriodic } from '../core/periodic.ts'
import type { Beat, CoverageLog, LostPart, NumberedRequest } from './coverage-log.ts'

/** What the keeper works with. */
export interface CoverageKeeperDeps {
  readonly log: CoverageLog
  readonly clock: Clock
  /** Told when the log cannot be written; what was not written is kept and tried again. */
  readonly onError: (error: unknown) => void
}

/** Takes note of how completely sources report, without keeping them waiting for it. */
export interface CoverageKeeper {
  readonly name: string
  start(): Promise<void>
  /** Resolves when what was noted is written, as far as it can be. */
  stop(): Promise<void>
  /** Notes that a source has no more to report of these slots than it did; never fails. */
  beat(source: string, span: Interval): void
  /** Resolves when it is written. Errors: those of the log. */
  through(source: string, throughMs: EpochMs): Promise<void>
  /** Resolves when the number is written, or could not be and will be tried again. */
  number(request: NumberedRequest): Promise<void>
  /** Resolves when it is written. Errors: those of the log. */
  lost(part: LostPart): Promise<void>
}

/** Slots count as written while they last for a minute after their end. */
const FLUSH_MS = 10_000
/** Numbers kept while they cannot be written; beyond it they are forgotten: a gap that is none. */
const NUMBERS_MAX = 100_000

/** Builds a keeper over a log. Inert until started; what is noted before is kept. */
export function createCoverageKeeper(deps: CoverageKeeperDeps): CoverageKeeper {
  const beats = createBeatBuffer()
  const numbers = createNumberQueue(deps)
  async function flush(): Promise<void> {
    await numbers.retry()
    const taken = beats.take()
    if (taken.length === 0) return
    try {
      await deps.log.recordBeats(taken, deps.clock.nowMs())
      beats.written(taken)
    } catch (error) {
      for (const beat of taken) beats.add(beat.source, beat)
      throw error
    }
  }
  const periodic = createPeriodic('coverage', FLUSH_MS, flush, deps.onError)
  return {
    name: periodic.name,
    start: () => periodic.start(),
    async stop() {
      await periodic.stop()
      try {
        await flush()
      } catch (error) {
        deps.onError(error)
      }
    },
    beat: (source, { startMs, endMs }) =>
      beats.add(source, {
        startMs: floorTo(startMs, FIVE_MINUTES_MS),
        // An instant lies in its slot.
        endMs: ceilTo(Math.max(endMs, startMs + 1), FIVE_MINUTES_MS),
      }),
    through: (source, throughMs) => deps.log.recordThrough(source, throughMs, deps.clock.nowMs()),
    number: (request) => numbers.add(request),
    lost: (part) => deps.log.recordGap(part, deps.clock.nowMs()),
  }
}

interface BeatBuffer {
  add(source: string, span: Interval): void
  take(): readonly Beat[]
  written(beats: readonly Beat[]): void
}

/** Collects beats; those of slots that are written already cost nothing. */
function createBeatBuffer(): BeatBuffer {
  let waiting = new Map<string, Interval[]>()
  const known = new Map<string, Interval>()
  return {
    add(source, span) {
      const rest = behind(span, known.get(source))
      if (rest.endMs <= rest.startMs) return
      const spans = waiting.get(source) ?? []
      const last = spans.at(-1)
      if (last !== undefined && touches(last, rest)) spans[spans.length - 1] = join(last, rest)
      else spans.push(rest)
      waiting.set(source, spans)
    },
    take() {
      const taken = [...waiting].flatMap(([source, spans]) =>
        spans.map((span) => ({ source, ...span })),
      )
      waiting = new Map()
      return taken
    },
    written(beats) {
      for (const { source, startMs, endMs } of beats) {
        const before = known.get(source)
        const span = { startMs, endMs }
        known.set(source, before !== undefined && touches(before, span) ? join(before, span) : span)
      }
    },
  }
}

/** What of a span is not within the part that is known, or what comes behind it. */
function behind(span: Interval, known: Interval | undefined): Interval {
  const isCut = known !== undefined && known.startMs <= span.startMs && span.startMs < known.endMs
  return isCut ? { startMs: known.endMs, endMs: span.endMs } : span
}

function touches(one: Interval, other: Interval): boolean {
  return one.startMs <= other.endMs && other.startMs <= one.endMs
}

function join(one: Interval, other: Interval): Interval {
  return {
    startMs: Math.min(one.startMs, other.startMs),
    endMs: Math.max(one.endMs, other.endMs),
  }
}

interface NumberQueue {
  add(request: NumberedRequest): Promise<void>
  /** Tries again what could not be written. */
  retry(): Promise<void>
}

/** Writes numbers that arrive at the same time together: each write waits for the disk. */
function createNumberQueue({ log, clock, onError }: CoverageKeeperDeps): NumberQueue {
  let waiting: NumberedRequest[] = []
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null
  async function write(): Promise<void> {
    next = null
    const numbers = waiting
    waiting = []
    if (numbers.length === 0) return
    try {
      await log.recordNumbers(numbers, clock.nowMs())
    } catch (error) {
      waiting = [...numbers, ...waiting].slice(-NUMBERS_MAX)
      onError(error)
    }
  }
  function schedule(): Promise<void> {
    next ??= running.then(write)
    running = next
    return next
  }
  return {
    async add(request) {
      waiting.push(request)
      await schedule()
    },
    async retry() {
      if (waiting.length > 0) await schedule()
    },
  }
}
