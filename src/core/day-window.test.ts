import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type DayWindow, parseWindow, windowsOverlap } from './day-window.ts'

function window(text: string): DayWindow {
  const parsed = parseWindow(text)
  if (parsed === undefined) throw new Error(`${text} is no window`)
  return parsed
}

test.each([
  ['00:00-08:00', '08:00-12:00', false],
  ['00:00-08:00', '07:59-12:00', true],
  ['22:00-02:00', '01:59-03:00', true],
  ['22:00-02:00', '02:00-22:00', false],
  ['22:00-02:00', '23:00-00:00', true],
  ['20:00-24:00', '00:00-04:00', false],
  ['23:00-01:00', '22:00-00:30', true],
])('%s and %s share a minute: %s', (a, b, expected) => {
  expect(windowsOverlap(window(a), window(b))).toBe(expected)
})

/** The obvious way: walks from minute to minute around the clock. */
function minutesOf({ fromMinute, toMinute }: DayWindow): Set<number> {
  const minutes = new Set<number>()
  for (let minute = fromMinute; minute % 1440 !== toMinute % 1440; minute += 1) {
    minutes.add(minute % 1440)
  }
  return minutes
}

test('two windows overlap exactly when they have a minute in common, whatever they wrap', () => {
  const part = fc
    .tuple(fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 0, max: 1440 }))
    .filter(([from, to]) => (to - from) % 1440 !== 0)
    .map(([fromMinute, toMinute]) => ({ fromMinute, toMinute }))
  fc.assert(
    fc.property(part, part, (a, b) => {
      const others = minutesOf(b)
      const both = [...minutesOf(a)].filter((minute) => others.has(minute))
      expect(windowsOverlap(a, b)).toBe(both.length > 0)
    }),
    { numRuns: 200 },
  )
})
