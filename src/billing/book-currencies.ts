import type { TrafficPackage } from '../catalog/model.ts'
import type { CatalogRows } from '../catalog/ports.ts'
import type { Clock } from '../core/clock.ts'
import type { BookKey } from './book.ts'
import type { ChargeDesk } from './charge-desk.ts'
import { stateOf } from './charge-modes.ts'
import { createPackOf } from './pack-now.ts'

/** In which currencies a book is billed from now on. */
export interface BookCurrencies {
  /** The pack that bills the book now, and its currency. */
  readonly pack: string
  readonly currency: string
  /** That one, those of switches to come, and those in which packages were paid. */
  readonly all: readonly string[]
}

/** What finding them reads. */
export interface BookCurrenciesDeps {
  readonly charges: Pick<ChargeDesk, 'history' | 'pack' | 'defaultPack'>
  readonly rows: Pick<CatalogRows, 'trafficPackages'>
  readonly clock: Clock
}

/** Packages of one account that are looked through at a time. */
const PAGE = 1000

/** Makes the function that tells in which currencies a book is billed from now on. */
export function createBookCurrencies(
  deps: BookCurrenciesDeps,
): (key: BookKey) => Promise<BookCurrencies> {
  const { charges, clock } = deps
  const packOf = createPackOf(charges, clock)
  return async (key) => {
    const { accountId, meter } = key
    const { name, currency } = await packOf(accountId, meter)
    const all = new Set([currency])
    const history = await charges.history(accountId, meter)
    for (const mode of history) {
      if (stateOf(mode, history, clock.nowMs()) !== 'coming') continue
      all.add((await charges.pack(mode.packHash)).currency)
    }
    for (const { paid } of await packagesOf(key, deps)) if (paid !== null) all.add(paid.currency)
    return { pack: name, currency, all: [...all] }
  }
}

async function packagesOf(
  { accountId, meter }: BookKey,
  { rows }: BookCurrenciesDeps,
): Promise<TrafficPackage[]> {
  const found: TrafficPackage[] = []
  let cursor: string | null = null
  do {
    const page = await rows.trafficPackages.list({ accountId, meter }, { limit: PAGE, cursor })
    found.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null)
  return found
}
