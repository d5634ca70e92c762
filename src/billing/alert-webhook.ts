import { createHmac, randomBytes } from 'node:crypto'
import type { Clock, EpochMs } from '../core/clock.ts'
import { SECOND_MS } from '../core/period.ts'
import type { Notification } from './alert.ts'

/** How an attempt ended, as far as the transport knows. */
export type SendResult =
  | { readonly isSent: true }
  | {
      readonly isSent: false
      readonly reason: string
      /** True: trying again is of no use. */
      readonly isFinal: boolean
      /** What the receiver asked to wait; null: it did not. */
      readonly askedMs: number | null
    }

/** Why an attempt failed that was broken off because the server stops. */
export const STOPPED = 'the server was stopped during the attempt'

/** Bytes of an answer that are read at most. */
const ANSWER_BYTES_MAX = 1024
const EXCERPT_MAX = 200
const PREFIX = 'whsec_'
/** 256 bits; the specification asks for 192 to 512. */
const SECRET_BYTES = 32

/** Makes the secret of an endpoint in the form in which receivers' libraries take it. */
export function newWebhookSecret(): string {
  return PREFIX + randomBytes(SECRET_BYTES).toString('base64')
}

/**
 * Signs a message: HMAC-SHA256 of `id.timestamp.body` under the secret's bytes.
 *
 * Shape: `v1,` and base64.
 * Source: Standard Webhooks 1.0.0, "Signature scheme".
 */
export function signWebhook(
  secret: string,
  id: string,
  timestampSeconds: number,
  body: string,
): string {
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64')
  const content = `${id}.${timestampSeconds}.${body}`
  return `v1,${createHmac('sha256', key).update(content).digest('base64')}`
}

/** Sends notifications to webhook endpoints. */
export type WebhookSender = (
  target: { readonly url: string; readonly secret: string },
  notification: Notification,
  /** Ends the attempt at once. */
  stopping: AbortSignal,
) => Promise<SendResult>

/**
 * Makes a sender that posts a notification once, signed at this moment.
 *
 * Only 2xx is success; redirects are not followed, since the operator named the receiver; 410 says
 * that it never wants to hear of this again. Private addresses are allowed: receivers of a
 * self-hosted server usually have one.
 * Time: the whole exchange takes at most `timeoutMs`.
 * Errors: none; every failure is a result.
 * Limits: of an answer at most 1 KiB is read.
 */
export function createWebhookSender(
  { timeoutMs }: { readonly timeoutMs: number },
  { clock }: { readonly clock: Clock },
): WebhookSender {
  return async ({ url, secret }, { id, body }, stopping) => {
    const timestamp = Math.floor(clock.nowMs() / SECOND_MS)
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'weir',
          'webhook-id': id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': signWebhook(secret, id, timestamp, body),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]),
      })
      return await readAnswer(answer, clock.nowMs())
    } catch (error) {
      return { isSent: false, reason: reasonOf(error, timeoutMs), isFinal: false, askedMs: null }
    }
  }
}

async function readAnswer(answer: Response, nowMs: EpochMs): Promise<SendResult> {
  const excerpt = await readExcerpt(answer)
  if (answer.ok) return { isSent: true }
  const isRedirect = answer.status >= 300 && answer.status < 400
  const words = [
    `the receiver answered ${answer.status}`,
    ...(isRedirect ? ['redirects are not followed: name the final URL'] : []),
    ...(answer.status === 410 ? ['it wants no more of these'] : []),
    ...(excerpt === '' || isRedirect ? [] : [excerpt]),
  ]
  return {
    isSent: false,
    reason: words.join('; '),
    isFinal: answer.status === 410,
    askedMs: parseRetryAfter(answer.headers.get('retry-after'), nowMs),
  }
}

/** Reads the beginning of an answer and lets the rest go. */
async function readExcerpt(answer: Response): Promise<string> {
  if (answer.body === null) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop cancels the body, which closes the connection.
  for await (const chunk of answer.body) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= ANSWER_BYTES_MAX) break
  }
  const text = Buffer.concat(chunks).subarray(0, ANSWER_BYTES_MAX).toString('utf8')
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, EXCERPT_MAX)
}

/** Reads seconds or an HTTP date; null for anything else. */
function parseRetryAfter(text: string | null, nowMs: EpochMs): number | null {
  if (text === null) return null
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND_MS
  const untilMs = Date.parse(text)
  return Number.isNaN(untilMs) ? null : Math.max(0, untilMs - nowMs)
}

function reasonOf(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return 'the connection failed'
  if (error.name === 'AbortError') return STOPPED
  if (error.name === 'TimeoutError') return `no complete answer within ${timeoutMs / SECOND_MS} s`
  const { code } = (error.cause ?? {}) as { readonly code?: string }
  return `the connection failed${code === undefined ? '' : ` (${code})`}`
}
