import type { AreaScope, ContentKind, MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageOffer } from '../rating/pack-offers.ts'
import { formatVolume } from '../rating/pack-quantities.ts'
import { validUntil } from '../rating/package-validity.ts'
import type { RulePack } from '../rating/rule-pack.ts'

/** What an offer must be like when it is not named; absent fields may be anything. */
export interface OfferWish {
  readonly sizeBytes: Bytes
  /** Pays for this area and no other. */
  readonly area?: AreaScope | undefined
  /** Pays for this kind and no other. */
  readonly kind?: ContentKind | undefined
  /** Lasts so many months from the purchase, at any time of the day, for all of the account. */
  readonly plainMonths?: number | undefined
}

/**
 * Finds the offer that is meant: by name, or the cheapest that is as wished.
 *
 * Errors: `not_found` at `offer` or `size`, naming what is offered.
 */
export function findOffer(
  { name: pack, packages: { offers } }: RulePack,
  wanted: string | OfferWish,
): PackageOffer {
  if (typeof wanted === 'string') {
    const named = offers.find(({ name }) => name === wanted)
    if (named !== undefined) return named
    throw notOffered(pack, offers, `no offer "${wanted}"`, 'offer')
  }
  const fitting = offers.filter((offer) => isAsWished(offer, wanted))
  const [first, ...others] = fitting
  if (first === undefined) {
    const { sizeBytes, area, kind } = wanted
    const what = [formatVolume(sizeBytes), kind, area].filter((word) => word !== undefined)
    throw notOffered(pack, offers, `no offer of ${what.join(' ')}`, 'size')
  }
  return others.reduce((best, offer) => (offer.price < best.price ? offer : best), first)
}

function isAsWished(offer: PackageOffer, wish: OfferWish): boolean {
  const isOnly = (list: readonly string[] | null, word: string | undefined): boolean =>
    word === undefined || (list?.length === 1 && list[0] === word)
  const isPlain =
    offer.from === 'purchase' &&
    offer.months === wish.plainMonths &&
    offer.windows.length === 0 &&
    offer.resourcesMax === null
  return (
    offer.sizeBytes === wish.sizeBytes &&
    isOnly(offer.areas, wish.area) &&
    isOnly(offer.kinds, wish.kind) &&
    (wish.plainMonths === undefined || isPlain)
  )
}

function notOffered(
  pack: string,
  offers: readonly PackageOffer[],
  what: string,
  field: string,
): AppError {
  const list = offers.map(({ name, sizeBytes }) => `${name} (${formatVolume(sizeBytes)})`)
  const known = list.length === 0 ? 'it offers no packages' : `there are ${list.join(', ')}`
  return new AppError('not_found', `Rule pack ${pack} has ${what}; ${known}.`, { field })
}

/**
 * Checks that the buyer names the resources which the offer asks for, and no more.
 *
 * Errors: `parameter_missing`, `limit_exceeded` or `parameter_invalid`, at `resources`.
 */
export function checkNamed(
  { name, resourcesMax }: PackageOffer,
  meter: MeterName,
  resources: readonly string[] | null,
): void {
  const field = 'resources'
  if (resourcesMax === null) {
    if (resources === null) return
    const message = `${name} is for all ${meter} traffic of the account; name no resources.`
    throw new AppError('parameter_invalid', message, { field })
  }
  const most = `at most ${resourcesMax} ${resourcesMax === 1 ? 'resource' : 'resources'}`
  if (resources === null || resources.length === 0) {
    const message = `${name} pays for ${most}; name the resources.`
    throw new AppError('parameter_missing', message, { field })
  }
  if (resources.length > resourcesMax) {
    const message = `${name} pays for ${most}, not ${resources.length}.`
    throw new AppError('limit_exceeded', message, { field })
  }
}

/**
 * Finds how long a package lasts that is bought now, in the terms of the catalog.
 *
 * Time: calendar months of the zone end at the same local time of the same day, exclusive.
 */
export function lifeOf(
  { months, from }: PackageOffer,
  nowMs: EpochMs,
  zone: string,
): { readonly endAt: EpochMs | null; readonly firstUseMonths: number | null } {
  if (months === null) return { endAt: null, firstUseMonths: null }
  return from === 'first-use'
    ? { endAt: null, firstUseMonths: months }
    : { endAt: validUntil(nowMs, months, zone), firstUseMonths: null }
}
