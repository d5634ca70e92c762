import { sharesArea } from '../../catalog/area-scope.ts'
import type { PackageNow } from '../../billing/balance.ts'
import type { Area, ContentKind } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import type { Bytes } from '../../core/units.ts'
import type { Caller, OperationDeps } from './caller.ts'

const AREAS: readonly Area[] = ['cn', 'abroad']

/** Prepaid traffic of one area; total = used + left, always. */
export interface AreaTotals {
  readonly area: Area
  readonly totalBytes: Bytes
  readonly usedBytes: Bytes
  readonly leftBytes: Bytes
}

/**
 * Answers an account's prepaid CDN traffic per area: bought, drawn, left.
 *
 * Shape: always cn, then abroad. Counts packages that have begun, not ended and not been given
 * back, as the books draw them: closed days as they were closed, and what was used since on top.
 * A package for some regions abroad counts there in full: the answer has no row for them.
 * A package that pays for both areas, or for both kinds, is whole in each row and answer that it
 * pays for: what it gave anywhere is used, and what is left is there for either.
 * Units: bytes. Usage beyond the packages is not part of any number here.
 * Time: live; at most a second behind loaded usage.
 * Limits: packages that name projects, resources or times of day, or that last from their first
 * use, are left out: the answer has no place to say what they are for.
 * Source: docs/explanation/vendor-answers.md#getucdntrafficv2.
 */
export async function trafficTotals(
  caller: Caller,
  kind: ContentKind,
  deps: Pick<OperationDeps, 'balances' | 'clock'>,
): Promise<readonly AreaTotals[]> {
  const nowMs = deps.clock.nowMs()
  const held = await packagesOf(caller.payer.id, deps)
  const counted = held.filter((entry) => isForAll(entry) && entry.package.startMs <= nowMs)
  return AREAS.map((area) => {
    const ours = counted.filter(
      ({ package: { areas, kinds } }) => sharesArea(areas, [area]) && allows(kinds, kind),
    )
    const totalBytes = ours.reduce((sum, { package: { sizeBytes } }) => sum + sizeBytes, 0n)
    const usedBytes = ours.reduce((sum, entry) => sum + entry.usedBytes, 0n)
    return { area, totalBytes, usedBytes, leftBytes: totalBytes - usedBytes }
  })
}

async function packagesOf(
  accountId: string,
  { balances }: Pick<OperationDeps, 'balances'>,
): Promise<readonly PackageNow[]> {
  try {
    return (await balances.balance({ accountId, meter: 'cdn' })).packages
  } catch (error) {
    // An account without domains and packages has no book.
    if (error instanceof AppError && error.code === 'not_found') return []
    throw error
  }
}

function isForAll({ package: entry }: PackageNow): boolean {
  const { projectIds, resourceIds, windows, validity } = entry
  return (
    projectIds === null &&
    resourceIds === null &&
    windows.length === 0 &&
    validity.type !== 'from-first-use'
  )
}

function allows<T>(list: readonly T[] | null, value: T): boolean {
  return list === null || list.includes(value)
}
