import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFakeStore, type FakeStore } from '../../test/support/ingest-fakes.ts'
import { frameMeta, NOW, toBody } from '../../test/support/pipeline.ts'
import { AppError } from '../core/errors.ts'
import type { FrameMeta, FrameOutcome } from './batch.ts'
import { INLINE_BYTES_MAX } from './journal-entry.ts'
import { Journal } from './journal.ts'
import { Loader, type LoaderConfig } from './loader.ts'
import type { Step } from './steps.ts'

let directory: string
let store: FakeStore
let outcomes: FrameOutcome[]
let checkpoints: string[]
let steps: Step[]
let errors: string[]
let journal: Journal
let loaders: Loader[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-loader-'))
  store = createFakeStore()
  outcomes = []
  checkpoints = []
  steps = []
  errors = []
  loaders = []
  journal = await openJournal()
})

afterEach(async () => {
  for (const loader of loaders) await loader.stop()
  await journal.close()
  await rm(directory, { recursive: true, force: true })
})

async function openJournal(): Promise<Journal> {
  const opened = new Journal(
    { directory, bytesMax: 1 << 30, segmentBytes: 1 << 30 },
    { clock: NOW, onStep: () => undefined, log: { warn: () => undefined } },
  )
  await opened.open()
  return opened
}

async function start(limits: Partial<LoaderConfig> = {}): Promise<Loader> {
  const loader = new Loader(
    {
      directory,
      batchBytesMax: 1 << 20,
      batchLinesMax: 1000,
      batchFramesMax: 1000,
      retryMs: 1,
      ...limits,
    },
    {
      journal,
      store,
      checkpointer: {
        checkpoint: async (batch, done) => {
          checkpoints.push(`${batch.id}: ${done.length}`)
        },
      },
      clock: NOW,
      onStep: (step) => steps.push(step),
      onLoaded: (_batch, loaded) => outcomes.push(...loaded),
      log: { info: () => undefined, error: (_details, message) => errors.push(message) },
    },
  )
  loaders.push(loader)
  await loader.start()
  return loader
}

async function append(
  lines: readonly string[],
  meta: Partial<FrameMeta> = {},
  from: Journal = journal,
): Promise<number> {
  return await from.append(frameMeta({ meter: 'eip', ...meta }, lines.length), toBody(lines))
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !condition(); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  expect(condition()).toBe(true)
}

/** Lets no insert through until the function that it returns is called. */
function closeGate(): () => void {
  let open = (): void => undefined
  store.gate = new Promise((resolve) => {
    open = resolve
  })
  return () => open()
}

const loaded = (count: number) => until(() => outcomes.length === count)

describe('loading', () => {
  test('goes through every step in order, and frees the journal at the end', async () => {
    const seq = await append(['a', 'b'])
    await start()
    await loaded(1)
    await until(() => journal.pending().length === 0)
    expect(store.calls).toEqual(['synchronise', `insert ${seq}-1`, `roll ${seq}`])
    expect(checkpoints).toEqual([`${seq}: 1`])
    await until(() => steps.includes('retire.after'))
    expect(steps).toEqual([
      'load.plan.before',
      'load.plan.after',
      'load.stage.after',
      'load.usage.after',
      'load.inserted.after',
      'roll.before',
      'roll.after',
      'checkpoint.before',
      'checkpoint.after',
      'retire.before',
      'retire.after',
    ])
    expect((await readdir(directory)).filter((name) => !name.endsWith('.wal'))).toEqual([])
  })

  test('takes up frames that arrive while it waits', async () => {
    await start()
    await append(['a'])
    await loaded(1)
    await append(['b'])
    await loaded(2)
    expect(store.batches).toHaveLength(2)
  })

  test.each([
    ['succeeds', []],
    ['fails', [new AppError('overloaded', 'The usage store is away.')]],
  ])('parses the next batch while one is inserted, which %s', async (_, failures) => {
    store.failures.stageAhead = failures
    const first = await append(['a'])
    const second = await append(['b'])
    const open = closeGate()
    await start({ batchFramesMax: 1 })
    await until(() => store.staged.length === 2)
    expect(store.staged).toEqual([`stage ${first}`, `ahead ${second}`])
    expect(store.batches).toEqual([])
    open()
    await loaded(2)
    // Only the store knows whether what was parsed ahead is still right.
    expect(store.staged.slice(2)).toEqual([`stage ${second}`])
    expect(store.batches.map(({ id }) => id)).toEqual([first, second])
    expect(errors).toEqual([])
  })

  test('leaves nothing of a batch that was parsed ahead when it stops', async () => {
    await append(['a'])
    await append(['b'])
    const open = closeGate()
    const loader = await start({ batchFramesMax: 1 })
    await until(() => store.staged.length === 2)
    const stopped = loader.stop()
    open()
    await stopped
    expect(store.batches).toHaveLength(1)
    expect(journal.pending()).toHaveLength(1)
    expect((await readdir(directory)).filter((name) => name.endsWith('.lines'))).toEqual([])
  })

  test('lays frames out as files whose lines are in order, large ones as they are', async () => {
    const large = 'x'.repeat(INLINE_BYTES_MAX)
    await append(['a', 'b'])
    await append(['c'])
    await append([large])
    await append([])
    await append(['d'])
    const seen: [number, string][] = []
    const original = { ...store }
    store.insert = async (batch, files, onStep) => {
      for (const { path, firstPosition } of files) {
        seen.push([firstPosition, await readFile(path, 'utf8')])
      }
      return await original.insert(batch, files, onStep)
    }
    await start()
    await loaded(5)
    expect(seen).toEqual([
      [0, 'a\nb\nc\n'],
      [3, `${large}\n`],
      [4, 'd\n'],
    ])
  })
})

