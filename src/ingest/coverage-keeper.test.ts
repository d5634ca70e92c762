import { expect, test } from 'vitest'
import { FIVE_MINUTES_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../core/period.ts'
import { createCoverageKeeper, type CoverageKeeper } from './coverage-keeper.ts'
import type { Beat, CoverageLog, NumberedRequest } from './coverage-log.ts'

const T = Date.UTC(2026, 10, 20, 10, 0)

interface World {
  readonly keeper: CoverageKeeper
  readonly beats: Beat[][]
  readonly numbers: number[][]
  readonly errors: unknown[]
  failure: Error | null
}

function open(): World {
  const world = { beats: [], numbers: [], errors: [], failure: null } as Omit<World, 'keeper'>
  const log: CoverageLog = {
    async recordBeats(beats) {
      if (world.failure !== null) throw world.failure
      world.beats.push([...beats])
    },
    recordThrough: async () => undefined,
    async recordNumbers(numbers: readonly NumberedRequest[]) {
      await Promise.resolve()
      if (world.failure !== null) throw world.failure
      world.numbers.push(numbers.map(({ number }) => number))
    },
    recordGap: async () => undefined,
    noteExpectations: async () => undefined,
  }
  const clock = { nowMs: () => T }
  const keeper = createCoverageKeeper({ log, clock, onError: (e) => world.errors.push(e) })
  return Object.assign(world, { keeper })
}

function instant(atMs: number) {
  return { startMs: atMs, endMs: atMs }
}

function slots(source: string, from: number, to: number): Beat {
  return { source, startMs: T + from * FIVE_MINUTES_MS, endMs: T + to * FIVE_MINUTES_MS }
}

test('beats of a second are written once per source and slot', async () => {
  const { keeper, beats } = open()
  await keeper.start()
  for (let at = 0; at < 6 * MINUTE_MS; at += SECOND_MS) keeper.beat('edge-1', instant(T + at))
  keeper.beat('edge-2', instant(T + 299_999))
  await keeper.stop()
  expect(beats).toEqual([[slots('edge-1', 0, 2), slots('edge-2', 0, 1)]])
  // What is written already is not written again, only what is new of a longer span.
  keeper.beat('edge-1', instant(T + MINUTE_MS))
  keeper.beat('edge-1', { startMs: T + MINUTE_MS, endMs: T + 12 * MINUTE_MS })
  await keeper.stop()
  expect(beats.slice(1)).toEqual([[slots('edge-1', 2, 3)]])
})

test('beats that are apart stay apart', async () => {
  const { keeper, beats } = open()
  keeper.beat('edge', instant(T))
  keeper.beat('edge', instant(T + HOUR_MS))
  await keeper.stop()
  expect(beats).toEqual([[slots('edge', 0, 1), slots('edge', 12, 13)]])
})

test('what could not be written is kept, said, and written later', async () => {
  const world = open()
  world.failure = new Error('down')
  world.keeper.beat('edge', instant(T))
  await world.keeper.stop()
  await world.keeper.number({ source: 'edge', number: 1, receivedMs: T })
  expect(world.errors).toEqual([world.failure, world.failure])
  world.failure = null
  world.keeper.beat('edge', instant(T + FIVE_MINUTES_MS))
  await world.keeper.stop()
  expect(world.beats).toEqual([[slots('edge', 0, 2)]])
  expect(world.numbers).toEqual([[1]])
})

test('numbers that arrive while others are written are written together', async () => {
  const { keeper, numbers } = open()
  const note = (number: number) => keeper.number({ source: 'edge', number, receivedMs: T })
  const first = note(1)
  await Promise.resolve()
  await Promise.all([first, note(2), note(3), note(4)])
  expect(numbers.flat()).toEqual([1, 2, 3, 4])
  expect(numbers.length).toBeLessThan(4)
})
