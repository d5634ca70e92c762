import type { Batch, Frame } from '../../ingest/batch.ts'
import { METERS, type Meter, type MeterName } from '../../meters/meter.ts'
import { REJECT_REASONS, type RejectReason } from '../../meters/reject-reasons.ts'
import type { LineSource } from './engine.ts'
import { quote } from './render.ts'

/** Cache results that are told apart; any other is kept as OTHER. */
export const CACHE_RESULTS = [
  '',
  'HIT',
  'MISS',
  'EXPIRED',
  'STALE',
  'UPDATING',
  'REVALIDATED',
  'BYPASS',
  'NONE',
  'OTHER',
] as const

/** Cache results that count as served from cache. */
export const CACHE_HITS = ['HIT', 'STALE', 'UPDATING', 'REVALIDATED'] as const

/**
 * Setting of every statement of a load: its threads yield to those of queries (`nice` 19), which
 * somebody is waiting for. Where the process may not change priorities, the engine ignores it.
 */
export const BACKGROUND = 'os_thread_priority = 19'

/**
 * Settings of staging: nearly every line takes the common path, so computing both branches of a
 * condition for a whole column is faster than sorting out the rows of each.
 */
export const EAGER = `short_circuit_function_evaluation = 'disable', ${BACKGROUND}`

/** Protocols that are told apart. */
export const PROTOCOLS = ['', 'http', 'https', 'websocket', 'quic'] as const

const STAGE_DIMENSIONS: Readonly<Record<MeterName, readonly string[]>> = {
  cdn: [
    'place UInt16',
    'ip_version UInt8',
    'protocol UInt8',
    'status UInt16',
    'cache UInt8',
    'located UInt8',
  ],
  eip: ['direction String'],
  mna: ['gateway_type String', 'access_region String', 'direction String', 'link String'],
}

/** Which of the two places for a staged batch. */
export type StageSlot = 0 | 1
export const STAGE_SLOTS: readonly StageSlot[] = [0, 1]

/** Name of the in-memory table that holds a batch between parsing and insertion. */
export function stageTable(meter: MeterName, slot: StageSlot): string {
  return `stage_${meter}_${slot}`
}

/**
 * Renders the statements that create a meter's stages anew.
 *
 * A server may still be filling the old ones for a process that is gone; those rows go nowhere.
 */
export function renderStages(meter: Meter): string[] {
  const columns = [
    'f UInt32',
    'position UInt64',
    'reason UInt8',
    'rid UInt64',
    'rid_check UInt64',
    'version UInt32',
    "minute DateTime('UTC')",
    ...STAGE_DIMENSIONS[meter.name],
    ...meter.quantities.map(({ name }) => `${name} UInt64`),
    'records UInt64',
  ]
  return STAGE_SLOTS.flatMap((slot) => {
    const name = stageTable(meter.name, slot)
    return [
      `DROP TABLE IF EXISTS ${name}`,
      `CREATE TABLE ${name}\n(${columns.join(', ')})\nENGINE = Memory`,
    ]
  })
}

/** Up to so many frames, comparing a line's position with each start is faster than a search. */
const COMPARED_FRAMES_MAX = 16

/** Positions of a batch's frames within the lines that one load reads. */
export interface FrameMap {
  /** Expression: 1-based number of the frame that holds the line at `position`. */
  readonly frame: string
  /** Expression over `f`: position of the frame's first line. */
  readonly start: string
}

