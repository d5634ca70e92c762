import { AppError } from '../../core/errors.ts'
import type { Caller, OperationDeps } from './caller.ts'

/**
 * Bills the caller's CDN traffic or bandwidth from the next local midnight on; of several requests
 * of one day the last wins.
 *
 * Errors: `forbidden` for a sub-account, since its parent pays; `parameter_invalid` (`chargeType`)
 * for a type that there is not.
 * Source: ucloud.md §4.2 SwitchUcdnChargeType.
 */
export async function switchChargeType(
  caller: Caller,
  chargeType: string,
  deps: Pick<OperationDeps, 'modes'>,
): Promise<void> {
  if (caller.account.id !== caller.payer.id) {
    throw new AppError('forbidden', 'Only the account that pays may change how it is billed.')
  }
  const actor = `account ${caller.account.id}`
  await deps.modes.switchType({ account: caller.payer.id, meter: 'cdn', chargeType, actor })
}
