import { expect, test } from 'vitest'
import { renderCoverage } from './coverage.ts'

const DAY = {
  start: '2026-11-20T00:00:00.000Z',
  end: '2026-11-21T00:00:00.000Z',
  zone: 'UTC',
  knownUntil: '2026-11-21T00:00:00.000Z',
  account: null,
}

test('a row per source, then the sum', () => {
  const gap = { start: '2026-11-20T03:00:00.000Z', end: '2026-11-20T03:15:00.000Z', slots: 3 }
  const source = { source: 'edge-1', expectedSlots: 288, receivedSlots: 285, percent: '98.95' }
  const answer = {
    ...DAY,
    expectedSlots: 288,
    receivedSlots: 285,
    percent: '98.95',
    sources: [{ ...source, gapCount: 1, gaps: [gap] }],
  }
  expect(renderCoverage(answer)).toBe(
    `SOURCE  EXPECTED  RECEIVED  PERCENT  GAPS  LONGEST GAP
edge-1  288       285       98.95    1     2026-11-20T03:00Z – 2026-11-20T03:15Z
2026-11-20T00:00Z – 2026-11-21T00:00Z: 98.95 % (285 of 288 slots)
`,
  )
})

test('a day of which nothing was expected so far says so', () => {
  const answer = {
    ...DAY,
    knownUntil: '2026-11-20T10:05:00.000Z',
    expectedSlots: 0,
    receivedSlots: 0,
    percent: null,
    sources: [],
  }
  expect(renderCoverage(answer)).toBe(
    'none\n2026-11-20T00:00Z – 2026-11-21T00:00Z, known until 2026-11-20T10:05Z: nothing was expected\n',
  )
})
