/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number

/** The only source of "now". Pure code receives `nowMs` instead. */
export interface Clock {
  nowMs(): EpochMs
}

/** The machine's wall clock. */
export const systemClock: Clock = { nowMs: () => Date.now() }
