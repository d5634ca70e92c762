import { script } from '../support/child.ts'
import type { Elapsed } from '../support/stopwatch.ts'
import type { GeneratedUsage } from './generate.ts'

export interface ServerInput {
  readonly directory: string
  readonly usage: GeneratedUsage
}

export interface ServerReady {
  readonly url: string
  readonly token: string
}

export interface SenderInput extends ServerReady {
  readonly usage: GeneratedUsage
  readonly connections: number
}

export interface SenderOutput {
  /** Until the last body was acknowledged. */
  readonly ackedSeconds: number
  /** Until everything was in every table. */
  readonly loadedSeconds: number
  /** Times that the server asked to wait. */
  readonly refusals: number
}

const at = (name: string): URL => new URL(name, import.meta.url)

/** Its output is the processor time of the server from its start of listening on. */
export const SERVER = script<ServerInput, ServerReady, Elapsed>(at('weir-child.js'))
export const SENDER = script<SenderInput, never, SenderOutput>(at('sender-child.js'))
export const BARE = script<ServerInput, never, Elapsed>(at('bare-child.js'))
