/** A sequence of numbers in [0, 1). */
export type Random = () => number

/**
 * Makes a sequence that is the same for the same seed, on every machine.
 *
 * Limits: 32 bits of state; for example data only, never for secrets.
 * Source: mulberry32 by Tommy Ettinger, public domain.
 */
export function createRandom(seed: number, stream: string): Random {
  let state = seed >>> 0
  // Streams of one seed must differ, or addresses and sizes would rise and fall together.
  for (const character of stream) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Lays entries out so that a uniform pick meets each as often as its weight says. */
export function weighted<T extends { readonly weight: number }>(entries: readonly T[]): T[] {
  return entries.flatMap((entry) => Array.from({ length: entry.weight }, () => entry))
}

/** Picks one entry. */
export function pick<T>(entries: readonly T[], random: Random): T {
  return entries[Math.floor(random() * entries.length)] as T
}
