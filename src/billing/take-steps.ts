import { chunksOf } from '../core/chunks.ts'
import type { BookStep } from './book-keeping.ts'
import type { ClosingDeps } from './closing-deps.ts'

/** Books that one transaction takes a step of. */
const STEPS_MAX = 100

/**
 * Takes steps of many books, some in each transaction.
 *
 * Errors: those of `BookStore.take`; the transactions before it hold.
 */
export async function takeSteps(
  steps: readonly BookStep[],
  kind: 'close.day' | 'close.month' | 'adjust',
  { store, onStep }: Pick<ClosingDeps, 'store' | 'onStep'>,
): Promise<void> {
  for (const some of chunksOf(steps, STEPS_MAX)) {
    onStep(`${kind}.before`)
    await store.take(some)
    onStep(`${kind}.after`)
  }
}
