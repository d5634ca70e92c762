import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatDuration, formatSize, parseDuration, parseSize } from './quantities.ts'

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['5m', 300_000],
    ['12h', 43_200_000],
    ['35d', 3_024_000_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['0s', 0],
  ])('%s is %d ms', (text, durationMs) => expect(parseDuration(text)).toBe(durationMs))

  test.each(['', '5', '5 minutes', '-5s', '1.5h', 's', '5sec', '999999999999d'])(
    '"%s" is refused instead of guessed',
    (text) => expect(parseDuration(text)).toBeNull(),
  )

  test('a written duration is read back as it was', () => {
    fc.assert(fc.property(fc.nat(), (ms) => parseDuration(formatDuration(ms)) === ms))
  })
})

describe('sizes', () => {
  test.each([
    ['0B', 0],
    ['512B', 512],
    ['50MB', 50_000_000],
    ['1 GiB', 1_073_741_824],
    ['1.5GiB', 1_610_612_736],
    ['10k', 10_000],
    ['1gib', 1_073_741_824],
  ])('%s is %d bytes', (text, sizeBytes) => expect(parseSize(text)).toBe(sizeBytes))

  test.each(['', '5', '-5MB', '5 bytes', 'MB', '1e3MB', '999999999999TiB', '0.1B'])(
    '"%s" is refused instead of guessed',
    (text) => expect(parseSize(text)).toBeNull(),
  )

  test('a written size is read back as it was', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        fc.pre(size < 1e12)
        expect(parseSize(formatSize(size))).toBe(size)
      }),
    )
  })
})
