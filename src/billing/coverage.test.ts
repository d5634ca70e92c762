import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FIVE_MINUTES_MS, localDays, type Interval } from '../core/period.ts'
import { coverSource, formatPercent, type SourceEvidence, sumCoverage } from './coverage.ts'

const ALWAYS = [{ startMs: 0, endMs: Date.UTC(2030, 0) }]

function at(text: string): number {
  return Date.parse(text)
}

function span(start: string, end: string): Interval {
  return { startMs: at(start), endMs: at(end) }
}

/** A source that is due for ever, was first heard of long ago and has reported nothing. */
function silent(more: Partial<SourceEvidence> = {}): SourceEvidence {
  return { source: 'edge-1', due: ALWAYS, firstMs: 0, received: [], gaps: [], ...more }
}

function dayOf(instant: string, zone: string): Interval {
  const [day] = localDays(span(instant, new Date(at(instant) + 1).toISOString()), zone)
  if (day === undefined) throw new Error('no day')
  return day
}

const DAY = dayOf('2026-11-20T12:00:00Z', 'UTC')

describe('slots of a day, counted by hand', () => {
  test.each([
    // 24 h × 12 slots.
    ['2026-11-20T12:00:00Z', 'Asia/Shanghai', 288],
    // New York skips 02:00–03:00 on 8 March 2026: 23 × 12.
    ['2026-03-08T12:00:00Z', 'America/New_York', 276],
    // And repeats 01:00–02:00 on 1 November: 25 × 12.
    ['2026-11-01T12:00:00Z', 'America/New_York', 300],
    // Lord Howe moves by half an hour: 23.5 × 12 on 4 October 2026.
    ['2026-10-04T06:00:00Z', 'Australia/Lord_Howe', 282],
    // Half-hour zones begin their days within a UTC hour.
    ['2026-11-20T12:00:00Z', 'Asia/Kolkata', 288],
  ])('the day of %s in %s expects %i', (instant, zone, slots) => {
    const { expectedSlots, receivedSlots } = coverSource(silent(), dayOf(instant, zone))
    expect([expectedSlots, receivedSlots]).toEqual([slots, 0])
  })
})

describe('what is expected', () => {
  test('a source that began at noon is expected from its first slot on', () => {
    // 12:03 lies in the slot of 12:00; (24 − 12) × 12 = 144.
    const firstMs = at('2026-11-20T12:03:00Z')
    const received = [span('2026-11-20T12:03:00Z', '2026-11-20T12:04:00Z')]
    const { expectedSlots, receivedSlots } = coverSource(silent({ firstMs, received }), DAY)
    expect([expectedSlots, receivedSlots]).toEqual([144, 1])
  })

  test('a source that was never heard of is not expected yet', () => {
    expect(coverSource(silent({ firstMs: null }), DAY).expectedSlots).toBe(0)
  })

  test('a source that was retired at 06:00 is expected until then', () => {
    const due = [{ startMs: 0, endMs: at('2026-11-20T06:00:00Z') }]
    expect(coverSource(silent({ due }), DAY).expectedSlots).toBe(72)
  })

  test('nothing is expected of a source that is never due, and what it sends counts nowhere', () => {
    const received = [span('2026-11-20T01:00:00Z', '2026-11-20T02:00:00Z')]
    const covered = coverSource(silent({ due: [], received }), DAY)
    expect(covered).toMatchObject({ expectedSlots: 0, receivedSlots: 0, missing: [] })
  })

  test('what is known to be missing of such a source is expected all the same', () => {
    // 10:02–10:11 touches the slots of 10:00, 10:05 and 10:10.
    const gaps = [span('2026-11-20T10:02:00Z', '2026-11-20T10:11:00Z')]
    const covered = coverSource(silent({ due: [], gaps }), DAY)
    expect(covered).toMatchObject({ expectedSlots: 3, receivedSlots: 0 })
  })
})

describe('what is received', () => {
  test('overlapping gaps count each slot once, and take it from what was received', () => {
    // All 288 received; 08:00–08:20 and 08:10–08:30 are six slots together, not eight.
    const covered = coverSource(
      silent({
        received: [DAY],
        gaps: [
          span('2026-11-20T08:00:00Z', '2026-11-20T08:20:00Z'),
          span('2026-11-20T08:10:00Z', '2026-11-20T08:30:00Z'),
        ],
      }),
      DAY,
    )
    expect(covered).toMatchObject({ expectedSlots: 288, receivedSlots: 282 })
    expect(covered.missing).toEqual([span('2026-11-20T08:00:00Z', '2026-11-20T08:30:00Z')])
  })

  test('beats of an idle night fill it', () => {
    // Records 06:00–22:00: 192 slots. Beats 00:00–06:00 and 22:00–24:00: 72 + 24.
    const records = span('2026-11-20T06:00:00Z', '2026-11-20T22:00:00Z')
    const beats = [
      span('2026-11-19T20:00:00Z', '2026-11-20T06:00:00Z'),
      span('2026-11-20T22:00:00Z', '2026-11-21T01:00:00Z'),
    ]
    expect(coverSource(silent({ received: [records] }), DAY).receivedSlots).toBe(192)
    expect(coverSource(silent({ received: [records, ...beats] }), DAY).receivedSlots).toBe(288)
  })

  test('a gap of one instant takes its slot', () => {
    const gap = span('2026-11-20T10:05:00Z', '2026-11-20T10:05:00Z')
    const { missing } = coverSource(silent({ received: [DAY], gaps: [gap] }), DAY)
    expect(missing).toEqual([span('2026-11-20T10:05:00Z', '2026-11-20T10:10:00Z')])
  })
})

