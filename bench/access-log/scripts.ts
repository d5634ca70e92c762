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

export const BARE = script<LogInput, never, { seconds: number; cpuSeconds: number }>(
  new URL('bare-child.js', import.meta.url),
)
