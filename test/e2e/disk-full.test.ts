import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, type TestContext } from 'vitest'
import { AppError } from '../../src/core/errors.ts'
import { auditUsage } from '../../src/store/usage/audit.ts'
import type { Engine } from '../../src/store/usage/engine.ts'
import { openEngine } from '../../src/store/usage/open.ts'
import {
  createWorldStore,
  frameMeta,
  NOW_MS,
  startPipeline,
  toBody,
  waitForOutcome,
  WORLD,
  type Pipeline,
  type PipelineOptions,
} from '../support/pipeline.ts'
import { skipOrFail } from '../support/programs.ts'

const DISK_BYTES = 24 << 20
const FREE_BYTES_MIN = 4 << 20

let directory: string
let disk: string
let engine: Engine | undefined
let pipeline: Pipeline | undefined
let errors: object[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-full-'))
  disk = join(directory, 'disk')
  await mkdir(disk)
  errors = []
})

afterEach(async () => {
  await pipeline?.stop()
  await engine?.close()
  pipeline = undefined
  engine = undefined
  execFileSync('umount', ['--lazy', disk], { stdio: 'ignore' })
  await rm(directory, { recursive: true, force: true })
})

function mountDisk(context: TestContext): void {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'weir-full', disk])
  } catch {
    skipOrFail(context, 'mounting a small disk needs root')
  }
}

/** Fills the small disk until so many bytes are left; returns how to make room again. */
async function fill(leave: number): Promise<() => Promise<void>> {
  const { bavail, bsize } = await statfs(disk)
  const path = join(disk, 'filler')
  await writeFile(path, Buffer.alloc(Math.max(0, bavail * bsize - leave))).catch(
    (error: unknown) => {
      // The store writes at the same time and may have been faster: then the disk is full already.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    },
  )
  return () => rm(path)
}

async function open(usage: string, work: string, options: PipelineOptions = {}): Promise<Pipeline> {
  engine = await openEngine({
    location: usage,
    cluster: null,
    queryConnections: 1,
    requestTimeoutMs: 30_000,
  })
  const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
  await store.open()
  pipeline = await startPipeline(work, store, {
    freeBytesMin: FREE_BYTES_MIN,
    batchBytesMax: 1 << 20,
    onError: (details) => errors.push(details),
    ...options,
  })
  return pipeline
}

const LINES = 2000

// Noise that no codec makes small: a row weighs about as much on disk as in the request.
let number = 0
const lines = (): string[] =>
  Array.from({ length: LINES }, () =>
    JSON.stringify({
      id: `record ${(number += 1)} ${Math.random()}`,
      time: NOW_MS - (number % 3) * 86_400_000,
      resource: number % 10 === 0 ? `nobody ${Math.random()}${Math.random()}` : '192.0.2.1',
      direction: 'out',
      bytes: 7,
    }),
  )

/** Sends until it is refused; the numbers of what was accepted. */
async function sendUntilRefused(to: Pipeline): Promise<number[]> {
  const accepted: number[] = []
  for (let sent = 0; sent < 1000; sent += 1) {
    const body = toBody(lines())
    try {
      accepted.push(await to.journal.append(frameMeta({ meter: 'eip' }, LINES), body))
    } catch (error) {
      if (error instanceof AppError && error.code === 'overloaded') return accepted
      throw error
    }
  }
  throw new Error('a thousand requests were accepted, but nobody refused one')
}

async function expectLoaded(from: Pipeline, accepted: readonly number[]): Promise<void> {
  for (const seq of accepted) {
    expect(await waitForOutcome(from.outcomes, seq)).toMatchObject({
      lines: LINES,
      accepted: (LINES * 9) / 10,
      duplicate: 0,
      rejected: { unknown_resource: LINES / 10 },
    })
  }
  if (engine === undefined) throw new Error('no engine')
  const [row] = await engine.rows<{ rows: string; ids: string }>(
    'SELECT count() AS rows, uniqExact(u.rid) AS ids FROM usage_eip AS u',
  )
  expect(Number(row?.rows)).toBe((accepted.length * LINES * 9) / 10)
  expect(row?.ids).toBe(row?.rows)
  expect((await auditUsage(engine, [])).findings).toEqual([])
}

describe("when the journal's disk is full", () => {
  test('it refuses before its own frames leave no room to load them', async (context) => {
    mountDisk(context)
    // A store that is away: frames stay in the journal.
    const running = await open(join(directory, 'usage'), disk)
    await running.loader.stop()
    const accepted = await sendUntilRefused(running)
    expect(accepted.length).toBeGreaterThan(30)
    const { bavail, bsize } = await statfs(disk)
    expect(bavail * bsize).toBeGreaterThan(FREE_BYTES_MIN - (1 << 20))
    await running.journal.close()
    await engine?.close()
    // Restarted with the disk as it is, it loads everything and takes more.
    const again = await open(join(directory, 'usage'), disk)
    await expectLoaded(again, accepted)
    await expectLoaded(again, [...accepted, (await again.load({ meter: 'eip' }, lines())).seq])
  })

  test('that others filled: nothing acked is lost, and it takes more once there is room', async (context) => {
    mountDisk(context)
    const running = await open(join(directory, 'usage'), disk, { freeBytesMin: 0 })
    const makeRoom = await fill(1 << 20)
    const accepted = await sendUntilRefused(running)
    expect(running.journal.healthy).toBe(true)
    await makeRoom()
    await expectLoaded(running, accepted)
    await expectLoaded(running, [...accepted, (await running.load({ meter: 'eip' }, lines())).seq])
  })
})

describe("when the usage store's disk is full", () => {
  test('loads wait, the journal keeps what was acked, and all is exact once there is room', async (context) => {
    mountDisk(context)
    const running = await open(join(disk, 'usage'), directory, { bytesMax: 3 << 20 })
    const before = await running.load({ meter: 'eip' }, lines())
    const makeRoom = await fill(300 << 10)
    const accepted = await sendUntilRefused(running)
    await expect.poll(() => running.loader.healthy, { timeout: 10_000 }).toBe(false)
    expect(errors[0]).toMatchObject({ code: 'overloaded' })
    // Room for a few rows, then none again: loads fail at every place.
    await makeRoom()
    for (const leave of [400, 100, 600, 50, 20, 200]) {
      const again = await fill(leave << 10)
      await new Promise((resolve) => setTimeout(resolve, 300))
      await again()
    }
    await expectLoaded(running, [before.seq, ...accepted])
  })
})
