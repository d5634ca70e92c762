/** Buffers to be filled again. */
export interface SpareBodies {
  /** Takes the largest one, if it has so many bytes. */
  take(bytesMin: number): Buffer | undefined
  /** Gives one up: nobody else may hold any part of it. */
  give(body: Buffer): void
}

/**
 * Keeps buffers until they are filled again.
 *
 * Fresh memory costs more than filling it does: the system clears it page by page, and the garbage
 * collector stops everybody to find out what else could be given back.
 *
 * Limits: keeps `bytesMax` in all; a buffer that would be more is left to the garbage collector.
 */
export function createSpareBodies(bytesMax: number): SpareBodies {
  // Ascending by size.
  const spares: Buffer[] = []
  let bytes = 0
  return {
    take(bytesMin) {
      const largest = spares.at(-1)
      if (largest === undefined || largest.length < bytesMin) return undefined
      bytes -= largest.length
      return spares.pop()
    },
    give(body) {
      if (body.length === 0 || bytes + body.length > bytesMax) return
      bytes += body.length
      spares.push(body)
      spares.sort((a, b) => a.length - b.length)
    },
  }
}

/** Those of this process: two files at work, with two chunks each. */
export const spareBodies = createSpareBodies(48 << 20)
