import type { ErrorCode } from '../core/errors.ts'

/** One HTTP request as the dialects see it: nothing decoded, nothing parsed. */
export interface RawCall {
  readonly method: string
  /** Path without query, always beginning with `/`. */
  readonly path: string
  /** Query string exactly as received, without `?`; empty when there is none. */
  readonly query: string
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
  /** What the client may have taken for the host: the Host header first, then a proxy's. */
  readonly hosts: readonly string[]
}

/** What a dialect answers, always with HTTP status 200. */
export interface Answer {
  /** JSON text. */
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly log: AnswerLog
}

/** What the log says about a call; never a secret, a signature or a parameter. */
export interface AnswerLog {
  readonly dialect: 'ucloud' | 'tencent'
  readonly callId: string
  readonly action: string
  readonly accountId: string | undefined
  readonly outcome: 'ok' | ErrorCode
  /** Why, in our own words; the vendor's wording says less. */
  readonly reason?: string
  /** What went wrong inside. */
  readonly cause?: unknown
}

/** The host without its port, lower case, as brands are looked up. */
export function hostName(host: string): string {
  // An IPv6 literal keeps its brackets; only what follows them is a port.
  return host.toLowerCase().replace(/:\d*$/, '')
}
