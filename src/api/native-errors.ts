import type { FastifyReply, FastifyRequest } from 'fastify'
import { AppError, ERRORS, type ErrorCode, toAppError } from '../core/errors.ts'

/**
 * What the HTTP server itself refuses, by its own codes. Source:
 * fastify.dev/docs/latest/Reference/Errors.
 */
const SERVER_REFUSALS: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media_type_unsupported',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'body_malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'body_malformed',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'body_malformed',
  FST_ERR_MAX_PARAM_LENGTH: 'parameter_invalid',
}

/** Turns whatever a request failed with into a row of the error table. */
export function classifyFailure(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return toAppError(thrown)
  const { code, statusCode } = thrown as Error & { code?: string; statusCode?: number }
  const refusal = SERVER_REFUSALS[code ?? '']
  if (refusal !== undefined) return new AppError(refusal, thrown.message, { cause: thrown })
  // The JSON parser's own complaint about the body carries only a status.
  if (statusCode === 400) return new AppError('body_malformed', thrown.message, { cause: thrown })
  return toAppError(thrown)
}

/**
 * Answers a failed request of the native APIs.
 *
 * Shape: `{error: {code, message, field?, problems?}}` with the status of core/errors.ts and
 * `Retry-After` where a retry makes sense. The cause goes to the log, never to the caller.
 */
export function sendFailure(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = classifyFailure(thrown)
  const { code, message, field, problems, retryAfterSeconds } = error
  const { http } = ERRORS[code]
  if (http >= 500) request.log.error({ err: error.cause ?? error, code }, 'request failed')
  if (http === 401) void reply.header('www-authenticate', 'Bearer')
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds))
  return reply.status(http).send({
    error: {
      code,
      message,
      ...(field !== undefined && { field }),
      ...(problems.length > 0 && { problems }),
    },
  })
}
