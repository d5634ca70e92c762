import { AppError, assert } from '../core/errors.ts'
import type { MeterName } from '../meters/meter.ts'
import type { RejectReason } from '../meters/reject-reasons.ts'
import type { LogSpec, Reading } from './batch.ts'
import type { Ingest } from './ingest.ts'
import type { LoadedFrame } from './registry.ts'

/** A rejected line with what is needed to take it in again. */
export interface ReplayableLine {
  readonly batch: number
  readonly frame: number
  readonly line: number
  readonly receivedMs: number
  readonly source: string
  readonly meter: string
  readonly format: string
  readonly reason: RejectReason
  readonly raw: Buffer
}

/** Which rejected lines to take in again. */
export interface ReplayRequest {
  readonly source?: string
  readonly meter?: string
  /** Only lines whose domain or resource is this. */
  readonly detail?: string
  /** Reads log lines this way instead of the way that failed. */
  readonly spec?: LogSpec
}

/** What a replay did. `stillRejected` lines are kept as before, with their present reason. */
export interface ReplayResult {
  readonly lines: number
  readonly accepted: number
  readonly duplicate: number
  readonly stillRejected: number
}

export interface ReplayDeps {
  readonly ingest: Pick<Ingest, 'acceptReplay' | 'loaded'>
  /** The highest frame number given out so far. */
  readonly lastFrame: () => number
  /** Frames that take rejected lines in again and are not loaded yet. */
  readonly waiting: () => readonly number[]
  /** The one account whose resources a source may report; null: any. */
  readonly onlyAccount: (source: string) => Promise<string | null>
  readonly list: (
    filter: { source?: string; meter?: string; detail?: string; reasons: readonly string[] },
    page: { limit: number; after: { frame: number; line: number } | null },
  ) => Promise<readonly ReplayableLine[]>
}

/**
 * Reasons that a later registration, another format or the time that passed can explain.
 *
 * A line that is too old only grows older, and of one that is too long only the beginning is kept.
 */
export const REPLAYABLE: readonly RejectReason[] = [
  'unknown_resource',
  'unparseable',
  'bad_time',
  'bad_bytes',
  'bad_field',
  'from_future',
]

/** Lines taken in again as one frame; bounds memory and the statement that removes them. */
const FRAME_LINES = 5_000
const LOADED_WAIT_MS = 600_000

/**
 * Builds the replay of rejected lines. One runs at a time.
 *
 * Each line moves: it leaves `rejected` in the same batch that takes it in, so a crash at any
 * moment neither loses nor doubles it. Lines that are still unusable return to `rejected`.
 */
export function createReplay(deps: ReplayDeps): (request: ReplayRequest) => Promise<ReplayResult> {
  let running: Promise<unknown> = Promise.resolve()
  return (request) => {
    const mine = running.then(() => replay(deps, request))
    running = mine.catch(() => undefined)
    return mine
  }
}

async function replay(deps: ReplayDeps, request: ReplayRequest): Promise<ReplayResult> {
  const { spec, ...filter } = request
  // What an earlier replay (of this process or one before) took in leaves `rejected` when it is
  // loaded; taken in once more before that, it would count twice.
  for (const seq of deps.waiting()) await waitUntilLoaded(deps, seq)
  const total = { lines: 0, accepted: 0, duplicate: 0, stillRejected: 0 }
  // Lines that are rejected again come back under higher numbers: the walk ends before them.
  const last = deps.lastFrame()
  let after: { frame: number; line: number } | null = null
  for (;;) {
    const page = await deps.list({ ...filter, reasons: REPLAYABLE }, { limit: FRAME_LINES, after })
    const lines = page.filter((line) => line.frame <= last)
    for (const group of groupLines(lines)) {
      const loaded = await replayGroup(deps, group, spec)
      total.lines += group.length
      total.accepted += loaded.outcome.accepted
      total.duplicate += loaded.outcome.duplicate
    }
    const final = page.at(-1)
    if (final === undefined || lines.length < page.length) break
    after = { frame: final.frame, line: final.line }
  }
  return { ...total, stillRejected: total.lines - total.accepted - total.duplicate }
}

/** Lines that one frame may hold: same source, meter and reading. */
function groupLines(lines: readonly ReplayableLine[]): ReplayableLine[][] {
  const groups = new Map<string, ReplayableLine[]>()
  for (const line of lines) {
    const key = JSON.stringify([line.source, line.meter, line.format])
    const group = groups.get(key) ?? []
    group.push(line)
    groups.set(key, group)
  }
  return [...groups.values()]
}

async function replayGroup(
  deps: ReplayDeps,
  group: readonly ReplayableLine[],
  spec: LogSpec | undefined,
): Promise<LoadedFrame> {
  const [first] = group
  assert(first !== undefined, 'a group has a line')
  const original = JSON.parse(first.format) as Reading
  const reading: Reading =
    spec !== undefined && original.kind === 'log' ? { kind: 'log', spec } : original
  const newline = Buffer.from('\n')
  const body = Buffer.concat(group.flatMap((line) => [line.raw, newline]))
  const seq = await deps.ingest.acceptReplay(
    {
      source: first.source,
      meter: first.meter as MeterName,
      reading,
      receivedMs: Math.max(...group.map((line) => line.receivedMs)),
      lines: group.length,
      onlyAccount: await deps.onlyAccount(first.source),
      replays: group.map(({ batch, frame, line }) => ({ batch, frame, line })),
    },
    body,
  )
  return await waitUntilLoaded(deps, seq)
}

async function waitUntilLoaded(deps: ReplayDeps, seq: number): Promise<LoadedFrame> {
  const loaded = await deps.ingest.loaded(seq, LOADED_WAIT_MS)
  if (loaded !== undefined) return loaded
  throw new AppError(
    'overloaded',
    'The lines are taken in, but the usage store does not load them. Try again once it does.',
    { retryAfterSeconds: 60 },
  )
}
