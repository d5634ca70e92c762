import { describe, expect, test } from 'vitest'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import { EMPTY_STATE } from './book.ts'
import { formatState, parseDay, parseState, recordText } from './day-record.ts'

function owed(bytes: bigint, place: Pick<TrafficUsage, 'area' | 'billingRegion'>): TrafficUsage {
  const owner = { resourceId: 'r', projectId: 'p' }
  const what = { province: '', kind: 'static', direction: 'out' } as const
  return { startMs: 1_790_784_000_000, ...owner, ...place, ...what, bytes }
}

const ABROAD = owed(7n, { area: 'abroad', billingRegion: 'abroad' })
const APAC1 = owed(11n, { area: 'abroad', billingRegion: 'apac1' })
const CN = owed(13n, { area: 'cn', billingRegion: 'cn' })

// Records written before there were regions, as they were.
const OWED_BEFORE =
  '{"area":"abroad","bytes":"7","direction":"out","kind":"static","projectId":"p",' +
  '"province":"","resourceId":"r","startMs":1790784000000}'
const STATE_BEFORE = `{"arrears":[${OWED_BEFORE}],"balances":[],"exclusive":[]}`

describe('arrears keep their region from day to day', () => {
  test('in what a book carries', () => {
    const state = { ...EMPTY_STATE, arrears: [ABROAD, APAC1, CN] }
    expect(parseState(formatState(state))).toEqual(state)
    expect(formatState(state)).toContain('"billingRegion":"apac1"')
  })

  test('in the records of days, before and after, and in what is left to be priced', () => {
    const opening = { ...EMPTY_STATE, arrears: [APAC1] }
    const closing = { ...EMPTY_STATE, arrears: [APAC1, ABROAD] }
    const record = { kind: 'day', opening, closing, remainder: [CN, APAC1], lines: [] }
    expect(parseDay(recordText(record))).toEqual(record)
  })
})

describe('what was written before there were regions', () => {
  test('is read as what it meant: its area, and abroad nobody knows where', () => {
    expect(parseState(STATE_BEFORE).arrears).toEqual([ABROAD])
  })

  test('is written again byte for byte, as records are verified', () => {
    const day = `{"closing":${STATE_BEFORE},"kind":"day","lines":[],"opening":${STATE_BEFORE},"remainder":[${OWED_BEFORE}]}`
    expect(recordText(parseDay(day))).toBe(day)
    expect(formatState(parseState(STATE_BEFORE))).toBe(STATE_BEFORE)
    // Nothing new is said where the region says no more than the area.
    expect(formatState({ ...EMPTY_STATE, arrears: [ABROAD] })).toBe(STATE_BEFORE)
  })
})
