import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { Clock } from '../../src/core/clock.ts'
import type { Batch, FrameMeta, FrameOutcome } from '../../src/ingest/batch.ts'
import { Journal } from '../../src/ingest/journal.ts'
import { Loader, type BatchStore, type Checkpointer } from '../../src/ingest/loader.ts'
import type { StepListener } from '../../src/ingest/steps.ts'
import { compileFormat } from '../../src/sources/access-log/format.ts'
import type { Engine } from '../../src/store/usage/engine.ts'
import type { Attribution } from '../../src/store/usage/reference.ts'
import { createUsageStore, type UsageStore } from '../../src/store/usage/usage-store.ts'

/** The moment at which pipeline tests take place. */
export const NOW_MS = Date.UTC(2026, 10, 20, 12, 0, 0)
export const NOW: Clock = { nowMs: () => NOW_MS }

/** The elastic IP of the small world. */
export const ELASTIC_IP = resource('eip', '192.0.2.1', 'eip-1', 'org-1', { region: 'cn-bj2' })

/**
 * A small world: two domains, two elastic IPs, a gateway device, in two projects of one account.
 */
export const WORLD: readonly Attribution[] = [
  resource('cdn', 'a.example.com', 'ucdn-a', 'org-1'),
  resource('cdn', 'b.example.com', 'ucdn-b', 'org-2', { kind: 'dynamic' }),
  resource('cdn', 'other.example.net', 'ucdn-x', 'org-9', { accountId: 'acc-2' }),
  ELASTIC_IP,
  resource('mna', 'truck-7', 'mna-1', 'org-1', { gatewayType: 1 }),
]

function resource(
  meter: Attribution['meter'],
  name: string,
  resourceId: string,
  projectId: string,
  more: Partial<Attribution> = {},
): Attribution {
  return {
    meter,
    name,
    resourceId,
    accountId: 'acc-1',
    projectId,
    kind: 'static',
    gatewayType: 0,
    region: '',
    fromMs: NOW_MS - 40 * 86_400_000,
    toMs: null,
    ...more,
  }
}

/** A few address prefixes, in place of the real database. */
const PREFIXES = [
  '1.2.3.0/24\tcn\tbeijing\tdianxin',
  '60.0.0.0/8\tcn\tshanghai\tliantong',
  '8.0.0.0/8\teu-na\tothers\tothers',
  '2409::/16\tcn\tguangdong\tyidong',
].join('\n')

export interface World {
  attributions: readonly Attribution[]
  revision: number
}

/** Builds a usage store over an engine for the small world. */
export function createWorldStore(engine: Engine, directory: string, world: World): UsageStore {
  return createUsageStore({
    engine,
    lateness: { lateMsMax: 35 * 86_400_000, skewMsMax: 300_000 },
    directory: join(directory, 'work'),
    places: {
      version: 'test-1',
      writePrefixes: (path) => writeFile(path, `${PREFIXES}\n`),
    },
    compile: compileFormat,
    ownership: {
      revision: async () => world.revision,
      attributions: async () => world.attributions,
    },
  })
}

export const NO_STEPS: StepListener = () => undefined

/** A journal and loader over a store, with what they loaded. */
export interface Pipeline {
  readonly journal: Journal
  readonly loader: Loader
  readonly outcomes: Map<number, FrameOutcome>
  /** Appends a frame and waits until it is loaded. */
  load(
    meta: Partial<FrameMeta> & Pick<FrameMeta, 'meter'>,
    lines: readonly string[],
  ): Promise<FrameOutcome>
  stop(): Promise<void>
}

/** How a pipeline differs from the usual one. */
export interface PipelineOptions {
  readonly checkpointer?: Checkpointer
  /** Bytes that the journal holds. */
  readonly bytesMax?: number
  /** Bytes of one load. */
  readonly batchBytesMax?: number
  /** Free bytes below which the journal refuses frames. */
  readonly freeBytesMin?: number
  readonly clock?: Clock
  /** Told of loads that failed and are tried again; by default they are shown. */
  readonly onError?: (details: object) => void
}

/** Starts a journal and a loader in a directory. */
export async function startPipeline(
  directory: string,
  store: BatchStore,
  options: PipelineOptions = {},
): Promise<Pipeline> {
  const { checkpointer = { checkpoint: async () => undefined }, clock = NOW } = options
  await mkdir(directory, { recursive: true })
  const log = {
    info: () => undefined,
    warn: () => undefined,
    // A load that fails would be tried again until the test times out: show why at once.
    error: (details: object, message: string) => {
      if (options.onError !== undefined) options.onError(details)
      else process.stderr.write(`${message} ${inspect(details, { depth: 5 })}\n`)
    },
  }
  const journal = new Journal(
    {
      directory: join(directory, 'journal'),
      bytesMax: options.bytesMax ?? 1 << 30,
      segmentBytes: 1 << 20,
      ...(options.freeBytesMin !== undefined && { freeBytesMin: options.freeBytesMin }),
    },
    { clock, onStep: NO_STEPS, log },
  )
  await journal.open()
  const outcomes = new Map<number, FrameOutcome>()
  const loader = new Loader(
    {
      directory: join(directory, 'journal'),
      batchBytesMax: options.batchBytesMax ?? 32 << 20,
      batchLinesMax: 500_000,
      batchFramesMax: 1000,
      retryMs: 10,
    },
    {
      journal,
      store,
      checkpointer,
      clock,
      onStep: NO_STEPS,
      log,
      onLoaded: (_batch: Batch, loaded) => {
        for (const outcome of loaded) outcomes.set(outcome.seq, outcome)
      },
    },
  )
  await loader.start()
  return {
    journal,
    loader,
    outcomes,
    async load(meta, lines) {
      const seq = await journal.append(frameMeta(meta, lines.length), toBody(lines))
      return await waitForOutcome(outcomes, seq)
    },
    async stop() {
      await loader.stop()
      await journal.close()
    },
  }
}

/** Joins lines into a frame's body. */
export function toBody(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''))
}

/** Completes what a frame says of itself. */
export function frameMeta(
  meta: Partial<FrameMeta> & Pick<FrameMeta, 'meter'>,
  lines: number,
): FrameMeta {
  return {
    source: 'test',
    reading: { kind: 'records' },
    receivedMs: NOW_MS,
    onlyAccount: null,
    file: null,
    oversize: [],
    idempotencyKey: null,
    replays: [],
    ...meta,
    lines,
  }
}

/**
 * Waits until a frame is loaded: longer than a load waits that failed for some seconds, since its
 * waits double.
 */
export async function waitForOutcome(
  outcomes: ReadonlyMap<number, FrameOutcome>,
  seq: number,
): Promise<FrameOutcome> {
  for (let tries = 0; tries < 3000; tries += 1) {
    const outcome = outcomes.get(seq)
    if (outcome !== undefined) return outcome
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`frame ${seq} was not loaded within thirty seconds`)
}
