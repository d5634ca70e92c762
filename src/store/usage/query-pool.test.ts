import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createPool } from './query-pool.ts'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

/** Work that ends when it is told to. */
function task() {
  let end: () => void = () => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  return { end, ended }
}

test('each session runs one piece of work at a time, in the order in which they came', async () => {
  const pool = createPool(['a', 'b'])
  const tasks = [task(), task(), task()]
  const seen: string[] = []
  const running = tasks.map(({ ended }, index) =>
    pool.run(async (client) => {
      seen.push(`${index}${client}`)
      await ended
    }),
  )
  await vi.advanceTimersByTimeAsync(0)
  expect(seen).toEqual(['0b', '1a'])
  tasks[1]?.end()
  await vi.advanceTimersByTimeAsync(0)
  expect(seen).toEqual(['0b', '1a', '2a'])
  for (const { end } of tasks) end()
  await Promise.all(running)
})

test('it is idle at once, when the last work ended, or when the time is up', async () => {
  const pool = createPool(['a', 'b'])
  const seen: string[] = []
  const rest = async (name: string, ms: number): Promise<void> => {
    await pool.idle(ms)
    seen.push(name)
  }
  await rest('at once', 10)
  const [one, two] = [task(), task()]
  const running = [one, two].map(({ ended }) => pool.run(() => ended))
  void rest('when the time is up', 10)
  void rest('when all ended', 1000)
  one?.end()
  await vi.advanceTimersByTimeAsync(9)
  expect(seen).toEqual(['at once'])
  await vi.advanceTimersByTimeAsync(1)
  expect(seen).toEqual(['at once', 'when the time is up'])
  two?.end()
  await Promise.all(running)
  await vi.advanceTimersByTimeAsync(0)
  expect(seen).toEqual(['at once', 'when the time is up', 'when all ended'])
  expect(vi.getTimerCount()).toBe(0)
})

test('work that fails gives its session back', async () => {
  const pool = createPool(['a'])
  const failed = pool.run(async () => {
    throw new Error('no')
  })
  await expect(failed).rejects.toThrow('no')
  const rest = pool.idle(10)
  await expect(Promise.race([rest.then(() => 'idle'), sleep(1)])).resolves.toBe('idle')
})
