/**
 * Tencent's request limit: so many per second for one action of one sub-account.
 *
 * Source: tencent.md §6, from cloud.tencent.com/document/product/1278/109059, read 2026-11-21.
 */
import type { EpochMs } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'

/** Requests per second that every MNA page allows. */
export const REQUESTS_PER_SECOND = 20

/** A request over the limit, with the numbers that clients read out of the message. */
export class RateLimitError extends AppError {
  /** Requests of this second so far, this one included. */
  readonly count: number
  readonly limit: number

  constructor(count: number, limit: number) {
    super('rate_limited', `${count} requests in one second, more than ${limit}.`, {
      retryAfterSeconds: 1,
    })
    this.count = count
    this.limit = limit
  }
}

/** Counts requests of the current second. */
export interface RateLimiter {
  /** Counts one request, a refused one too. Errors: `RateLimitError` when over the limit. */
  count(accountId: string, action: string, nowMs: EpochMs): void
}

/**
 * Makes a limiter with windows of one wall-clock second.
 *
 * Limits: keeps one number per account and action of the current second only.
 */
export function createRateLimiter(limit: number): RateLimiter {
  let second = Number.NaN
  const counts = new Map<string, number>()
  return {
    count: (accountId, action, nowMs) => {
      const now = Math.floor(nowMs / 1000)
      if (now !== second) counts.clear()
      second = now
      const key = JSON.stringify([accountId, action])
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      if (count > limit) throw new RateLimitError(count, limit)
    },
  }
}
