import { AppError } from '../../core/errors.ts'
import { DAY_MS } from '../../core/period.ts'
import type { Bytes } from '../../core/units.ts'
import { bucketEnd, bucketStart, type SeriesGranularity } from './buckets.ts'
import type { Caller, OperationDeps } from './caller.ts'

/** Longest range of one question, the longest the usage store answers. */
const RANGE_MS_MAX = 400 * DAY_MS

/** Question for the traffic of gateway devices. Both ends are instants, both included. */
export interface FlowQuestion {
  readonly firstMs: number
  readonly lastMs: number
  readonly granularity: SeriesGranularity
  /** `up`: from the devices; `down`: to them. */
  readonly directions: readonly ('up' | 'down')[]
  readonly gatewayType: '0' | '1'
  /** undefined: all. */
  readonly accessRegion: string | undefined
}

/** Traffic per bucket with its summary. */
export interface FlowStatistics {
  /** Buckets with traffic, ascending; others are left out. */
  readonly points: readonly { readonly startMs: number; readonly bytes: Bytes }[]
  readonly maxBytes: Bytes
  readonly totalBytes: Bytes
}

/**
 * Answers the traffic of all gateway devices of an account.
 *
 * Time: every bucket that touches `[firstMs, lastMs]`; hours are absolute, days the account's
 * local days; buckets after the current one are left out.
 * Errors: `parameter_invalid` with field `end` when it ends before it begins or is too long.
 * Limits: 400 days.
 * Source: tencent.md §3.3, "Semantics recovered from the official sample responses".
 */
export async function flowStatistics(
  caller: Caller,
  question: FlowQuestion,
  deps: OperationDeps,
): Promise<FlowStatistics> {
  const { firstMs, lastMs, granularity } = question
  if (lastMs < firstMs || lastMs - firstMs > RANGE_MS_MAX - 2 * DAY_MS) {
    throw new AppError('parameter_invalid', 'The range ends before it begins or is too long.', {
      field: 'end',
    })
  }
  const zone = caller.payer.zone
  const startMs = bucketStart(firstMs, granularity, zone)
  const endMs = bucketEnd(Math.min(lastMs, deps.clock.nowMs()), granularity, zone)
  if (startMs >= endMs) return { points: [], maxBytes: 0n, totalBytes: 0n }
  const rows = await deps.usage.query({
    meter: 'mna',
    accountId: caller.payer.id,
    startMs,
    endMs,
    granularity,
    zone,
    filters: {
      direction: question.directions,
      gateway_type: [question.gatewayType],
      ...(question.accessRegion !== undefined && { access_region: [question.accessRegion] }),
    },
    groupBy: [],
    measures: ['bytes'],
    dense: false,
  })
  const points = rows
    .map((row) => ({ startMs: row.startMs, bytes: row.bytes ?? 0n }))
    .filter(({ bytes }) => bytes > 0n)
  return summarize(points)
}

function summarize(points: FlowStatistics['points']): FlowStatistics {
  let maxBytes = 0n
  let totalBytes = 0n
  for (const { bytes } of points) {
    totalBytes += bytes
    if (bytes > maxBytes) maxBytes = bytes
  }
  return { points, maxBytes, totalBytes }
}
