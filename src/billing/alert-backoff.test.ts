import { expect, test } from 'vitest'
import { HOUR_MS } from '../core/period.ts'
import { ATTEMPTS_MAX, waitMsAfter } from './alert-backoff.ts'

test('waits grow threefold from half a minute, nine attempts in 27 to 31 hours', () => {
  // 30 s × (1 + 3 + 9 + … + 3^7) = 30 s × 3280 = 27 h 20 min; a tenth more is 30 h 4 min.
  for (const id of ['dlv-a', 'dlv-b', 'dlv-c']) {
    let total = 0
    for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt += 1) {
      const waitMs = waitMsAfter(attempt, id) ?? 0
      const base = 30_000 * 3 ** (attempt - 1)
      expect(waitMs).toBeGreaterThanOrEqual(base)
      expect(waitMs).toBeLessThan(base * 1.1)
      total += waitMs
    }
    expect(total / HOUR_MS).toBeGreaterThan(27)
    expect(total / HOUR_MS).toBeLessThan(31)
    expect(waitMsAfter(ATTEMPTS_MAX, id)).toBeNull()
  }
})

test('deliveries that failed together come back apart, each always at its own time', () => {
  const waits = Array.from({ length: 20 }, (_, index) => waitMsAfter(5, `dlv-${index}`))
  expect(new Set(waits).size).toBe(20)
  expect(waitMsAfter(5, 'dlv-0')).toBe(waits[0])
})

test('a receiver may ask for more time, up to an hour, and never for less', () => {
  expect(waitMsAfter(1, 'dlv', 600_000)).toBe(600_000)
  expect(waitMsAfter(1, 'dlv', 86_400_000)).toBe(HOUR_MS)
  expect(waitMsAfter(1, 'dlv', 0)).toBe(waitMsAfter(1, 'dlv'))
  expect(waitMsAfter(ATTEMPTS_MAX, 'dlv', 600_000)).toBeNull()
})
