/** Crashes of closing at places that a seed chooses. */
import type { Kysely } from 'kysely'
import type { ClosingStep } from '../../src/billing/closing-deps.ts'
import { createRandom } from '../../src/example/random.ts'
import type { ControlDatabase } from '../../src/store/control/tables.ts'

/** How often closing crashes. */
export interface CrashConfig {
  readonly seed: number
  /** Of the times that a step is reached; the first time it always crashes. */
  readonly steps: number
  /** Of the statements of the control store, once they are executed. */
  readonly reads: number
  readonly writes: number
}

/** Crashes closing, and counts where. */
export interface Crashes {
  onStep(step: ClosingStep): void
  /** The same database, some of whose statements are the last thing that happens. */
  failing(db: Kysely<ControlDatabase>): Kysely<ControlDatabase>
  isCrash(error: unknown): boolean
  /** By step, or kind of statement. */
  readonly counts: ReadonlyMap<string, number>
}

class Crash extends Error {}

/** Makes crashes. */
export function createCrashes(config: CrashConfig): Crashes {
  const random = createRandom(config.seed, 'crashes')
  const counts = new Map<string, number>()
  const crash = (at: string): never => {
    counts.set(at, (counts.get(at) ?? 0) + 1)
    throw new Crash(at)
  }
  return {
    counts,
    onStep(step) {
      if (!counts.has(step) || random() < config.steps) crash(step)
    },
    failing(db) {
      let kind = ''
      return db.withPlugin({
        transformQuery({ node }) {
          kind = node.kind
          return node
        },
        transformResult: async ({ result }) => {
          const share = kind === 'SelectQueryNode' ? config.reads : config.writes
          if (random() < share) crash(kind)
          return result
        },
      })
    },
    isCrash: (error) => error instanceof Crash,
  }
}
