import { expect, test } from 'vitest'
import { formatProgress, formatSummary } from './progress-line.ts'

test.each([
  [
    { bytesRead: 0, bytesTotal: 1000 },
    0,
    '[------------------------]   0%  0 lines  0 loaded  0 lines/s  0.0 MB/s  ETA ?',
  ],
  [
    { bytesRead: 250e6, bytesTotal: 1e9, lines: 2_345_678, linesLoaded: 12_345 },
    10_000,
    '[######------------------]  25%  2.35 M lines  12 k loaded  235 k lines/s  25.0 MB/s  ETA 0:30',
  ],
  [
    { bytesRead: 1e6, bytesTotal: 1e10, lines: 5, linesLoaded: 5 },
    1000,
    '[------------------------]   0%  5 lines  5 loaded  5 lines/s  1.0 MB/s  ETA 2:46:39',
  ],
  [
    { bytesRead: 5e6, bytesTotal: null, lines: 9, linesLoaded: 0 },
    1000,
    '9 lines  0 loaded  9 lines/s  5.0 MB/s',
  ],
  // A file may grow while it is read.
  [
    { bytesRead: 20, bytesTotal: 10 },
    1000,
    '[########################] 100%  0 lines  0 loaded  0 lines/s  0.0 MB/s  ETA 0:00',
  ],
])('progress %o after %d ms', (progress, elapsedMs, want) => {
  expect(formatProgress({ path: 'a', lines: 0, linesLoaded: 0, ...progress }, elapsedMs)).toBe(want)
})

test('the summary adds up before the reader’s eyes', () => {
  const summary = {
    files: 2,
    lines: 2_000_000,
    accepted: 1_999_990,
    duplicate: 3,
    rejected: { bad_time: 2, unparseable: 5, too_old: 0 },
    bytesOut: 123_456_789_012n,
    elapsedMs: 2000,
    failures: [],
  }
  expect(formatSummary(summary)).toBe(`files          2
lines          2,000,000
accepted       1,999,990
duplicate      3
rejected       7
  unparseable  5
  bad_time     2
bytes out      123,456,789,012
elapsed        2.0 s (1.00 M lines/s)
`)
})