/** Maps line positions to frames; `starts` is ascending and begins with 0. */
export function mapFrames(frames: readonly Frame[]): FrameMap {
  if (frames.length === 1) return { frame: 'toUInt32(1)', start: 'toUInt64(0)' }
  let position = 0
  const starts = frames.map((frame) => {
    const start = position
    position += frame.lines + (frame.blankLines ?? 0)
    return start
  })
  if (starts.length <= COMPARED_FRAMES_MAX) {
    const later = starts.slice(1).map((start) => `(position >= ${start})`)
    return {
      frame: `toUInt32(1 + ${later.join(' + ')})`,
      start: `arrayElement(${numbers(starts)}, f)`,
    }
  }
  // A frame without lines starts where the next one does; only the next one is ever meant.
  const filled = frames.flatMap(({ lines }, index) => (lines > 0 ? [index] : []))
  const searched = numbers(filled.map((index) => starts[index] ?? 0))
  const found = numbers(filled.map((index) => index + 1))
  return {
    frame: `toUInt32(transform(roundDown(position, ${searched}), ${searched}, ${found}, toUInt64(0)))`,
    start: `arrayElement(${numbers(starts)}, f)`,
  }
}

// A plain list of literals is one node of the statement's tree, however long it is.
function numbers(values: readonly number[]): string {
  return `CAST([${values.join(', ')}], 'Array(UInt64)')`
}

/** Expression: a number that a frame knows, picked by its number `f`; UInt64. */
export function numberPerFrame(frames: readonly Frame[], pick: (frame: Frame) => number): string {
  const values = frames.map(pick)
  return isUniform(values) ? `toUInt64(${values[0]})` : `arrayElement(${numbers(values)}, f)`
}

/** Expression: a text that a frame knows, picked by its number `f`. */
export function textPerFrame(frames: readonly Frame[], pick: (frame: Frame) => string): string {
  const values = frames.map(pick)
  return isUniform(values)
    ? quote(values[0] ?? '')
    : `arrayElement([${values.map(quote).join(', ')}], f)`
}

function isUniform(values: readonly unknown[]): boolean {
  return values.every((value) => value === values[0])
}

/** Stored number of a reason, from 1; 0 means usable. */
export function reasonCode(reason: RejectReason): number {
  return REJECT_REASONS.indexOf(reason) + 1
}

/** How far a record's time may lie from the moment it arrived. */
export interface Lateness {
  readonly lateMsMax: number
  readonly skewMsMax: number
}

/**
 * Expression: why a record cannot be used, as a number; needs `error`, `time`, `minute`,
 * `version` and `f` in scope, and `oversized`, an expression that is true for impossible
 * quantities.
 */
export function rejectReason(batch: Batch, lateness: Lateness, oversized: string): string {
  // A replayed line was in time when it first arrived, and may lie in the past by now.
  const oldestMs = numberPerFrame(batch.frames, (frame) =>
    frame.replays.length > 0 ? 0 : Math.max(0, frame.receivedMs - lateness.lateMsMax),
  )
  const newestMs = numberPerFrame(
    batch.frames,
    ({ receivedMs, replayedMs = receivedMs }) =>
      Math.max(receivedMs, replayedMs) + lateness.skewMsMax,
  )
  const known = batch.frames.some((frame) => frame.onlyAccount !== null)
    ? `(version != 0 AND (${textPerFrame(batch.frames, (f) => f.onlyAccount ?? '')} AS only) ` +
      `IN ('', dictGet('attribution_versions', 'account', toUInt64(version))))`
    : 'version != 0'
  const errors = REJECT_REASONS.map(
    (reason) => `error = ${quote(reason)}, toUInt8(${reasonCode(reason)})`,
  )
  return `multiIf(
    error != '', multiIf(${errors.slice(0, 5).join(', ')}, toUInt8(${reasonCode('unparseable')})),
    ${oversized}, toUInt8(${reasonCode('bad_bytes')}),
    toUnixTimestamp64Milli(time) < ${oldestMs}, toUInt8(${reasonCode('too_old')}),
    toUnixTimestamp64Milli(time) > ${newestMs}, toUInt8(${reasonCode('from_future')}),
    NOT (${known}), toUInt8(${reasonCode('unknown_resource')}),
    toUInt8(0))`
}

/** Lines of the batch, numbered: columns `line`, `position`. */
export function numberedLines(source: LineSource): string {
  return `(SELECT line, toUInt64(${source.position}) AS position FROM ${source.from})`
}

/** The meter of a batch. */
export function meterOf(batch: Batch): Meter {
  return METERS[batch.meter]
}
