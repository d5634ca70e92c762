import { type Change, findRootAccount, recordChange } from '../catalog/change.ts'
import type { Account, MeterName } from '../catalog/model.ts'
import { findOwnResource } from '../catalog/package-scope.ts'
import type { CatalogRows } from '../catalog/ports.ts'
import type { Clock, EpochMs } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import { dayStart } from '../core/period.ts'
import type { BookKey } from './book.ts'
import { fillFirst, findLacking, readHistories } from './charge-defaults.ts'
import {
  type ChargeMode,
  type ChargeModes,
  inOrder,
  isSame,
  modeAt,
  nextSwitchMs,
} from './charge-modes.ts'
import type { ChargeRows, ChargeStore } from './charge-store.ts'
import { findGroupMembers, type ResourceGroups } from './group-members.ts'
import { checkFit } from './pack-fit.ts'
import type { KnownPack, PackRegistry } from './pack-registry.ts'

/** What the operator decides. */
export interface ChargeConfig {
  /** Names of the packs by which accounts are billed that have no mode. */
  readonly defaults: Readonly<Record<MeterName, string>>
  /** Names of the packs that vendors' charge types mean. */
  readonly chargeTypes: Readonly<Record<string, string>>
}

/** By what a book shall be billed. */
export interface SwitchRequest {
  /** Id, name or number; a sub-account stands for its parent, who pays. */
  readonly account: string
  readonly meter: MeterName
  /** Name of a pack; its highest version is meant. */
  readonly pack: string
  /** Resources by id or name; the mode keeps their ids. */
  readonly groups: ResourceGroups
  readonly actor: string
}

/** What a switch came to. */
export interface SwitchReceipt {
  readonly mode: ChargeMode
  readonly pack: KnownPack['pack']
  readonly zone: string
  /** False: the book would have been billed so anyway, and nothing was written. */
  readonly isNew: boolean
}

/** Decides by which pack books are billed. */
export interface ChargeDesk extends ChargeModes {
  /**
   * Bills a book by another pack from the next local midnight on; before the book has begun, from
   * the start of today, so that its first day is billed by what was chosen for it.
   *
   * Errors: `not_found` for an unknown account or pack; `parameter_invalid` for a pack of another
   * meter, and for groups that the pack does not need, lacks, or that name strange resources.
   */
  switch(request: SwitchRequest): Promise<SwitchReceipt>
  /** Does what `switch` does by a vendor's charge type. Errors: `parameter_invalid`. */
  switchType(
    request: Pick<SwitchRequest, 'account' | 'meter' | 'actor'> & { readonly chargeType: string },
  ): Promise<SwitchReceipt>
  /** The pack of the configuration. */
  defaultPack(meter: MeterName): Promise<KnownPack>
  /** Errors: `config_invalid` for a configured pack that is not there or prices another meter. */
  checkConfig(): Promise<void>
}

/** What the desk works with. */
export interface ChargeDeskDeps {
  readonly store: ChargeStore
  readonly packs: PackRegistry
  readonly clock: Clock
}

/** Charge types are CDN's alone; no other product of the vendor has any. */
const CHARGE_TYPE_METER = 'cdn'

/** Opens the desk. */
export function createChargeDesk(config: ChargeConfig, deps: ChargeDeskDeps): ChargeDesk {
  const { store, packs } = deps
  const desk: Pick<ChargeDesk, 'switch'> = {
    switch: (request) =>
      store.change(({ catalog, charge }) => switchMode(request, catalog, charge, config, deps)),
  }
  return {
    ...desk,
    pack: (hash) => packs.pack(hash),
    history: async (accountId, meter) => inOrder(await store.rows.modes({ accountId, meter })),
    histories: (meter) => readHistories(store.rows, meter),
    ensure: async (books) => {
      const lacking = await findLacking(store.rows, books)
      if (lacking.length === 0) return
      await store.change(({ charge }) => fillFirst(lacking, charge, config, deps))
    },
    switchType: async ({ chargeType, ...book }) => {
      const types = Object.keys(config.chargeTypes)
      const pack = types.includes(chargeType) ? config.chargeTypes[chargeType] : undefined
      if (pack !== undefined) return desk.switch({ ...book, pack, groups: {} })
      const message = `"${chargeType}" is no charge type; there are ${types.join(', ')}.`
      throw new AppError('parameter_invalid', message, { field: 'chargeType' })
    },
    defaultPack: (meter) => packs.find(config.defaults[meter]),
    checkConfig: () => checkConfig(config, packs),
  }
}

