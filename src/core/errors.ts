/**
 * Every failure that a caller may see, one row each, one column per API dialect.
 *
 * `http` answers the native and admin APIs; both vendor dialects answer HTTP 200 and put
 * `ucloud` into RetCode, `tencent` into Response.Error.Code.
 * Source: docs/reference/errors.md, kept equal to this table by a test.
 */
export const ERRORS = {
  parameter_missing: { http: 400, ucloud: 220, tencent: 'MissingParameter' },
  parameter_invalid: { http: 400, ucloud: 230, tencent: 'InvalidParameterValue' },
  parameter_type: { http: 400, ucloud: 230, tencent: 'InvalidParameter' },
  parameter_unknown: { http: 400, ucloud: 230, tencent: 'UnknownParameter' },
  body_malformed: { http: 400, ucloud: 230, tencent: 'InvalidParameter' },
  action_missing: { http: 400, ucloud: 160, tencent: 'MissingParameter' },
  action_unknown: { http: 404, ucloud: 161, tencent: 'InvalidAction' },
  version_unknown: { http: 404, ucloud: 161, tencent: 'NoSuchVersion' },
  signature_missing: { http: 401, ucloud: 170, tencent: 'MissingParameter' },
  signature_malformed: { http: 401, ucloud: 171, tencent: 'AuthFailure.InvalidAuthorization' },
  signature_mismatch: { http: 401, ucloud: 171, tencent: 'AuthFailure.SignatureFailure' },
  signature_expired: { http: 401, ucloud: 171, tencent: 'AuthFailure.SignatureExpire' },
  key_unknown: { http: 401, ucloud: 172, tencent: 'AuthFailure.SecretIdNotFound' },
  token_unknown: { http: 401, ucloud: 174, tencent: 'AuthFailure.TokenFailure' },
  forbidden: { http: 403, ucloud: 299, tencent: 'AuthFailure.UnauthorizedOperation' },
  project_unknown: { http: 404, ucloud: 292, tencent: 'ResourceNotFound' },
  region_unsupported: { http: 400, ucloud: 230, tencent: 'UnsupportedRegion' },
  not_found: { http: 404, ucloud: 230, tencent: 'ResourceNotFound' },
  package_missing: { http: 404, ucloud: 4210, tencent: 'ResourceNotFound' },
  device_missing: { http: 404, ucloud: 230, tencent: 'OperationDenied.DeviceNotFound' },
  conflict: { http: 409, ucloud: 230, tencent: 'ResourceInUse' },
  operation_denied: { http: 409, ucloud: 230, tencent: 'OperationDenied' },
  limit_exceeded: { http: 409, ucloud: 230, tencent: 'LimitExceeded' },
  method_unsupported: { http: 405, ucloud: 230, tencent: 'UnsupportedProtocol' },
  too_large: { http: 413, ucloud: 230, tencent: 'RequestSizeLimitExceeded' },
  media_type_unsupported: { http: 415, ucloud: 230, tencent: 'InvalidRequest' },
  rate_limited: { http: 429, ucloud: 153, tencent: 'RequestLimitExceeded' },
  overloaded: { http: 503, ucloud: 150, tencent: 'ServiceUnavailable' },
  timeout: { http: 504, ucloud: 110, tencent: 'InternalError' },
  config_invalid: { http: 500, ucloud: 130, tencent: 'InternalError' },
  internal: { http: 500, ucloud: 130, tencent: 'InternalError' },
} as const satisfies Record<string, { http: number; ucloud: number; tencent: string }>

export type ErrorCode = keyof typeof ERRORS

export interface AppErrorOptions {
  /** What went wrong inside; goes to the log, never to the caller. */
  readonly cause?: unknown
  /** The parameter or field at fault, exactly as the caller spelled it. */
  readonly field?: string
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number
  /** Everything that was wrong with the input, when more than one thing may be. */
  readonly problems?: readonly Problem[]
}

/** One thing that is wrong with an input: where, and what to do about it. */
export interface Problem {
  /** Path of the field, e.g. `zones[1]`; empty for the input as a whole. */
  readonly field: string
  readonly message: string
}

/** A failure of one request or command. `message` is safe to show to the caller. */
export class AppError extends Error {
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly retryAfterSeconds: number | undefined
  readonly problems: readonly Problem[]

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AppError'
    this.code = code
    this.field = options.field
    this.retryAfterSeconds = options.retryAfterSeconds
    this.problems = options.problems ?? []
  }
}

/** Narrows an unknown thrown value to AppError; anything else is our bug and becomes `internal`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  return new AppError('internal', 'Internal error.', { cause: thrown })
}

/** A broken invariant: a bug of ours, or data that somebody changed. */
export class BrokenInvariant extends Error {
  constructor(message: string) {
    super(`assertion failed: ${message}`)
    this.name = 'BrokenInvariant'
  }
}

/** Stops on a broken invariant: a bug of ours, never a caller's mistake. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new BrokenInvariant(message)
}

/** Ends an exhaustive switch; the compiler proves that it cannot be reached. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${String(value)}`)
}
