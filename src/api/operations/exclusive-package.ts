import type { ExclusivePackage } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import { type Interval, resetPeriod } from '../../core/period.ts'
import { type ExclusiveRemainder, exclusiveRemainder } from '../../rating/exclusive-remainder.ts'
import type { Caller, OperationDeps } from './caller.ts'
import { resourceOf } from './ownership.ts'
import { checkRegion } from './regions.ts'

/** State of the exclusive package of one elastic IP. */
export interface ExclusivePackageState extends ExclusiveRemainder {
  readonly resourceId: string
  readonly package: ExclusivePackage
  /** The reset period that contains now. */
  readonly period: Interval
}

/** Question for an exclusive package. */
export interface ExclusivePackageQuestion {
  readonly projectId: string
  readonly region: string
  readonly zone: string
  /** Id or name of the elastic IP. */
  readonly eip: string
}

/**
 * Answers what is left of an elastic IP's exclusive package in the current reset period.
 *
 * Time: periods are counted from the package's creation in the account's zone; usage is cut to
 * whole minutes, start and end rounded down. What is used is what the books cover by the package,
 * closed days as they were closed: what moved under this account, on days billed by traffic.
 * Errors: `region_unsupported` (`region`, `zone`), `not_found` (`eip`), `package_missing`.
 * Source: ucloud.md §5.1 GetEIPExclusiveUTPInfo, §7 Exclusive package.
 */
export async function exclusivePackage(
  caller: Caller,
  question: ExclusivePackageQuestion,
  deps: OperationDeps,
): Promise<ExclusivePackageState> {
  await checkRegion(question.region, deps, question.zone)
  const { resource } = await resourceOf(
    caller,
    { meter: 'eip', idOrName: question.eip, projectId: question.projectId, field: 'eip' },
    deps,
  )
  if (resource.region !== question.region) {
    throw new AppError('not_found', 'The address is in another region.', { field: 'eip' })
  }
  const found = await deps.catalog.exclusivePackage(resource.id)
  if (found === undefined || found.accountId !== caller.payer.id) {
    throw new AppError('package_missing', `${resource.id} has no exclusive traffic package.`, {
      field: 'eip',
    })
  }
  const period = resetPeriod(
    found.createdMs,
    found.resetPolicy,
    deps.clock.nowMs(),
    caller.payer.zone,
  )
  const { exclusive } = await deps.balances.balance({ accountId: caller.payer.id, meter: 'eip' })
  const usedBytes = exclusive.find(({ volume }) => volume.id === found.id)?.usedBytes ?? 0n
  const remainder = exclusiveRemainder(found.sizeBytes, usedBytes)
  return { resourceId: resource.id, package: found, period, ...remainder }
}
