import { AppError } from '../../core/errors.ts'
import { DAY_MS, type Interval } from '../../core/period.ts'
import { ISPS, PROVINCES } from '../../meters/places.ts'
import { bucketEnd, bucketStart, type SeriesGranularity } from './buckets.ts'
import type { Caller, OperationDeps } from './caller.ts'
import { resourceOf } from './ownership.ts'

/** Longest range of one question. */
const RANGE_MS_MAX: Readonly<Record<SeriesGranularity, number>> = {
  minute: 3 * DAY_MS,
  '5min': 30 * DAY_MS,
  hour: 30 * DAY_MS,
  day: 32 * DAY_MS,
}

/** How far back a series may begin: one year, a leap day included. */
const HISTORY_MS = 366 * DAY_MS

/** A value of a list with the index of its parameter, so that an error can name it. */
export interface Listed {
  readonly index: number
  readonly value: string
}

/** Question for the bandwidth of provinces. */
export interface ProvinceBandwidthQuestion {
  readonly projectId: string
  readonly startMs: number
  readonly endMs: number
  readonly granularity: SeriesGranularity
  /** Ids or names; empty: every domain of the project. */
  readonly domains: readonly Listed[]
  /** Empty: every province with usage. */
  readonly provinces: readonly Listed[]
  readonly isp: string | undefined
  /** Keys under which each province's list is answered. */
  readonly listNames: readonly string[]
}

/**
 * Answers bandwidth and traffic per province as JSON text, ready to be spliced into an envelope.
 *
 * Shape: see `UsageReader.provinceSeriesJson`.
 * Time: widened to whole buckets; hours are absolute, days the account's local days; buckets after
 * the current one are left out.
 * Errors: `parameter_invalid` with field `start`, `end` or `isp`, `domain.<index>`,
 * `province.<index>`; `not_found` with `domain.<index>` for an unknown or foreign domain.
 * Limits: 1 min ≤ 3 days, 5 min and 1 h ≤ 30 days, 1 day ≤ 32 days; one year of history.
 * Source: ucloud.md §4.2 GetUcdnProIspBandwidthV2, §7 Ranges.
 */
export async function provinceBandwidth(
  caller: Caller,
  question: ProvinceBandwidthQuestion,
  deps: OperationDeps,
): Promise<string> {
  const nowMs = deps.clock.nowMs()
  const zone = caller.payer.zone
  checkRange(question, nowMs)
  const provinces = question.provinces.map((listed) => knownProvince(listed))
  if (question.isp !== undefined && !(ISPS as readonly string[]).includes(question.isp)) {
    throw invalid('isp', 'The carrier is not one of the documented codes.')
  }
  const resourceIds: string[] = []
  for (const { index, value } of question.domains) {
    const field = `domain.${index}`
    const wanted = { meter: 'cdn', idOrName: value, projectId: question.projectId, field } as const
    const { resource } = await resourceOf(caller, wanted, deps)
    resourceIds.push(resource.id)
  }
  const range = wholeBuckets(question, question.granularity, { zone, nowMs })
  if (range === undefined) return emptySeries(provinces, question.listNames)
  return deps.usage.provinceSeriesJson({
    accountId: caller.payer.id,
    projectIds: [question.projectId],
    resourceIds: [...new Set(resourceIds)],
    provinces: [...new Set(provinces)],
    isp: question.isp ?? null,
    ...range,
    granularity: question.granularity,
    zone,
    listNames: question.listNames,
  })
}

/** Widens a range to whole buckets up to the current one; undefined when all of it is to come. */
export function wholeBuckets(
  range: Interval,
  granularity: SeriesGranularity,
  at: { readonly zone: string; readonly nowMs: number },
): Interval | undefined {
  const startMs = bucketStart(range.startMs, granularity, at.zone)
  const lastStartMs = bucketStart(range.endMs, granularity, at.zone)
  const wantedEndMs =
    lastStartMs === range.endMs ? lastStartMs : bucketEnd(range.endMs, granularity, at.zone)
  const endMs = Math.min(wantedEndMs, bucketEnd(at.nowMs, granularity, at.zone))
  return startMs < endMs ? { startMs, endMs } : undefined
}

function checkRange(question: ProvinceBandwidthQuestion, nowMs: number): void {
  const { startMs, endMs, granularity } = question
  if (startMs < nowMs - HISTORY_MS) {
    throw invalid('start', 'The range begins more than one year ago.')
  }
  if (endMs <= startMs) throw invalid('end', 'The range ends before it begins.')
  if (endMs - startMs > RANGE_MS_MAX[granularity]) {
    throw invalid('end', 'The range is too long for its granularity.')
  }
}

function knownProvince({ index, value }: Listed): string {
  if ((PROVINCES as readonly string[]).includes(value)) return value
  throw invalid(`province.${index}`, 'The province is not one of the documented codes.')
}

function emptySeries(provinces: readonly string[], listNames: readonly string[]): string {
  const lists = Object.fromEntries(listNames.map((name) => [name, []]))
  const unique = [...new Set(provinces)].sort()
  return JSON.stringify(unique.map((province) => ({ Province: province, ...lists })))
}

function invalid(field: string, message: string): AppError {
  return new AppError('parameter_invalid', message, { field })
}
