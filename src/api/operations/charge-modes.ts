import type { ChargeDesk, SwitchReceipt } from '../../billing/charge-desk.ts'
import { type ChargeMode, type ModeState, stateOf } from '../../billing/charge-modes.ts'
import type { PackRegistry } from '../../billing/pack-registry.ts'
import type { Account, MeterName } from '../../catalog/model.ts'
import type { Clock } from '../../core/clock.ts'

/** What the operations on rule packs and charge modes work with. */
export interface ChargeDeps {
  readonly desk: Pick<ChargeDesk, 'history' | 'pack' | 'switch' | 'defaultPack'>
  readonly packs: Pick<PackRegistry, 'list' | 'add'>
  readonly clock: Clock
}

/** By what an account is, was or will be billed. */
export interface ShownMode {
  readonly accountId: string
  readonly zone: string
  readonly meter: MeterName
  /** Name, version and hash of the pack. */
  readonly pack: string
  readonly version: string
  readonly hash: string
  /** `default`: nothing is written yet, and so it would be. */
  readonly state: ModeState | 'default'
  /** Of the history; null: nothing is written yet. */
  readonly entry: ChargeMode | null
}

/** Lists the history of an account by meter, in the order in which it takes effect. */
export async function listModes(
  account: Account,
  meters: readonly MeterName[],
  deps: ChargeDeps,
): Promise<readonly ShownMode[]> {
  const shown: ShownMode[] = []
  for (const meter of meters) {
    const history = await deps.desk.history(account.id, meter)
    const common = { accountId: account.id, zone: account.zone, meter }
    if (history.length === 0) {
      const { hash, pack } = await deps.desk.defaultPack(meter)
      const { name, version } = pack
      shown.push({ ...common, pack: name, version, hash, state: 'default', entry: null })
    }
    for (const entry of history) {
      const { name, version } = await deps.desk.pack(entry.packHash)
      const state = stateOf(entry, history, deps.clock.nowMs())
      shown.push({ ...common, pack: name, version, hash: entry.packHash, state, entry })
    }
  }
  return shown
}

/** Switches the mode of an account; see `ChargeDesk.switch`. */
export async function switchMode(
  request: Parameters<ChargeDesk['switch']>[0],
  deps: ChargeDeps,
): Promise<ShownMode> {
  const receipt = await deps.desk.switch(request)
  const { accountId, meter } = receipt.mode
  return toShown(receipt, await deps.desk.history(accountId, meter), deps)
}

function toShown(
  { mode, pack, zone }: SwitchReceipt,
  history: readonly ChargeMode[],
  { clock }: ChargeDeps,
): ShownMode {
  const { accountId, meter, packHash: hash } = mode
  const state = stateOf(mode, history, clock.nowMs())
  const { name, version } = pack
  return { accountId, zone, meter, pack: name, version, hash, state, entry: mode }
}
