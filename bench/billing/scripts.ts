import { script } from '../support/child.ts'
import type { Figure } from '../support/figure.ts'

export interface PartInput {
  readonly part: string
  readonly directory: string
}

export const PART = script<PartInput, never, readonly Figure[]>(
  new URL('part-child.js', import.meta.url),
)
