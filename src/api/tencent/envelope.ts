/**
 * Tencent's answers: HTTP 200, everything inside `Response`, `Error` only on failure.
 *
 * Source: tencent.md §2.1.
 */
import { type AppError, ERRORS } from '../../core/errors.ts'
import { type Fields, formatFields } from '../json-text.ts'
import { type MessageContext, messageOf } from './messages.ts'

/** Longest trace id that is echoed; the SDKs send a UUID. */
const TRACE_LENGTH_MAX = 128

/** Writes a successful answer; it has no `Error` key, not even null, which SDKs stumble over. */
export function successBody(fields: Fields, callId: string): string {
  return `{"Response":{${formatFields({ ...fields, RequestId: callId })}}}`
}

/** Writes a failure with the vendor's code and wording. */
export function errorBody(error: AppError, context: MessageContext): string {
  const Code = ERRORS[error.code].tencent
  const Error = { Code, Message: messageOf(error, context) }
  return JSON.stringify({ Response: { Error, RequestId: context.callId } })
}

/**
 * Headers of every answer. With a charset in the content type the Python SDK takes an error for an
 * empty success.
 */
export function headersOf(traceId: string | undefined): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  if (traceId !== undefined && traceId.length <= TRACE_LENGTH_MAX) headers['x-tc-traceid'] = traceId
  return headers
}
