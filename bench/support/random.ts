/** Numbers that look random and are the same for the same seed. */
export interface Random {
  /** From 0 up to, not including, `bound`. */
  below(bound: number): number
  /** From 0 up to, not including, 1. */
  fraction(): number
  pick<T>(values: readonly T[]): T
}

/** Starts a sequence. Source: mulberry32 by Tommy Ettinger, public domain. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  function fraction(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (bound: number): number => Math.floor(fraction() * bound)
  return {
    fraction,
    below,
    pick<T>(values: readonly T[]): T {
      const value = values[below(values.length)]
      if (value === undefined) throw new Error('nothing to pick from')
      return value
    },
  }
}

/** Index below `count` of which small ones come up far more often, as with popular files. */
export function popular(random: Random, count: number): number {
  return Math.floor(count * random.fraction() ** 3)
}
