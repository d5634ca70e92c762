import type { Clock, EpochMs } from './clock.ts'

/** Answers that may be reused for a short while. */
export interface TtlCache<V> {
  /**
   * Returns the answer kept for the key, or asks for it; callers at the same time share one
   * question.
   */
  get(key: string, ask: () => Promise<V>): Promise<V>
  /** Forgets everything, answers still being asked for included. */
  invalidate(): void
}

interface Entry<V> {
  readonly askedMs: EpochMs
  readonly answer: Promise<V>
}

/**
 * Keeps answers for `ttlMs` from the moment they were asked for.
 *
 * Time: an answer is never used `ttlMs` or more after its question, nor after `invalidate`.
 * Errors: a failed question is not kept.
 * Limits: `entriesMax` answers; the one asked for first goes first.
 */
export function createTtlCache<V>(
  limits: { readonly ttlMs: number; readonly entriesMax: number },
  clock: Clock,
): TtlCache<V> {
  const entries = new Map<string, Entry<V>>()
  const isFresh = (entry: Entry<V>): boolean => {
    const ageMs = clock.nowMs() - entry.askedMs
    // A clock set back must not keep an answer alive.
    return ageMs >= 0 && ageMs < limits.ttlMs
  }
  return {
    get: (key, ask) => {
      const known = entries.get(key)
      if (known !== undefined && isFresh(known)) return known.answer
      entries.delete(key)
      const oldest = entries.keys().next()
      if (entries.size >= limits.entriesMax && oldest.done !== true) entries.delete(oldest.value)
      const entry = { askedMs: clock.nowMs(), answer: ask() }
      entries.set(key, entry)
      entry.answer.catch(() => {
        if (entries.get(key) === entry) entries.delete(key)
      })
      return entry.answer
    },
    invalidate: () => entries.clear(),
  }
}
