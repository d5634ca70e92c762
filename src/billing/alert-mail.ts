import { createTransport } from 'nodemailer'
import { MINUTE_MS, SECOND_MS } from '../core/period.ts'
import type { AlertLetter } from './alert-message.ts'
import { type SendResult, STOPPED } from './alert-webhook.ts'

/** The mail server, and who writes. */
export interface MailConfig {
  readonly host: string
  readonly port: number
  readonly user: string | null
  readonly password: string | null
  /** Address that mails come from. */
  readonly from: string
  /**
   * `starttls`: upgraded, or not sent; `implicit`: encrypted from the first byte; `none`: in the
   * clear, for a server on the same machine.
   */
  readonly tls: 'starttls' | 'implicit' | 'none'
  /** The only certificates to trust, as PEM; null: those of Node.js. */
  readonly ca: string | null
}

/** Sends letters. */
export type MailSender = (
  address: string,
  letter: AlertLetter,
  /** Makes the Message-ID, by which a letter that comes twice is recognised. */
  deliveryId: string,
  /** Ends the waiting at once. */
  stopping: AbortSignal,
) => Promise<SendResult>

/** Longest silence of the server in one step of the exchange. */
const STEP_MS = 20 * SECOND_MS
/** Longest time for the whole exchange. */
const SEND_MS_MAX = 2 * MINUTE_MS

/**
 * Makes a sender of plain-text mail over SMTP, one connection per letter.
 *
 * Errors: none; every failure is a result. A recipient that the server refuses for good is final.
 */
export function createMailSender(config: MailConfig): MailSender {
  const transport = createTransport({
    host: config.host,
    port: config.port,
    secure: config.tls === 'implicit',
    requireTLS: config.tls === 'starttls',
    ignoreTLS: config.tls === 'none',
    ...(config.ca === null ? {} : { tls: { ca: config.ca } }),
    ...(config.user === null ? {} : { auth: { user: config.user, pass: config.password ?? '' } }),
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    dnsTimeout: STEP_MS,
    // A letter is text and nothing else: no field may make the library read files or URLs.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = config.from.slice(config.from.lastIndexOf('@') + 1)
  return async (address, { subject, text }, deliveryId, stopping) => {
    const sending = transport.sendMail({
      from: { name: 'Weir', address: config.from },
      // As an object it is one address, whatever characters it holds.
      to: { name: '', address },
      subject,
      text,
      messageId: `<${deliveryId}@${domain}>`,
      headers: { 'auto-submitted': 'auto-generated' },
    })
    try {
      await within(sending, AbortSignal.any([stopping, AbortSignal.timeout(SEND_MS_MAX)]))
      return { isSent: true }
    } catch (error) {
      if (stopping.aborted) return failure(STOPPED)
      return toResult(error)
    }
  }
}

/** Gives up waiting; what was begun ends by its own time-outs. */
function within<T>(work: Promise<T>, limit: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new GivenUpError())
    if (limit.aborted) giveUp()
    limit.addEventListener('abort', giveUp, { once: true })
    work.then(resolve, reject).finally(() => limit.removeEventListener('abort', giveUp))
  })
}

class GivenUpError extends Error {
  readonly code = 'ETIMEDOUT'
}

/** What nodemailer says of a failure besides its text. */
interface MailFailure {
  readonly code?: string
  readonly responseCode?: number
  readonly command?: string
}

function toResult(error: unknown): SendResult {
  const { code, responseCode, command } = error as MailFailure
  const what = responseCode === undefined ? 'could not be spoken to' : `answered ${responseCode}`
  const step = command === undefined ? '' : ` at ${command}`
  const reason = `the mail server ${what}${step}${code === undefined ? '' : ` (${code})`}`
  // Only a refused recipient is for good: a refused login or sender is the operator's to repair.
  const isFinal = (responseCode ?? 0) >= 500 && command === 'RCPT TO'
  return failure(reason, isFinal)
}

function failure(reason: string, isFinal = false): SendResult {
  return { isSent: false, reason, isFinal, askedMs: null }
}