describe('the coverage of several sources', () => {
  test('adds slots, and shows the longest gaps first', () => {
    const whole = coverSource(silent({ received: [DAY] }), DAY)
    const broken = coverSource(
      silent({
        source: 'edge-2',
        received: [DAY],
        gaps: [
          span('2026-11-20T03:00:00Z', '2026-11-20T03:05:00Z'),
          span('2026-11-20T05:00:00Z', '2026-11-20T06:00:00Z'),
        ],
      }),
      DAY,
    )
    expect(sumCoverage([whole, broken])).toEqual({
      expectedSlots: 576,
      // 1 + 12 slots are missing.
      receivedSlots: 563,
      gaps: [
        { source: 'edge-2', start: '2026-11-20T05:00:00.000Z', end: '2026-11-20T06:00:00.000Z' },
        { source: 'edge-2', start: '2026-11-20T03:00:00.000Z', end: '2026-11-20T03:05:00.000Z' },
      ],
    })
  })

  test('is null when nothing was expected', () => {
    expect(sumCoverage([])).toBeNull()
    expect(sumCoverage([coverSource(silent({ due: [] }), DAY)])).toBeNull()
  })

  test('shows twenty gaps at most, whatever the order of the sources', () => {
    const sources = Array.from({ length: 30 }, (_, index) =>
      coverSource(silent({ source: `edge-${index}` }), DAY),
    )
    const coverage = sumCoverage(sources)
    expect(coverage?.gaps).toHaveLength(20)
    expect(sumCoverage(sources.toReversed())).toEqual(coverage)
  })
})

test.each([
  [0, 0, null],
  [288, 288, '100.00'],
  // 8,637 / 8,640 = 99.9652…
  [8637, 8640, '99.96'],
  // Never rounded up to whole.
  [999_999, 1_000_000, '99.99'],
  [0, 288, '0.00'],
])('%i of %i slots are %s percent', (received, expected, percent) => {
  expect(formatPercent(received, expected)).toBe(percent)
})

/** Minutes since the day began, as a stretch in it. */
const stretch = fc
  .tuple(fc.integer({ min: -400, max: 2000 }), fc.integer({ min: 0, max: 600 }))
  .map(([start, length]) => ({
    startMs: DAY.startMs + start * 60_000,
    endMs: DAY.startMs + (start + length) * 60_000,
  }))

const evidence = fc.record({
  source: fc.constant('edge'),
  due: fc.array(
    stretch.filter(({ startMs, endMs }) => endMs > startMs),
    { maxLength: 3 },
  ),
  firstMs: fc.option(stretch.map(({ startMs }) => startMs)),
  received: fc.array(stretch, { maxLength: 12 }),
  gaps: fc.array(stretch, { maxLength: 4 }),
})

/** Walks slot by slot and asks each stretch whether it touches the slot. */
function slowly(known: SourceEvidence, day: Interval) {
  let expectedSlots = 0
  let receivedSlots = 0
  for (let startMs = day.startMs; startMs < day.endMs; startMs += FIVE_MINUTES_MS) {
    const endMs = startMs + FIVE_MINUTES_MS
    const touches = (stretches: readonly Interval[], fromMs = Number.NEGATIVE_INFINITY): boolean =>
      stretches.some((one) => {
        const last = Math.max(one.endMs, one.startMs + 1)
        return Math.max(one.startMs, fromMs) < Math.min(last, endMs) && last > startMs
      })
    const { firstMs } = known
    const isBegun = firstMs !== null && firstMs < endMs
    // The first slot is due as a whole, but only if the source is due in it at or after its start.
    const slotOfFirst =
      firstMs === null ? 0 : Math.floor(firstMs / FIVE_MINUTES_MS) * FIVE_MINUTES_MS
    const isGap = touches(known.gaps)
    const isExpected = isGap || (isBegun && touches(known.due, slotOfFirst))
    if (isExpected) expectedSlots += 1
    if (isExpected && !isGap && touches(known.received)) receivedSlots += 1
  }
  return { expectedSlots, receivedSlots }
}

test('property: sums of spans agree with asking slot by slot', () => {
  fc.assert(
    fc.property(evidence, (known) => {
      const covered = coverSource(known, DAY)
      expect(covered).toMatchObject(slowly(known, DAY))
      const missing = covered.missing.reduce((sum, gap) => sum + gap.endMs - gap.startMs, 0)
      expect(missing / FIVE_MINUTES_MS).toBe(covered.expectedSlots - covered.receivedSlots)
    }),
    { numRuns: 500 },
  )
})

test('property: two days covered apart add up to both covered at once', () => {
  const noonMs = DAY.startMs + 12 * 3_600_000
  fc.assert(
    fc.property(evidence, (known) => {
      const halves = [
        coverSource(known, { startMs: DAY.startMs, endMs: noonMs }),
        coverSource(known, { startMs: noonMs, endMs: DAY.endMs }),
      ]
      const whole = coverSource(known, DAY)
      const sum = (pick: (one: (typeof halves)[number]) => number) =>
        halves.reduce((total, half) => total + pick(half), 0)
      expect(sum((half) => half.expectedSlots)).toBe(whole.expectedSlots)
      expect(sum((half) => half.receivedSlots)).toBe(whole.receivedSlots)
    }),
  )
})
