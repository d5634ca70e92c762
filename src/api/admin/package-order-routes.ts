import { z } from 'zod'
import { BytesInput, parseInput, RefInput } from '../../catalog/input.ts'
import { AccountRef, AreaScopeInput, KindInput, MeterInput } from '../../catalog/inputs.ts'
import { formatWindow } from '../../core/day-window.ts'
import { AppError } from '../../core/errors.ts'
import { formatMoney } from '../../core/money.ts'
import type { PackageDesk } from '../operations/buy-package.ts'
import { cutPage, listQuery, pageAnswer, pageOf, pageToWire, route } from './route.ts'
import { TrafficPackageWire, trafficPackageToWire } from './wire.ts'

type Offers = Awaited<ReturnType<PackageDesk['offers']>>

const PackageOfferWire = z
  .object({
    name: z.string(),
    sizeBytes: z.string().regex(/^\d+$/).describe('Bytes, as decimal text.'),
    areas: z.array(AreaScopeInput).nullable().describe('null, here and in kinds: any.'),
    kinds: z.array(KindInput).nullable(),
    windows: z.array(z.string()).describe('Local times of day; none: at any time.'),
    months: z.int().nullable().describe('Calendar months that it lasts; null: without end.'),
    from: z.enum(['purchase', 'first-use']).describe('From when the months are counted.'),
    resourcesMax: z
      .int()
      .nullable()
      .describe('So many resources at most, which the order names; null: it names none.'),
    price: z.string(),
    currency: z.string(),
  })
  .meta({ id: 'PackageOffer' })

function offerToWire(
  { pack }: Offers,
  offer: Offers['offers'][number],
): z.input<typeof PackageOfferWire> {
  const { areas, kinds } = offer
  return {
    name: offer.name,
    sizeBytes: String(offer.sizeBytes),
    areas: areas === null ? null : [...areas],
    kinds: kinds === null ? null : [...kinds],
    windows: offer.windows.map(formatWindow),
    months: offer.months,
    from: offer.from,
    resourcesMax: offer.resourcesMax,
    price: formatMoney(offer.price),
    currency: pack.currency,
  }
}

const PackageOrder = z.strictObject({
  account: AccountRef,
  meter: MeterInput.default('cdn'),
  offer: z.string().min(1).max(60).optional().describe('Name of the offer.'),
  size: BytesInput.optional().describe('Instead of a name: what is in it; the cheapest such.'),
  area: AreaScopeInput.optional().describe('With size: pays for this area only.'),
  kind: KindInput.optional().describe('With size: pays for this kind only.'),
  resources: z
    .array(RefInput)
    .min(1)
    .max(1000)
    .nullable()
    .default(null)
    .describe('Ids or names of what it pays for, where the offer asks for that.'),
})

function wantedOf(
  order: z.output<typeof PackageOrder>,
): Parameters<PackageDesk['buy']>[0]['offer'] {
  const { offer, size, area, kind } = order
  const refuse = (field: string, message: string): AppError =>
    new AppError('parameter_invalid', `${field}: ${message}`, { field })
  if (offer === undefined) {
    if (size !== undefined) return { sizeBytes: size, area, kind }
    throw refuse('offer', 'is required; or say the size')
  }
  const extra = Object.entries({ size, area, kind }).find(([, value]) => value !== undefined)
  if (extra === undefined) return offer
  throw refuse(extra[0], 'cannot stand beside offer, which says all that')
}

/** Operations that sell packages and take them back. */
export const PACKAGE_ORDER_ROUTES = [
  route('GET', '/package-offers', {
    summary:
      'List the packages that an account can buy: those of the rule pack that it is billed by.',
    query: listQuery({ account: AccountRef, meter: MeterInput.default('cdn') }),
    answer: pageAnswer(PackageOfferWire),
    run: async ({ packages, query }) => {
      const found = await packages.offers(query.account, query.meter)
      const page = cutPage(found.offers, pageOf(query), ({ name }) => name)
      return pageToWire(page, (offer) => offerToWire(found, offer))
    },
  }),
  route('POST', '/package-orders', {
    summary: 'Buy a package from now on, by an offer; each order buys another one.',
    body: PackageOrder,
    answer: TrafficPackageWire,
    run: async ({ packages, body, actor }) => {
      const order = parseInput(PackageOrder, body)
      const { account, meter, resources } = order
      const bought = await packages.buy({
        account,
        meter,
        offer: wantedOf(order),
        resources,
        actor,
      })
      return trafficPackageToWire(bought)
    },
  }),
  route('POST', '/traffic-packages/{id}/refund', {
    summary:
      'Give a package back that nothing was drawn from and that is valid, for what was paid.',
    answer: TrafficPackageWire,
    run: async ({ packages, id, actor }) => trafficPackageToWire(await packages.refund(id, actor)),
  }),
]
