import type { MeterName } from '../catalog/model.ts'
import type { Clock } from '../core/clock.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import type { ChargeDesk } from './charge-desk.ts'
import { modeAt } from './charge-modes.ts'

/**
 * Makes the function that finds the rule pack by which an account's usage is billed now.
 *
 * Shape: that of the charge mode in force; before a book has its first, the configured default.
 */
export function createPackOf(
  charges: Pick<ChargeDesk, 'history' | 'pack' | 'defaultPack'>,
  clock: Clock,
): (accountId: string, meter: MeterName) => Promise<RulePack> {
  return async (accountId, meter) => {
    const mode = modeAt(await charges.history(accountId, meter), clock.nowMs())
    return mode === undefined
      ? (await charges.defaultPack(meter)).pack
      : charges.pack(mode.packHash)
  }
}
