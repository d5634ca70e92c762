import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { MeterName } from '../meters/meter.ts'
import type { FileChunk, FrameMeta, FrameOutcome, LogSpec, OversizeLine } from './batch.ts'
import { createFileEnds } from './file-ends.ts'
import type { Journal } from './journal.ts'
import type { ChunkSplit, IngestRegistry, KnownFile, LoadedFrame } from './registry.ts'
import type { StepListener } from './steps.ts'

/** Usage records as they came over HTTP, one JSON object per line. */
export interface UsageRequest {
  readonly source: string
  readonly meter: MeterName
  readonly onlyAccount: string | null
  readonly body: Buffer
  readonly lines: number
  /** Empty lines of the body. */
  readonly blankLines?: number
  readonly idempotencyKey: string | null
}

/** A piece of a log file, cut at line ends. */
export interface LogChunk {
  readonly source: string
  readonly onlyAccount?: string | null
  readonly spec: LogSpec
  readonly file: FileChunk
  readonly body: Buffer
  readonly lines: number
  readonly oversize: readonly OversizeLine[]
}

/** Where a frame is on its way. */
export type FrameState =
  | { readonly state: 'accepted'; readonly seq: number }
  | { readonly state: 'loaded'; readonly seq: number; readonly frame: LoadedFrame }

/** The receipt of a request: its frame, and whether an earlier request had already brought it. */
export interface Receipt {
  readonly seq: number
  readonly isRepeat: boolean
}

/** Takes usage in: durable when a call resolves. */
export interface Ingest {
  /** Errors: `overloaded` when the journal is full; `conflict` for a key of another request. */
  acceptUsage(request: UsageRequest): Promise<Receipt>
  /** Errors: `overloaded`; `conflict` when this part of the file has been taken in already. */
  acceptLog(chunk: LogChunk): Promise<{ seq: number }>
  /** Takes rejected lines in again, in place of those they name; their time is judged anew. */
  acceptReplay(
    meta: Omit<FrameMeta, 'oversize' | 'file' | 'idempotencyKey' | 'replayedMs'>,
    body: Buffer,
  ): Promise<number>
  /** The source of a frame that is not loaded yet. */
  sourceOf(seq: number): string | undefined
  /** Undefined for a number that was never given out, or is forgotten. */
  state(seq: number): Promise<FrameState | undefined>
  /** Waits until a frame is loaded; undefined when it takes longer than `timeoutMs`. */
  loaded(seq: number, timeoutMs: number): Promise<LoadedFrame | undefined>
  /** Log files that begin with this line, loaded or still in the journal. */
  files(headHash: string): Promise<readonly KnownFile[]>
  /** Makes the parts of a chunk known, too: a copy of its file ends between them. */
  splitChunk(split: ChunkSplit): Promise<void>
  /** To be called with each loaded batch. */
  onLoaded(outcomes: readonly FrameOutcome[]): void
}

/** What the way in needs. */
export interface IngestDeps {
  readonly journal: Journal
  readonly registry: IngestRegistry
  readonly clock: Clock
  readonly onStep: StepListener
}

