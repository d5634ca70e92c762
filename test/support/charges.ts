import type { ChargeConfig } from '../../src/billing/charge-desk.ts'
import { openCharges } from '../../src/compose-charges.ts'
import { ConfigFile } from '../../src/config/config.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { ControlStore } from '../../src/store/control/control-store.ts'

const { rules, chargeTypes } = ConfigFile.parse({}).billing

/** What the configuration says when nobody says anything. */
export const CHARGE_CONFIG: ChargeConfig = { defaults: rules, chargeTypes }

/** Opens rule packs and charge modes on a store as the server does. */
export async function openTestCharges(control: ControlStore, clock: Clock) {
  return { ...(await openCharges(CHARGE_CONFIG, { control, clock })), clock }
}
