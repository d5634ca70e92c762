import type { AppendedChunk } from './intake.ts'
import type { ChunkOutcome, LogSink } from './sink.ts'

/** Sums of what became of lines. */
export interface Tally {
  readonly lines: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Record<string, number>>
  readonly bytesOut: bigint
}

/** Follows chunks until they are loaded and adds up what became of them. */
export interface OutcomeTally {
  add(chunks: readonly AppendedChunk[]): void
  addDuplicates(lines: number): void
  /** Lines added so far, and those of them whose outcome is known. */
  lines(): number
  linesLoaded(): number
  /** Waits for every chunk; `onLoaded` after each. Errors: what the sink's outcome throws. */
  settled(onLoaded: () => void): Promise<Tally>
}

/**
 * Starts an empty tally. Outcomes are asked for one at a time, in order, as batches load in order.
 */
export function createOutcomeTally(sink: Pick<LogSink, 'outcome'>): OutcomeTally {
  const waiting: AppendedChunk[] = []
  let running: Promise<void> | null = null
  const failures: unknown[] = []
  let lines = 0
  let loaded = 0
  let accepted = 0
  let duplicate = 0
  let bytesOut = 0n
  let onEach: () => void = () => undefined
  const rejected: Record<string, number> = {}

  function count(outcome: ChunkOutcome): void {
    accepted += outcome.accepted
    duplicate += outcome.duplicate
    bytesOut += outcome.bytesOut
    for (const [reason, number] of Object.entries(outcome.rejected)) {
      rejected[reason] = (rejected[reason] ?? 0) + number
    }
  }

  async function follow(): Promise<void> {
    for (let chunk = waiting[0]; chunk !== undefined && failures.length === 0; chunk = waiting[0]) {
      try {
        count(await sink.outcome(chunk.batchId))
      } catch (error) {
        failures.push(error)
        return
      }
      waiting.shift()
      loaded += chunk.lines
      onEach()
    }
    running = null
  }

  return {
    add(chunks) {
      for (const chunk of chunks) {
        waiting.push(chunk)
        lines += chunk.lines
      }
      if (waiting.length > 0) running ??= follow()
    },
    addDuplicates(number) {
      lines += number
      loaded += number
      duplicate += number
    },
    lines: () => lines,
    linesLoaded: () => loaded,
    async settled(onLoaded) {
      onEach = onLoaded
      await running
      if (failures.length > 0) throw failures[0]
      return { lines, accepted, duplicate, rejected, bytesOut }
    },
  }
}
