/** Time on the wall, and processor time of all threads of this process. */
export interface Elapsed {
  readonly seconds: number
  readonly cpuSeconds: number
}

/** Starts counting. On a shared machine processor time says more than the wall. */
export function startStopwatch(): { read(): Elapsed } {
  const startMs = performance.now()
  const startCpu = process.cpuUsage()
  return {
    read() {
      const { user, system } = process.cpuUsage(startCpu)
      return { seconds: (performance.now() - startMs) / 1000, cpuSeconds: (user + system) / 1e6 }
    },
  }
}
