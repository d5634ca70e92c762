import type { GeneratedLog } from '../access-log/generate.ts'
import { script } from '../support/child.ts'

export interface QueryInput {
  readonly directory: string
  readonly log: GeneratedLog
  readonly domains: number
}

export interface QueryOutput {
  readonly rollup: { readonly rows: number; readonly bytes: number; readonly parts: number }
  readonly fillSeconds: number
  /** Call 2 through the operation and the store, and the bare query, one beside the other. */
  readonly seriesSeconds: readonly number[]
  readonly bareSeconds: readonly number[]
  readonly points: number
  readonly answerBytes: number
  /** One province, carrier and day, while a log was being loaded. */
  readonly pointSeconds: readonly number[]
  /** The same without a load. */
  readonly quietPointSeconds: readonly number[]
  /** Lines loaded while the points were asked for. */
  readonly linesLoaded: number
}

export const QUERY = script<QueryInput, never, QueryOutput>(
  new URL('weir-child.js', import.meta.url),
)
