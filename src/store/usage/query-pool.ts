/** Sessions of the engine that run one statement at a time each. */
export interface Pool<Client> {
  /** Runs the work on a free session; waits for one instead of piling onto it. */
  readonly run: <Result>(work: (client: Client) => Promise<Result>) => Promise<Result>
  /** Resolves when nothing runs, after so long at the latest. */
  readonly idle: (msMax: number) => Promise<void>
}

/** Shares sessions among whoever comes, first come, first served. */
export function createPool<Client>(clients: readonly Client[]): Pool<Client> {
  const free = [...clients]
  const waiting: ((client: Client) => void)[] = []
  const resting = new Set<() => void>()
  return {
    async run(work) {
      const client = free.pop() ?? (await new Promise<Client>((resolve) => waiting.push(resolve)))
      try {
        return await work(client)
      } finally {
        const next = waiting.shift()
        if (next === undefined) free.push(client)
        else next(client)
        if (free.length === clients.length) for (const rested of resting) rested()
      }
    },
    async idle(msMax) {
      if (free.length === clients.length) return
      await new Promise<void>((resolve) => {
        const rested = (): void => {
          clearTimeout(timer)
          resting.delete(rested)
          resolve()
        }
        const timer = setTimeout(rested, msMax)
        resting.add(rested)
      })
    },
  }
}