/** Builds the way in over a journal. */
export function createIngest(deps: IngestDeps): Ingest {
  const { journal, registry, clock } = deps
  const fileEnds = createFileEnds(journal, registry)
  const waiters = new Map<number, Set<() => void>>()
  // Requests with a key that are on their way to the disk right now.
  const keysInFlight = new Map<string, { request: UsageRequest; receipt: Promise<Receipt> }>()

  // Keys of frames in the journal, read from it once; the registry has those of loaded frames.
  let keys: Map<string, number> | null = null
  function waitingKeys(): Map<string, number> {
    keys ??= new Map(
      journal
        .pending()
        .flatMap(({ source, idempotencyKey: key, seq }) =>
          key === null ? [] : [[slotOf(source, key), seq] as const],
        ),
    )
    return keys
  }

  async function append(meta: FrameMeta, body: Buffer): Promise<number> {
    const seq = await journal.append(meta, body)
    deps.onStep('ack.before')
    return seq
  }

  async function loadedAs(seq: number): Promise<Pick<UsageRequest, 'meter' | 'lines'> | undefined> {
    const frame = await registry.loadedFrame(seq)
    return frame === undefined ? undefined : { meter: frame.meter, lines: frame.outcome.lines }
  }

  async function acceptKeyed(request: UsageRequest, key: string): Promise<Receipt> {
    const slot = slotOf(request.source, key)
    const known = waitingKeys().get(slot) ?? (await registry.frameOfRequest(request.source, key))
    if (known !== undefined) {
      const earlier = journal.frame(known) ?? (await loadedAs(known))
      if (earlier !== undefined) checkRepeat(request, key, earlier)
      return { seq: known, isRepeat: true }
    }
    const seq = await append(usageMeta(request, clock), request.body)
    // A frame that is loaded already is in the registry; only one that waits has to be found here.
    if (journal.frame(seq) !== undefined) waitingKeys().set(slot, seq)
    return { seq, isRepeat: false }
  }

  return {
    async acceptUsage(request) {
      const { idempotencyKey } = request
      if (idempotencyKey === null) {
        return { seq: await append(usageMeta(request, clock), request.body), isRepeat: false }
      }
      const slot = slotOf(request.source, idempotencyKey)
      const other = keysInFlight.get(slot)
      if (other !== undefined) {
        checkRepeat(request, idempotencyKey, other.request)
        return { ...(await other.receipt), isRepeat: true }
      }
      const receipt = acceptKeyed(request, idempotencyKey)
      keysInFlight.set(slot, { request, receipt })
      try {
        return await receipt
      } finally {
        keysInFlight.delete(slot)
      }
    },
    async acceptLog(chunk) {
      const meta: FrameMeta = {
        source: chunk.source,
        meter: 'cdn',
        reading: { kind: 'log', spec: chunk.spec },
        receivedMs: clock.nowMs(),
        lines: chunk.lines,
        onlyAccount: chunk.onlyAccount ?? null,
        file: chunk.file,
        oversize: chunk.oversize,
        idempotencyKey: null,
        replays: [],
      }
      const giveBack = await fileEnds.claim(chunk.file)
      try {
        return { seq: await append(meta, chunk.body) }
      } catch (error) {
        giveBack()
        throw error
      }
    },
    acceptReplay: (meta, body) =>
      append(
        { ...meta, replayedMs: clock.nowMs(), file: null, oversize: [], idempotencyKey: null },
        body,
      ),
    sourceOf: (seq) => journal.frame(seq)?.source,
    async state(seq) {
      if (journal.frame(seq) !== undefined) return { state: 'accepted', seq }
      const frame = await registry.loadedFrame(seq)
      return frame === undefined ? undefined : { state: 'loaded', seq, frame }
    },
    async loaded(seq, timeoutMs) {
      if (journal.frame(seq) !== undefined) await waitFor(waiters, seq, timeoutMs)
      return await registry.loadedFrame(seq)
    },
    files: (headHash) => knownFiles(journal, registry, headHash),
    splitChunk: (split) => registry.splitChunk(split),
    onLoaded(outcomes) {
      const loaded = new Set(outcomes.map(({ seq }) => seq))
      for (const [slot, seq] of keys ?? []) if (loaded.has(seq)) keys?.delete(slot)
      for (const seq of loaded) {
        for (const wake of waiters.get(seq) ?? []) wake()
        waiters.delete(seq)
      }
    },
  }
}

// Taking another request for a repeat would drop its usage in silence.
function checkRepeat(
  request: UsageRequest,
  key: string,
  earlier: Pick<UsageRequest, 'meter' | 'lines'>,
): void {
  if (request.meter === earlier.meter && request.lines === earlier.lines) return
  throw new AppError(
    'conflict',
    `Idempotency-Key ${key} was used for another request (${earlier.meter}, ${earlier.lines} lines). ` +
      'Send this one under a key of its own.',
    { field: 'Idempotency-Key' },
  )
}

function slotOf(source: string, key: string): string {
  return JSON.stringify([source, key])
}

function usageMeta(request: UsageRequest, clock: Clock): FrameMeta {
  return {
    source: request.source,
    meter: request.meter,
    reading: { kind: 'records' },
    receivedMs: clock.nowMs(),
    lines: request.lines,
    ...((request.blankLines ?? 0) > 0 && { blankLines: request.blankLines }),
    onlyAccount: request.onlyAccount,
    file: null,
    oversize: [],
    idempotencyKey: request.idempotencyKey,
    replays: [],
  }
}

function waitFor(
  waiters: Map<number, Set<() => void>>,
  seq: number,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const set = waiters.get(seq) ?? new Set()
    waiters.set(seq, set)
    const wake = (): void => {
      clearTimeout(timer)
      set.delete(wake)
      resolve()
    }
    const timer = setTimeout(wake, timeoutMs)
    set.add(wake)
  })
}

async function knownFiles(
  journal: Journal,
  registry: IngestRegistry,
  headHash: string,
): Promise<readonly KnownFile[]> {
  // The journal is read first: a frame that is loaded in between is then seen twice, never missed.
  const waiting = journal.pending().filter((frame) => frame.file?.headHash === headHash)
  const chunks = new Map<string, Map<number, KnownFile['chunks'][number]>>()
  for (const { fileId, chunks: loaded } of await registry.files(headHash)) {
    chunks.set(fileId, new Map(loaded.map((chunk) => [chunk.offset, chunk])))
  }
  for (const { file, lines } of waiting) {
    if (file === null) continue
    const known = chunks.get(file.fileId) ?? new Map<number, KnownFile['chunks'][number]>()
    const { offset, length, sha256 } = file
    known.set(offset, { offset, length, lines, sha256 })
    chunks.set(file.fileId, known)
  }
  return [...chunks].map(([fileId, known]) => ({
    fileId,
    chunks: [...known.values()].sort((a, b) => a.offset - b.offset),
  }))
}
