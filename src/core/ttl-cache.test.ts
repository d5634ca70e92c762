import { expect, test } from 'vitest'
import { createTtlCache } from './ttl-cache.ts'

function setup(limits = { ttlMs: 1000, entriesMax: 2 }) {
  const clock = { ms: 5000, nowMs: () => clock.ms }
  const cache = createTtlCache<number>(limits, clock)
  let asked = 0
  const ask = () => Promise.resolve(++asked)
  return { clock, cache, ask, asked: () => asked }
}

test('an answer is reused until its time is over, never after', async () => {
  const { clock, cache, ask } = setup()
  expect(await cache.get('a', ask)).toBe(1)
  clock.ms += 999
  expect(await cache.get('a', ask)).toBe(1)
  clock.ms += 1
  expect(await cache.get('a', ask)).toBe(2)
})

test('a clock set back does not keep an answer alive', async () => {
  const { clock, cache, ask } = setup()
  await cache.get('a', ask)
  clock.ms -= 1
  expect(await cache.get('a', ask)).toBe(2)
})

test('callers at the same time share one question', async () => {
  const { cache, ask, asked } = setup()
  expect(await Promise.all([cache.get('a', ask), cache.get('a', ask)])).toEqual([1, 1])
  expect(asked()).toBe(1)
})

test('nothing asked before an invalidation is used after it', async () => {
  const { cache, ask } = setup()
  const before = cache.get('a', ask)
  cache.invalidate()
  expect(await cache.get('a', ask)).toBe(2)
  expect(await before).toBe(1)
})

test('a failed question is asked again', async () => {
  const { cache, ask } = setup()
  await expect(cache.get('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
  expect(await cache.get('a', ask)).toBe(1)
})

test('at the bound the oldest answer goes', async () => {
  const { cache, ask } = setup()
  await cache.get('a', ask)
  await cache.get('b', ask)
  await cache.get('c', ask)
  expect(await cache.get('c', ask)).toBe(3)
  expect(await cache.get('b', ask)).toBe(2)
  expect(await cache.get('a', ask)).toBe(4)
})
