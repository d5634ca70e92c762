import type { PackageOrder } from '../../billing/package-desk.ts'
import type { TrafficPackage } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import type { MeterName } from '../../meters/meter.ts'
import type { Caller, OperationDeps } from './caller.ts'

export type { PackageDesk } from '../../billing/package-desk.ts'

/** What the caller wants to buy. */
export interface Purchase extends Pick<PackageOrder, 'offer'> {
  readonly meter: MeterName
  /** Ids or names of what it shall pay for; null: the offer is for all of the account. */
  readonly resources: readonly string[] | null
}

/**
 * Buys a package that the rule pack of the caller's account offers; each call buys another one.
 *
 * Shape: nothing is bought that is not offered: a key of the account alone could otherwise order
 * any volume for nothing. Only the account that pays buys.
 * Time: from now.
 * Errors: `forbidden` for a sub-account; `device_missing` (`resources`) for a resource that is not
 * the account's or lives no more; and what `PackageDesk.buy` refuses, with its fields `offer`,
 * `size` and `resources`.
 */
export async function buyPackage(
  caller: Caller,
  { meter, offer, resources: refs }: Purchase,
  deps: Pick<OperationDeps, 'catalog' | 'orders' | 'balances'>,
): Promise<TrafficPackage> {
  if (caller.account.parentId !== null) {
    throw new AppError('forbidden', 'Only the account that pays may buy packages.')
  }
  const resources = refs === null ? null : await findLiving(caller, meter, refs, deps)
  const actor = `account ${caller.account.id}`
  const order = { account: caller.payer.id, meter, offer, resources, actor }
  const bought = await deps.orders.buy(order)
  // Who asks for totals next wants to see what was just bought.
  deps.balances.forget()
  return bought
}

async function findLiving(
  caller: Caller,
  meter: MeterName,
  refs: readonly string[],
  { catalog }: Pick<OperationDeps, 'catalog'>,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (const ref of refs) {
    const found = await catalog.resource(caller.account, meter, ref)
    if (found === undefined || found.deletedMs !== null) {
      const message = `There is no ${meter} resource ${ref}.`
      throw new AppError('device_missing', message, { field: 'resources' })
    }
    if (ids.includes(found.id)) {
      throw new AppError('parameter_invalid', `${ref} is named twice.`, { field: 'resources' })
    }
    ids.push(found.id)
  }
  return ids
}
