import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createFakeRegistry,
  createFakeStore,
  type FakeStore,
} from '../../test/support/ingest-fakes.ts'
import { NOW, NOW_MS } from '../../test/support/pipeline.ts'
import { createIngest, type Ingest, type LogChunk, type UsageRequest } from './ingest.ts'
import { Journal } from './journal.ts'
import { Loader } from './loader.ts'
import type { IngestRegistry } from './registry.ts'

let directory: string
let registry: IngestRegistry
let store: FakeStore
let journal: Journal
let loader: Loader | null
let ingest: Ingest

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-ingest-'))
  registry = createFakeRegistry()
  store = createFakeStore()
  loader = null
  await open()
})

afterEach(async () => {
  await close()
  await rm(directory, { recursive: true, force: true })
})

async function open(bytesMax = 1 << 30): Promise<void> {
  journal = new Journal(
    { directory, bytesMax, segmentBytes: 1 << 30 },
    { clock: NOW, onStep: () => undefined, log: { warn: () => undefined } },
  )
  await journal.open()
  ingest = createIngest({ journal, registry, clock: NOW, onStep: () => undefined })
}

async function close(): Promise<void> {
  await loader?.stop()
  loader = null
  await journal.close()
}

async function startLoader(): Promise<void> {
  loader = new Loader(
    { directory, batchBytesMax: 1 << 20, batchLinesMax: 1000, batchFramesMax: 1000, retryMs: 1 },
    {
      journal,
      store,
      checkpointer: registry,
      clock: NOW,
      onStep: () => undefined,
      onLoaded: (_batch, outcomes) => ingest.onLoaded(outcomes),
      log: { info: () => undefined, error: () => undefined },
    },
  )
  await loader.start()
}

const request = (key: string | null, more: Partial<UsageRequest> = {}): UsageRequest => ({
  source: 'edge',
  meter: 'eip',
  onlyAccount: null,
  body: Buffer.from('{}\n'),
  lines: 1,
  idempotencyKey: key,
  ...more,
})

describe('a request with a key', () => {
  test('is taken once, however often and whenever it comes again', async () => {
    // At the same time, while the first is on its way to the disk.
    const [first, second] = await Promise.all([
      ingest.acceptUsage(request('k')),
      ingest.acceptUsage(request('k')),
    ])
    expect([first?.isRepeat, second?.isRepeat]).toEqual([false, true])
    const { seq } = first ?? { seq: 0 }
    const repeat = { seq, isRepeat: true }
    expect(second).toEqual(repeat)
    // While it waits in the journal, also after a restart.
    expect(await ingest.acceptUsage(request('k'))).toEqual(repeat)
    await close()
    await open()
    expect(await ingest.acceptUsage(request('k'))).toEqual(repeat)
    // Once it is loaded, also after a restart.
    await startLoader()
    expect(await ingest.loaded(seq, 5000)).toMatchObject({ seq, outcome: { accepted: 1 } })
    expect(await ingest.acceptUsage(request('k'))).toEqual(repeat)
    await close()
    await open()
    expect(await ingest.acceptUsage(request('k'))).toEqual(repeat)
    expect(journal.pending()).toEqual([])
    expect(store.batches).toHaveLength(1)
  })

  test('while its first time is being loaded is a repeat, too', async () => {
    let release = (): void => undefined
    store.gate = new Promise((resolve) => (release = resolve))
    const { seq } = await ingest.acceptUsage(request('k'))
    await startLoader()
    const repeats = Array.from({ length: 20 }, async (_, index) => {
      await new Promise((resolve) => setTimeout(resolve, index))
      if (index === 10) release()
      return await ingest.acceptUsage(request('k'))
    })
    for (const repeat of await Promise.all(repeats)) expect(repeat).toEqual({ seq, isRepeat: true })
  })

  test('is another one under another key, from another source, or without a key', async () => {
    const receipts = await Promise.all([
      ingest.acceptUsage(request('k')),
      ingest.acceptUsage(request('l')),
      ingest.acceptUsage(request('k', { source: 'other' })),
      ingest.acceptUsage(request(null)),
      ingest.acceptUsage(request(null)),
      // Names must not run into each other.
      ingest.acceptUsage(request('b","c', { source: 'a' })),
      ingest.acceptUsage(request('c', { source: 'a","b' })),
    ])
    expect(receipts.map(({ isRepeat }) => isRepeat)).toEqual(Array(7).fill(false))
    expect(journal.pending()).toHaveLength(7)
  })

  test('of another request is refused, or its usage would be dropped in silence', async () => {
    const others = [request('k', { meter: 'mna' }), request('k', { lines: 2 })]
    const expectRefusals = async (): Promise<void> => {
      for (const other of others) {
        await expect(ingest.acceptUsage(other)).rejects.toMatchObject({ code: 'conflict' })
      }
    }
    const first = ingest.acceptUsage(request('k'))
    await expectRefusals()
    const { seq } = await first
    await expectRefusals()
    await startLoader()
    await ingest.loaded(seq, 5000)
    await expectRefusals()
  })

  test('that was refused can be sent again', async () => {
    await close()
    await open(5)
    await ingest.acceptUsage(request('k'))
    await expect(ingest.acceptUsage(request('l'))).rejects.toMatchObject({ code: 'overloaded' })
    await startLoader()
    await expect
      .poll(async () => await ingest.acceptUsage(request('l')).catch(() => undefined))
      .toMatchObject({ isRepeat: false })
  })
})

