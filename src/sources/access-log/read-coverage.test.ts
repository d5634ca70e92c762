import { expect, test } from 'vitest'
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/period.ts'
import { createReadCoverage, type ReadFile } from './read-coverage.ts'
import { createTailMemory, type TailMemory } from './tail-memory.ts'

const T = Date.UTC(2026, 10, 20, 10, 0)

function open(memory: TailMemory = createTailMemory(null, 'edge')) {
  const complete: number[][] = []
  const lost: object[] = []
  const coverage = createReadCoverage(memory, {
    complete: ({ startMs, endMs }) => void complete.push([startMs - T, endMs - T]),
    lost: async (part) => void lost.push([part.file, part.startMs - T, part.endMs - T]),
  })
  const look = (nowMs: number, files: readonly ReadFile[], isComplete = true) =>
    coverage.endLook(files, { isComplete, nowMs: T + nowMs })
  return { memory, coverage, complete, lost, look }
}

function file(identity: string, readTo: number, bornMs = 0): ReadFile {
  return { identities: [identity], readTo, isReadToEnd: true, bornMs }
}

test('each look that read everything covers the time since the one before', async () => {
  const { complete, lost, look } = open()
  await look(0, [file('a', 10)])
  await look(SECOND_MS, [file('a', 10)])
  // Behind for twelve minutes, then all is read: it was only late.
  await look(2 * SECOND_MS, [file('a', 20)], false)
  await look(12 * MINUTE_MS, [file('a', 99)])
  expect(complete).toEqual([
    [0, 0],
    [0, SECOND_MS],
    [SECOND_MS, 12 * MINUTE_MS],
  ])
  expect(lost).toEqual([])
})

test('after a pause everything since the last look is covered once what was read is found again', async () => {
  const first = open()
  await first.look(0, [file('a', 100), file('b', 50)])
  const { coverage, complete, lost, look } = open(first.memory)
  coverage.restore(T + 3 * HOUR_MS)
  // a went on under whatever name; of b only a part is there so far.
  await look(3 * HOUR_MS, [file('a', 140), file('b', 20)])
  expect(complete).toEqual([])
  await look(3 * HOUR_MS + SECOND_MS, [file('a', 140), file('b', 50)])
  expect(complete).toEqual([[0, 3 * HOUR_MS + SECOND_MS]])
  expect(lost).toEqual([])
})

test('what does not turn up within a minute is lost since it was last read until the next file', async () => {
  const first = open()
  await first.look(0, [file('a', 100)])
  const { coverage, complete, lost, look } = open(first.memory)
  coverage.restore(T + 3 * HOUR_MS)
  const next = file('next', 5, T + HOUR_MS)
  const older = file('older', 5, T - HOUR_MS)
  await look(3 * HOUR_MS, [older, next])
  await look(3 * HOUR_MS + 59 * SECOND_MS, [older, next])
  expect(lost).toEqual([])
  // Not while something else waits to be read: it may be among it.
  await look(3 * HOUR_MS + 61 * SECOND_MS, [older, next], false)
  expect(lost).toEqual([])
  await look(3 * HOUR_MS + 62 * SECOND_MS, [older, next])
  expect(lost).toEqual([['a', 0, HOUR_MS]])
  // The rest of the pause was read; the gap says what was not.
  expect(complete).toEqual([[0, 3 * HOUR_MS + 62 * SECOND_MS]])
  await look(4 * HOUR_MS, [older, next])
  expect(lost).toHaveLength(1)
})

test('without a file that took its place, all until it was noticed is lost', async () => {
  const { coverage, lost, look } = open()
  await look(0, [file('a', 100)])
  coverage.missing({ identity: 'a', size: 150 }, T + MINUTE_MS)
  // Read as far as before is not enough: more of it had been seen.
  await look(2 * MINUTE_MS, [file('a', 149)])
  expect(lost).toEqual([['a', 0, MINUTE_MS]])
})

test('a loss that cannot be recorded is tried again', async () => {
  const memory = createTailMemory(null, 'edge')
  let attempts = 0
  const coverage = createReadCoverage(memory, {
    complete: () => undefined,
    lost: async () => {
      attempts += 1
      if (attempts === 1) throw new Error('down')
    },
  })
  coverage.missing({ identity: 'a', size: 1 }, T)
  const look = { isComplete: true, nowMs: T + 2 * MINUTE_MS }
  await expect(coverage.endLook([], look)).rejects.toThrow('down')
  await coverage.endLook([], look)
  await coverage.endLook([], look)
  expect(attempts).toBe(2)
})

test('a file that is done is not looked for after a crash, and an idle one costs a note a minute', async () => {
  const memory = createTailMemory(null, 'edge')
  let notes = 0
  const counting = {
    ...memory,
    rememberFollowed: (content: Parameters<TailMemory['rememberFollowed']>[0]) => {
      notes += 1
      memory.rememberFollowed(content)
    },
  }
  const { look } = open(counting)
  for (let ms = 0; ms < 2 * MINUTE_MS; ms += SECOND_MS) await look(ms, [file('a', 1), file('b', 1)])
  expect(notes).toBe(2)
  await look(2 * MINUTE_MS - SECOND_MS, [file('b', 1)])
  expect(memory.followed()?.files).toEqual([{ file: 'b', size: 1 }])
})
