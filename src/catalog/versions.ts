import type { EpochMs } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { MINUTE_MS, ceilTo, floorTo } from '../core/period.ts'
import type { PayMode, Resource, ResourceVersion } from './model.ts'

/** What a new version changes; the rest stays as it was. */
export type VersionChange = Partial<Pick<ResourceVersion, 'accountId' | 'projectId' | 'payMode'>>

/**
 * Makes the version that follows the last one; returns undefined when it would change nothing.
 *
 * Time: starts at `fromMs`, default now, rounded down to the minute, the grain of usage. The past
 * is kept: never before the last version; and not in the future, where it could still be forgotten.
 * Errors: `conflict` for a deleted resource, `parameter_invalid` for such an instant.
 */
export function nextVersion(
  resource: Resource,
  versions: readonly ResourceVersion[],
  change: VersionChange,
  fromMs: EpochMs | undefined,
  nowMs: EpochMs,
): ResourceVersion | undefined {
  const last = versions.at(-1)
  if (resource.deletedMs !== null || last === undefined) {
    throw new AppError('conflict', `${resource.id} is deleted; it can no longer change.`)
  }
  const startMs = floorTo(fromMs ?? Math.max(nowMs, last.fromMs), MINUTE_MS)
  if (startMs < last.fromMs) {
    throw new AppError(
      'parameter_invalid',
      `fromAt must not be before the last change of ${resource.id}, ${formatInstant(last.fromMs)}.`,
      { field: 'fromAt' },
    )
  }
  if (startMs > Math.max(nowMs, last.fromMs)) {
    throw new AppError('parameter_invalid', 'fromAt must not be in the future.', {
      field: 'fromAt',
    })
  }
  const version = { ...last, ...change, fromMs: startMs }
  const changed =
    version.accountId !== last.accountId ||
    version.projectId !== last.projectId ||
    version.payMode !== last.payMode
  return changed ? version : undefined
}

/**
 * Finds the end of a resource's life when it is deleted.
 *
 * Time: without a wish, the end of the current minute, so that usage of the minute still counts;
 * otherwise the wished instant rounded up to the minute.
 * Errors: `conflict` when it is deleted already, `parameter_invalid` before its last change or
 * beyond the current minute.
 */
export function endOfLife(
  resource: Resource,
  versions: readonly ResourceVersion[],
  atMs: EpochMs | undefined,
  nowMs: EpochMs,
): EpochMs {
  if (resource.deletedMs !== null) {
    throw new AppError('conflict', `${resource.id} is deleted already.`)
  }
  const latestMs = floorTo(nowMs, MINUTE_MS) + MINUTE_MS
  const endMs = atMs === undefined ? latestMs : ceilTo(atMs, MINUTE_MS)
  const lastMs = versions.at(-1)?.fromMs ?? resource.createdMs
  if (endMs <= lastMs || endMs > latestMs) {
    throw new AppError(
      'parameter_invalid',
      `atTime must be after the last change of ${resource.id}, ${formatInstant(lastMs)}, and not in the future.`,
      { field: 'atTime' },
    )
  }
  return endMs
}

/** Formats an instant for people and JSON: ISO 8601 in UTC. */
export function formatInstant(instantMs: EpochMs): string {
  return new Date(instantMs).toISOString()
}

/** Tells how a resource was paid for at an instant; before its first version, as in that one. */
export function payModeAt(
  versions: readonly ResourceVersion[],
  instantMs: EpochMs,
): PayMode | undefined {
  const version = versions.findLast(({ fromMs }) => fromMs <= instantMs) ?? versions[0]
  return version?.payMode
}
