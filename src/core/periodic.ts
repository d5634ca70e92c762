/** A task with a life: quiet until started, and again once stopped. */
export interface PeriodicTask {
  readonly name: string
  /** Resolves after the first run. */
  start(): Promise<void>
  /** Resolves when a run under way has ended. */
  stop(): Promise<void>
}

/**
 * Runs a task at start and then again and again, never two runs at a time.
 *
 * Errors: a failed run is told to `onError`; the next one comes all the same.
 */
export function createPeriodic(
  name: string,
  everyMs: number,
  run: () => Promise<unknown>,
  onError: (error: unknown) => void,
): PeriodicTask {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const guarded = async (): Promise<void> => {
    try {
      await run()
    } catch (error) {
      onError(error)
    }
  }
  return {
    name,
    async start() {
      running = guarded()
      timer = setInterval(() => {
        running = running.then(guarded)
      }, everyMs)
      timer.unref()
      await running
    },
    async stop() {
      clearInterval(timer)
      await running
    },
  }
}
