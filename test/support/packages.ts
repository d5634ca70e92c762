import { createPackageDesk, type PackageDesk } from '../../src/billing/package-desk.ts'
import { checkNamed, findOffer, lifeOf } from '../../src/billing/package-offers.ts'
import type { PackageOrders } from '../../src/api/operations/ports.ts'
import type { Catalog } from '../../src/catalog/catalog.ts'
import type { MeterName } from '../../src/catalog/model.ts'
import { readShippedRules } from '../../src/config/rule-files.ts'
import type { Clock } from '../../src/core/clock.ts'
import { parseRulePack, type RulePack } from '../../src/rating/rule-pack.ts'
import type { FakeWorld } from './fakes.ts'
import { trafficPackage } from './traffic-package.ts'

const PACKS: Readonly<Record<MeterName, string>> = {
  cdn: 'ucloud-cdn',
  eip: 'ucloud-eip',
  mna: 'tencent-mna',
}

/** The shipped pack of a meter. */
export function shippedPack(meter: MeterName): RulePack {
  const { file, text } = readShippedRules(PACKS[meter])
  return parseRulePack(text, file)
}

/** A desk over a catalog that sells what the shipped packs offer; `used` is what was drawn. */
export function testPackageDesk(
  catalog: Catalog,
  clock: Clock,
  used: ReadonlyMap<string, bigint> = new Map(),
): PackageDesk {
  return createPackageDesk({
    catalog,
    clock,
    packOf: async (_account, meter) => shippedPack(meter),
    packageBalance: async (packageId) => {
      const sizeBytes = (await catalog.rows.trafficPackages.get(packageId))?.sizeBytes ?? 0n
      const usedBytes = used.get(packageId) ?? 0n
      const firstUseMs = usedBytes === 0n ? null : clock.nowMs()
      return { packageId, usedBytes, remainingBytes: sizeBytes - usedBytes, firstUseMs }
    },
  })
}

/** Sells what the shipped packs offer, into a world in memory. */
export function fakeOrders(world: FakeWorld): PackageOrders {
  return {
    buy: async (order) => {
      const { account: accountId, meter, resources } = order
      const pack = shippedPack(meter)
      const offer = findOffer(pack, order.offer)
      checkNamed(offer, meter, resources)
      const nowMs = world.clock.nowMs()
      const { endAt } = lifeOf(offer, nowMs, 'Asia/Shanghai')
      const bought = trafficPackage({
        id: `pkg-bought-${world.orders.length + 1}`,
        accountId,
        meter,
        areas: offer.areas,
        kinds: offer.kinds,
        resourceIds: resources,
        sizeBytes: offer.sizeBytes,
        purchasedMs: nowMs,
        startMs: nowMs,
        endMs: endAt,
        paid: { amount: offer.price, currency: pack.currency },
        offer: offer.name,
      })
      world.orders.push(order)
      world.trafficPackages.push(bought)
      return bought
    },
  }
}
