import type { Catalog } from '../catalog/catalog.ts'
import { findRootAccount, unknownRef } from '../catalog/change.ts'
import type { Account, MeterName, TrafficPackage } from '../catalog/model.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { formatWindow } from '../core/day-window.ts'
import { formatMoney } from '../core/money.ts'
import { floorTo, SECOND_MS } from '../core/period.ts'
import type { PackageOffer } from '../rating/pack-offers.ts'
import type { PackageBalance } from '../rating/package-burn.ts'
import { refundPackage } from '../rating/package-refund.ts'
import { termsOf } from '../rating/package-terms.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import { checkNamed, findOffer, lifeOf, type OfferWish } from './package-offers.ts'

/** An order of a package that the account's rule pack offers. */
export interface PackageOrder {
  /** Id, name or number; a sub-account buys for its parent, who pays. */
  readonly account: string
  readonly meter: MeterName
  /** Name of the offer, or what it is like. */
  readonly offer: string | OfferWish
  /** Ids or names of what it shall pay for, where the offer asks for that; null: none. */
  readonly resources: readonly string[] | null
  /** Who buys, for the audit log. */
  readonly actor: string
}

/** What an account may buy. */
export interface OfferList {
  readonly account: Account
  /** By which the account's usage is billed now; its currency is that of the prices. */
  readonly pack: RulePack
  readonly offers: readonly PackageOffer[]
}

/** Sells packages and takes them back. */
export interface PackageDesk {
  /** Errors: `not_found` for the account. */
  offers(account: string, meter: MeterName): Promise<OfferList>
  /**
   * Buys a package; each call buys another one.
   *
   * Time: from now, in whole seconds, for the offer's calendar months in the account's zone.
   * Errors: `not_found` for what is not offered (`offer`, `size`), the account and resources;
   * `parameter_missing`, `limit_exceeded` or `parameter_invalid` for resources that do not fit the
   * offer; `conflict` for a gateway that has a package.
   */
  buy(order: PackageOrder): Promise<TrafficPackage>
  /**
   * Takes an unused, valid package back for what was paid; it takes part in nothing from then on.
   *
   * Errors: `not_found`; `conflict` when something was drawn from it, or it ended or was given
   * back before.
   */
  refund(id: string, actor: string): Promise<TrafficPackage>
}

/** What the desk works with. */
export interface PackageDeskDeps {
  readonly catalog: Pick<Catalog, 'rows' | 'as'>
  readonly clock: Clock
  /** By which pack the account's usage is billed now. `accountId` is a root account. */
  readonly packOf: (accountId: string, meter: MeterName) => Promise<RulePack>
  /** What was drawn from a package so far, usage of days that are not closed included. */
  readonly packageBalance: (id: string) => Promise<PackageBalance>
}

/** Opens the desk. */
export function createPackageDesk(deps: PackageDeskDeps): PackageDesk {
  const offers: PackageDesk['offers'] = async (ref, meter) => {
    const account = await findRootAccount(deps.catalog.rows, ref)
    const pack = await deps.packOf(account.id, meter)
    return { account, pack, offers: pack.packages.offers }
  }
  return {
    offers,
    buy: async (order) => buy(order, await offers(order.account, order.meter), deps),
    refund: (id, actor) => refund(id, actor, deps),
  }
}

function buy(
  { meter, offer: wanted, resources, actor }: PackageOrder,
  { account, pack }: OfferList,
  { catalog, clock }: PackageDeskDeps,
): Promise<TrafficPackage> {
  const offer = findOffer(pack, wanted)
  checkNamed(offer, meter, resources)
  // A package is sold by the second: what is cut off at the end is given at the beginning.
  const nowMs = floorTo(clock.nowMs(), SECOND_MS)
  return catalog.as(actor).createTrafficPackage({
    account: account.id,
    meter,
    areas: offer.areas === null ? null : [...offer.areas],
    kinds: offer.kinds === null ? null : [...offer.kinds],
    resources: resources === null ? null : [...resources],
    windows: offer.windows.map(formatWindow),
    size: offer.sizeBytes,
    purchasedAt: nowMs,
    ...lifeOf(offer, nowMs, account.zone),
    paid: { amount: formatMoney(offer.price), currency: pack.currency },
    offer: offer.name,
  })
}

async function refund(
  id: string,
  actor: string,
  { catalog, clock, packageBalance }: PackageDeskDeps,
): Promise<TrafficPackage> {
  const { rows } = catalog
  const entry = (await rows.trafficPackages.get(id)) ?? unknownRef('package', id, 'id')
  if (entry.refundedMs !== null) {
    const since = new Date(entry.refundedMs).toISOString()
    throw new AppError('conflict', `Package ${id} was given back at ${since} already.`)
  }
  const { zone } = await findRootAccount(rows, entry.accountId)
  // Before the change: balances are read from other stores, which a transaction would keep waiting.
  const balance = await packageBalance(id)
  const paid = entry.paid?.amount ?? 0n
  const { amount } = refundPackage(termsOf(entry), balance, paid, clock.nowMs(), zone)
  return catalog.as(actor).refundTrafficPackage(entry, amount)
}
