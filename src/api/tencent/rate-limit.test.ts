import { expect, test } from 'vitest'
import { createRateLimiter, RateLimitError } from './rate-limit.ts'

/** Count at which a request is refused; 0 when it passes. */
function refusal(act: () => void): number {
  try {
    act()
    return 0
  } catch (error) {
    if (error instanceof RateLimitError) return error.count
    throw error
  }
}

test('the first twenty of a second pass, later ones are refused and counted too', () => {
  const limiter = createRateLimiter(20)
  const outcomes = Array.from({ length: 23 }, () => refusal(() => limiter.count('a', 'X', 1999)))
  expect(outcomes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0))
  expect(outcomes.slice(20)).toEqual([21, 22, 23])
})

test('the next wall-clock second starts afresh, also when the clock is set back', () => {
  const limiter = createRateLimiter(1)
  expect(refusal(() => limiter.count('a', 'X', 1999))).toBe(0)
  expect(refusal(() => limiter.count('a', 'X', 1000))).toBe(2)
  expect(refusal(() => limiter.count('a', 'X', 2000))).toBe(0)
  expect(refusal(() => limiter.count('a', 'X', 1500))).toBe(0)
})

test('accounts and actions are counted apart', () => {
  const limiter = createRateLimiter(1)
  expect(refusal(() => limiter.count('a', 'X', 0))).toBe(0)
  expect(refusal(() => limiter.count('a', 'Y', 0))).toBe(0)
  expect(refusal(() => limiter.count('b', 'X', 0))).toBe(0)
  expect(refusal(() => limiter.count('a', 'X', 0))).toBe(2)
})
