import { createPackOf } from './billing/pack-now.ts'
import { createPackageDesk, type PackageDesk } from './billing/package-desk.ts'
import { unknownRef } from './catalog/change.ts'
import type { Core } from './compose.ts'
import type { PackageBalance } from './rating/package-burn.ts'
import { termsOf } from './rating/package-terms.ts'

/** Wires the desk that sells packages and takes them back. */
export function composePackages({
  catalog,
  charges,
  clock,
  bookkeeping,
}: Pick<Core, 'catalog' | 'charges' | 'clock' | 'bookkeeping'>): PackageDesk {
  const packOf = createPackOf(charges.desk, clock)
  const packageBalance = async (id: string): Promise<PackageBalance> => {
    const entry = (await catalog.rows.trafficPackages.get(id)) ?? unknownRef('package', id, 'id')
    const { accountId, meter } = entry
    return bookkeeping.live.packageBalance({ accountId, meter }, termsOf(entry))
  }
  return createPackageDesk({ catalog, clock, packOf, packageBalance })
}
