import type { Clock } from '../core/clock.ts'

/** What a command is given of the process it runs in. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Whether the output goes to a terminal, where people read it. */
  readonly isTerminal: boolean
  /** Writes to the standard output. */
  readonly write: (text: string) => void
  readonly clock: Clock
  /** Sets the exit code of the process. */
  readonly exitWith: (code: number) => void
}
