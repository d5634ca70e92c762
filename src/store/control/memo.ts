import type { Clock, EpochMs } from '../../core/clock.ts'

/** How long another node's change may stay unseen. */
const RECHECK_MS = 1000
/** Entries kept; at the bound everything is forgotten, so that strangers cannot fill memory. */
const ENTRIES_MAX = 50_000

/** Answers that hold until the catalog changes. */
export interface Memo {
  /** Returns the remembered answer, or asks and remembers it. */
  recall<T>(key: string, ask: () => Promise<T>): Promise<T>
  /** Forgets everything at once; called after every change made by this process. */
  forget(): void
}

/**
 * Remembers answers until `revision` says that the catalog changed, asking at most once a second.
 *
 * Time: a change made in this process is seen at once, one made by another node within 1 s.
 * Limits: 50,000 answers.
 */
export function createMemo(clock: Clock, revision: () => Promise<number>): Memo {
  let answers = new Map<string, Promise<unknown>>()
  let seen: number | undefined
  let freshUntilMs: EpochMs = Number.NEGATIVE_INFINITY
  let checking: Promise<void> | undefined

  const check = async (): Promise<void> => {
    const askedMs = clock.nowMs()
    const now = await revision()
    if (now !== seen) answers = new Map()
    seen = now
    freshUntilMs = askedMs + RECHECK_MS
  }
  const refresh = (): Promise<void> => {
    checking ??= check().finally(() => {
      checking = undefined
    })
    return checking
  }
  return {
    recall: async <T>(key: string, ask: () => Promise<T>): Promise<T> => {
      const nowMs = clock.nowMs()
      // A clock set back must not keep old answers alive.
      if (nowMs >= freshUntilMs || nowMs < freshUntilMs - RECHECK_MS) await refresh()
      const known = answers.get(key)
      if (known !== undefined) return known as Promise<T>
      if (answers.size >= ENTRIES_MAX) answers = new Map()
      const kept = answers
      const answer = ask()
      kept.set(key, answer)
      try {
        return await answer
      } catch (error) {
        kept.delete(key)
        throw error
      }
    },
    forget: () => {
      answers = new Map()
      freshUntilMs = Number.NEGATIVE_INFINITY
    },
  }
}
