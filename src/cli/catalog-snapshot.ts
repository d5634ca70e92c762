import type { CatalogSnapshot } from '../catalog/diff-draft.ts'
import type { EpochMs } from '../core/clock.ts'
import { parseWindow } from '../core/day-window.ts'
import { type Nano, parseMoney } from '../core/money.ts'
import type { AdminClient, Query, Wire } from './admin-client.ts'

/** Reads the whole catalog through the admin API: of resources the living ones only. */
export async function readSnapshot(client: AdminClient): Promise<CatalogSnapshot> {
  const read = async <T>(path: string, query: Query, fromWire: (entry: Wire) => Wire) =>
    (await client.all(path, query)).map(fromWire) as unknown as readonly T[]
  return {
    brands: await read('/brands', {}, withTimes),
    regions: await read('/regions', {}, withTimes),
    accounts: await read('/accounts', {}, withTimes),
    projects: await read('/projects', {}, withTimes),
    resources: await read('/resources', { living: true }, withTimes),
    trafficPackages: await read('/traffic-packages', {}, packageFromWire),
    exclusivePackages: await read('/exclusive-packages', {}, withTimes),
    sources: await read('/sources', {}, withTimes),
  }
}

function packageFromWire(entry: Wire): Wire {
  const { windows, paid, refundAmount, ...rest } = withTimes(entry)
  const amountOf = (text: unknown): Nano => parseMoney(String(text), 'amount')
  const bought = paid as { readonly amount: string; readonly currency: string } | null
  return {
    ...rest,
    windows: (windows as string[]).map(parseWindow),
    paid: bought === null ? null : { ...bought, amount: amountOf(bought.amount) },
    refundAmount: refundAmount === null ? null : amountOf(refundAmount),
  }
}

/** Turns `…At` texts into `…Ms` and volumes into bigints, as the catalog's own types have them. */
function withTimes(entry: Wire): Wire {
  return Object.fromEntries(
    Object.entries(entry).map(([name, value]) => {
      if (name.endsWith('At')) return [`${name.slice(0, -2)}Ms`, parseInstant(value)]
      return [name, name === 'sizeBytes' ? BigInt(value as string) : value]
    }),
  )
}

function parseInstant(value: unknown): EpochMs | null {
  return typeof value === 'string' ? Date.parse(value) : null
}
