import { AppError, BrokenInvariant } from '../core/errors.ts'

/**
 * Does a step for many books together; where one of them fails, for the others without it.
 *
 * Shape: `step` may be asked again for books that it has done: it leaves those alone.
 * Errors: what is no fault of one book, such as a store that does not answer, ends everything.
 */
export async function setAsideFailures(
  accountIds: readonly string[],
  step: (accountIds: readonly string[]) => Promise<void>,
  onFailed: (accountId: string, error: Error) => void,
): Promise<void> {
  try {
    await step(accountIds)
  } catch (error) {
    if (!isOfOneBook(error)) throw error
    const [only, ...others] = accountIds
    if (only === undefined) throw error
    if (others.length === 0) {
      onFailed(only, error)
      return
    }
    const half = accountIds.length >> 1
    await setAsideFailures(accountIds.slice(0, half), step, onFailed)
    await setAsideFailures(accountIds.slice(half), step, onFailed)
  }
}

/** Tells a broken invariant or an overdrawn ledger from a failure that every book would have. */
export function isOfOneBook(error: unknown): error is Error {
  if (error instanceof AppError) {
    // A book that another node went on with names no ledger account.
    return error.code === 'too_large' || (error.code === 'conflict' && error.field !== undefined)
  }
  return error instanceof BrokenInvariant
}