describe('a batch', () => {
  const log = (format: string, clientFrom: 'remote_addr' | 'x_forwarded_for' = 'remote_addr') =>
    ({ kind: 'log', spec: { format, domain: null, clientFrom, timeZone: null } }) as const

  test('never mixes meters, readings or replays', async () => {
    await append(['1'])
    await append(['2'], { meter: 'cdn' })
    await append(['3'], { meter: 'cdn', reading: log('$host') })
    await append(['4'], { meter: 'cdn', reading: log('$host', 'x_forwarded_for') })
    await append(['5'], { replays: [{ batch: 1, line: 1, frame: 1 }] })
    await append(['6'])
    await append(['7'], { meter: 'cdn', reading: log('$host') })
    await start()
    await loaded(7)
    expect(store.batches.map(({ frames }) => frames.length)).toEqual([2, 1, 2, 1, 1])
    for (const { frames, meter, reading } of store.batches) {
      for (const frame of frames) expect(frame).toMatchObject({ meter, reading })
    }
  })

  test.each([
    ['frames', { batchFramesMax: 2 }, [2, 2, 1]],
    ['lines', { batchLinesMax: 3 }, [1, 1, 1, 1, 1]],
    ['lines', { batchLinesMax: 4 }, [2, 2, 1]],
    ['bytes', { batchBytesMax: 8 }, [2, 2, 1]],
    ['bytes', { batchBytesMax: 1 }, [1, 1, 1, 1, 1]],
  ])('holds at most so many %s: %j', async (_, limits, sizes) => {
    for (let index = 0; index < 5; index += 1) await append(['a', 'b'])
    await start(limits)
    await loaded(5)
    expect(store.batches.map(({ frames }) => frames.length)).toEqual(sizes)
  })
})

describe('a failing store', () => {
  const down = (): Error => new AppError('overloaded', 'The usage store is away.')

  test('is asked again until it succeeds; what an attempt left behind is discarded', async () => {
    store.failures.insert = [down(), down(), down()]
    const seq = await append(['a'])
    const loader = await start()
    await until(() => errors.length > 0)
    await loaded(1)
    await until(() => loader.healthy)
    expect(store.calls.filter((call) => call !== 'synchronise')).toEqual([
      `insert ${seq}-1`,
      `discard ${seq}-2`,
      `insert ${seq}-2`,
      `discard ${seq}-3`,
      `insert ${seq}-3`,
      `discard ${seq}-4`,
      `insert ${seq}-4`,
      `roll ${seq}`,
    ])
    expect(outcomes).toMatchObject([{ seq, accepted: 1 }])
  })

  test('that fails after the insert is not asked to insert again', async () => {
    store.failures.roll = [down(), down()]
    const seq = await append(['a'])
    await start()
    await loaded(1)
    expect(store.calls.filter((call) => call.startsWith('insert'))).toEqual([`insert ${seq}-1`])
    expect(store.calls.filter((call) => call.startsWith('roll'))).toHaveLength(3)
  })

  test('is waited for longer each time', async () => {
    const times: number[] = []
    const original = { ...store }
    store.roll = async (batch, onStep) => {
      times.push(performance.now())
      await original.roll(batch, onStep)
    }
    store.failures.roll = [down(), down(), down(), down()]
    await append(['a'])
    await start({ retryMs: 20 })
    await loaded(1)
    const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(waits).toHaveLength(4)
    for (const [index, wait] of waits.entries()) {
      expect(wait).toBeGreaterThanOrEqual(20 * 2 ** index - 2)
    }
  })

  test('does not keep the loader from stopping', async () => {
    store.failures.insert = Array.from({ length: 1000 }, down)
    await append(['a'])
    const loader = await start({ retryMs: 60_000 })
    await until(() => errors.length === 1)
    await loader.stop()
    expect(loader.healthy).toBe(false)
    expect(journal.pending()).toHaveLength(1)
  })
})

describe('after a restart', () => {
  async function restart(): Promise<void> {
    for (const loader of loaders.splice(0)) await loader.stop()
    await journal.close()
    journal = await openJournal()
    store.calls.length = 0
  }

  test('an unfinished batch is taken up with its frames and the next attempt', async () => {
    const seq = await append(['a'])
    await append(['b'])
    await journal.mark({ t: 'plan', batch: seq, attempt: 3, frames: [seq] })
    await restart()
    await start()
    await loaded(2)
    expect(store.calls.slice(0, 4)).toEqual([
      `discard ${seq}-4`,
      'synchronise',
      `insert ${seq}-4`,
      `roll ${seq}`,
    ])
  })

  test('one that was inserted is only rolled and checkpointed', async () => {
    const seq = await append(['a'])
    const outcome = { seq, lines: 1, accepted: 1, duplicate: 0, rejected: {}, accounts: [] }
    await journal.mark({ t: 'plan', batch: seq, attempt: 1, frames: [seq] })
    await journal.mark({ t: 'inserted', batch: seq, outcomes: [{ ...outcome, bytes: '7' }] })
    await restart()
    await start()
    await loaded(1)
    expect(store.calls).toEqual([`roll ${seq}`])
    expect(outcomes).toEqual([{ ...outcome, bytes: 7n }])
  })

  test('nothing is left of a batch that was done', async () => {
    const seq = await append(['a'])
    await start()
    await loaded(1)
    await until(() => journal.pending().length === 0)
    await restart()
    await start()
    await append(['b'])
    await loaded(2)
    expect(store.calls.some((call) => call.includes(String(seq)))).toBe(false)
  })
})
