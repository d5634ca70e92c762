import { createHash } from 'node:crypto'
import { SECOND_MS } from '../core/period.ts'

/** First wait after a failed attempt; each further one is three times as long. */
const FIRST_MS = 30 * SECOND_MS
const FACTOR = 3

/** Attempts at one delivery: nine in 27 hours, so that a receiver may be down for a day. */
export const ATTEMPTS_MAX = 9

/** What a receiver may ask for by Retry-After. */
const ASKED_MS_MAX = 3600 * SECOND_MS

/**
 * Says how long to wait after the given attempt failed; null: it was the last.
 *
 * Time: 30 s × 3^(attempt − 1), and up to a tenth more, fixed by the delivery's id, so that what
 * failed together does not come back together. A receiver may ask for more, up to an hour.
 */
export function waitMsAfter(
  attempt: number,
  deliveryId: string,
  askedMs: number | null = null,
): number | null {
  if (attempt >= ATTEMPTS_MAX) return null
  const waitMs = FIRST_MS * FACTOR ** (attempt - 1)
  const share = createHash('sha256').update(deliveryId).digest().readUInt16BE(0) / 65_536
  return Math.max(waitMs + Math.floor((waitMs / 10) * share), Math.min(askedMs ?? 0, ASKED_MS_MAX))
}
