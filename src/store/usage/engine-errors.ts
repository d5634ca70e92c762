import { AppError, type ErrorCode } from '../../core/errors.ts'

/**
 * Engine error codes that say "later", not "never".
 *
 * Source: ClickHouse ErrorCodes.cpp: 159 TIMEOUT_EXCEEDED, 202 TOO_MANY_SIMULTANEOUS_QUERIES,
 * 209 SOCKET_TIMEOUT, 210 NETWORK_ERROR, 241 MEMORY_LIMIT_EXCEEDED, 242 TABLE_IS_READ_ONLY,
 * 243 NOT_ENOUGH_SPACE, 252 TOO_MANY_PARTS, 279 ALL_CONNECTION_TRIES_FAILED,
 * 285 TOO_FEW_LIVE_REPLICAS, 319 UNKNOWN_STATUS_OF_INSERT, 394 QUERY_WAS_CANCELLED,
 * 999 KEEPER_EXCEPTION.
 */
const BY_ENGINE_CODE: Readonly<Record<string, ErrorCode>> = {
  '159': 'timeout',
  '202': 'overloaded',
  '209': 'overloaded',
  '210': 'overloaded',
  '241': 'overloaded',
  '242': 'overloaded',
  '243': 'overloaded',
  '252': 'overloaded',
  '279': 'overloaded',
  '285': 'overloaded',
  '319': 'overloaded',
  '394': 'overloaded',
  '999': 'overloaded',
}

/** Codes with which Node reports that the other side is away. */
const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** Turns what the engine or its connection threw into an AppError; the cause goes to the log. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const network = isNetworkError(error) ? 'overloaded' : 'internal'
  const code = BY_ENGINE_CODE[engineCode(error)] ?? network
  return new AppError(code, messageOf(code), { cause: error, retryAfterSeconds: 1 })
}

// The embedded engine's errors are of its own copy of the client's class, so they are known by
// their shape: the code is the engine's number, written as text.
function engineCode(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error) || !('type' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}

function isNetworkError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return (typeof code === 'string' && NETWORK_CODES.has(code)) || isNetworkError(error.cause)
}

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  timeout: 'The usage store did not answer in time.',
  overloaded: 'The usage store is not available at the moment; try again.',
}

function messageOf(code: ErrorCode): string {
  return MESSAGES[code] ?? 'The usage store failed.'
}
