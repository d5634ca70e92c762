import type { Batch, FrameOutcome } from '../../src/ingest/batch.ts'
import type { BatchStore } from '../../src/ingest/loader.ts'
import type { IngestRegistry, KnownFile, LoadedFrame } from '../../src/ingest/registry.ts'
import { NOW_MS } from './pipeline.ts'

/** A usage store that keeps what it was asked, and fails when told to. */
export interface FakeStore extends BatchStore {
  readonly calls: string[]
  /** Which batches were parsed, and which of them ahead of their turn. */
  readonly staged: string[]
  readonly batches: Batch[]
  /** Thrown, one each, by the next calls of that name. */
  readonly failures: Partial<
    Record<'synchronise' | 'discard' | 'stageAhead' | 'insert' | 'roll', Error[]>
  >
  /** Awaited by every insert. */
  gate: Promise<void>
}

/** Builds a store that accepts every line as one byte of usage. */
export function createFakeStore(): FakeStore {
  const store: FakeStore = {
    calls: [],
    batches: [],
    failures: {},
    gate: Promise.resolve(),
    synchronise: async () => called('synchronise', ''),
    discard: async (batch) => called('discard', `${batch.id}-${batch.attempt}`),
    staged: [],
    stage: async (batch) => void store.staged.push(`stage ${batch.id}`),
    async stageAhead(batch) {
      store.staged.push(`ahead ${batch.id}`)
      const failure = store.failures.stageAhead?.shift()
      if (failure !== undefined) throw failure
    },
    async insert(batch, _files, onStep) {
      await store.gate
      called('insert', `${batch.id}-${batch.attempt}`)
      store.batches.push(batch)
      onStep('load.usage.after')
      return batch.frames.map(outcomeOf)
    },
    roll: async (batch) => called('roll', String(batch.id)),
  }
  function called(name: 'synchronise' | 'discard' | 'insert' | 'roll', details: string): void {
    store.calls.push(details === '' ? name : `${name} ${details}`)
    const failure = store.failures[name]?.shift()
    if (failure !== undefined) throw failure
  }
  return store
}

function outcomeOf({ seq, lines }: { seq: number; lines: number }): FrameOutcome {
  return {
    seq,
    lines,
    accepted: lines,
    duplicate: 0,
    rejected: {},
    accounts: ['acc-1'],
    bytes: BigInt(lines),
  }
}

/** A registry in memory. */
export function createFakeRegistry(): IngestRegistry {
  const frames = new Map<number, LoadedFrame>()
  const keys = new Map<string, number>()
  const files = new Map<string, { headHash: string; file: KnownFile }>()
  return {
    async checkpoint(batch, outcomes) {
      for (const frame of batch.frames) {
        const outcome = outcomes.find(({ seq }) => seq === frame.seq)
        if (outcome === undefined || frames.has(frame.seq)) continue
        const { seq, source, meter, receivedMs } = frame
        frames.set(seq, { seq, source, meter, receivedMs, loadedMs: NOW_MS, outcome })
        if (frame.idempotencyKey !== null) keys.set(`${source} ${frame.idempotencyKey}`, seq)
        if (frame.file === null) continue
        const { fileId, headHash, offset, length, sha256 } = frame.file
        const known = files.get(fileId)?.file.chunks ?? []
        const chunks = [...known, { offset, length, lines: frame.lines, sha256 }]
        files.set(fileId, { headHash, file: { fileId, chunks } })
      }
    },
    loadedFrame: async (seq) => frames.get(seq),
    files: async (headHash) =>
      [...files.values()].filter((entry) => entry.headHash === headHash).map(({ file }) => file),
    async splitChunk({ headHash, splitId, parts }) {
      files.set(splitId, { headHash, file: { fileId: splitId, chunks: parts } })
    },
    async fileEnd(fileId) {
      const chunks = files.get(fileId)?.file.chunks ?? []
      return Math.max(0, ...chunks.map(({ offset, length }) => offset + length))
    },
    frameOfRequest: async (source, key) => keys.get(`${source} ${key}`),
    totals: async () => [],
    prune: async () => undefined,
  }
}
