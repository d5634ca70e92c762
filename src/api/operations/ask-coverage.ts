import { z } from 'zod'
import { knownAt } from '../../billing/coverage-reader.ts'
import { formatPercent, type SourceCoverage } from '../../billing/coverage.ts'
import { countSlots } from '../../billing/slot-spans.ts'
import { parseInput, ZoneInput } from '../../catalog/input.ts'
import { formatInstant } from '../../catalog/versions.ts'
import type { Clock, EpochMs } from '../../core/clock.ts'
import { DAY_MS, DEFAULT_ZONE, type Interval } from '../../core/period.ts'
import { parsePeriod } from '../../core/period-text.ts'

/** Gaps listed of one source. */
const GAPS_MAX = 100

/** The query of `GET /v1/coverage`. */
const CoverageRequest = z.strictObject({
  source: z.string().min(1).optional().describe('Only this source.'),
  account: z.string().min(1).optional().describe('Id or name; only sources that report for it.'),
  day: z.string().optional().describe('A day (2026-11-20) or a month; default the last 24 hours.'),
  zone: ZoneInput.optional().describe("Zone of the day; default the account's."),
})

/** What asking needs. */
export interface AskCoverageDeps {
  readonly clock: Clock
  readonly reader: {
    sources(query: {
      readonly interval: Interval
      readonly asOfMs: EpochMs
      readonly accountId?: string
    }): Promise<readonly SourceCoverage[]>
  }
  /** The account that pays. Errors: `not_found`. */
  readonly accountOf: (ref: string) => Promise<{ readonly id: string; readonly zone: string }>
}

/** How completely one source reported. */
interface SourceAnswer {
  readonly source: string
  readonly expectedSlots: number
  readonly receivedSlots: number
  /** Rounded down to two digits; null: nothing was expected. */
  readonly percent: string | null
  readonly gapCount: number
  /** The longest first, at most 100. */
  readonly gaps: readonly {
    readonly start: string
    readonly end: string
    readonly slots: number
  }[]
}

/** What `GET /v1/coverage` answers. */
export interface CoverageAnswer {
  readonly start: string
  readonly end: string
  readonly zone: string
  /** Slots that began later are not expected yet. */
  readonly knownUntil: string
  readonly account: string | null
  readonly expectedSlots: number
  readonly receivedSlots: number
  readonly percent: string | null
  readonly sources: readonly SourceAnswer[]
}

/**
 * Tells how completely sources reported in a day, or in the last 24 hours.
 *
 * Errors: `parameter_invalid`; `not_found` for an unknown account.
 */
export async function askCoverage(query: unknown, deps: AskCoverageDeps): Promise<CoverageAnswer> {
  const { source, account: ref, day, zone: named } = parseInput(CoverageRequest, query)
  const nowMs = deps.clock.nowMs()
  const account = ref === undefined ? null : await deps.accountOf(ref)
  const zone = named ?? account?.zone ?? DEFAULT_ZONE
  const knownMs = knownAt(nowMs)
  const interval =
    day === undefined
      ? { startMs: knownMs - DAY_MS, endMs: knownMs }
      : parsePeriod(day, zone, 'day')
  const covered = await deps.reader.sources({
    interval,
    asOfMs: nowMs,
    ...(account !== null && { accountId: account.id }),
  })
  const asked = covered.filter((one) => source === undefined || one.source === source)
  const expectedSlots = asked.reduce((sum, one) => sum + one.expectedSlots, 0)
  const receivedSlots = asked.reduce((sum, one) => sum + one.receivedSlots, 0)
  return {
    start: formatInstant(interval.startMs),
    end: formatInstant(interval.endMs),
    zone,
    knownUntil: formatInstant(Math.max(interval.startMs, Math.min(interval.endMs, knownMs))),
    account: account?.id ?? null,
    expectedSlots,
    receivedSlots,
    percent: formatPercent(receivedSlots, expectedSlots),
    sources: asked.map(toAnswer),
  }
}

function toAnswer({ source, expectedSlots, receivedSlots, missing }: SourceCoverage): SourceAnswer {
  const longest = [...missing].sort(
    (a, b) => b.endMs - b.startMs - (a.endMs - a.startMs) || a.startMs - b.startMs,
  )
  return {
    source,
    expectedSlots,
    receivedSlots,
    percent: formatPercent(receivedSlots, expectedSlots),
    gapCount: missing.length,
    gaps: longest.slice(0, GAPS_MAX).map((gap) => ({
      start: formatInstant(gap.startMs),
      end: formatInstant(gap.endMs),
      slots: countSlots([gap]),
    })),
  }
}
