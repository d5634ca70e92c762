import { type ChargeConfig, type ChargeDesk, createChargeDesk } from './billing/charge-desk.ts'
import { createPackRegistry, type PackRegistry } from './billing/pack-registry.ts'
import { readShippedRules, shippedRulePacks } from './config/rule-files.ts'
import type { Clock } from './core/clock.ts'
import { createChargeStore } from './store/control/charge-modes.ts'
import type { ControlStore } from './store/control/control-store.ts'

/** Rule packs, and by which of them accounts are billed. */
export interface Charges {
  readonly packs: PackRegistry
  readonly desk: ChargeDesk
}

/**
 * Opens rule packs and charge modes on the control store.
 *
 * Errors: `config_invalid` for a configured pack that is not there or prices another meter.
 */
export async function openCharges(
  config: ChargeConfig,
  { control, clock }: { readonly control: ControlStore; readonly clock: Clock },
): Promise<Charges> {
  const store = createChargeStore(control.db, control.catalog)
  const shipped = shippedRulePacks().map((name) => readShippedRules(name))
  const packs = createPackRegistry({ store, shipped, clock })
  const desk = createChargeDesk(config, { store, packs, clock })
  await desk.checkConfig()
  return { packs, desk }
}
