import { ceilTo, FIVE_MINUTES_MS, floorTo, type Interval } from '../core/period.ts'

/** Stretches of time that neither touch nor overlap, ascending, none of them empty. */
export type Spans = readonly Interval[]

/** Merges stretches in any order into spans. */
export function unite(stretches: readonly Interval[]): Spans {
  const sorted = stretches
    .filter(({ startMs, endMs }) => endMs > startMs)
    .sort((a, b) => a.startMs - b.startMs)
  const united: { startMs: number; endMs: number }[] = []
  for (const { startMs, endMs } of sorted) {
    const last = united.at(-1)
    if (last === undefined || startMs > last.endMs) united.push({ startMs, endMs })
    else last.endMs = Math.max(last.endMs, endMs)
  }
  return united
}

/** What both have. */
export function intersect(one: Spans, other: Spans): Spans {
  const common: Interval[] = []
  let at = 0
  for (const { startMs, endMs } of one) {
    while ((other[at]?.endMs ?? Number.POSITIVE_INFINITY) <= startMs) at += 1
    for (let next = at; next < other.length; next += 1) {
      const span = other[next]
      if (span === undefined || span.startMs >= endMs) break
      common.push({
        startMs: Math.max(startMs, span.startMs),
        endMs: Math.min(endMs, span.endMs),
      })
    }
  }
  return common
}

/** What the first has and the second has not. */
export function subtract(from: Spans, taken: Spans): Spans {
  const left: Interval[] = []
  let at = 0
  for (const { startMs, endMs } of from) {
    while ((taken[at]?.endMs ?? Number.POSITIVE_INFINITY) <= startMs) at += 1
    let restMs = startMs
    for (let next = at; next < taken.length; next += 1) {
      const span = taken[next]
      if (span === undefined || span.startMs >= endMs) break
      if (span.startMs > restMs) left.push({ startMs: restMs, endMs: span.startMs })
      restMs = Math.max(restMs, span.endMs)
    }
    if (restMs < endMs) left.push({ startMs: restMs, endMs })
  }
  return left
}

/** Widens each stretch to all 5-minute slots that it touches; an instant touches its own. */
export function toSlots(stretches: readonly Interval[]): Spans {
  return unite(
    stretches.map(({ startMs, endMs }) => ({
      startMs: floorTo(startMs, FIVE_MINUTES_MS),
      endMs: ceilTo(Math.max(endMs, startMs + 1), FIVE_MINUTES_MS),
    })),
  )
}

/** The slots that begin in the interval. */
export function slotsBegunIn({ startMs, endMs }: Interval): Spans {
  return unite([
    { startMs: ceilTo(startMs, FIVE_MINUTES_MS), endMs: ceilTo(endMs, FIVE_MINUTES_MS) },
  ])
}

/** How many 5-minute slots spans of whole slots have. */
export function countSlots(spans: Spans): number {
  return spans.reduce((sum, { startMs, endMs }) => sum + (endMs - startMs) / FIVE_MINUTES_MS, 0)
}
