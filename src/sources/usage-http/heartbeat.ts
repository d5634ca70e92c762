import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { InstantInput, parseInput } from '../../catalog/input.ts'
import type { Clock, EpochMs } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { FIVE_MINUTES_MS, type Interval } from '../../core/period.ts'

/** Where is noted how completely sources report. */
export interface ReportedCoverage {
  readonly clock: Clock
  /** Notes that the source was heard of; never fails. */
  beat(source: string, span: Interval): void
  /** Notes that the source has sent all that moved until then. */
  through(source: string, throughMs: EpochMs): Promise<void>
  /** Notes the number of an accepted request. */
  number(request: {
    readonly source: string
    readonly number: number
    readonly receivedMs: EpochMs
  }): Promise<void>
}

const HEADER = 'Weir-Sequence'

const Heartbeat = z.strictObject({
  through: InstantInput.optional().describe('Everything that moved until then has been sent.'),
})

/**
 * Reads the number that a sender gave its request; null: none.
 *
 * Errors: `parameter_invalid`.
 */
export function parseSequence(request: FastifyRequest): number | null {
  const text = request.headers[HEADER.toLowerCase()]
  if (text === undefined) return null
  const number = typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(number)) return number
  throw new AppError(
    'parameter_invalid',
    `${HEADER} must be an integer from 0 to ${Number.MAX_SAFE_INTEGER}, one more than in the request before.`,
    { field: HEADER },
  )
}

/**
 * Notes an accepted request of a source: its number if it has one, and that it was heard of.
 *
 * Resolves before the sender is told, so that a number which is acknowledged is not asked for.
 */
export async function noteRequest(
  coverage: ReportedCoverage | undefined,
  source: string,
  number: number | null,
): Promise<void> {
  if (coverage === undefined) return
  const receivedMs = coverage.clock.nowMs()
  if (number !== null) await coverage.number({ source, number, receivedMs })
  coverage.beat(source, { startMs: receivedMs, endMs: receivedMs })
}

/**
 * Takes a heartbeat: with `through`, of all slots until then since the sender last said so;
 * without, of the present slot.
 *
 * Errors: `body_malformed`, `parameter_invalid`.
 */
export async function takeHeartbeat(
  coverage: ReportedCoverage,
  source: string,
  request: FastifyRequest,
): Promise<object> {
  const number = parseSequence(request)
  const { through } = parseInput(Heartbeat, parseBody(request.body))
  const receivedMs = coverage.clock.nowMs()
  if (through !== undefined && through > receivedMs + FIVE_MINUTES_MS) {
    throw new AppError(
      'parameter_invalid',
      'through must not be in the future: nobody knows yet what will move.',
      { field: 'through' },
    )
  }
  if (number !== null) await coverage.number({ source, number, receivedMs })
  if (through === undefined) coverage.beat(source, { startMs: receivedMs, endMs: receivedMs })
  // A clock that is a little fast must not make a sender fail.
  else await coverage.through(source, Math.min(through, receivedMs))
  return { source, state: 'noted' }
}

function parseBody(body: unknown): unknown {
  const text = Buffer.isBuffer(body) ? body.toString('utf8').trim() : ''
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new AppError('body_malformed', `The body is not valid JSON (${error.message}).`, {
      cause: error,
    })
  }
}
