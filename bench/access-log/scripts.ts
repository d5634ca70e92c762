import { script } from '../support/child.ts'
import type { GeneratedLog } from './generate.ts'

export interface LogInput {
  readonly directory: string
  readonly log: GeneratedLog
}

export interface WeirOutput {
  readonly seconds: number
  /** Until the last line was durable. */
  readonly durableSeconds: number
  /** Processor time of all threads meanwhile. */
  readonly cpuSeconds: number
}

export const WEIR = script<LogInput, never, WeirOutput>(new URL('weir-child.js', import.meta.url))

/** What the bare engine groups by: all that Weir tells apart, or places only. */
export interface BareInput extends LogInput {
  readonly grouping: 'all' | 'places'
}

export const BARE = script<BareInput, never, { seconds: number; cpuSeconds: number }>(
  new URL('bare-child.js', import.meta.url),
)
