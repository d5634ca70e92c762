import { expect, test } from 'vitest'
import { createSpareBodies } from './spare-bodies.ts'

test('the largest buffer is taken first, and only once', () => {
  const spares = createSpareBodies(100)
  const [small, large] = [Buffer.alloc(10), Buffer.alloc(20)]
  spares.give(large)
  spares.give(small)
  expect(spares.take(21)).toBeUndefined()
  expect(spares.take(5)).toBe(large)
  expect(spares.take(5)).toBe(small)
  expect(spares.take(5)).toBeUndefined()
})

test('no more is kept than allowed, and nothing of no length', () => {
  const spares = createSpareBodies(30)
  spares.give(Buffer.alloc(20))
  spares.give(Buffer.alloc(11))
  spares.give(Buffer.alloc(0))
  expect(spares.take(0)?.length).toBe(20)
  expect(spares.take(0)).toBeUndefined()
  spares.give(Buffer.alloc(11))
  expect(spares.take(11)?.length).toBe(11)
})
