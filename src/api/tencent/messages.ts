/**
 * The vendor's wordings, English and Chinese, as public bug reports quote the real service.
 *
 * Where no Chinese wording has been seen, the English one is answered.
 * Source: tencent.md §1.6.
 */
import type { AppError, ErrorCode } from '../../core/errors.ts'
import { ParameterTypeError } from './parameters.ts'
import { RateLimitError } from './rate-limit.ts'

/** Language of error messages. */
export type Language = 'en' | 'zh'

/** What wordings may mention. */
export interface MessageContext {
  readonly language: Language
  readonly action: string
  readonly version: string
  readonly service: string
  readonly callId: string
  readonly nowMs: number
  /** The value that was sent for the error's field, as text. */
  readonly value: string
}

interface Wording {
  readonly en: (error: AppError, context: MessageContext) => string
  readonly zh?: (error: AppError, context: MessageContext) => string
}

const fieldOf = (error: AppError): string => error.field ?? ''

const WORDINGS: Partial<Record<ErrorCode, Wording>> = {
  parameter_missing: {
    en: (error) => `The request is missing a required parameter \`${fieldOf(error)}\`.`,
    zh: (error) => `请求缺少必要参数 \`${fieldOf(error)}\`。`,
  },
  action_missing: { en: () => 'The request is missing a required parameter `Action`.' },
  parameter_unknown: {
    en: (error) => `The parameter \`${fieldOf(error)}\` is not recognized.`,
    zh: (error) => `参数 \`${fieldOf(error)}\` 无法识别。`,
  },
  parameter_type: {
    en: (error) =>
      `The value type of parameter \`${fieldOf(error)}\` is not valid. ` +
      `The parameter type should be \`${typeIn(error)}\`.`,
    zh: (error) => `参数 \`${fieldOf(error)}\` 取值类型错误。参数类型应为 \`${typeIn(error)}\``,
  },
  parameter_invalid: {
    en: (error, { value }) =>
      `The value \`${value}\` specified in the parameter \`${fieldOf(error)}\` is not valid`,
    zh: (error, { value }) => `参数 \`${fieldOf(error)}\` 的取值 \`${value}\` 无效`,
  },
  action_unknown: {
    en: (_error, { action, service, version }) =>
      `The request action=\`${action}\` is invalid or not found in service=\`${service}\` ` +
      `and version=\`${version}\`.`,
  },
  version_unknown: {
    en: (_error, { service, version }) =>
      `The specified api version=\`${version}\` does not exist in service=\`${service}\`.`,
  },
  region_unsupported: { en: () => 'The action not support this region.' },
  key_unknown: {
    en: () => 'The SecretId is not found, please ensure that your SecretId is correct.',
    zh: () => 'SecretId不存在，请输入正确的密钥。',
  },
  token_unknown: { en: () => 'The token is not found, please ensure that your token is correct.' },
  signature_malformed: {
    en: (error) =>
      'The request `Authorization` header does not conform to tencentcloud standards: ' +
      error.message,
  },
  signature_expired: {
    en: (_error, { nowMs }) =>
      'Signature expired. Please use local time and enable NTP service for time ' +
      'synchronization to avoid a deviation between `Timestamp` and the server time ' +
      `${Math.floor(nowMs / 1000)}.`,
  },
  signature_mismatch: {
    en: (error) =>
      error.field === 'size'
        ? 'The provided credentials could not be validated because of exceeding request size ' +
          'limit, please use new signature method `TC3-HMAC-SHA256`.'
        : 'The provided credentials could not be validated. Please check your signature is correct.',
    zh: () => '请求签名验证失败，请检查您的签名计算是否正确。',
  },
  forbidden: {
    en: (_error, { callId, action, service }) =>
      'You are not authorized to perform this operation. Check your CAM policies, and ensure ' +
      `that you are using the correct access keys. [[request id:${callId}]you are not ` +
      `authorized to perform operation (${service}:${action})\nresource (*) has no permission\n]`,
  },
  body_malformed: {
    en: (error) => error.message,
    zh: (error) =>
      error.field === 'json'
        ? '对于指定content-type=application/json协议下，请求内容不是合法的Json格式。'
        : error.message,
  },
  rate_limited: {
    en: (error) =>
      `Your current request times equals to \`${countIn(error)}\` in a second, which exceeds ` +
      `the frequency limit \`${limitIn(error)}\` for a second. Please reduce the frequency of calls.`,
    zh: (error) =>
      `您当前每秒请求 \`${countIn(error)}\` 次，超过了每秒频率上限 \`${limitIn(error)}\`，请稍后重试。`,
  },
}

/** Words an error as the real service does. */
export function messageOf(error: AppError, context: MessageContext): string {
  const wording = WORDINGS[error.code]
  if (wording === undefined) return error.message
  return (wording[context.language] ?? wording.en)(error, context)
}

/** Reads a language tag; anything that is not Chinese is English. */
export function parseLanguage(tag: string | undefined): Language {
  return tag?.toLowerCase().startsWith('zh') === true ? 'zh' : 'en'
}

function typeIn(error: AppError): string {
  return error instanceof ParameterTypeError ? error.expected : ''
}

function countIn(error: AppError): number {
  return error instanceof RateLimitError ? error.count : 0
}

function limitIn(error: AppError): number {
  return error instanceof RateLimitError ? error.limit : 0
}
