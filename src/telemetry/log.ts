import {
  destination,
  pino,
  stdSerializers,
  stdTimeFunctions,
  type DestinationStream,
  type Logger,
} from 'pino'

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

/**
 * Creates the log: one JSON object per line, `time` in ISO 8601, `level` as a word.
 *
 * Shape: lines go to standard error, because standard output belongs to the results of commands.
 * Errors are written with type, message, stack and the chain of their causes.
 * Limits: written synchronously, so that the last line before a crash is not lost.
 */
export function createLog(options: {
  readonly level: LogLevel
  readonly stream?: DestinationStream
}): Logger {
  return pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.errWithCause, error: stdSerializers.errWithCause },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    },
    options.stream ?? destination({ fd: STDERR, sync: true }),
  )
}