describe('the state of a frame', () => {
  test('is accepted, then loaded; unknown numbers have none', async () => {
    const { seq } = await ingest.acceptUsage(request(null))
    expect(await ingest.state(seq)).toEqual({ state: 'accepted', seq })
    expect(ingest.sourceOf(seq)).toBe('edge')
    expect(await ingest.loaded(seq, 10)).toBeUndefined()
    const waiting = ingest.loaded(seq, 5000)
    await startLoader()
    expect(await waiting).toMatchObject({ seq, source: 'edge' })
    expect(await ingest.state(seq)).toMatchObject({ state: 'loaded' })
    expect(await ingest.state(seq + 1)).toBeUndefined()
    expect(await ingest.loaded(seq + 1, 5000)).toBeUndefined()
  })
})

test('a frame says how many of its lines are empty, and when a replay took them in', async () => {
  await ingest.acceptUsage(request(null, { lines: 2, blankLines: 3 }))
  await ingest.acceptUsage(request(null, { blankLines: 0 }))
  const { source, meter, body, lines, onlyAccount } = request(null)
  const replays = [{ batch: 1, frame: 1, line: 7 }]
  const meta = { source, meter, lines, onlyAccount, replays, receivedMs: 5 }
  await ingest.acceptReplay({ ...meta, reading: { kind: 'records' } }, body)
  const told = (): unknown[] =>
    journal.pending().map((frame) => [frame.lines, frame.blankLines, frame.replayedMs])
  const expected = [
    [2, 3, undefined],
    [1, undefined, undefined],
    [1, undefined, NOW_MS],
  ]
  expect(told()).toEqual(expected)
  await close()
  await open()
  expect(told()).toEqual(expected)
})

describe('log files', () => {
  const chunk = (fileId: string, offset: number, headHash = 'head'): LogChunk => ({
    source: 'logs',
    spec: { format: '$host', domain: null, clientFrom: 'remote_addr', timeZone: null },
    file: { fileId, headHash, path: '/var/log/a', offset, length: 4, sha256: `${fileId}${offset}` },
    body: Buffer.from('abc\n'),
    lines: 1,
    oversize: [],
  })
  const known = async (head = 'head') =>
    (await ingest.files(head)).map(({ fileId, chunks }) => [fileId, ...chunks.map((c) => c.offset)])

  test('are known by their first line: loaded chunks and those that wait, in order', async () => {
    await ingest.acceptLog(chunk('f1', 0))
    await ingest.acceptLog(chunk('f2', 0))
    await ingest.acceptLog(chunk('f3', 0, 'another head'))
    await startLoader()
    await expect.poll(() => journal.pending().length).toBe(0)
    await loader?.stop()
    await ingest.acceptLog(chunk('f1', 4))
    await ingest.acceptLog(chunk('f1', 8))
    expect(await known()).toEqual([
      ['f1', 0, 4, 8],
      ['f2', 0],
    ])
    expect(await known('another head')).toEqual([['f3', 0]])
    expect(await known('unknown')).toEqual([])
    await close()
    await open()
    expect(await known()).toEqual([
      ['f1', 0, 4, 8],
      ['f2', 0],
    ])
  })

  test('a chunk that is loaded while it is asked for is seen once', async () => {
    await ingest.acceptLog(chunk('f1', 0))
    const [frame] = journal.pending()
    const original = registry
    registry = {
      ...original,
      async files(head) {
        if (frame !== undefined) {
          const { seq } = frame
          const batch = { id: seq, attempt: 1, meter: frame.meter, reading: frame.reading }
          const outcome = { seq, lines: 1, accepted: 1, duplicate: 0, rejected: {}, accounts: [] }
          await original.checkpoint({ ...batch, frames: [frame] }, [{ ...outcome, bytes: 1n }])
        }
        return await original.files(head)
      },
    }
    ingest = createIngest({ journal, registry, clock: NOW, onStep: () => undefined })
    expect(await known()).toEqual([['f1', 0]])
  })

  test('carry the moment at which they arrived', async () => {
    await ingest.acceptLog(chunk('f1', 0))
    expect(journal.pending()[0]?.receivedMs).toBe(NOW_MS)
  })
})