async function switchMode(
  { actor, ...request }: SwitchRequest,
  catalog: CatalogRows,
  charge: ChargeRows,
  config: ChargeConfig,
  deps: ChargeDeskDeps,
): Promise<SwitchReceipt> {
  const change: Change = { rows: catalog, actor, nowMs: deps.clock.nowMs() }
  const { id: accountId, zone } = await findRootAccount(catalog, request.account)
  const book = { accountId, meter: request.meter }
  const known = await deps.packs.find(request.pack, charge)
  checkFit(known.pack, request)
  const groups = await findGroupMembers(
    request.groups,
    { accountId, meters: [book.meter] },
    (owner, ref) => findOwnResource(catalog, owner, ref),
  )
  const fromMs = await effectiveFrom(book, zone, charge, config, deps)
  const history = inOrder(await charge.modes(book))
  const mode: ChargeMode = {
    ...book,
    id: newId('mode', 12),
    fromMs,
    requestedMs: afterAll(history, fromMs, change.nowMs),
    packHash: known.hash,
    groups,
    actor,
  }
  const before = modeAt(history, fromMs)
  if (before !== undefined && isSame(before, mode)) {
    return { mode: before, pack: known.pack, zone, isNew: false }
  }
  await deps.packs.keep(known, charge)
  await charge.insertModes([mode])
  await recordChange(change, 'charge-mode.switch', accountId, {
    before: before ?? null,
    after: { ...mode, pack: `${known.pack.name} ${known.pack.version}` },
  })
  return { mode, pack: known.pack, zone, isNew: true }
}

/** Now, or the millisecond after the last request for the same day: its order must not be lost. */
function afterAll(history: readonly ChargeMode[], fromMs: EpochMs, nowMs: EpochMs): EpochMs {
  const sameDay = history.filter((mode) => mode.fromMs === fromMs)
  return Math.max(nowMs, ...sameDay.map(({ requestedMs }) => requestedMs + 1))
}

/** Tells when a switch takes effect, and writes down first what bills the book until then. */
async function effectiveFrom(
  book: BookKey,
  zone: Account['zone'],
  charge: ChargeRows,
  config: ChargeConfig,
  deps: ChargeDeskDeps,
): Promise<EpochMs> {
  const nowMs = deps.clock.nowMs()
  const beganMs = await charge.beganMs(book)
  if (beganMs === undefined || beganMs > nowMs) return dayStart(nowMs, zone)
  const start = { ...book, fromMs: dayStart(beganMs, zone) }
  await fillFirst([start], charge, config, deps)
  return nextSwitchMs(nowMs, zone)
}

async function checkConfig(config: ChargeConfig, packs: PackRegistry): Promise<void> {
  const rules = Object.entries(config.defaults).map(
    ([meter, name]) => [`rules.${meter}`, name, meter as MeterName] as const,
  )
  const types = Object.entries(config.chargeTypes).map(
    ([type, name]) => [`chargeTypes.${type}`, name, CHARGE_TYPE_METER] as const,
  )
  for (const [key, name, meter] of [...rules, ...types]) {
    try {
      const { pack } = await packs.find(name)
      checkFit(pack, { meter, groups: {} })
    } catch (error) {
      if (!(error instanceof AppError) || error.code === 'internal') throw error
      const message = `billing.${key} is not usable: ${error.message}`
      throw new AppError('config_invalid', message, { cause: error })
    }
  }
}
