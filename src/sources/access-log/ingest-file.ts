import { stat } from 'node:fs/promises'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { type LogContent, openLogFile, openLogStream } from './content.ts'
import type { FormatSpec } from './format.ts'
import { Intake } from './intake.ts'
import { createOutcomeTally, type OutcomeTally } from './outcome-tally.ts'
import type { LogSink } from './sink.ts'

/** How far an ingestion is; counts cover all files. */
export interface IngestProgress {
  readonly path: string
  /** Bytes read of the files as they lie on the disk. */
  readonly bytesRead: number
  /** Their sizes together; null while a stream is among them. */
  readonly bytesTotal: number | null
  /** Lines durable, and lines known before. */
  readonly lines: number
  /** Lines whose outcome is known. */
  readonly linesLoaded: number
}

/** What became of everything read; lines = accepted + duplicate + Σ rejected. */
export interface IngestSummary {
  readonly files: number
  readonly lines: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Record<string, number>>
  readonly bytesOut: bigint
  readonly elapsedMs: number
  /** Files that could not be read, or not to their end. What was read of them counts above. */
  readonly failures: readonly FileFailure[]
}

/** A file that was not taken in to its end, and why. */
export interface FileFailure {
  readonly path: string
  readonly error: AppError
}

export interface IngestDeps {
  readonly sink: LogSink
  readonly clock: Clock
  /** Waits before the next attempt when the sink is overloaded; rejects to give up. */
  readonly waitForRoom: (attempt: number) => Promise<void>
  /** Lets go first what somebody is waiting for; absent: nobody waits for anything. */
  readonly giveWay?: () => Promise<void>
  readonly onProgress: (progress: IngestProgress) => void
  /** Standard input, for the path `-`. */
  readonly stdin: AsyncIterable<Buffer>
}

export interface IngestRequest {
  readonly source: string
  readonly spec: FormatSpec
  /** Files, plain, gzip or zstd; `-` is standard input. */
  readonly paths: readonly string[]
}

/**
 * Takes log files in, one after the other; reading, writing and loading overlap.
 *
 * Shape: a last line without LF counts. A file that breaks off (a damaged gzip) counts up to its
 * last whole line; one whose content is known up to the break adds nothing.
 * Errors: what the sink throws. A file that cannot be read is a failure in the summary, and the
 * other files are taken in all the same.
 */
export async function ingestFiles(
  request: IngestRequest,
  deps: IngestDeps,
): Promise<IngestSummary> {
  const startMs = deps.clock.nowMs()
  const tally = createOutcomeTally(deps.sink)
  const bytesTotal = await sizeOf(request.paths)
  const failures: FileFailure[] = []
  let bytesBefore = 0
  for (const path of request.paths) {
    const intake = new Intake({ ...request, ...deps, path })
    const report = (bytesRead: number): void => {
      const lines = tally.lines() + intake.duplicateLines
      deps.onProgress({ path, bytesRead, bytesTotal, lines, linesLoaded: tally.linesLoaded() })
    }
    try {
      const content =
        path === '-' ? openLogStream(deps.stdin, 'Standard input') : await openLogFile(path)
      await readContent(content, intake, tally, (bytes) => report(bytesBefore + bytes))
      bytesBefore += content.bytesRead()
    } catch (error) {
      const failure = asFileFailure(error)
      failures.push({ path, error: failure })
      if (failure.code === 'body_malformed' && !intake.isComparing) await intake.flush()
    }
    tally.add(intake.takeAppended())
    tally.addDuplicates(intake.duplicateLines)
  }
  const outcome = await tally.settled(() =>
    deps.onProgress({
      path: request.paths.at(-1) ?? '',
      bytesRead: bytesBefore,
      bytesTotal,
      lines: tally.lines(),
      linesLoaded: tally.linesLoaded(),
    }),
  )
  const elapsedMs = deps.clock.nowMs() - startMs
  return { ...outcome, files: request.paths.length, elapsedMs, failures }
}

async function readContent(
  content: LogContent,
  intake: Intake,
  tally: OutcomeTally,
  report: (bytesRead: number) => void,
): Promise<void> {
  for await (const block of content.blocks) {
    await intake.push(block)
    tally.add(intake.takeAppended())
    report(content.bytesRead())
  }
  await intake.finish()
}

/** Failures of one file let the others go on; a failure of the sink ends everything. */
function asFileFailure(error: unknown): AppError {
  const ofFile = ['not_found', 'forbidden', 'parameter_invalid', 'body_malformed', 'conflict']
  if (error instanceof AppError && ofFile.includes(error.code)) return error
  throw error
}

async function sizeOf(paths: readonly string[]): Promise<number | null> {
  if (paths.includes('-')) return null
  let total = 0
  for (const path of paths) {
    // A missing file is reported when its turn comes.
    total += await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
  }
  return total
}
