import { destination, pino, stdSerializers, type DestinationStream, type Logger } from 'pino'
import { systemClock } from '../core/clock.ts'

export type { Logger } from 'pino'

/** Least severe line that is written. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** Names under which secrets travel; a line that carries one shows `[redacted]` instead. */
const SECRET_PATHS = [
  'headers.authorization',
  'req.headers.authorization',
  '*.secret',
  '*.token',
  '*.privateKey',
  'secret',
  'token',
  'privateKey',
]

const STDERR = 2
const WARN = 40

/** Bytes that are gathered before they are written. */
const BUFFER_BYTES = 4096
/** Longest that a line waits for others. */
const FLUSH_MS = 100

/** Where lines go: `flushSync` writes what is still held back. */
export type LogStream = DestinationStream & { readonly flushSync?: () => void }

/**
 * Creates the log: one JSON object per line, `time` in ISO 8601, `level` as a word.
 *
 * Shape: lines go to standard error, because standard output belongs to the results of commands.
 * Errors are written with type, message, stack and the chain of their causes.
 * Limits: a line waits at most 100 ms for others to be written with; warnings and errors are
 * written at once, with all before them. What a killed process held back is lost.
 */
export function createLog(options: {
  readonly level: LogLevel
  readonly stream?: LogStream
}): Logger {
  const stream = options.stream ?? bufferedStream(STDERR)
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.errWithCause, error: stdSerializers.errWithCause },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
      hooks: {
        logMethod(args, method, level) {
          method.apply(this, args)
          if (level >= WARN) stream.flushSync?.()
        },
      },
    },
    stream,
  )
}

/**
 * Opens a file descriptor or path for log lines that are gathered, because a system call for
 * each line is a tenth of what a signed call costs.
 */
export function bufferedStream(target: number | string): LogStream {
  const stream = destination({
    dest: target,
    sync: true,
    minLength: BUFFER_BYTES,
    periodicFlush: FLUSH_MS,
  })
  process.once('exit', () => stream.flushSync())
  return stream
}

/** Formats the time of a line; lines of the same millisecond share the text. */
function createTimestamp(): () => string {
  let lastMs = Number.NaN
  let text = ''
  return () => {
    const nowMs = systemClock.nowMs()
    if (nowMs !== lastMs) {
      lastMs = nowMs
      text = `,"time":"${new Date(nowMs).toISOString()}"`
    }
    return text
  }
}
