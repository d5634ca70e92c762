import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import type { Clock } from '../core/clock.ts'
import { toAppError } from '../core/errors.ts'
import { compileFormat, type FormatSpec } from '../sources/access-log/format.ts'
import {
  type IngestProgress,
  ingestFiles,
  type IngestSummary,
} from '../sources/access-log/ingest-file.ts'
import type { LogSink } from '../sources/access-log/sink.ts'
import { formatProgress, formatSummary } from './progress-line.ts'

/** What the command touches outside of itself; a test passes its own. */
export interface IngestIo {
  readonly clock: Clock
  readonly stdin: AsyncIterable<Buffer>
  readonly print: (text: string) => void
  /** Standard error: progress and complaints. */
  readonly complain: (text: string) => void
  /** Standard error is a terminal: the progress redraws itself. */
  readonly isTerminal: boolean
  /** Sets the exit code of the process. */
  readonly exitWith: (code: number) => void
  /** Opens the way to the journal: in this process, or of a running server. */
  readonly openSink: (options: Readonly<Record<string, unknown>>) => Promise<OpenSink>
}

/** A way to the journal, to be closed after use. */
export interface OpenSink {
  readonly sink: LogSink
  close(): Promise<void>
}

interface IngestOptions {
  readonly format: string
  readonly domain?: string
  readonly clientFrom: FormatSpec['clientFrom']
  readonly timeZone?: string
  readonly source: string
  readonly json?: boolean
}

/** Everything readable was taken in. */
const EXIT_OK = 0
/** A file could not be read, or not to its end; or the store failed. */
const EXIT_FAILED = 1
/** Every single line was rejected: the format or the domains are wrong. */
const EXIT_NOTHING_ACCEPTED = 2

const REDRAW_MS = 200
const PLAIN_LINE_MS = 5000
const RETRY_MS_MIN = 100
const RETRY_MS_MAX = 5000

/** Builds `weir ingest`, with one subcommand per kind of usage. */
export function ingestCommand(io: IngestIo): Command {
  return new Command('ingest').summary('take usage in from files').addCommand(accessLogCommand(io))
}

function accessLogCommand(io: IngestIo): Command {
  return new Command('access-log')
    .summary('take access logs in, each line once')
    .description(
      'Takes access logs in: plain, gzip or zstd files, or - for standard input. A file is known by its\n' +
        'content: what was taken in before is skipped, under whatever name it comes again.',
    )
    .argument('<files...>', 'log files; - is standard input')
    .option('--format <format>', 'combined, common, json or an nginx log_format string', 'combined')
    .option('--domain <domain>', 'the domain of every line; without it the host in the line')
    .addOption(
      new Option('--client-from <where>', 'where the client address is')
        .choices(['remote_addr', 'x_forwarded_for'])
        .default('remote_addr'),
    )
    .option('--time-zone <zone>', 'zone of times that carry no offset, such as Asia/Shanghai')
    .option('--source <name>', 'name under which the lines are counted', 'access-log')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      '\nExit code: 0 done, also when some lines were rejected (see weir rejected list);\n' +
        '1 a file could not be read to its end; 2 every line was rejected.',
    )
    .action(async (paths: string[], options: IngestOptions, command: Command) => {
      io.exitWith(await ingestAccessLogs(paths, options, command.optsWithGlobals(), io))
    })
}

async function ingestAccessLogs(
  paths: readonly string[],
  options: IngestOptions,
  all: Readonly<Record<string, unknown>>,
  io: IngestIo,
): Promise<number> {
  const spec: FormatSpec = {
    format: options.format,
    domain: options.domain ?? null,
    clientFrom: options.clientFrom,
    timeZone: options.timeZone ?? null,
  }
  const progress = createProgress(io)
  try {
    // Before anything is read or opened: a wrong format should not cost a minute.
    compileFormat(spec)
    const opened = await io.openSink(all)
    try {
      const summary = await ingestFiles(
        { source: options.source, spec, paths },
        {
          sink: opened.sink,
          clock: io.clock,
          stdin: io.stdin,
          onProgress: progress.show,
          waitForRoom: (attempt) => waitForRoom(attempt, progress),
        },
      )
      progress.end()
      return report(summary, options, io)
    } finally {
      await opened.close()
    }
  } catch (error) {
    progress.end()
    io.complain(`weir ingest: ${describe(error)}\n`)
    return EXIT_FAILED
  }
}

function report(summary: IngestSummary, options: IngestOptions, io: IngestIo): number {
  for (const { error } of summary.failures) io.complain(`weir ingest: ${error.message}\n`)
  io.print(options.json === true ? `${summaryJson(summary)}\n` : formatSummary(summary))
  const rejected = Object.values(summary.rejected).reduce((sum, count) => sum + count, 0)
  if (rejected > 0 && options.json !== true) {
    io.complain(`Why: weir rejected list --source ${options.source}\n`)
  }
  if (summary.failures.length > 0) return EXIT_FAILED
  return rejected > 0 && rejected === summary.lines ? EXIT_NOTHING_ACCEPTED : EXIT_OK
}

function summaryJson({ failures, bytesOut, ...counts }: IngestSummary): string {
  return JSON.stringify({
    ...counts,
    bytesOut: bytesOut.toString(),
    failures: failures.map(({ path, error }) => ({
      path,
      code: error.code,
      message: error.message,
    })),
  })
}

function describe(error: unknown): string {
  const known = toAppError(error)
  // A failure that is no row of the error table says more itself.
  return known.code === 'internal' && known.cause instanceof Error
    ? known.cause.message
    : known.message
}

interface Progress {
  readonly show: (progress: IngestProgress) => void
  /** Says something between two redraws. */
  readonly note: (text: string) => void
  /** Leaves the last state on the screen. */
  readonly end: () => void
}

/** Redraws one line on a terminal; elsewhere writes a line every few seconds. */
function createProgress(io: IngestIo): Progress {
  const startMs = io.clock.nowMs()
  let shownMs = startMs
  let latest: IngestProgress | null = null
  let isDrawn = false
  const line = (): string =>
    latest === null ? '' : formatProgress(latest, io.clock.nowMs() - startMs)
  return {
    show(progress) {
      latest = progress
      const nowMs = io.clock.nowMs()
      if (nowMs - shownMs < (io.isTerminal ? REDRAW_MS : PLAIN_LINE_MS)) return
      shownMs = nowMs
      // ESC [K clears what a longer line left behind.
      io.complain(io.isTerminal ? `\r${line()}\u001B[K` : `${line()}\n`)
      isDrawn = true
    },
    note: (text) => io.complain(io.isTerminal && isDrawn ? `\r\u001B[K${text}\n` : `${text}\n`),
    end() {
      if (io.isTerminal && isDrawn) io.complain(`\r${line()}\u001B[K\n`)
      isDrawn = false
    },
  }
}

async function waitForRoom(attempt: number, progress: Progress): Promise<void> {
  if (attempt === 0) progress.note('The journal is full; waiting until some of it is loaded.')
  await sleep(Math.min(RETRY_MS_MIN * 2 ** attempt, RETRY_MS_MAX))
}
