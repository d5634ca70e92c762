import type { EpochMs } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'
import { formatInstant } from '../catalog/versions.ts'
import type { Coverage } from './book.ts'
import {
  countSlots,
  intersect,
  slotsBegunIn,
  type Spans,
  subtract,
  toSlots,
  unite,
} from './slot-spans.ts'

/** What is known of how completely one source reported. */
export interface SourceEvidence {
  readonly source: string
  /** When it is expected to report without a break, whether or not it has begun to. */
  readonly due: readonly Interval[]
  /** The first slot that it ever reported or beat in; null: none so far. */
  readonly firstMs: EpochMs | null
  /** Slots in which records of it moved, or for which it said that there was nothing more. */
  readonly received: readonly Interval[]
  /** Stretches of which something is known to be missing. */
  readonly gaps: readonly Interval[]
}

/** How complete one source was. */
export interface SourceCoverage {
  readonly source: string
  readonly expectedSlots: number
  readonly receivedSlots: number
  /** Expected slots that were not received, of whole slots. */
  readonly missing: Spans
}

/** Gaps shown of one coverage. */
const GAPS_MAX = 20

/**
 * Counts a source's expected and received 5-minute slots in an interval.
 *
 * A slot is expected while the source is due, from the first slot in which it was ever heard of,
 * and wherever something is known to be missing. It is received when records of it moved or the
 * source was read to its end; a slot that a known gap touches is not, whatever else came of it.
 * Time: a slot belongs to the interval in which it begins.
 */
export function coverSource(evidence: SourceEvidence, interval: Interval): SourceCoverage {
  const asked = slotsBegunIn(interval)
  const { firstMs } = evidence
  const begun = firstMs === null ? [] : [{ startMs: firstMs, endMs: interval.endMs }]
  const due = intersect(unite(evidence.due), toSlots(begun))
  const gaps = toSlots(evidence.gaps)
  const expected = intersect(unite([...toSlots(due), ...gaps]), asked)
  const received = subtract(intersect(expected, toSlots(evidence.received)), gaps)
  return {
    source: evidence.source,
    expectedSlots: countSlots(expected),
    receivedSlots: countSlots(received),
    missing: subtract(expected, received),
  }
}

/**
 * Adds up the coverage of several sources; null: nothing was expected of them.
 *
 * Shape: gaps are the longest first, then the earliest, then by name; at most 20.
 */
export function sumCoverage(sources: readonly SourceCoverage[]): Coverage | null {
  const expectedSlots = sources.reduce((sum, source) => sum + source.expectedSlots, 0)
  if (expectedSlots === 0) return null
  return {
    expectedSlots,
    receivedSlots: sources.reduce((sum, source) => sum + source.receivedSlots, 0),
    gaps: longestGaps(sources),
  }
}

function longestGaps(sources: readonly SourceCoverage[]): Coverage['gaps'] {
  const gaps = sources.flatMap(({ source, missing }) =>
    missing.map(({ startMs, endMs }) => ({ source, startMs, endMs })),
  )
  gaps.sort(
    (a, b) =>
      b.endMs - b.startMs - (a.endMs - a.startMs) ||
      a.startMs - b.startMs ||
      // By code unit: a locale's order may differ between two machines.
      (a.source < b.source ? -1 : 1),
  )
  return gaps.slice(0, GAPS_MAX).map(({ source, startMs, endMs }) => ({
    source,
    start: formatInstant(startMs),
    end: formatInstant(endMs),
  }))
}

/**
 * Writes a share of received slots in percent with two digits; null: nothing was expected.
 *
 * Rounding: down, so that only what is complete is 100.00.
 */
export function formatPercent(received: number, expected: number): string | null {
  if (expected === 0) return null
  const hundredths = Math.floor((received * 10_000) / expected)
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`
}
