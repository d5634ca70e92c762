import type { GeneratedUsage } from '../usage-http/generate.ts'
import { script } from '../support/child.ts'
import type { Elapsed } from '../support/stopwatch.ts'

export interface WeirInput {
  readonly directory: string
  readonly usage: GeneratedUsage
}

/** A request as it goes over the wire. */
export type RawRequest = string

export interface WeirReady {
  readonly port: number
  /** Signed calls of several accounts. */
  readonly requests: readonly RawRequest[]
  /** One answer, so that the bare route can have its size. */
  readonly answer: string
}

export interface BareInput {
  readonly answer: string
}

export interface LoadInput {
  readonly port: number
  readonly requests: readonly RawRequest[]
  /** What every answer contains when all is well. */
  readonly mark: string
  readonly connections: number
  readonly seconds: number
}

export interface LoadOutput {
  readonly requestsPerSecond: number
  readonly latencyMsP50: number
  readonly latencyMsP99: number
}

const at = (name: string): URL => new URL(name, import.meta.url)

export const WEIR = script<WeirInput, WeirReady, Elapsed>(at('weir-child.js'))
export const BARE = script<BareInput, { port: number }, Elapsed>(at('bare-child.js'))
export const LOAD = script<LoadInput, never, LoadOutput>(at('load-child.js'))
