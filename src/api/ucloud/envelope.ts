/**
 * UCloud's answers: HTTP 200, `Action`, `RetCode`, and `Message` on failure.
 *
 * Source: ucloud.md §2 (envelope, headers), §3 (RetCodes and wordings seen in the wild).
 */
import { type AppError, type ErrorCode, ERRORS } from '../../core/errors.ts'
import { type Fields, formatFields } from '../json-text.ts'

/** Writes a successful answer. */
export function successBody(action: string, fields: Fields): string {
  const inside = formatFields(fields)
  const head = `{"Action":${JSON.stringify(`${action}Response`)},"RetCode":0`
  return inside === '' ? `${head}}` : `${head},${inside}}`
}

/** Writes a failure with the vendor's code and wording. */
export function errorBody(action: string, error: AppError): string {
  const RetCode = ERRORS[error.code].ucloud
  return JSON.stringify({ Action: `${action}Response`, RetCode, Message: messageOf(error) })
}

/** Headers of every answer; all SDKs read the request id from here. */
export function headersOf(callId: string): Record<string, string> {
  return { 'content-type': 'application/json', 'x-ucloud-request-uuid': callId }
}

/** Wordings seen in the wild; `field` is the parameter, action or project at fault. */
const WORDINGS: Partial<Record<ErrorCode, (field: string) => string>> = {
  action_missing: () => 'Missing Action',
  action_unknown: (field) => `Action [${field}] not found`,
  signature_missing: () => 'Missing signature',
  signature_malformed: () => 'Signature VerifyAC Error',
  signature_mismatch: () => 'Signature VerifyAC Error',
  signature_expired: () => 'Signature VerifyAC Error',
  key_unknown: () => 'User Not Exists',
  token_unknown: () => 'Token Not Exists',
  project_unknown: (field) => `Project [${field}] not exists`,
  forbidden: () => 'IAM permission error',
  parameter_missing: (field) => `Missing params [${field}]`,
  internal: () => 'Service error and break',
  config_invalid: () => 'Service error and break',
  overloaded: () => 'Service unavailable',
}

function messageOf(error: AppError): string {
  const wording = WORDINGS[error.code]
  if (wording !== undefined) return wording(error.field ?? '')
  // What names a parameter has one wording; what does not says in our words what is wrong.
  return ERRORS[error.code].ucloud === 230 && error.field !== undefined
    ? `Params [${error.field}] not available`
    : error.message
}
